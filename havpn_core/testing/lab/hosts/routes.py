"""Pure: the addresses, routes and kernel settings that follow from a plan, host by host."""

from havpn_core.site.model.model import Interface, Network
from havpn_core.testing.lab.hosts.places import Gateway, Plan, Site

END_DEVICE = "lan"
"""Device of an end host."""
PORT, NEAR = "fe80::1", "fe80::2"
"""Of a provider's port and of the gateway there, where a line carries what it has no address of."""

Addresses = list[tuple[str, str]]


def end_host_addresses(site: Site, name: str) -> Addresses:
    """Give the addresses of an end host."""
    return [_on(each, END_DEVICE) for each in _of_end_host(site, name)]


def end_host_routes(site: Site, name: str) -> list[str]:
    """Give its way out: a shared address of each family that it has."""
    own = {each.version for each in _of_end_host(site, name)}
    first = {vip.version: vip for vip in reversed(site.vips) if vip.version in own}
    return [f"default via {vip.ip} dev {END_DEVICE}" for vip in first.values()]


def _of_end_host(site: Site, name: str) -> tuple[Interface, ...]:
    second = (site.second_address, *site.witnesses)
    return site.end_addresses if name == site.end_host else second


def gateway_addresses(plan: Plan, name: str) -> Addresses:
    """Give the addresses that a gateway has while it has no shared one."""
    here = plan.gateways[name]
    own = [_on(each, here.lan_device) for each in here.lans]
    return _once([*own, _on(here.wan, here.wan_device), *_besides(plan, name, NEAR)])


def gateway_routes(plan: Plan, name: str, *, clear: bool) -> list[str]:
    """Give its routes: to the far end of its line, and to the networks behind its own LAN.

    :param clear: to the far networks as well, over the line: there is no tunnel.
    """
    here, site = plan.gateways[name], plan.site_of(name)
    far, device = plan.gateways[here.far], here.wan_device
    beyond = here.router.ip not in here.wan.network and not _of_link(here.router)
    routes = [f"{here.router.ip} dev {device}"] if beyond else []
    routes.append(f"{far.wan.ip} via {here.router.ip} dev {device}")
    known = [each.network for each in here.lans]
    routes += [f"{each} dev {here.lan_device}" for each in site.networks if each not in known]
    if clear:
        for network in plan.far_site(name).networks:
            routes.append(f"{network} via {_via(network, here.router, PORT)} dev {device}")
    return routes


def port_addresses(plan: Plan, name: str) -> Addresses:
    """Give the addresses of the provider's port towards a gateway."""
    here = plan.gateways[name]
    besides = [(address, f"{here.side.value} nodad") for address, _ in _besides(plan, name, PORT)]
    return _once([_on(here.router, here.side.value), *besides])


def port_routes(plan: Plan, name: str, *, clear: bool) -> list[str]:
    """Give the provider's routes to a gateway.

    :param clear: to the networks behind it, too: there is no tunnel.
    """
    here, device = plan.gateways[name], plan.gateways[name].side.value
    routes = [f"{here.wan.ip} dev {device}"] if here.wan.ip not in here.router.network else []
    if clear:
        for network in plan.site_of(name).networks:
            routes.append(f"{network} via {_via(network, here.wan, NEAR)} dev {device}")
    return routes


def known_names(plan: Plan) -> str:
    """Give the lines of ``/etc/hosts`` for ends of lines that are known by their names."""
    every = plan.gateways.values()
    return "".join(f"{each.wan.ip} {each.dns_name}\n" for each in every if each.dns_name)


def gateway_sysctls(plan: Plan, gateway: Gateway) -> tuple[str, ...]:
    """Give its kernel settings."""
    devices = ("all", "default", gateway.lan_device, gateway.wan_device)
    return (
        "net/ipv4/ip_forward=1",
        *(f"net/ipv4/conf/{device}/rp_filter=0" for device in devices),
        *(f"net/ipv4/conf/{device}/send_redirects=0" for device in devices),
        *(("net/ipv6/conf/all/forwarding=1",) if plan.ipv6 else ()),
    )


def _on(address: Interface, device: str) -> tuple[str, str]:
    """Give an address with its device, in use at once."""
    return str(address), f"{device} nodad" if address.version == 6 else device


def _besides(plan: Plan, name: str, address: str) -> Addresses:
    """Give an address of the link, where a line carries a family that it has no address of."""
    here = plan.gateways[name]
    carried = {each.version for site in plan.sites.values() for each in site.networks}
    return [(f"{address}/64", f"{here.wan_device} nodad")] if carried - {here.wan.version} else []


def _once(addresses: Addresses) -> Addresses:
    return list(dict.fromkeys(addresses))


def _of_link(address: Interface) -> bool:
    return address.version == 6 and address.ip.is_link_local


def _via(network: Network, next_hop: Interface, otherwise: str) -> str:
    """Give the next hop of a network, of the other family where there is none of its own."""
    if network.version == next_hop.version:
        return str(next_hop.ip)
    return f"inet6 {otherwise}" if network.version == 4 else otherwise
