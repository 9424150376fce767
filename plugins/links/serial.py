"""``serial``: partner heartbeat over a null-modem cable.

The oldest way is still the best second one: no switch, no address, no firewall in between.
"""

import asyncio
import errno
import math
import os
from collections import deque
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from havpn_core import Context, Diagnosis, LinkType, hookimpl

from .._sockets import words
from ._framing import Deframer, encode

RETRY_S = 1.0
WAITING = 4
"""Frames that may wait for a line; older ones give way."""

WAITING_S = 0.1
"""So long may the line be busy with frames that wait; the newest one waits in any case."""

BITS_A_BYTE = 10 * 1.05
"""With start and stop bit, and with what the clocks of two ports may differ by."""

FRAME_BYTES = 180
"""Room for a frame of a pair and its escapes."""

SILENT_S = 5.0


class SerialOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``serial``."""

    device: Annotated[str, msgspec.Meta(min_length=1, description="as /dev/ttyS0")]
    baud: Annotated[int, msgspec.Meta(ge=9600, le=4000000, description="bits a second")] = 115200


class SerialLink:
    """A line that may be noisy, pulled out, put back, or vanish with its adapter."""

    def __init__(self, options: SerialOptions, context: Context) -> None:
        self._options, self._context = options, context
        self._port: Any = None
        self._tried = float("-inf")
        self._heard: float | None = None
        self._deframer = Deframer()
        self._waiting: deque[bytes] = deque()
        self._partial = b""
        self._byte_s = BITS_A_BYTE / options.baud
        self._free_s = float("-inf")  # when the line has carried all that was written
        self._timer: asyncio.TimerHandle | None = None
        self._writing = self._closed = False
        self._error = ""
        self._counts = {"sent": 0, "received": 0, "dropped": 0}

    def send(self, frame: bytes) -> None:
        """Send one frame as soon as the line carries it.

        The system would take frames for several seconds of a slow line. What they say is old by
        then, so they wait here, where a newer one replaces them.
        """
        if self._port is None and not self._open():
            self._counts["dropped"] += 1
            return
        self._waiting.append(encode(frame))
        while len(self._waiting) > 1 and self._too_many():
            self._waiting.popleft()
            self._counts["dropped"] += 1
        self._write()

    def _too_many(self) -> bool:
        busy_s = sum(map(len, self._waiting)) * self._byte_s
        return len(self._waiting) > WAITING or busy_s > WAITING_S

    def _open(self) -> bool:
        import serial

        now = self._context.clock()
        if self._closed or now - self._tried < RETRY_S:
            return False
        self._tried = now
        try:
            self._port = serial.Serial(
                self._options.device, self._options.baud, timeout=0, exclusive=True
            )
        except (OSError, ValueError) as problem:
            self._error = f"{self._options.device}: {_reason(problem)}"
            return False
        self._error, self._deframer = "", self._renewed()
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._read)
        return True

    def _renewed(self) -> Deframer:
        deframer = Deframer()
        deframer.damaged = self._deframer.damaged
        return deframer

    def _write(self) -> None:
        loop, number = asyncio.get_running_loop(), self._port.fileno()
        try:
            while self._partial or self._waiting:
                if not self._partial and not self._next():
                    break
                written = os.write(number, self._partial)
                self._partial = self._partial[written:]
                self._counts["sent"] += not self._partial
        except BlockingIOError:
            if not self._writing:
                loop.add_writer(number, self._write)
                self._writing = True
            return
        except OSError as problem:
            self._drop(words(problem))
            return
        if self._writing:
            loop.remove_writer(number)
            self._writing = False

    def _next(self) -> bool:
        """Take the next frame to write, or come back once the line is free for it."""
        if self._timer is not None:
            self._timer.cancel()
        now = self._context.clock()
        if now < self._free_s:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._free_s - now, self._write)
            return False
        self._partial = self._waiting.popleft()
        self._free_s = now + len(self._partial) * self._byte_s
        return True

    def _read(self) -> None:
        try:
            data = os.read(self._port.fileno(), 4096)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as problem:
            self._drop(words(problem))
            return
        if not data:
            self._drop("the device is gone")
            return
        self._heard = self._context.clock()
        for frame in self._deframer.feed(data):
            self._counts["received"] += 1
            self._context.received(frame)

    def _drop(self, error: str) -> None:
        if self._port is not None:
            loop, number = asyncio.get_running_loop(), self._port.fileno()
            loop.remove_reader(number)
            loop.remove_writer(number)
            self._port.close()
            self._port = None
        if self._timer is not None:
            self._timer.cancel()
        self._writing, self._partial, self._timer = False, b"", None
        self._waiting.clear()
        self._error = error

    def close(self) -> None:
        """Close the device."""
        self._closed = True
        self._drop("closed")

    async def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Open the device, unless a daemon has it; see :class:`havpn_core.Diagnosing`."""
        if running or not os.path.exists(self._options.device):  # noqa: PTH110
            return []  # of one that is not there, `missing` says it
        self._open()
        return _diagnosed(self._options.device, self._error)

    def facts(self) -> dict[str, Any]:
        """Give what the status shows; ``line`` says whether anything arrives at all."""
        heard = self._heard
        alive = heard is not None and self._context.clock() - heard < SILENT_S
        return {
            "open": self._port is not None,
            "line": "up" if alive else "down",
            "damaged": self._deframer.damaged,
            "error": self._error,
            **self._counts,
        }


def _diagnosed(device: str, error: str) -> list[Diagnosis]:
    """Say whether a device that is there could be opened."""
    if not error:
        return [Diagnosis.good(f"{device} can be opened")]
    if error.endswith("permission denied"):
        return [Diagnosis.failed(error, "add the daemon's user to the group dialout")]
    if "another program" in error:
        problem, _, remedy = error.rpartition(": ")
        return [Diagnosis.failed(problem, remedy)]
    return [Diagnosis.failed(error, "name a serial port: setserial -g /dev/ttyS* lists them")]


def _reason(problem: OSError | ValueError) -> str:
    """Say why the device cannot be opened; a :exc:`ValueError` is about its speed."""
    if isinstance(problem, BlockingIOError) or getattr(problem, "errno", 0) == errno.EAGAIN:
        return "another program uses it: end that, or choose another device"
    return words(problem) if isinstance(problem, OSError) else str(problem)


def _missing(options: SerialOptions) -> list[str]:
    if os.path.exists(options.device):  # noqa: PTH110
        return []
    return [f"device {options.device} is not there: plug the adapter in or correct the name"]


@hookimpl
def havpn_register_links() -> Iterable[LinkType]:
    """Give the type."""
    yield LinkType(
        "serial",
        "null-modem cable",
        SerialOptions,
        SerialLink,
        missing=_missing,
        pace_s=lambda options: math.ceil(FRAME_BYTES * BITS_A_BYTE / options.baud * 100) / 100,
    )
