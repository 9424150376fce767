"""Two gateways whose roads fail: one owner, where a road is if there is one, and no ping-pong.

Every road and every host behind it comes and goes at every moment, with deaths, restarts and cuts
of the partner's links; the worlds are those of :mod:`tests.core.pair_world`.
"""

import random
from itertools import pairwise

import pytest

from havpn_core.pair.message import Line
from havpn_core.rules.road.state import RoadRules
from tests.core import pair_world
from tests.core.pair_world import (
    LOSSES,
    RULES,
    World,
    changed,
    explored,
    fresh,
    misfortunes,
    settle,
)
from tests.core.pair_world import tick as next_tick
from tests.core.test_pair_world import check_settles, mended
from tests.core.values import replace

CALM = settle(fresh(probes=True))[-1]
DEAD_A = settle(changed(CALM, "a", road=False))[-1]
CUT = settle(replace(CALM, cut=frozenset({"ab", "ba"})))[-1]
ONE_SIDED = settle(World(replace(fresh(probes=True).a), fresh().b))[-1]
OLD_B = settle(World(fresh(probes=True).a, replace(fresh(probes=True).b, old=True)), 60)[-1]
GRACE = 26
"""Ticks within which all is as it should be: after a death the road may move the role again."""


def works(node):
    """Whether the road of a gateway works, and the gateway itself, which goes before the road."""
    serves = node.can_serve and node.fit is not False and not node.maintenance
    return node.road and node.line is not Line.DOWN and serves


def moves(passed):
    holders = [(w.a.on, w.b.on) for w in passed if w.owners == 1]
    return sum(before != after for before, after in pairwise(holders))


def test_a_road_that_fails_here_alone_moves_the_role_once_and_back_once():
    passed = settle(changed(CALM, "a", road=False))
    assert all(w.owners <= 1 for w in passed)
    assert passed[-1].b.on
    assert next(at for at, w in enumerate(passed) if w.b.on) <= 8
    assert moves(passed) == 1
    assert passed[-1].a.state.road.off
    back = settle(changed(passed[-1], "a", road=True))
    assert all(w.owners <= 1 for w in back)
    assert back[-1].a.on
    assert moves(back) == 1


@pytest.mark.parametrize("probes", [False, True])
def test_a_road_that_fails_on_both_or_is_not_known_there_moves_nobody(probes):
    world = changed(changed(CALM, "a", road=False), "b", road=False, probes=probes)
    passed = settle(world, 60)
    assert all(w.a.on and not w.b.on for w in passed)
    assert not passed[-1].a.state.road.off


def test_a_partner_of_protocol_1_is_no_reason_to_move():
    passed = settle(changed(OLD_B, "a", road=False), 60)
    assert all(w.a.on and not w.b.on for w in passed)


def test_a_partner_that_dies_gives_the_role_back_whatever_the_road():
    passed = settle(changed(DEAD_A, "b", alive=False, on=False, state=None))
    assert passed[-1].a.on
    assert not passed[-1].a.state.road.off


def test_a_partner_whose_line_dies_gives_the_role_back_and_takes_it_again():
    world = settle(changed(DEAD_A, "b", line=Line.DOWN))[-1]
    assert world.a.on
    world = settle(changed(world, "b", line=Line.RECOVERING))[-1]
    assert world.b.on


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_restart_of_either_moves_nobody_back_to_a_road_that_is_down(side):
    passed = settle(pair_world.forgotten(DEAD_A, side))
    assert all(w.b.on and not w.a.on for w in passed)
    assert passed[-1].a.state.road.off


def test_a_cut_of_the_line_is_no_failure_of_the_road():
    world = settle(changed(CALM, "a", line=Line.DOWN))[-1]
    for line in (Line.RECOVERING, Line.UP):
        world = settle(changed(world, "a", line=line))[-1]
    assert world.a.on
    assert world.a.state.road.failures == 0


KINDS = ("road", "hosts")
EXPLORATIONS = {
    # a start, ticks, misfortunes, their kinds, whether frames are lost, worlds at least
    "roads": (CALM, 12, 5, KINDS, False, 400),
    "roads, frames lost": (CALM, 5, 2, KINDS, True, 700),
    "road dead": (DEAD_A, 7, 3, (*KINDS, "line", "restart"), False, 1500),
    "lines": (CALM, 7, 3, (*KINDS, "line"), False, 800),
    "restarts": (CALM, 7, 3, (*KINDS, "restart", "power"), False, 1500),
    "restarts, road dead": (DEAD_A, 6, 3, (*KINDS, "restart", "power"), False, 1500),
    "all else": (CALM, 4, 2, (*KINDS, "maintenance", "stop", "sleep", "act", "cut"), False, 500),
    "all else, dead": (DEAD_A, 4, 2, (*KINDS, "maintenance", "stop", "sleep", "act"), False, 500),
    "links cut": (CUT, 5, 3, (*KINDS, "cut", "power"), False, 300),
    "old b": (OLD_B, 5, 2, (*KINDS, "line", "restart"), False, 150),
    "one sided": (ONE_SIDED, 6, 3, ("road", "line", "restart"), False, 300),
}


