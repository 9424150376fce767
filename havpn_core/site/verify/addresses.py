"""Pure: addresses that no host can have, and addresses that two hosts would have."""

from collections.abc import Iterator
from itertools import combinations, groupby

from havpn_core.site.model.model import Address, Model
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.places import Place, end_key, own_places, router_places


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    yield from _impossible(model)
    yield from _twice(model)
    yield from _names_twice(model)


def unusable(address: Address) -> str:
    """Say what an address is that no host can be reached at; empty: one can."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return f"{mapped} written as IPv6"
    kinds = {
        "unspecified": address.is_unspecified,
        "a loopback address": address.is_loopback,
        "a multicast address": address.is_multicast,
        "link-local": address.is_link_local,
        # 240.0.0.0/4 (RFC 1112 section 4) and 0.0.0.0/8 (RFC 1122 section 3.2.1.3).
        "reserved": address.version == 4 and not 1 <= int(address) >> 24 < 240,
    }
    return next((kind for kind, so in kinds.items() if so), "")


def _impossible(model: Model) -> Iterator[Problem]:
    for place in own_places(model):
        if what := unusable(place.address):
            remedy = f"write an address that can be {place.what}"
            yield Problem(place.key, f"{place.address} is {what}", remedy)
    for place in router_places(model):
        # A router may be named by its link-local address; its gateway's device is known.
        if (what := unusable(place.address)) and what != "link-local":
            yield Problem(place.key, f"{place.address} is {what}", "write the router's address")


def _twice(model: Model) -> Iterator[Problem]:
    places = sorted({*own_places(model), *router_places(model)}, key=_order)
    for address, group in groupby(places, key=lambda place: place.address):
        for first, second in combinations(group, 2):
            if _same_host(model, first, second):
                continue
            remedy = "give each host an address of its own"
            if "VIP" in first.what + second.what:
                remedy = "give the VIP an address that no host has for itself"
            yield Problem(
                second.key, f"{address} is {second.what}, and {first.what} ({first.key})", remedy
            )
    yield from _listed_twice(model)


def _order(place: Place) -> tuple[int, int, str, str]:
    return place.address.version, int(place.address), place.key, place.what


def _same_host(model: Model, first: Place, second: Place) -> bool:
    """Whether one host may have both: a gateway on all its lines, a router of several."""
    routers = first.owner.startswith("router of "), second.owner.startswith("router of ")
    if all(routers):
        return True  # whether lines fail apart is another rule
    both_ends = first.key.startswith("line.") and second.key.startswith("line.")
    return first.owner == second.owner and both_ends and not any(routers)


def _listed_twice(model: Model) -> Iterator[Problem]:
    lists = [(f"site.{s.name}.vips", tuple(v.ip for v in s.vips)) for s in model.sites.values()]
    for place in own_places(model):
        if ".gateways." in place.key:
            gateway = model.gateways[place.owner]
            lists.append((place.key, tuple(each.ip for each in gateway.lan)))
    for key, addresses in dict.fromkeys(lists):
        for address in dict.fromkeys(addresses):
            if addresses.count(address) > 1:
                yield Problem(key, f"{address} is listed twice", "write it once")


def _names_twice(model: Model) -> Iterator[Problem]:
    seen: dict[str, tuple[str, str]] = {}
    for line in model.lines.values():
        for end in line.ends:
            if not end.name:
                continue
            key = end_key(line, end.gateway)
            gateway, first = seen.setdefault(end.name.lower().rstrip("."), (end.gateway, key))
            if gateway != end.gateway:
                yield Problem(
                    key,
                    f"{end.name} is the name of {gateway}'s end, too ({first})",
                    "give each end a name of its own",
                )
