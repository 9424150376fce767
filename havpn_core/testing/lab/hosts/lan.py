"""A LAN: a switch whose ports can be unplugged and switched off, and that can lose some frames.

Everything is made inside the switch's own network namespace.
"""

import time
from dataclasses import dataclass

from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.network import connect

BRIDGE = "br0"
LONGEST = 15
"""Letters of the name of a device."""
# `flush` of a table that is not there fails; a second `add` changes nothing.
FILTER = """
add table bridge lan
add chain bridge lan forward {{
    type filter hook forward priority 0; policy accept;
}}
flush chain bridge lan forward
{rules}
"""


@dataclass(frozen=True)
class Absence:
    """A time during which the switch carried nothing to or from a station.

    :param since: before its port was unplugged or switched off; CLOCK_MONOTONIC, seconds.
    :param until: after the port was back; None while it lasts.
    """

    station: str
    since: float
    until: float | None


class Lan:
    """A LAN: a host that is nothing but a bridge."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._past: list[Absence] = []
        self._ports: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._absent: dict[str, set[str]] = {}
        self._lost: set[str] = set()
        script = f"ip link add {BRIDGE} type bridge forward_delay 0 stp_state 0"
        host.run_in_network("sh", "-c", f"{script} && ip link set {BRIDGE} up")

    def attach(self, station: Host, interface: str) -> None:
        """Plug a host in; the bridge's port is named after it, if a port can have that name."""
        usable = len(station.name) <= LONGEST and station.name not in (BRIDGE, "lo")
        port = station.name if usable else f"port{len(self._ports)}"
        self._ports.setdefault(station.name, port)
        connect(self.host, self._ports[station.name], station, interface)
        self._set_port(station.name, "master", BRIDGE)
        for why in tuple(self._absent.get(station.name, ())):
            self._returns(station.name, why)

    def unplug(self, station: str) -> None:
        """Take a host's cable out: it loses its carrier."""
        self._leaves(station, "unplugged")
        self._set_port(station, "down")

    def plug(self, station: str) -> None:
        """Put the cable back."""
        self._set_port(station, "up")
        if "muted" in self._absent.get(station, ()):
            self._switch_off(station)  # the kernel lets a port forward when its carrier comes
        self._returns(station, "unplugged")

    def mute(self, station: str) -> None:
        """Switch its port off: the switch carries nothing to or from it, and its carrier stays."""
        self._leaves(station, "muted")
        self._switch_off(station)

    def unmute(self, station: str) -> None:
        """Carry its frames again."""
        self._set_state(station, 3)
        self._returns(station, "muted")

    def _switch_off(self, station: str) -> None:
        self._set_state(station, 0)

    def _set_state(self, station: str, state: int) -> None:
        port = self._ports[station]
        self.host.run_in_network("bridge", "link", "set", "dev", port, "state", str(state))

    def _set_port(self, station: str, *words: str) -> None:
        self.host.run_in_network("ip", "link", "set", "dev", self._ports[station], *words)

    @property
    def stations(self) -> tuple[str, ...]:
        """All that were plugged in."""
        return tuple(self._ports)

    def note_gone(self, station: str) -> None:
        """Note that a station is about to take its own port down."""
        self._leaves(station, "down")

    def note_back(self, station: str) -> None:
        """Note that it has taken it up again."""
        self._returns(station, "down")

    def absences(self) -> list[Absence]:
        """Return which station was off the LAN when; those that last come last."""
        return self._past + [Absence(name, at, None) for name, at in self._since.items()]

    def lose_udp(self, port: int, sender: str = "") -> None:
        """Lose the datagrams to a UDP port, while everything else is carried; until :meth:`heal`.

        :param sender: of this station only.
        """
        self._lose(f"ether type ip udp dport {port}", sender)

    def lose_kind(self, ether_type: int, sender: str = "") -> None:
        """Lose the frames of an EtherType, as :meth:`lose_udp` does datagrams."""
        self._lose(f"ether type {ether_type:#06x}", sender)

    def heal(self) -> None:
        """Carry every kind of frame again; ports stay as they are."""
        self._lost.clear()
        self._filter()

    def _lose(self, what: str, sender: str) -> None:
        source = f'iifname "{self._ports.get(sender, sender)}" ' if sender else ""
        self._lost.add(f"add rule bridge lan forward {source}{what} drop")
        self._filter()

    def _filter(self) -> None:
        rules = FILTER.format(rules="\n".join(sorted(self._lost)))
        self.host.run_in_network("nft", "-f", "-", input=rules)

    def _leaves(self, station: str, why: str) -> None:
        reasons = self._absent.setdefault(station, set())
        if not reasons:
            self._since[station] = time.monotonic()
        reasons.add(why)

    def _returns(self, station: str, why: str) -> None:
        reasons = self._absent.get(station, set())
        if why in reasons:
            reasons.discard(why)
            if not reasons:
                spell = Absence(station, self._since.pop(station), time.monotonic())
                self._past.append(spell)
