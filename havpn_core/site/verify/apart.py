"""Pure: whether the lines of two sites fail apart, and whether addresses were mixed up."""

from collections.abc import Iterator
from itertools import combinations, product

from havpn_core.site.model.model import Address, End, Line, Model
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.places import end_key, shared_bits

LINK_BITS = {4: 29, 6: 64}
"""Two addresses that begin with so many bits alike are on one link of a provider."""
REGION_BITS = {4: 24, 6: 48}
"""Two that begin with so many are of one customer or place of a provider."""
FAR_BITS = {4: 16, 6: 32}
"""Two on one link begin with so many at least, or the router is on none that is known."""


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    for pair in model.pairs():
        lines = [
            line
            for line in model.lines.values()
            if tuple(sorted(model.gateways[end.gateway].site for end in line.ends)) == pair
        ]
        for one, other in combinations(lines, 2):
            yield from _together(one, other)
            yield from _exchanged(model, one, other)
    for line in model.lines.values():
        yield from _routers(line)


def seldom_meant(model: Model) -> Iterator[Problem]:
    """Give what is possible, but seldom meant."""
    for line in model.lines.values():
        for end in line.ends:
            if end.router is None or end.address is None or end.router.is_link_local:
                continue
            if _unnumbered(end.router) and not _unnumbered(end.address):
                yield Problem(
                    f"line.{line.name}.routers.{end.gateway}",
                    f"{end.router} is a private address, and {end.address} is none",
                    "write the provider's router, unless the provider says so",
                )


def _together(one: Line, other: Line) -> Iterator[Problem]:
    """Say what both lines would fail with."""
    if _plain(one.provider) == _plain(other.provider):
        yield Problem(
            f"line.{other.name}.provider",
            f"{other.provider} runs line {one.name}, too: both would fail together",
            "take lines of two providers, or write what else keeps them apart as their providers",
        )
    for near, far in product(one.ends, other.ends):
        if near.router and near.router == far.router and not near.router.is_link_local:
            yield Problem(
                f"line.{other.name}.routers.{far.gateway}",
                f"{far.router} is the router of line {one.name}, too: both would fail with it",
                "write each line's own router, or take a line that has one",
            )
        if _link(near.address, far.address) and near.gateway != far.gateway:
            yield Problem(
                end_key(other, far.gateway),
                f"{far.address} is on one link with {near.address} of line {one.name} "
                f"({end_key(one, near.gateway)}): both lines would fail together",
                "take lines of two providers, and write the address of each",
            )


def _plain(provider: str) -> str:
    return " ".join(provider.casefold().split())


def _link(one: Address | None, other: Address | None) -> bool:
    """Whether two addresses that differ must be on one link."""
    if one is None or other is None or one == other:
        return False
    return shared_bits(one, other) >= LINK_BITS[one.version]


def _exchanged(model: Model, one: Line, other: Line) -> Iterator[Problem]:
    """Say where the addresses of two lines would fit each other's far end.

    Each line's own ends have nothing in common, and its ends and the other's are neighbours.
    """
    for first, second in (other.ends, other.ends[::-1]):
        same = model.gateways[one.ends[0].gateway].site == model.gateways[first.gateway].site
        if not same:
            continue
        near, far = one.ends
        if _neighbours(near, second) and _neighbours(far, first):
            if _neighbours(near, far) or _neighbours(first, second):
                continue
            yield Problem(
                end_key(one, near.gateway),
                f"{near.address} is a neighbour of {second.address} of line {other.name}, and "
                f"{first.address} of that line one of {far.address} of this one: they look "
                "exchanged",
                f"write {first.address} here, and {near.address} in "
                f"{end_key(other, first.gateway)}",
            )


def _neighbours(one: End, other: End) -> bool:
    if one.address is None or other.address is None:
        return False
    return shared_bits(one.address, other.address) >= REGION_BITS[one.address.version]


def _routers(line: Line) -> Iterator[Problem]:
    """Find routers that cannot be on the line's link, as far as addresses show it."""
    first, second = line.ends
    for end, far in ((first, second), (second, first)):
        if end.router is None or end.address is None or end.router == far.address:
            continue
        if end.router.version != end.address.version or _unnumbered(end.router):
            continue
        bits = shared_bits(end.router, end.address)
        if bits < FAR_BITS[end.router.version]:
            yield Problem(
                f"line.{line.name}.routers.{end.gateway}",
                f"{end.router} is not on the link of {end.address}",
                f"write the provider's router next to {end.gateway}",
            )
    if _swapped(first, second):
        yield Problem(
            f"line.{line.name}.routers",
            f"{first.router} is nearer to {second.address}, and {second.router} to "
            f"{first.address}: they look exchanged",
            "write each gateway's own router and address",
        )


def _unnumbered(router: Address) -> bool:
    """Whether a router has an address that says nothing of its link, as many hosting lines have."""
    if router.version == 6:
        return router.is_link_local or int(router) >> 121 == 0xFC >> 1  # RFC 4193
    head = int(router)
    private = ((0x0A000000, 8), (0xAC100000, 12), (0xC0A80000, 16), (0x64400000, 10))
    return router.is_link_local or any(head >> 32 - n == net >> 32 - n for net, n in private)


def _swapped(first: End, second: End) -> bool:
    near, far = first.router, second.router
    if not (near and far and first.address and second.address) or near == far:
        return False
    return shared_bits(near, second.address) > shared_bits(near, first.address) and shared_bits(
        far, first.address
    ) > shared_bits(far, second.address)
