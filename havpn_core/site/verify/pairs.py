"""Pure: which gateways the lines join: each with one of each far site of its own site."""

from collections.abc import Iterator

from havpn_core.site.model.model import Gateway, Line, Model
from havpn_core.site.model.options import Mode
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.places import listed


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    if len(model.sites) < 2:
        yield Problem("site", "there is one site", "write a table [site.NAME] for the other")
        return
    for line in model.lines.values():
        first, second = (model.gateways[end.gateway] for end in line.ends)
        if first.site == second.site:
            yield Problem(
                f"line.{line.name}.ends",
                f"{first.name} and {second.name} are both at site {first.site}",
                "join a gateway of one site with a gateway of the other",
            )
    yield from _without(model)
    for pair in model.pairs():
        if pair[0] != pair[1]:
            yield from _shared(model, pair)
    yield from _hubs(model)


def seldom_meant(model: Model) -> Iterator[Problem]:
    """Give what is possible, but seldom meant."""
    for pair in model.pairs():
        lines = _between(model, pair)
        if len(lines) != 2 or pair[0] == pair[1]:
            continue
        crossed = [line for line in lines if _preferred(model, line) == 1]
        if len(crossed) == 2:
            names = [next(iter(model.sites[name].gateways)) for name in pair]
            yield Problem(
                f"line.{crossed[0].name}.ends",
                f"joins a preferred gateway with one that is not, as {crossed[1].name} does: "
                "while all is well each direction takes another line, through gateways of both",
                f"join {listed(names)} by one line, unless that is meant",
            )


def _between(model: Model, pair: tuple[str, str]) -> list[Line]:
    return [line for line in model.lines.values() if _sites(model, line) == pair]


def _sites(model: Model, line: Line) -> tuple[str, ...]:
    return tuple(sorted(model.gateways[end.gateway].site for end in line.ends))


def _preferred(model: Model, line: Line) -> int:
    """Give how many of a line's gateways are the preferred ones of their sites."""
    return sum(model.gateways[end.gateway].first for end in line.ends)


def _without(model: Model) -> Iterator[Problem]:
    """Find the gateways that no line leads to another site from, or not to each far site."""
    for site in model.sites.values():
        far = [pair for pair in model.pairs() if site.name in pair and pair[0] != pair[1]]
        towards = {name: _between(model, pair) for pair in far for name in pair}
        towards.pop(site.name, None)
        for gateway in site.gateways:
            key = f"site.{site.name}.gateways.{gateway}"
            if not towards:
                yield Problem(
                    key,
                    f"no line ends at {gateway}",
                    f"write a table [line.NAME] with {gateway} among its ends",
                )
            for name, lines in towards.items():
                if not any(gateway in [end.gateway for end in line.ends] for line in lines):
                    yield Problem(
                        key,
                        f"no line leads from {gateway} to site {name}: it could never take over",
                        f"write a table [line.NAME] with {gateway} and a gateway of {name} as ends",
                    )


def _shared(model: Model, pair: tuple[str, str]) -> Iterator[Problem]:
    """Find the gateways at which several lines of a pair of sites end."""
    lines = _between(model, pair)
    for name in pair:
        for gateway in model.sites[name].gateways:
            ending = [line for line in lines if gateway in [end.gateway for end in line.ends]]
            if len(ending) > 1:
                far = pair[1] if name == pair[0] else pair[0]
                yield Problem(
                    f"line.{ending[-1].name}.ends",
                    f"{listed(line.name for line in ending)} both lead from {gateway} to site "
                    f"{far}, and would be lost with it",
                    f"end one at each gateway of site {name}",
                )


def _hubs(model: Model) -> Iterator[Problem]:
    """Find the sites whose gateways would need a role for each of several far sites."""
    for site in model.sites.values():
        far = sorted({n for pair in model.pairs() if site.name in pair for n in pair} - {site.name})
        if len(far) > 1 and site.mode is Mode.PACEMAKER:
            yield Problem(
                f"site.{site.name}.mode",
                f"has lines to {len(far)} sites, {listed(far)}, and a cluster has one attribute "
                "for one path",
                'write mode = "pair" or "heartbeat", or a file for each pair of sites',
            )
        if len(far) < 2 or all(_decided(model, each) for each in site.gateways.values()):
            continue
        yield Problem(
            f"site.{site.name}.gateways",
            f"{listed(site.gateways)} have lines to {len(far)} sites, {listed(far)}, and the "
            "daemon of today has one role a gateway: one dead line moves the VIP for all of them",
            f"write a file for each pair of sites, with gateways of its own at {site.name}, or "
            'say what you prefer: give_up_on = "any" or "all" in [havpn.node]',
        )


def _decided(model: Model, gateway: Gateway) -> bool:
    """Whether it is written what a gateway with several lines does when one of them is dead."""
    tables = [each.get("node") for each in (model.options.havpn, gateway.havpn)]
    return any(isinstance(each, dict) and "give_up_on" in each for each in tables)
