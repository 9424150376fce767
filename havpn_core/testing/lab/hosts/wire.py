"""A wire between two ports of a host that takes its time, and whose cuts have an exact moment."""

import subprocess
from dataclasses import dataclass
from typing import Literal

from havpn_core.testing.lab.hosts.errors import HostFailed, LabError
from havpn_core.testing.lab.hosts.host import Host, program

Sender = Literal["left", "right"]


@dataclass(frozen=True)
class Moment:
    """When an order began to rule, on two clocks that all hosts share; nanoseconds."""

    monotonic_ns: int
    realtime_ns: int


class Wire:
    """The program that carries frames from one port to the other, and obeys.

    It has real-time priority where that is allowed; the kernel needs no netem.

    :param left, right: the ports, devices of the host that have no addresses.
    :param seed: makes the losses repeatable.
    """

    def __init__(self, host: Host, left: str, right: str, seed: int | None = None) -> None:
        more = () if seed is None else (str(seed),)
        self._process = host.popen(
            *program("delay", left, right, *more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        #: whether it has real-time priority.
        self.realtime = self._reply() == ["ready", "rr"]

    def order(self, words: str, sender: Sender | None = None) -> Moment:
        """Have it do what programs/delay.py describes.

        :param sender: only to what this port's side sends.
        :raises LabError: it refuses.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words} {sender or ''}\n")
        self._process.stdin.flush()
        word, *rest = self._reply()
        if word != "ok":
            raise LabError(f"the wire refused {words!r}: {' '.join(rest)}")
        return Moment(*map(int, rest))

    def _reply(self) -> list[str]:
        assert self._process.stdout is not None
        said = str(self._process.stdout.readline()).split()
        if not said:
            raise HostFailed("the wire's program is gone")
        return said
