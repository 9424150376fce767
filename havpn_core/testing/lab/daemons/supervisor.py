"""The ``havpn`` daemon in a gateway, as a test sees it."""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import havpn_core
from havpn_core.daemon.state.reading import typed
from havpn_core.daemon.state.status import Status as TypedStatus
from havpn_core.host import execute
from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.waiting import wait_for

CONFIG = "/etc/havpn/havpn.toml"
STATUS = "/run/havpn/status.json"
HISTORY = "/var/lib/havpn/events.jsonl"
DEFAULT = (sys.executable, "-m", "havpn_core")

Status = dict[str, Any]
"""The status as JSON; :class:`~havpn_core.daemon.state.status.Status` has it as typed values."""


def environment() -> dict[str, str]:
    """Let the hosts import the same havpn_core, also from a checkout that is not installed."""
    here = str(Path(havpn_core.__file__).parents[1])
    there = os.environ.get("PYTHONPATH", "")
    return {**execute.environment(), "PYTHONPATH": f"{here}{os.pathsep}{there}" if there else here}


def history(host: Host, kind: str = "", since: float = 0.0) -> list[Status]:
    """Return the history of a host's daemon as ``havpn events --json`` has it, oldest first.

    :param kind: of these events only.
    :param since: ``time.time()`` from which on; a millisecond counts as a whole.
    """
    try:
        lines = Path(f"{host.root}{HISTORY}").read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    first = int(since * 1000) / 1000
    return [
        event
        for event in map(json.loads, lines)
        if kind in ("", event["kind"]) and datetime.fromisoformat(event["at"]).timestamp() >= first
    ]


class Supervisor:
    """One gateway's daemon.

    :param config: text of the configuration; its ``run_dir`` must be the default.
    :param executable: the command line in front of ``run -c FILE``.
    """

    def __init__(self, host: Host, config: str, executable: Sequence[str] = DEFAULT) -> None:
        self.host = host
        self._executable = tuple(executable)
        self._process: Inside | None = None
        self.log_path = host.folder / f"{host.name}.havpn"
        self.configure(config)

    def configure(self, config: str) -> None:
        """Write the configuration; a running daemon reads it at :meth:`reload`."""
        self.host.write(CONFIG, config, 0o600)

    def start(self) -> None:
        """Start the daemon; use :meth:`wait_for` to see it run.

        :raises HostFailed: it is running already.
        """
        if self.is_running():
            raise HostFailed(f"havpn already runs on {self.host.name}")
        with self.log_path.open("ab") as log:
            command = (*self._executable, "run", "-c", CONFIG)
            self._process = self.host.popen(*command, stdout=log, stderr=log, env=environment())

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process as seen from outside.

        :raises HostFailed: it does not run.
        """
        if self._process is None or not self.is_running():
            raise HostFailed(f"havpn does not run on {self.host.name}")
        return self._process.inner_pid

    def command(self, *arguments: str, timeout: float = 20.0, check: bool = True) -> str:
        """Run another ``havpn`` command in this gateway and return its output.

        :raises CommandFailed: with ``check``, when its status is not 0.
        """
        argv = (*self._executable, *arguments)
        return self.host.run(*argv, timeout=timeout, check=check, env=environment()).stdout

    def read_status(self) -> TypedStatus | None:
        """Return the status as the daemon last wrote it; None while there is none.

        Whether that daemon still works is not judged: its pid means nothing outside its host.
        """
        found = self.status()
        return typed(found) if found else None

    def status(self) -> Status:
        """Return what the status file says, as JSON; empty while there is none."""
        try:
            # /run is the host's own tmpfs and holds no symlink: the fast way in is safe.
            text = Path(f"{self.host.root}{STATUS}").read_text(encoding="utf-8")
            status: Status = json.loads(text)
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return status

    def verdict(self, path: str) -> str | None:
        """Return a path's verdict; None if the daemon does not report that path."""
        found = self.read_status()
        return _verdict(found, path) if found else None

    def role(self, which: str = "observed") -> str | None:
        """Return the role ``wanted`` or ``observed``; None if not known."""
        status = self.read_status()
        found: str | None = getattr(status.role, which, None) if status else None
        return found

    def wait_until(
        self, predicate: Callable[[TypedStatus], object], timeout: float, what: str
    ) -> TypedStatus:
        """Wait until the status satisfies a condition, and return that status.

        :param timeout: seconds.
        :raises NotInTime: it did not in time.
        :raises HostFailed: the daemon ended; the message has the end of its log.
        """
        return typed(self.wait_for(lambda found: predicate(typed(found)), timeout, what))

    def wait_for(self, predicate: Callable[[Status], object], timeout: float, what: str) -> Status:
        """Wait as :meth:`wait_until` does, for a condition on the status as JSON."""

        def satisfied() -> Status | None:
            found = self.status()
            if found and predicate(found):
                return found
            if not self.is_running():
                raise HostFailed(f"havpn ended on {self.host.name}:\n{self.log()[-3000:]}")
            return None

        found = wait_for(satisfied, timeout, f"{what} on {self.host.name}")
        assert found is not None
        return found

    def wait_verdict(self, path: str, verdict: str, timeout: float) -> Status:
        """Wait until a path has a verdict; raises as :meth:`wait_until` does."""
        return self.wait_for(
            lambda found: _verdict(typed(found), path) == verdict,
            timeout,
            f"path {path} to be {verdict}",
        )

    def wait_role(self, observed: str, timeout: float) -> Status:
        """Wait until the observed role is this one; raises as :meth:`wait_until` does."""
        return self.wait_for(
            lambda found: typed(found).role.observed == observed, timeout, f"role {observed}"
        )

    def events(self, kind: str = "", since: float = 0.0) -> list[Status]:
        """Return its :func:`history`."""
        return history(self.host, kind, since)

    def wait_event(self, kind: str, after: str, timeout: float, since: float) -> Status:
        """Wait for an event of the history, which stays where a state may pass; returns it.

        :param since: ``time.time()`` from which on.
        :raises NotInTime: there was none within ``timeout`` seconds.
        """

        def found() -> Status | None:
            return next((e for e in self.events(kind, since) if e["after"] == after), None)

        event = wait_for(found, timeout, f"{kind} {after} on {self.host.name}", poll=0.05)
        assert event is not None
        return event

    def reload(self) -> None:
        """SIGHUP."""
        self._signal(signal.SIGHUP)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._signal(signal.SIGKILL)
        self._wait(5.0)

    def stop(self, timeout: float = 30.0) -> int:
        """SIGTERM, and wait for the end; returns the exit status.

        :raises subprocess.TimeoutExpired: it did not end.
        """
        self._signal(signal.SIGTERM)
        return self._wait(timeout)

    def restart(self, *, in_order: bool = False) -> None:
        """End it if it runs, and start it again.

        :param in_order: by SIGTERM instead of SIGKILL.
        """
        if in_order:
            self.stop()
        else:
            self.kill()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: it does nothing more, while its host's kernel goes on."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """Return what all runs of it wrote to stdout and stderr."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _wait(self, timeout: float) -> int:
        return 0 if self._process is None else self._process.wait(timeout)


def _verdict(found: TypedStatus, path: str) -> str | None:
    return found.paths[path].verdict if path in found.paths else None
