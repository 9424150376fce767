"""Faults of a gateway's line: the provider's network, the WAN port, its address, its route."""

from havpn_core.testing.lab.faults.street import Street, Undo
from havpn_core.testing.lab.faults.tunnels import mend
from havpn_core.testing.lab.hosts.network import ESP_IN_UDP, Provider

LARGE = 1200
"""Bytes above which a packet is large."""


def provider_of(street: Street, gateway: str) -> Provider:
    """Return who carries a gateway's line."""
    return street.lab.providers[street.lab.plan.gateways[gateway].provider]


def line_cut(street: Street, gateway: str) -> Undo:
    """Lose every packet of its line, both ways."""
    provider = provider_of(street, gateway)
    provider.cut()
    return provider.heal


def line_cut_one_way(street: Street, gateway: str) -> Undo:
    """Lose every packet that it sends over its line."""
    provider = provider_of(street, gateway)
    provider.cut_one_way(street.lab.plan.gateways[gateway].side)
    return provider.heal


def esp_dropped(street: Street, gateway: str) -> Undo:
    """Lose the packets of its tunnel on its line, while everything else passes."""
    provider = provider_of(street, gateway)
    provider.drop(ESP_IN_UDP)
    return provider.heal


def large_dropped(street: Street, gateway: str) -> Undo:
    """Lose the large packets on its line without telling the sender."""
    provider = provider_of(street, gateway)
    provider.drop(f"meta length > {LARGE}")
    return provider.heal


def wan_port(street: Street, gateway: str) -> Undo:
    """Take the carrier of its line away."""
    side, provider = street.lab.plan.gateways[gateway].side, provider_of(street, gateway)
    provider.unplug(side)

    def undo() -> None:
        provider.plug(side)
        _furnish(street, gateway)

    return undo


def wan_port_down(street: Street, gateway: str) -> Undo:
    """Take its WAN port down at the gateway itself."""
    host, device = street.lab.hosts[gateway], street.lab.plan.gateways[gateway].wan_device
    host.run_in_network("ip", "link", "set", "dev", device, "down")

    def undo() -> None:
        host.run_in_network("ip", "link", "set", "dev", device, "up")
        _furnish(street, gateway)

    return undo


def wan_address(street: Street, gateway: str) -> Undo:
    """Take its address on the line away."""
    here = street.lab.plan.gateways[gateway]
    address = ("ip", "address", "del", str(here.wan), "dev", here.wan_device)
    street.lab.hosts[gateway].run_in_network(*address)
    return lambda: _furnish(street, gateway)


def route_gone(street: Street, gateway: str) -> Undo:
    """Take its route to the far gateway away."""
    gateways = street.lab.plan.gateways
    far = gateways[gateways[gateway].far].wan.ip
    street.lab.hosts[gateway].run_in_network("ip", "route", "del", str(far))
    return lambda: _furnish(street, gateway)


def _furnish(street: Street, gateway: str) -> None:
    street.lab.furnish(gateway)
    mend(street, gateway)
