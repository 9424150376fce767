"""Two gateways that are fit, unfit, certainly unfit, or do not know, with everything else.

The worlds are those of :mod:`tests.core.pair_world`. One gateway has the role in the end whatever
the fitness of both; it is the fit one if they can settle it, and the one that is not in maintenance
if both are alike; and who has it replies to the far site, unless it is certainly unfit.
"""

from itertools import pairwise

import pytest

from tests.core.pair_world import (
    ALL,
    CERTAIN,
    FIT,
    UNFIT,
    UNKNOWN,
    changed,
    explore,
    explored,
    forgotten,
    fresh,
    settle,
)
from tests.core.test_pair_world import CUT, check_settles, uneven
from tests.core.test_road_world import GRACE
from tests.core.values import replace

CALM = settle(fresh(probes=True))[-1]
UNFIT_A = settle(changed(CALM, "a", **UNFIT))[-1]
UNFIT_BOTH = settle(changed(changed(CALM, "a", **UNFIT), "b", **UNFIT))[-1]


def moves(passed):
    holders = [(w.a.on, w.b.on) for w in passed]
    return sum(before != after for before, after in pairwise(holders))


@pytest.mark.parametrize("how", [UNFIT, CERTAIN])
def test_who_becomes_unfit_hands_over_and_is_silent_and_comes_back(how):
    passed = settle(changed(CALM, "a", **how))
    assert all(w.owners <= 1 for w in passed)
    assert next(at for at, w in enumerate(passed) if w.b.on) <= 4
    assert passed[-1].a.silent
    assert not passed[-1].b.silent
    back = settle(changed(passed[-1], "a", **FIT))
    assert all(w.owners <= 1 for w in back)
    assert back[-1].a.on
    assert not back[-1].a.silent


def test_what_is_not_known_counts_as_fit():
    for how in (FIT, UNKNOWN):
        assert all(w.a.on for w in settle(changed(CALM, "a", **how)))
        assert settle(changed(UNFIT_A, "a", **how))[-1].a.on


@pytest.mark.parametrize("how", [UNFIT, CERTAIN])
def test_two_that_are_unfit_leave_the_role_where_it_is(how):
    passed = settle(changed(UNFIT_A, "b", **how))
    assert all(w.b.on and not w.a.on for w in passed)
    assert bool(passed[-1].b.silent) is (how is CERTAIN), "who serves replies, if it can serve"
    assert passed[-1].a.silent
    assert settle(changed(passed[-1], "b", **FIT))[-1].b.on
    assert settle(changed(passed[-1], "a", **FIT))[-1].a.on


def test_an_unfit_gateway_serves_alone_and_replies():
    passed = settle(forgotten(UNFIT_A, "b", alive=False, on=False, changing=None, left=0))
    assert passed[-1].a.on
    assert not passed[-1].a.silent


def test_fitness_goes_before_maintenance_and_that_before_the_line():
    world = settle(changed(UNFIT_A, "b", maintenance=True))[-1]
    assert world.b.on
    assert not world.b.silent, "who serves in spite of maintenance replies"
    world = settle(changed(world, "a", **FIT))[-1]
    assert world.a.on
    assert world.b.silent


EXPLORATIONS = {
    # a start, ticks, misfortunes, their kinds, whether frames are lost, worlds at least
    "fit": (CALM, 8, 4, ("fit",), False, 300),
    "fit, frames lost": (CALM, 3, 2, ("fit",), True, 500),
    "maintenance": (CALM, 5, 3, ("fit", "maintenance"), False, 1000),
    "lines": (CALM, 5, 2, ("fit", "line", "maintenance"), False, 400),
    "roads": (CALM, 5, 2, ("fit", "road", "hosts", "maintenance"), False, 400),
    "unfit a": (UNFIT_A, 4, 2, ("fit", "road", "line", "restart", "power"), False, 500),
    "unfit both": (UNFIT_BOTH, 4, 2, ("fit", "maintenance", "line", "restart"), False, 400),
    "all": (UNFIT_A, 3, 2, ALL, False, 500),
    "links cut": (CUT, 4, 2, ("fit", "cut", "carrier", "switch", "power"), False, 500),
    "old b": (uneven(b={"old": True}), 4, 2, ("fit", "line", "restart"), False, 120),
}


@pytest.mark.parametrize("name", EXPLORATIONS)
def test_whatever_befalls_their_fitness_the_role_ends_where_it_can_serve(name):
    for world in explored(EXPLORATIONS[name]):
        check_settles(world, GRACE)
        check_fit(world)


def check_fit(world):
    """No better gateway stands by, and who has the role is not silent for it."""
    end = settle(world)[-1]
    for node in (end.a, end.b):
        if node.works and node.on and not node.certain:
            assert not node.silent, f"the holder is silent after {world}"
    talk = end.lan or not end.cut
    if end.owners != 1 or not talk or end.a.old or end.b.old:
        return
    holder, other = (end.a, end.b) if end.a.on else (end.b, end.a)
    if holder.works and other.works and other.can_serve:
        assert standing(holder) >= standing(other), f"a better gateway stands by after {world}"


def standing(node):
    return node.fit is not False, not node.maintenance


def test_the_same_befalls_who_knows_that_it_is_fit_and_who_does_not():
    for world in explore(CALM, 4, 2, ("fit", "line")):
        known = replace(world, **{s: made_known(getattr(world, s)) for s in ("a", "b")})
        ends = [[(w.a.on, w.b.on) for w in settle(each)] for each in (world, known)]
        assert ends[0] == ends[1]


def made_known(node):
    return replace(node, fit=True) if node.fit is None else node
