"""How long an address had two owners that could see each other, and how long it had none.

The times are those of the kernel's reports and of the faults made, so nothing between two looks is
missed.
"""

import itertools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from havpn_core.testing.lab.daemons.ownership import Holding
from havpn_core.testing.lab.hosts.lan import Absence


@dataclass(frozen=True)
class Tenure:
    """What happened to one address in a time; all in seconds.

    :param shared: the longest time with two owners while the LAN carried between them.
    :param unowned: the longest time without an owner on the LAN while a gateway was on it.
    :param shared_total: all such times together.
    :param unowned_total: the same.
    """

    shared: float
    unowned: float
    shared_total: float
    unowned_total: float


def tenure(
    holdings: Iterable[Holding],
    absences: Iterable[Absence],
    gateways: Collection[str],
    since: float,
    until: float,
) -> Tenure:
    """Judge a time of one address.

    :param gateways: the names of those that could own it.
    :param since: CLOCK_MONOTONIC, seconds, as all times here.
    """
    held, away = list(holdings), list(absences)
    times = [at for h in held for at in (h.since, h.until)]
    times += [at for a in away for at in (a.since, a.until)]
    edges = {since, until} | {at for at in times if at is not None and since < at < until}
    spans = list(itertools.pairwise(sorted(edges)))

    def owners(at: float) -> frozenset[str]:
        holding = next((each for each in reversed(held) if each.since <= at), None)
        return (holding.holders if holding else frozenset()) & present(at)

    def present(at: float) -> frozenset[str]:
        gone = {a.station for a in away if a.since <= at and (a.until is None or at < a.until)}
        return frozenset(gateways) - gone

    shared = _lengths(spans, lambda at: len(owners(at)) > 1)
    unowned = _lengths(spans, lambda at: not owners(at) and bool(present(at)))
    return Tenure(max(shared, default=0.0), max(unowned, default=0.0), sum(shared), sum(unowned))


def _lengths(spans: list[tuple[float, float]], holds: Callable[[float], bool]) -> list[float]:
    """Return the length of each longest run of spans for which a condition holds."""
    runs = itertools.groupby(spans, key=lambda span: holds(span[0]))
    found = []
    for good, run in runs:
        if good:
            whole = list(run)
            found.append(whole[-1][1] - whole[0][0])
    return found