@pytest.mark.parametrize("name", EXPLORATIONS)
def test_whatever_befalls_the_roads_the_role_ends_where_one_is(name):
    for world in explored(EXPLORATIONS[name]):
        check_settles(world, GRACE)
        check_road(world)


def check_road(world):
    """The holder has a road, if a gateway has one that the two can find out about together."""
    end = settle(world)[-1]
    known = end.a.probes and end.b.probes and not end.cut and not end.b.old
    if known and (works(end.a) or works(end.b)) and end.owners == 1:
        holder, other = (end.a, end.b) if end.a.on else (end.b, end.a)
        # A line that is not trusted yet is no place to go to, whatever is behind it.
        found = works(holder) or not works(other) or other.line is None
        assert found, f"no road under the role after {world}"


# --- no ping-pong ---------------------------------------------------------------------------------

HOUR = 3600


def run(world, ticks, before):
    """Go on for long, and count how often another gateway has the role."""
    passed, holder = 0, "a"
    for at in range(ticks):
        world = next_tick(before(world, at))
        assert world.owners <= 1
        now = "a" if world.a.on else "b" if world.b.on else holder
        passed, holder = passed + (now != holder), now
    return world, passed


@pytest.fixture
def hour(monkeypatch):
    """The real times, a tick being a second."""
    monkeypatch.setattr(pair_world, "RULES", replace(RULES, road=RoadRules()))
    monkeypatch.setattr(pair_world, "RAN", {})
    return settle(fresh(probes=True))[-1]


def test_a_road_that_is_down_for_good_is_tried_after_1_2_4_8_and_15_minutes(hour):
    begun = []

    def dead(world, at):
        if world.a.on and (not begun or at > begun[-1] + 20):
            begun.append(at)
        return changed(world, "a", road=False)

    _, passed = run(hour, HOUR, dead)
    assert passed == 2 * len(begun) - 1
    pauses = [after - before for before, after in pairwise(begun)]
    assert len(pauses) == 6
    for pause, wanted in zip(pauses, (60, 120, 240, 480, 900, 900), strict=True):
        assert wanted <= pause <= wanted + 25


def test_a_road_that_works_for_whoever_stands_by_moves_the_role_seldom(hour):
    """The worst that there is: each sees its own fail as soon as it is active."""

    def deceives(world, at):
        return changed(changed(world, "a", road=not world.a.on), "b", road=not world.b.on)

    world, first = run(hour, HOUR, deceives)
    assert first <= 20
    _, second = run(world, HOUR, deceives)
    assert second <= 10


def test_a_road_that_works_for_whoever_stands_by_on_one_side_moves_the_role_seldom(hour):
    def deceives(world, at):
        return changed(world, "a", road=not world.a.on)

    world, first = run(hour, HOUR, deceives)
    assert first <= 16
    assert run(world, HOUR, deceives)[1] <= 10


@pytest.mark.parametrize("seed", range(6))
def test_roads_that_come_and_go_at_random_move_the_role_seldom(hour, seed):
    chance = random.Random(seed)

    def flips(world, at):
        for side in "ab":
            if chance.random() < 0.2:
                world = changed(world, side, road=not getattr(world, side).road)
        return world

    _, passed = run(hour, HOUR, flips)
    assert passed <= 40


def test_after_minutes_of_a_road_that_does_well_the_pauses_are_short_again(hour):
    def broken(world, at):
        return changed(world, "a", road=not 0 < at <= 20)

    world, _ = run(hour, 200, broken)
    assert world.a.on
    assert world.a.state.road.failures == 1
    world, _ = run(world, 400, lambda w, at: changed(w, "a", road=True))
    assert world.a.on
    assert world.a.state.road.failures == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_misfortunes_with_roads(seed):
    chance, world = random.Random(seed), CALM
    for number in range(100):
        world = chance.choice(list(misfortunes(world, (*pair_world.ALL, *KINDS))))
        for _ in range(chance.choice([1, 1, 2, 3, 5, 8])):
            world = next_tick(world, chance.choice([*LOSSES, (), (), ()]))
        if number % 10 == 9:
            world = mended(world)
            check_settles(world, GRACE)
            check_road(world)
            world = settle(world)[chance.randrange(30)]
