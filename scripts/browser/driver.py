"""Open pages in a headless Chromium, look at them, and take their picture."""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

PROGRAM = "chromium"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update",
    "--hide-scrollbars", "--font-render-hinting=none", "--remote-debugging-pipe",
)  # fmt: skip
REPLY_S = 60.0


class BrowserFailed(Exception):
    """Chromium did not do what it was to do; the text says what it said."""


def installed() -> bool:
    """Whether there is a Chromium on this host."""
    return shutil.which(PROGRAM) is not None


class Browser:
    """One Chromium with one page; a context manager that leaves nothing behind.

    :param prefix: a command that runs it elsewhere, such as ``nsenter``.
    """

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        self._folder = tempfile.mkdtemp(prefix="havpn-browser-")
        self._count, self._buffer = 0, b""
        self.events: list[dict[str, Any]] = []
        theirs, self._to = os.pipe()
        self._from, back = os.pipe()
        # The pipe is on descriptors 3 and 4 of Chromium, whatever numbers it has here.
        shell = f'exec "$@" 3<&{theirs} 4>&{back}'
        command = [*prefix, PROGRAM, *FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "browser", *command],
            pass_fds=(theirs, back), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"TZ": "UTC", "HOME": self._folder, "LANG": "C.UTF-8"},
        )  # fmt: skip
        os.close(theirs)
        os.close(back)
        self._session: str | None = None

    def __enter__(self) -> Self:
        """Attach to its page.

        :raises BrowserFailed: if it does not start.
        """
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.close()

    def close(self) -> None:
        """End it with all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for descriptor in (self._to, self._from):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol and give its result; events are kept meanwhile.

        :raises BrowserFailed: if it is refused, or no reply comes.
        """
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + REPLY_S
        while True:
            found = self._read(until, method)
            if found.get("id") == self._count:
                if "error" in found:
                    raise BrowserFailed(f"{method}: {found['error']}")
                result: dict[str, Any] = found["result"]
                return result
            self.events.append(found)

    def _read(self, until: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            rest_s = max(0.0, until - time.monotonic())
            if not select.select([self._from], [], [], rest_s)[0]:
                raise BrowserFailed(f"{what}: no reply within {REPLY_S:g} s")
            content = os.read(self._from, 1 << 16)
            if not content:
                raise BrowserFailed(f"{what}: {PROGRAM} ended")
            self._buffer += content
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def size(self, width: int, height: int, *, scale: float = 1.0, mobile: bool = False) -> None:
        """Set the size of the page in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=mobile,
        )  # fmt: skip

    def scheme(self, name: str) -> None:
        """Prefer ``light`` or ``dark``."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, address: str) -> None:
        """Open a page, and wait until all of it is there.

        :raises BrowserFailed: if it cannot be opened.
        """
        found = self.call("Page.navigate", url=address)
        if found.get("errorText"):
            raise BrowserFailed(f"{address}: {found['errorText']}")
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """Give the value of an expression on the page.

        :raises BrowserFailed: if it throws.
        """
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise BrowserFailed(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, script: str, timeout: float = 30.0) -> Any:
        """Wait until an expression is true on the page, and give its value.

        :raises BrowserFailed: it was not in time.
        """
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if value := self.run(script):
                return value
            time.sleep(0.1)
        raise BrowserFailed(f"{script}: not true within {timeout:g} s")

    def picture(self) -> bytes:
        """Take a picture of the page as it is seen, as PNG."""
        found = self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])

    def complaints(self) -> list[str]:
        """Give what the page's console and the browser complained of so far."""
        self.run("0")  # what came before it is read with its reply
        found = []
        for event in self.events:
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(json.dumps(event["params"]["exceptionDetails"])[:500])
            elif event.get("method") == "Log.entryAdded":
                found.append(event["params"]["entry"]["text"])
        return found

    def requested(self) -> list[str]:
        """Give every address that the page requested so far."""
        self.run("0")
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
