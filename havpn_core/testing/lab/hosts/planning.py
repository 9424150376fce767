"""Plan the network that a site file describes: who stands where, and what the file does not say."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network, ip_address, ip_interface, ip_network

from havpn_core.errors import ConfigError
from havpn_core.site.model.model import Address, End, Interface, Line, Model, Network, Site
from havpn_core.testing.lab.hosts import places
from havpn_core.testing.lab.hosts.places import Direction, Plan

# A serial port inside each gateway; /dev is the real machine's, so it cannot be /dev/ttyS0.
SERIAL_DEVICE = "/run/ttyS0"
FIRST_HOST = 10
"""The number of an end host in its network, where that is free."""
SEARCHED = 1000
ROUTERS = {4: "169.254.0.1", 6: "fe80::1"}
"""The provider's end of a line of which the file says none."""
# Of providers that give no address of their own, and of documentation.
POOLS = {4: "100.64.{0}.2", 6: "2001:db8:ffff:{0:x}::2"}
SHORTEST = {4: 24, 6: 64}
"""The shortest prefix of a line with its router in it."""


def plan_of(model: Model) -> Plan:
    """Plan the network of two sites. In its model every serial port is one of the lab's hosts.

    :raises ConfigError: these are not two sites with two lines, or a LAN has no address free.
    """
    problems = list(_unlike(model))
    if problems:
        raise ConfigError(problems)
    taken = {"lo", *model.gateways}
    providers = [_free_name(f"provider-{number}", taken) for number in (1, 2)]
    carried = list(zip(model.lines.values(), providers, strict=True))
    every = [(line, end, provider) for line, provider in carried for end in line.ends]
    ends = {
        end.gateway: _gateway(model, line, end, provider, number)
        for number, (line, end, provider) in enumerate(every)
    }
    sites = {
        site.name: _site(site, ends, end_host, taken)
        for site, end_host in zip(model.sites.values(), ("client", "server"), strict=True)
    }
    return Plan(_cabled(model), sites, tuple(providers))


def _cabled(model: Model) -> Model:
    """Put the serial port of a host of the lab in the place of that of a gateway."""
    sites = {}
    for name, site in model.sites.items():
        gateways = {
            each.name: replace(each, serial=SERIAL_DEVICE if each.serial else "")
            for each in site.gateways.values()
        }
        sites[name] = replace(site, gateways=gateways)
    return replace(model, sites=sites)


def _unlike(model: Model) -> Iterator[str]:
    """Name what is no network of two sites, each gateway with its own line to the other one."""
    if len(model.sites) != 2:
        yield f"site: the network is built of two sites, and not of {len(model.sites)}: leave two"
        return
    if len(model.lines) != 2:
        yield f"line: the network is built of two lines, and not of {len(model.lines)}: leave two"
        return
    for name, site in model.sites.items():
        for each in site.gateways.values():
            if len(model.lines_of(each.name)) != 1:
                yield f"line: {each.name} must have one line of its own: write one"
            if not each.lan:
                yield f"site.{name}.gateways.{each.name}.lan: is empty: write an address"
        if not site.vips:
            yield f"site.{name}.vips: there is none: write one"
    for name, line in model.lines.items():
        if len({model.gateways[end.gateway].site for end in line.ends}) != 2:
            yield f"line.{name}.ends: both are at one site: name a gateway of each"


def _gateway(model: Model, line: Line, end: End, provider: str, number: int) -> places.Gateway:
    here, far = model.gateways[end.gateway], line.far_of(end.gateway)
    wan, router = _line_end(model, line, end, number)
    first = here.site == next(iter(model.sites))
    return places.Gateway(
        name=here.name,
        lan=here.lan[0],
        wan=wan,
        router=router,
        provider=provider,
        side=Direction.A_TO_B if first else Direction.B_TO_A,
        far=far.gateway,
        lans=here.lan,
        lan_device=here.lan_device,
        wan_device=here.wan_device,
        line=line.name,
        dns_name=end.name,
        mtu=line.options.mtu,
    )


