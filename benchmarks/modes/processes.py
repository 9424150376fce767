"""The processes of a daemon with children, as what decides on a gateway."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from havpn_core.testing.lab.hosts.inside import Inside


class Processes:
    """Daemons that were started inside a host, with all that they have started.

    :param begin: starts them; gives them in the order in which they are to be stopped.
    """

    def __init__(self, begin: Callable[[], Iterable[Inside]]) -> None:
        self._begin = begin
        self._roots = list(begin())

    def start(self) -> None:
        """Start them again."""
        self._roots = list(self._begin())

    def kill(self) -> None:
        """SIGKILL to all."""
        self._signal(signal.SIGKILL)
        for root in self._roots:
            root.wait(timeout=10)

    def stop(self, timeout: float = 60.0) -> None:
        """SIGTERM to each daemon, and wait for its end.

        :raises subprocess.TimeoutExpired: one did not end.
        """
        for root in self._roots:
            root.send_signal(signal.SIGTERM)
            root.wait(timeout=timeout)

    def freeze(self) -> None:
        """SIGSTOP to all."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT to all."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        found: list[psutil.Process] = []
        for root in self._roots:
            with contextlib.suppress(psutil.NoSuchProcess):
                found += psutil.Process(root.inner_pid).children(recursive=True)
            root.send_signal(number)
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def outer_pid(host_pid: int, inner: int) -> int | None:
    """Find a process of a host by its number there; ``None`` if there is none."""
    for process in psutil.Process(host_pid).children(recursive=True):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            numbers = next(line for line in status.splitlines() if line.startswith("NSpid:"))
            if int(numbers.split()[-1]) == inner:
                return process.pid
    return None


def send(pid: int | None, number: int) -> None:
    """Signal a process seen from outside, if there is one."""
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
