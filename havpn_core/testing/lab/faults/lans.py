"""Faults of a LAN: a gateway's port, its own address there, the switch."""

from havpn_core.testing.lab.faults.street import Street, Undo
from havpn_core.testing.lab.faults.tunnels import mend
from havpn_core.testing.lab.hosts.lan import Lan


def lan_of(street: Street, gateway: str) -> Lan:
    """Return the LAN of a gateway's site."""
    return street.lab.lans[street.lab.plan.site_name(gateway)]


def lan_port(street: Street, gateway: str) -> Undo:
    """Take the carrier of its LAN port away."""
    lan = lan_of(street, gateway)
    lan.unplug(gateway)
    return lambda: lan.plug(gateway)


def lan_port_isolated(street: Street, gateway: str) -> Undo:
    """Switch its port off in the switch; its carrier stays."""
    lan = lan_of(street, gateway)
    lan.mute(gateway)
    return lambda: lan.unmute(gateway)


def lan_port_down(street: Street, gateway: str) -> Undo:
    """Take its LAN port down at the gateway itself."""
    lan, host = lan_of(street, gateway), street.lab.hosts[gateway]
    device = street.lab.plan.gateways[gateway].lan_device
    lan.note_gone(gateway)
    host.run_in_network("ip", "link", "set", "dev", device, "down")

    def undo() -> None:
        host.run_in_network("ip", "link", "set", "dev", device, "up")
        lan.note_back(gateway)
        street.lab.furnish(gateway)
        mend(street, gateway)

    return undo


def lan_address(street: Street, gateway: str) -> Undo:
    """Take its own address on the LAN away; the kernel takes what stands beside it along."""
    here = street.lab.plan.gateways[gateway]
    address = ("ip", "address", "del", str(here.lan), "dev", here.lan_device)
    street.lab.hosts[gateway].run_in_network(*address)

    def undo() -> None:
        street.lab.furnish(gateway)
        mend(street, gateway)

    return undo


def switch_dead(street: Street, gateway: str) -> Undo:
    """Let the switch of its LAN die: every port loses its carrier."""
    lan = lan_of(street, gateway)
    for station in lan.stations:
        lan.unplug(station)

    def undo() -> None:
        for station in lan.stations:
            lan.plug(station)

    return undo
