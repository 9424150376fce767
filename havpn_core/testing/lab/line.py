"""A line between two hosts with a delay, random loss and cuts whose moment is known exactly."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.errors import HostFailed, LabError
from havpn_core.testing.lab.hosts.host import Host, end_hosts, program, start_hosts
from havpn_core.testing.lab.hosts.network import connect, set_up

DEVICE = "line"
LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
SENDERS = ("left", "right")
# The wire must say nothing of its own.
SILENT = tuple(f"net.ipv6.conf.{which}.disable_ipv6=1" for which in ("all", "default"))

Sender = Literal["left", "right"]


@dataclass(frozen=True)
class Moment:
    """When an order began to rule, on two clocks that all hosts share; nanoseconds."""

    monotonic_ns: int
    realtime_ns: int


class Line:
    """Two hosts, ``left`` (192.0.2.1) and ``right`` (192.0.2.2), and what lies between them.

    A context manager that leaves nothing behind. Frames are carried by a program in a third host,
    with real-time priority where that is allowed; the kernel needs no netem.

    :param delay_ms: one way, 0 to 500; the wire's own work comes on top.
    :param loss: share of the frames lost at random in each direction, 0 to 1.
    :param seed: makes the losses repeatable.
    """

    def __init__(
        self, delay_ms: float = 0.0, *, loss: float = 0.0, seed: int | None = None
    ) -> None:
        self._first = (delay_ms, loss)
        self._seed = seed
        self.hosts: dict[str, Host] = {}
        self.realtime = False

    def __enter__(self) -> Self:
        """Bring it up; on any failure nothing stays."""
        leftovers.sweep()
        self.folder = leftovers.open_folder()
        try:
            self.hosts = start_hosts((*SENDERS, "wire"), self.folder)
            self._lay()
        except BaseException:
            self.tear_down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take it down."""
        self.tear_down()

    def tear_down(self) -> None:
        """End every host; safe to call twice.

        :raises HostFailed: hosts resisted.
        """
        resisting = end_hosts(self.hosts.values())
        if resisting:
            raise HostFailed(f"these hosts did not end: {', '.join(resisting)}")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def left(self) -> Host:
        """The host with 192.0.2.1."""
        return self.hosts["left"]

    @property
    def right(self) -> Host:
        """The host with 192.0.2.2."""
        return self.hosts["right"]

    def cut(self, sender: Sender | None = None) -> Moment:
        """Lose everything from now on, frames under way included; no carrier changes.

        :param sender: lose only what this end sends.
        """
        return self._order("cut", sender)

    def heal(self) -> Moment:
        """End every cut and loss."""
        return self._order("heal", None)

    def loss(self, share: float, sender: Sender | None = None) -> Moment:
        """Lose frames at random.

        :param share: 0 to 1.
        :param sender: only what this end sends.
        """
        return self._order(f"loss {share}", sender)

    def delay(self, delay_ms: float, sender: Sender | None = None) -> Moment:
        """Change the one-way delay; frames under way keep theirs.

        :param delay_ms: 0 to 500.
        :param sender: only what this end sends.
        """
        return self._order(f"delay {delay_ms}", sender)

    def _lay(self) -> None:
        wire = self.hosts["wire"]
        set_up(wire, sysctls=SILENT)
        with ThreadPoolExecutor(len(SENDERS)) as pool:
            list(pool.map(lambda name: connect(wire, name, self.hosts[name], DEVICE), SENDERS))
        set_up(self.left, [(f"{LEFT}/30", DEVICE)])
        set_up(self.right, [(f"{RIGHT}/30", DEVICE)])
        seed = () if self._seed is None else (str(self._seed),)
        self._process = wire.popen(
            *program("delay", *SENDERS, *seed),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.realtime = self._answer() == ["ready", "rr"]
        delay_ms, loss = self._first
        self.delay(delay_ms)
        self.loss(loss)

    def _order(self, words: str, sender: Sender | None) -> Moment:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words} {sender or ''}\n")
        self._process.stdin.flush()
        word, *rest = self._answer()
        if word != "ok":
            raise LabError(f"the line refused {words!r}: {' '.join(rest)}")
        return Moment(*map(int, rest))

    def _answer(self) -> list[str]:
        assert self._process.stdout is not None
        said = str(self._process.stdout.readline()).split()
        if not said:
            raise HostFailed("the line's program is gone")
        return said
