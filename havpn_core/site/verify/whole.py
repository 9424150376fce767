"""Pure: everything that is wrong with a site file, and all that is seldom meant."""

from collections.abc import Callable, Iterable

from havpn_core.site.model.model import Model
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify import (
    addresses,
    apart,
    lan,
    lines,
    names,
    networks,
    overrides,
    pairs,
    sites,
    tunnel,
)

Rules = Callable[[Model], Iterable[Problem]]
GROUPS: tuple[Rules, ...] = tuple(
    group.problems
    for group in (addresses, networks, lan, sites, names, pairs, lines, apart, tunnel, overrides)
)
CAUTIONS: tuple[Rules, ...] = tuple(
    group.seldom_meant for group in (sites, pairs, lines, apart, tunnel)
)


def verify(model: Model) -> list[Problem]:
    """Give every problem of a model, sorted and without repetitions; nothing is touched."""
    return sorted({problem for group in GROUPS for problem in group(model)})


def seldom_meant(model: Model) -> list[Problem]:
    """Give what is allowed of a model but seldom meant, sorted."""
    return sorted({problem for group in CAUTIONS for problem in group(model)})
