"""A line between two hosts with a delay, random loss and cuts whose moment is known exactly."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host, end_hosts, start_hosts
from havpn_core.testing.lab.hosts.network import connect, set_up
from havpn_core.testing.lab.hosts.wire import Moment, Sender, Wire

DEVICE = "line"
LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
SENDERS: tuple[Sender, Sender] = ("left", "right")
# The wire must say nothing of its own.
SILENT = tuple(f"net.ipv6.conf.{which}.disable_ipv6=1" for which in ("all", "default"))


class Line:
    """Two hosts, ``left`` (192.0.2.1) and ``right`` (192.0.2.2), and what lies between them.

    A context manager that leaves nothing behind. Frames are carried by a
    :class:`~havpn_core.testing.lab.hosts.wire.Wire` in a third host.

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

    @property
    def rtt_ms(self) -> float:
        """The round trip time that it began with."""
        return 2 * self._first[0]

    def cut(self, sender: Sender | None = None) -> Moment:
        """Lose everything from now on, frames under way included; no carrier changes.

        :param sender: lose only what this end sends.
        """
        return self._wire.order("cut", sender)

    def heal(self) -> Moment:
        """End every cut and loss."""
        return self._wire.order("heal")

    def loss(self, share: float, sender: Sender | None = None) -> Moment:
        """Lose frames at random.

        :param share: 0 to 1.
        :param sender: only what this end sends.
        """
        return self._wire.order(f"loss {share}", sender)

    def delay(self, delay_ms: float, sender: Sender | None = None) -> Moment:
        """Change the one-way delay; frames under way keep theirs.

        :param delay_ms: 0 to 500.
        :param sender: only what this end sends.
        """
        return self._wire.order(f"delay {delay_ms}", sender)

    def _lay(self) -> None:
        wire = self.hosts["wire"]
        set_up(wire, sysctls=SILENT)
        with ThreadPoolExecutor(len(SENDERS)) as pool:
            list(pool.map(lambda name: connect(wire, name, self.hosts[name], DEVICE), SENDERS))
        set_up(self.left, [(f"{LEFT}/30", DEVICE)])
        set_up(self.right, [(f"{RIGHT}/30", DEVICE)])
        self._wire = Wire(wire, *SENDERS, self._seed)
        self.realtime = self._wire.realtime
        delay_ms, loss = self._first
        self.delay(delay_ms)
        self.loss(loss)
