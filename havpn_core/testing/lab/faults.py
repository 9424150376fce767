"""Single faults of the two-site network, by name, each with what undoes it.

``FAULTS`` are those of a gateway, of its port or of its line; ``LINKS`` those between two partners.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from havpn_core.testing.lab.daemons.supervisor import Supervisor
from havpn_core.testing.lab.gateways import pair_gateway
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.twosite import TwoSite

UDP_LINK_PORT = 694
Undo = Callable[[], None]


@dataclass
class Street:
    """The network with its daemons.

    :param options: those of :func:`~havpn_core.testing.lab.gateways.pair_config` for a gateway
        that is powered on again.
    """

    lab: TwoSite
    daemons: dict[str, Supervisor]
    options: dict[str, Any] = field(default_factory=dict)


def site_name(gateway: str) -> str:
    """Return ``a`` or ``b``, where a gateway stands."""
    return next(name for name, site in plan.SITES.items() if site is plan.site_of(gateway))


def line_cut(street: Street, gateway: str) -> Undo:
    """Lose every packet of its line, both ways."""
    provider = street.lab.providers[plan.GATEWAYS[gateway].provider]
    provider.cut()
    return provider.heal


def line_cut_one_way(street: Street, gateway: str) -> Undo:
    """Lose every packet that it sends over its line."""
    provider = street.lab.providers[plan.GATEWAYS[gateway].provider]
    provider.cut_one_way(plan.GATEWAYS[gateway].side)
    return provider.heal


def wan_port(street: Street, gateway: str) -> Undo:
    """Take the carrier of its line away."""
    here = plan.GATEWAYS[gateway]
    provider = street.lab.providers[here.provider]
    provider.unplug(here.side)

    def undo() -> None:
        provider.plug(here.side)
        street.lab.furnish(gateway)

    return undo


def wan_address(street: Street, gateway: str) -> Undo:
    """Take its address on the line away."""
    address = ("ip", "address", "del", str(plan.GATEWAYS[gateway].wan), "dev", "wan")
    street.lab.hosts[gateway].run_in_network(*address)
    return lambda: street.lab.furnish(gateway)


def route_gone(street: Street, gateway: str) -> Undo:
    """Take its route to the far gateway away."""
    far = plan.GATEWAYS[plan.GATEWAYS[gateway].far].wan.ip
    street.lab.hosts[gateway].run_in_network("ip", "route", "del", str(far))
    return lambda: street.lab.furnish(gateway)


def lan_port(street: Street, gateway: str) -> Undo:
    """Take the carrier of its LAN port away."""
    lan = street.lab.lans[site_name(gateway)]
    lan.unplug(gateway)
    return lambda: lan.plug(gateway)


def lan_port_isolated(street: Street, gateway: str) -> Undo:
    """Switch its port off in the switch; its carrier stays."""
    lan = street.lab.lans[site_name(gateway)]
    lan.mute(gateway)
    return lambda: lan.unmute(gateway)


def power_off(street: Street, gateway: str) -> Undo:
    """End its host without a warning."""
    street.lab.power_off(gateway)

    def undo() -> None:
        street.lab.power_on(gateway)
        street.daemons[gateway] = pair_gateway(street.lab, gateway, **street.options)

    return undo


def host_frozen(street: Street, gateway: str) -> Undo:
    """Let its host stand still, its kernel included."""
    host, lan = street.lab.hosts[gateway], street.lab.lans[site_name(gateway)]
    host.freeze()
    lan.mute(gateway)

    def undo() -> None:
        lan.unmute(gateway)
        host.thaw()

    return undo


def daemon_killed(street: Street, gateway: str) -> Undo:
    """SIGKILL to its daemon."""
    street.daemons[gateway].kill()
    daemon = street.daemons[gateway]
    return daemon.start


def daemon_stopped(street: Street, gateway: str) -> Undo:
    """SIGTERM to its daemon."""
    street.daemons[gateway].stop()
    daemon = street.daemons[gateway]
    return daemon.start


def daemon_frozen(street: Street, gateway: str) -> Undo:
    """SIGSTOP to its daemon; its kernel goes on."""
    daemon = street.daemons[gateway]
    daemon.freeze()
    return daemon.thaw


def forwarding_off(street: Street, gateway: str) -> Undo:
    """Let its kernel forward nothing."""
    host = street.lab.hosts[gateway]
    host.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")
    return lambda: street.lab.furnish(gateway)


def cable_pulled(street: Street, gateway: str) -> Undo:
    """Pull the cable between it and its partner."""
    cable = street.lab.cables[site_name(gateway)]
    cable.pull()
    return cable.plug


def cable_deaf(street: Street, gateway: str) -> Undo:
    """Lose what its partner sends it over the cable."""
    site = plan.site_of(gateway)
    cable = street.lab.cables[site_name(gateway)]
    cable.break_one_way(0 if gateway == site.backup else 1)
    return cable.plug


def udp_link_cut(street: Street, gateway: str) -> Undo:
    """Lose the pair's datagrams, both ways, while the LAN carries everything else."""
    lan = street.lab.lans[site_name(gateway)]
    lan.lose_udp(UDP_LINK_PORT)
    return lan.heal


def udp_link_deaf(street: Street, gateway: str) -> Undo:
    """Lose the datagrams that its partner sends it."""
    site, lan = plan.site_of(gateway), street.lab.lans[site_name(gateway)]
    lan.lose_udp(UDP_LINK_PORT, site.backup if gateway == site.preferred else site.preferred)
    return lan.heal


Fault = Callable[[Street, str], Undo]
FAULTS: dict[str, Fault] = {
    "line cut": line_cut,
    "line cut one way": line_cut_one_way,
    "wan port": wan_port,
    "wan address": wan_address,
    "route gone": route_gone,
    "lan port": lan_port,
    "lan port isolated": lan_port_isolated,
    "power off": power_off,
    "host frozen": host_frozen,
    "daemon killed": daemon_killed,
    "daemon stopped": daemon_stopped,
    "daemon frozen": daemon_frozen,
    "forwarding off": forwarding_off,
}
LINKS: dict[str, Fault] = {
    "cable pulled": cable_pulled,
    "cable deaf": cable_deaf,
    "udp link cut": udp_link_cut,
    "udp link deaf": udp_link_deaf,
}


def cut_links(street: Street, site: str) -> Undo:
    """Cut both links between the partners of a site, while the LAN carries everything else."""
    gateway = plan.SITES[site].preferred
    undone = [cable_pulled(street, gateway), udp_link_cut(street, gateway)]

    def undo() -> None:
        for each in undone:
            each()

    return undo
