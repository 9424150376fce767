"""Pure: the LAN of a site: its VIPs, its gateways' own addresses, and its witnesses."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_interface

from havpn_core.site.model.model import Address, Gateway, Interface, Model, Network, Site
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.addresses import unusable
from havpn_core.site.verify.places import family, lan_key, listed, within


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    for site in model.sites.values():
        yield from _vips(site)
        for gateway in site.gateways.values():
            yield from _gateway(model, site, gateway)
        yield from _witnesses(site)


def edge_of(each: Interface) -> str:
    """Say which end of its network an address is; empty: it is one of a host.

    Networks of two addresses have no ends (RFC 3021, RFC 6164), single addresses have none either.
    """
    network = each.network
    if network.prefixlen >= network.max_prefixlen - 1:
        return ""
    if each.ip == network.network_address:
        return "the address of the network itself"
    if each.version == 4 and each.ip == network.broadcast_address:
        return "the broadcast address"
    return ""


def _vips(site: Site) -> Iterator[Problem]:
    key = f"site.{site.name}.vips"
    if not site.vips:
        yield Problem(key, "is empty", "write the router address of the hosts on the LAN")
    for vip in site.vips:
        around = within(vip.ip, site.networks)
        if not around:
            yield Problem(
                key,
                f"{vip.ip} is in no network of site {site.name}: {listed(site.networks)}",
                f"write an address of one of them, or add its network to site.{site.name}.networks",
            )
            continue
        if vip.network.prefixlen < min(n.prefixlen for n in around):
            yield Problem(
                key,
                f"{vip} is wider than {around[0]}, the network that it is in",
                f"write {vip.ip}/{around[0].prefixlen}, or correct site.{site.name}.networks",
            )
        if edge := _edge(vip, around):
            yield Problem(key, f"{vip.ip} is {edge}", f"write an address of a host in {around[0]}")


def _edge(each: Interface, around: list[Network]) -> str:
    """Say the same as :func:`edge_of`, of each network that an address is in."""
    found = [edge_of(each)]
    found += [edge_of(type(each)(f"{each.ip}/{network.prefixlen}")) for network in around]
    return next(filter(None, found), "")


def _gateway(model: Model, site: Site, gateway: Gateway) -> Iterator[Problem]:
    key = lan_key(model, gateway.name)
    for own in gateway.lan:
        around = within(own.ip, site.networks)
        if edge := _edge(own, around):
            yield Problem(key, f"{own.ip} is {edge}", f"write an address of a host in {around[0]}"
                          if around else "write an address of a host")  # fmt: skip
        yield from _length(key, site, own)
        if not around and not any(own.ip in vip.network for vip in site.vips
                                  if vip.version == own.version):  # fmt: skip
            yield Problem(
                key,
                f"{own.ip} is in no network of site {site.name}: {listed(site.networks)}",
                "write the gateway's own address on the LAN",
            )
    yield from _families(key, site, gateway)


def _families(key: str, site: Site, gateway: Gateway) -> Iterator[Problem]:
    """Compare a gateway's addresses with the VIPs, as far as those are on the LAN themselves."""
    known = [vip for vip in site.vips if within(vip.ip, site.networks)]
    for kind in dict.fromkeys(map(family, known)):
        vips = [vip for vip in known if family(vip) == kind]
        own_ones = [own for own in gateway.lan if family(own) == kind]
        if not own_ones:
            yield Problem(
                key,
                f"{gateway.name} has no {kind} address on the LAN, and "
                f"{listed(vip.ip for vip in vips)} is a VIP of site {site.name}",
                f"add its own address in {vips[0].network}",
            )
        elif any(own.ip in vip.network for own in own_ones for vip in vips):
            continue
        elif all(within(own.ip, site.networks) for own in own_ones):
            yield Problem(
                key,
                f"{listed(own.ip for own in own_ones)} is not in the network of the VIP, "
                f"{listed(vip.network for vip in vips)}",
                f"write an address of {vips[0].network}, or correct the VIP",
            )


def _length(key: str, site: Site, own: Interface) -> Iterator[Problem]:
    """Compare the length of an address with that of the VIP on the same LAN."""
    for vip in site.vips:
        if vip.version != own.version or vip.network == own.network:
            continue
        if own.ip in vip.network or vip.ip in own.network:
            yield Problem(
                key,
                f"{own} and the VIP {vip} (site.{site.name}.vips) have prefix lengths that differ",
                f"write {own.ip}/{vip.network.prefixlen} here, or "
                f"{vip.ip}/{own.network.prefixlen} there",
            )


def _witnesses(site: Site) -> Iterator[Problem]:
    key, given = f"site.{site.name}.witnesses", site.options.witnesses
    if isinstance(given, str):
        if given != "auto":
            yield Problem(key, f"{given!r} is no list", f'write ["{given}"], or "auto"')
        return
    gateways = {own.ip: g.name for g in site.gateways.values() for own in g.lan}
    lans = dict.fromkeys(i.network for i in (*site.vips, *_own(site)))
    seen: set[Address] = set()
    for text in given:
        try:
            witness = ip_address(text)
        except ValueError:
            yield Problem(key, f"{text!r} is no address", "write it as 10.1.0.10")
            continue
        if witness in seen:
            yield Problem(key, f"{witness} is listed twice", "write it once")
        seen.add(witness)
        if witness in gateways:
            yield Problem(
                key,
                f"{witness} is the LAN address of {gateways[witness]}, which says nothing of the "
                "LAN while that gateway is down",
                "name another host on the LAN that is always on",
            )
        elif witness in [vip.ip for vip in site.vips]:
            yield Problem(
                key,
                f"{witness} is a VIP, which the gateway itself has",
                "name another host on the LAN that is always on",
            )
        else:
            yield from _witness(key, witness, list(lans))


def _own(site: Site) -> Iterator[Interface]:
    for gateway in site.gateways.values():
        yield from gateway.lan


def _witness(key: str, witness: Address, lans: list[Network]) -> Iterator[Problem]:
    around = within(witness, lans)
    if not around:
        yield Problem(
            key,
            f"{witness} is not on the LAN, {listed(lans)}: it cannot reply to ARP or NDP",
            "name a host on the LAN that is always on",
        )
        return
    edges = [edge_of(_with_length(witness, network)) for network in around]
    if what := unusable(witness) or next(filter(None, edges), ""):
        yield Problem(key, f"{witness} is {what}", "name a host on the LAN that is always on")


def _with_length(address: Address, network: Network) -> Interface:
    return ip_interface(f"{address}/{network.prefixlen}")