def _line_end(model: Model, line: Line, end: End, number: int) -> tuple[Interface, Interface]:
    """Give a gateway's address on its line and its router's, with the network if that is theirs."""
    address = end.address or _invented(model, line.far_of(end.gateway), number)
    router = end.router or ip_address(ROUTERS[address.version])
    others = [each.address for each in line.ends if each.address and each is not end]
    for length in range(address.max_prefixlen - 2, SHORTEST[address.version] - 1, -1):
        around = ip_network(f"{address}/{length}", strict=False)
        edges = (around[0], around[-1]) if isinstance(around, IPv4Network) else ()
        inside = router in around and address not in edges and router not in edges
        if inside and not any(other in around for other in others):
            return ip_interface(f"{address}/{length}"), ip_interface(f"{router}/{length}")
    alone = f"{router}/64" if router.version == 6 and router.is_link_local else router
    return ip_interface(address), ip_interface(alone)


def _invented(model: Model, far: End, number: int) -> Address:
    """Give an address that a provider might give, for an end of which the file says none."""
    pool = POOLS[far.address.version if far.address else 4]
    used = {end.address for line in model.lines.values() for end in line.ends}
    networks = [network for site in model.sites.values() for network in site.networks]
    for each in range(number, SEARCHED, len(model.gateways)):
        found = ip_address(pool.format(each))
        if found not in used and not any(found in network for network in networks):
            return found
    raise ConfigError([f"line: no address is free in {pool.format(number)}: write one"])


def _site(
    site: Site, ends: dict[str, places.Gateway], end_host: str, taken: set[str]
) -> places.Site:
    first, second = (ends[name] for name in site.gateways)
    used = {vip.ip for vip in site.vips} | {i.ip for g in (first, second) for i in g.lans}
    witnesses = tuple(_witnesses(site))
    used |= {witness.ip for witness in witnesses}
    routed = [n for n in site.networks if n.version in {vip.version for vip in site.vips}]
    home = site.vips[0].network
    networks = [home, *(n for n in routed if n != home)] if home in routed else routed
    found = [_free_address(site, network, used, FIRST_HOST) for network in networks]
    return places.Site(
        name=site.name,
        lan=_free_name(f"lan-{site.name}", taken),
        shared=site.vips[0],
        end_host=_free_name(end_host, taken),
        end_address=found[0],
        second_host=_free_name(f"{end_host}-2", taken),
        second_address=_free_address(site, home, used, FIRST_HOST + 1),
        gateways=(first, second),
        vips=site.vips,
        networks=site.networks,
        end_addresses=tuple(found),
        witnesses=witnesses,
    )


def _witnesses(site: Site) -> Iterator[Interface]:
    """Give the hosts on the LAN that the file names by their addresses."""
    listed = site.options.witnesses
    for text in () if isinstance(listed, str) else listed:
        with contextlib.suppress(ValueError):
            address = ip_address(text)
            homes = [vip.network for vip in site.vips if address in vip.network]
            yield ip_interface(
                f"{address}/{homes[0].prefixlen if homes else address.max_prefixlen}"
            )


def _free_address(site: Site, network: Network, used: set[Address], first: int) -> Interface:
    """Take an address of a network that nobody has: the one of that number, or another one."""
    last = network.num_addresses - 1
    inside = last > 1 if network.version == 4 else last > 0
    begin, end = (1, last - (network.version == 4)) if inside else (0, last)
    numbers = (*range(first, SEARCHED), *range(begin, first))
    for number in numbers:
        if begin <= number <= end and (found := network[number]) not in used:
            used.add(found)
            return ip_interface(f"{found}/{network.prefixlen}")
    raise ConfigError(
        [f"site.{site.name}.networks: no address of {network} is free for a host: leave it out"]
    )


def _free_name(name: str, taken: set[str]) -> str:
    """Take a name for a host that nobody has."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(3)))
    found = next(each for each in names if each not in taken)
    taken.add(found)
    return found
