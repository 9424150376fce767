"""The table of single faults: what is broken, where, and how soon clients are served again."""

from collections.abc import Callable
from dataclasses import dataclass

from havpn_core.testing.lab.faults import lans, lines, links, machines, programs, tunnels
from havpn_core.testing.lab.faults.street import Street, Undo

Fault = Callable[[Street, str], Undo]

AT_ONCE_S = 0.3
"""Where a probe of the line or the tunnel, or a carrier can know."""
ROUND_S = 1.0
"""Where witnesses or the hosts behind the far gateway must know, or a partner's silence."""
NOTHING_S = 0.0
"""The clients must lose nothing."""

FAULTS: dict[str, Fault] = {
    "line cut": lines.line_cut,
    "line cut one way": lines.line_cut_one_way,
    "wan port": lines.wan_port,
    "wan address": lines.wan_address,
    "route gone": lines.route_gone,
    "lan port": lans.lan_port,
    "lan port isolated": lans.lan_port_isolated,
    "switch dead": lans.switch_dead,
    "power off": machines.power_off,
    "host frozen": machines.host_frozen,
    "daemon killed": programs.daemon_killed,
    "daemon stopped": programs.daemon_stopped,
    "daemon frozen": programs.daemon_frozen,
    "forwarding off": machines.forwarding_off,
}
"""Those of a gateway, of its port or of its line, for networks with and without tunnels."""
TUNNEL: dict[str, Fault] = {
    "esp dropped": lines.esp_dropped,
    "large packets dropped": lines.large_dropped,
}
"""Those of a tunnel alone."""
LINKS: dict[str, Fault] = {
    "cable pulled": links.cable_pulled,
    "cable deaf": links.cable_deaf,
    "udp link cut": links.udp_link_cut,
    "udp link deaf": links.udp_link_deaf,
}
"""Those between two partners."""


@dataclass(frozen=True)
class Row:
    """One single fault of the table.

    :param name: what is broken, with the gateway.
    :param fault: breaks it; gives what undoes it.
    :param gateway: where.
    :param bound_s: the longest outage of the clients, in seconds.
    :param moves: whether both sites are to use the other line while it lasts.
    :param least_s: seconds for which it must last until they do.
    """

    name: str
    fault: Fault
    gateway: str
    bound_s: float
    moves: bool = True
    least_s: float = 0.0


_OF_A_ROAD: tuple[tuple[str, Fault, float], ...] = (
    ("line cut", lines.line_cut, AT_ONCE_S),
    ("line cut one way", lines.line_cut_one_way, AT_ONCE_S),
    ("WAN port without carrier", lines.wan_port, AT_ONCE_S),
    ("WAN port down", lines.wan_port_down, AT_ONCE_S),
    ("WAN address gone", lines.wan_address, AT_ONCE_S),
    ("route to the far gateway gone", lines.route_gone, AT_ONCE_S),
    ("ESP dropped by the provider", lines.esp_dropped, AT_ONCE_S),
    ("large packets dropped", lines.large_dropped, AT_ONCE_S),
    ("IKE daemon killed", tunnels.ike_killed, AT_ONCE_S),
    ("IKE daemon frozen", tunnels.ike_frozen, AT_ONCE_S),
    ("SA gone", tunnels.sa_gone, AT_ONCE_S),
    ("LAN port without carrier", lans.lan_port, AT_ONCE_S),
    ("LAN port down", lans.lan_port_down, AT_ONCE_S),
    ("own LAN address gone", lans.lan_address, AT_ONCE_S),
    ("LAN port isolated in the switch", lans.lan_port_isolated, ROUND_S),
    ("forwarding off", machines.forwarding_off, ROUND_S),
    ("firewall drops what is forwarded", machines.firewall, ROUND_S),
    ("powered off", machines.power_off, AT_ONCE_S),
    ("host frozen", machines.host_frozen, AT_ONCE_S),
    ("switched to standby", programs.to_standby, NOTHING_S),
)
"""What must move both sites when it affects a gateway that serves."""
LIFETIME_S = 3.0
"""For how long the kernel keeps the address of a daemon that is dead, where the rows are tried."""
_DEAD: tuple[tuple[str, Fault], ...] = (
    ("daemon killed", programs.daemon_killed),
    ("daemon frozen", programs.daemon_frozen),
    ("daemon stopped", programs.daemon_stopped),
)
DEAD = frozenset(fault for _, fault in _DEAD)
"""What costs the clients nothing, and moves both sites within the lifetime of the address."""
_HARMLESS: tuple[tuple[str, Fault], ...] = (
    ("daemon slow", programs.daemon_slow),
    ("disk full", machines.disk_full),
    ("clock set back an hour", programs.clock_back),
    ("serial cable pulled", links.cable_pulled),
    ("serial cable deaf", links.cable_deaf),
    ("LAN link cut", links.udp_link_cut),
    ("LAN link deaf", links.udp_link_deaf),
)
"""What must cost the clients nothing, wherever it is, and move nobody."""
SERVE, STANDBY = ("gw-aa", "gw-ba"), "gw-ab"

DEAD_S = LIFETIME_S + 2.0
LEAST_S: dict[Fault, float] = {machines.firewall: 5.0}
"""The standby must see the road fail, by a probe a second, or it returns by a trial only."""
ROWS: tuple[Row, ...] = tuple(
    [
        Row(f"{n} at {g}", f, g, s, True, LEAST_S.get(f, 0.0))
        for n, f, s in _OF_A_ROAD
        for g in SERVE
    ]
    + [Row(f"{n} at {gw}", f, gw, NOTHING_S, True, DEAD_S) for n, f in _DEAD for gw in SERVE]
    + [Row(f"{n} at {gw}", f, gw, NOTHING_S, False) for n, f in _HARMLESS for gw in SERVE]
    + [Row(f"{n} at {STANDBY}", f, STANDBY, NOTHING_S, False) for n, f, _ in _OF_A_ROAD]
    + [Row(f"{n} at {STANDBY}", f, STANDBY, NOTHING_S, False) for n, f in _DEAD]
)
"""Every single fault, one after the other."""
