"""Pure: the networks that the tunnels carry: apart from each other, and from the lines."""

from collections.abc import Iterator
from itertools import combinations

from havpn_core.site.model.model import Model, Network, Site
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.addresses import unusable
from havpn_core.site.verify.places import Place, family, listed, own_places, router_places, within


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    for site in model.sites.values():
        yield from _of_a_site(site)
        yield from _families(model, site)
    for one, other in combinations(model.sites.values(), 2):
        for first in one.networks:
            for second in other.networks:
                if first.version == second.version and first.overlaps(second):
                    yield _overlap(one, first, other, second)
    for place in (*own_places(model), *router_places(model)):
        if place.key.startswith("line."):
            yield from _routed(model, place)


def _of_a_site(site: Site) -> Iterator[Problem]:
    key = f"site.{site.name}.networks"
    if not site.networks:
        yield Problem(key, "is empty", 'write what the tunnels carry, such as ["10.1.0.0/16"]')
    for network in dict.fromkeys(site.networks):
        if site.networks.count(network) > 1:
            yield Problem(key, f"{network} is listed twice", "write it once")
        if not network.prefixlen:
            yield Problem(
                key,
                f"{network} is everything, the lines included",
                "write the networks of this site",
            )
        elif what := unusable(network.network_address):
            yield Problem(key, f"{network} is {what}", "write a network of hosts")


def _families(model: Model, site: Site) -> Iterator[Problem]:
    """Compare families: what no VIP and no far network has gets nowhere."""
    key = f"site.{site.name}.networks"
    partners = [other for pair in model.pairs() if site.name in pair for other in pair]
    far = [model.sites[name] for name in dict.fromkeys(partners) if name != site.name]
    for network in dict.fromkeys(site.networks):
        kind = family(network)
        if site.vips and all(vip.version != network.version for vip in site.vips):
            yield Problem(
                key,
                f"{network} is {kind}, and site {site.name} has no VIP of {kind}: its hosts have "
                "no router that moves",
                f"add a VIP of {kind} to site.{site.name}.vips, or take the network out",
            )
        theirs = [each for other in far for each in other.networks]
        if theirs and all(each.version != network.version for each in theirs):
            yield Problem(
                key,
                f"{network} is {kind}, and all networks at the far end are not: {listed(theirs)}",
                f"add a network of {kind} to site {listed(s.name for s in far)}, or take this "
                "one out",
            )


def _overlap(one: Site, first: Network, other: Site, second: Network) -> Problem:
    return Problem(
        f"site.{other.name}.networks",
        f"{second} overlaps {first} of site {one.name} (site.{one.name}.networks): no gateway can "
        "say at which site an address is",
        "give each site networks of its own, with the right prefix length",
    )


def _routed(model: Model, place: Place) -> Iterator[Problem]:
    """Give the networks that an address of a line is in: its packets would leave the line."""
    for site in model.sites.values():
        for network in within(place.address, site.networks):
            if place.what.startswith("the router"):
                wrong = f"packets for {place.what} would not stay on the line"
            else:
                wrong = "a probe of the line towards it would be routed into the tunnel it watches"
            yield Problem(
                place.key,
                f"{place.address} is inside {network} of site {site.name}: {wrong}",
                "write the address on the provider's side, or a smaller network "
                f"in site.{site.name}.networks",
            )
