"""Cables and provider lines between hosts.

Everything is made inside the hosts' network namespaces, nothing in the machine's own.
"""

import json
import shutil
from collections.abc import Iterable

from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.places import Direction
from havpn_core.testing.lab.hosts.wire import Wire

NAT_T_PORT = 4500


def connect(near: Host, near_name: str, far: Host, far_name: str) -> None:
    """Lay a cable between two hosts; a stump of that name left in ``near`` is removed first."""
    script = f"ip link del dev {near_name} 2>/dev/null; " if _has(near, near_name) else ""
    script += (
        f"ip link add name {near_name} type veth peer name {far_name} netns {far.pid}"
        f" && ip link set dev {near_name} up"
    )
    near.run_in_network("sh", "-c", script)
    far.run_in_network("ip", "link", "set", "dev", far_name, "up")


def _has(host: Host, interface: str) -> bool:
    return not host.run_in_network("ip", "link", "show", "dev", interface, check=False).returncode


def set_up(
    host: Host,
    addresses: Iterable[tuple[str, str]] = (),
    routes: Iterable[str] = (),
    sysctls: Iterable[str] = (),
) -> None:
    """Give a host its addresses, routes and kernel settings in one go.

    :param addresses: pairs of ``address/length`` and interface.
    :param routes: each what follows ``ip route replace``.
    :param sysctls: each ``name=value``.
    """
    lines = [f"address replace {address} dev {device}" for address, device in addresses]
    lines += [f"route replace {route}" for route in routes]
    settings = list(sysctls)
    if settings:
        host.run("sysctl", "-q", "-w", *settings)
    if lines:
        host.run_in_network("ip", "-batch", "-", input="\n".join(lines) + "\n")


def set_mtu(host: Host, device: str, mtu: int) -> None:
    """Set the largest packet of a device, in bytes."""
    host.run_in_network("ip", "link", "set", "dev", device, "mtu", str(mtu))


ESP_IN_UDP = f"udp dport {NAT_T_PORT} @th,64,32 != 0"
"""ESP in UDP, in the words of nftables."""

# The first 4 bytes after the UDP header are 0 for IKE (RFC 3948), an SPI for ESP.
RULES = f"""
table inet line {{
    counter esp_in_udp {{ }}
    counter other {{ }}
    chain account {{
        type filter hook forward priority -10; policy accept;
        udp dport {NAT_T_PORT} @th,64,32 != 0 counter name esp_in_udp return
        counter name other
    }}
    chain forward {{ type filter hook forward priority 0; policy accept; }}
}}
"""


class Provider:
    """A provider: a router between two gateways that can fail without telling anybody.

    Nothing here touches a carrier or replies with ICMP: the packets just vanish, as when a
    router further away dies. Every change is one atomic ruleset; it rules when the call returns.

    :param delay_ms: how long each packet takes one way, on top of the lab's own time.
    :param ipv6: whether it carries IPv6, too.
    """

    def __init__(self, host: Host, delay_ms: float = 0.0, *, ipv6: bool = False) -> None:
        self.host, self._delay_ms, self._ipv6 = host, delay_ms, ipv6
        self._lost: dict[Direction, float] = dict.fromkeys(Direction, 0.0)
        self._nft = shutil.which("nft") is not None
        six = ("net.ipv6.conf.all.forwarding=1",) if ipv6 else ()
        set_up(host, sysctls=("net.ipv4.ip_forward=1", *six))
        if self._nft:
            host.run_in_network("nft", "-f", "-", input=RULES)

    def attach(self, gateway: Host, side: Direction, interface: str = "wan") -> None:
        """Plug a gateway into one of the two ports."""
        if self._delay_ms and side is next(iter(Direction)):
            self._lay_wire(gateway, side, interface)
        else:
            connect(self.host, side.value, gateway, interface)

    def _lay_wire(self, gateway: Host, side: Direction, interface: str) -> None:
        """Put a wire that takes its time between a port and the gateway."""
        inner, outer = f"{side.value}-in", f"{side.value}-out"
        connect(self.host, side.value, self.host, inner)
        connect(self.host, outer, gateway, interface)
        quiet = [f"net.ipv6.conf.{device}.disable_ipv6=1" for device in (inner, outer)]
        set_up(self.host, sysctls=quiet)
        self._wire = Wire(self.host, inner, outer)
        self._wire.order(f"delay {self._delay_ms}")

    def cut(self) -> None:
        """Lose every packet, both ways."""
        self._set(dict.fromkeys(Direction, 100.0))

    def cut_one_way(self, direction: Direction) -> None:
        """Lose every packet of one direction; the other stays as it is."""
        self._set({**self._lost, direction: 100.0})

    def loss(self, percent: float, direction: Direction | None = None) -> None:
        """Lose packets at random.

        :param percent: 0 to 100, in steps of 0.01.
        :param direction: the only one to change; None: both.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"a loss of {percent} percent")
        ways = tuple(Direction) if direction is None else (direction,)
        self._set({**self._lost, **dict.fromkeys(ways, float(percent))})

    def drop(self, what: str) -> None:
        """Lose some packets, both ways, until :meth:`heal`; needs nftables.

        :param what: which, in the words of nftables, such as ``meta length > 1200``.
        """
        rule = f"add rule inet line forward {what} drop\n"
        self.host.run_in_network("nft", "-f", "-", input=rule)

    def heal(self) -> None:
        """Let everything pass again."""
        self._set(dict.fromkeys(Direction, 0.0))

    def _set(self, lost: dict[Direction, float]) -> None:
        if self._nft:
            self._filter(lost)
        else:
            self._blackhole(lost)
        self._lost = lost

    def _blackhole(self, lost: dict[Direction, float]) -> None:
        """Do without nftables what iproute2 can: lose all or nothing of a direction."""
        if not set(lost.values()) <= {0.0, 100.0}:
            raise ValueError("random loss needs nftables: install nftables")
        for way, percent in lost.items():
            if percent != self._lost[way]:
                verb = "add" if percent else "del"
                rule = ("pref", "10", "iif", way.value, "blackhole")
                for family in ("-4", "-6") if self._ipv6 else ("-4",):
                    self.host.run_in_network("ip", family, "rule", verb, *rule)

    def _filter(self, lost: dict[Direction, float]) -> None:
        rules = "".join(_rule(way, percent) for way, percent in lost.items() if percent)
        if all(percent == 100 for percent in lost.values()):
            rules = "add rule inet line forward drop\n"
        flush = "flush chain inet line forward\n"
        self.host.run_in_network("nft", "-f", "-", input=flush + rules)

    def unplug(self, side: Direction) -> None:
        """Take the carrier of one gateway's line away."""
        self.host.run_in_network("ip", "link", "set", side.value, "down")

    def plug(self, side: Direction) -> None:
        """Give the carrier back."""
        self.host.run_in_network("ip", "link", "set", side.value, "up")

    def packets(self) -> dict[str, int]:
        """Count what came to be forwarded so far: ``esp_in_udp`` and ``other``."""
        out = self.host.run_in_network("nft", "-j", "list", "counters").stdout
        counters = (item["counter"] for item in json.loads(out)["nftables"] if "counter" in item)
        return {counter["name"]: int(counter["packets"]) for counter in counters}


def _rule(way: Direction, percent: float) -> str:
    chance = f"numgen random mod 10000 < {round(percent * 100)} " if percent < 100 else ""
    return f'add rule inet line forward iifname "{way.value}" {chance}drop\n'
