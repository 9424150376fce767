"""Faults of the links between the two gateways of a site."""

from havpn_core.testing.lab.faults.lans import lan_of
from havpn_core.testing.lab.faults.street import Street, Undo

UDP_LINK_PORT = 694


def cable_pulled(street: Street, gateway: str) -> Undo:
    """Pull the cable between it and its partner."""
    cable = street.lab.cables[street.lab.plan.site_name(gateway)]
    cable.pull()
    return cable.plug


def cable_deaf(street: Street, gateway: str) -> Undo:
    """Lose what its partner sends it over the cable."""
    site = street.lab.plan.site_of(gateway)
    cable = street.lab.cables[site.name]
    cable.break_one_way(0 if gateway == site.backup else 1)
    return cable.plug


def udp_link_cut(street: Street, gateway: str) -> Undo:
    """Lose the pair's datagrams, both ways, while the LAN carries everything else."""
    lan = lan_of(street, gateway)
    lan.lose_udp(UDP_LINK_PORT)
    return lan.heal


def udp_link_deaf(street: Street, gateway: str) -> Undo:
    """Lose the datagrams that its partner sends it."""
    lan = lan_of(street, gateway)
    lan.lose_udp(UDP_LINK_PORT, street.lab.plan.partner_of(gateway))
    return lan.heal


def cut_links(street: Street, site: str) -> Undo:
    """Cut both links between the partners of a site, while the LAN carries everything else."""
    gateway = street.lab.plan.sites[site].preferred
    undone = [cable_pulled(street, gateway), udp_link_cut(street, gateway)]

    def undo() -> None:
        for each in undone:
            each()

    return undo
