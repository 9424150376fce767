"""Pure: hosts on the LAN that reply to probes, and how many of them speak for themselves."""

from collections.abc import Iterable
from dataclasses import dataclass, field

WINDOW_S = 0.4
"""A host is lost when it has not replied for so long: three probes :data:`PROBE_S` apart got no
reply, and the last of them had time for one."""
PROBE_S = 0.1
"""From one probe of a host to the next."""
SLOW_AFTER_S = 2.0
"""A host that has not replied for so long is probed every :data:`SLOW_S` only: each such probe is a
broadcast."""
SLOW_S = 0.5
CALL_S = 10.0
"""From one probe that everybody on the LAN is sent to the next: so the partner, which may hear
little while it stands by, learns of the host, too."""
MOST_MACS = 4
"""So many link-layer addresses are remembered of those that reply for one address."""


@dataclass(slots=True)
class Host:
    """A host that is probed.

    :param address: its IP address, as text.
    :param since_s: since when it is probed, or is expected to reply again.
    :param macs: when each link-layer address replied last for it.
    :param probed_s: when it was probed last; ``None`` before the first probe.
    :param called_s: when everybody on the LAN was sent a probe for it last.
    """

    address: str
    since_s: float
    macs: dict[bytes, float] = field(default_factory=dict)
    probed_s: float | None = None
    called_s: float | None = None

    @property
    def heard_s(self) -> float | None:
        """When it replied last; ``None`` if it never did."""
        return max(self.macs.values(), default=None)

    @property
    def mac(self) -> bytes:
        """The link-layer address that replied last; empty if none did."""
        return max(self.macs, key=self.macs.__getitem__, default=b"")

    def hear(self, mac: bytes, at_s: float) -> None:
        """Take a reply in; the oldest of too many link-layer addresses is forgotten."""
        self.macs[mac] = max(at_s, self.macs.get(mac, at_s))
        if len(self.macs) > MOST_MACS:
            del self.macs[min(self.macs, key=self.macs.__getitem__)]

    def shift(self, by_s: float, now_s: float) -> None:
        """Move its times, as this gateway did not look for so long.

        A reply that came at the end of that time stays where it is: none comes from later than now.
        """
        self.since_s += by_s
        self.macs = {mac: min(at_s + by_s, now_s) for mac, at_s in self.macs.items()}

    def live(self, now_s: float) -> bool:
        """Whether it replied within the window."""
        return self.heard_s is not None and now_s < self.heard_s + WINDOW_S

    def due(self, now_s: float) -> bool:
        """Whether it is to be probed now, at a call every :data:`PROBE_S`."""
        known_s = max(self.since_s, self.heard_s or 0.0)
        if self.probed_s is None or now_s - known_s < SLOW_AFTER_S:
            return True
        return now_s - self.probed_s >= SLOW_S

    def probe(self, now_s: float) -> bytes:
        """Note that it is probed; gives its link-layer address, empty for a broadcast."""
        self.probed_s = now_s
        recent = self.heard_s is not None and now_s - self.heard_s <= 2 * PROBE_S
        if recent and self.called_s is not None and now_s - self.called_s < CALL_S:
            return self.mac
        self.called_s = now_s
        return b""

    def macs_since(self, since_s: float) -> set[bytes]:
        """Give the link-layer addresses that replied after a moment."""
        return {mac for mac, at_s in self.macs.items() if at_s > since_s}


def independent(hosts: Iterable[Host], since_s: float) -> int:
    """Say how many hosts speak for themselves, by their replies after a moment.

    A stranger that replies for every address (proxy ARP, or an attacker) is one host, not many;
    one that replies beside the true hosts takes none of them away.
    """
    replied = [host.macs_since(since_s) for host in hosts]
    replied = [macs for macs in replied if macs]
    return min(len(replied), len(set().union(*replied)))
