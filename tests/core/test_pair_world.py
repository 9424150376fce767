"""Two gateways and one address: never two owners for longer than a message takes, never none.

Every misfortune of :mod:`tests.core.pair_world` at every moment, in every combination of two or
three, with every pattern of lost messages for some ticks around them: worlds that are equal but for
the time are visited once. Each exploration has its own start and its own kinds of misfortune, as
their whole product is too large.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havpn_core.pair import token
from havpn_core.pair.message import Line
from havpn_core.pair.state import Preempt
from havpn_core.rules.role import Role
from tests.core import pair_world
from tests.core.pair_world import (
    LOSSES,
    RULES,
    expected,
    explore,
    fresh,
    misfortunes,
    settle,
    tick,
)

CALM = settle(fresh())[-1]
GRACE = 12
"""Ticks after the last misfortune within which all must be as it should be."""


def check_settles(world, grace=GRACE):
    passed = settle(world)
    right = expected(passed[-1])
    late = [at for at, w in enumerate(passed) if at >= grace and w.owners not in right]
    assert not late, f"owners {[w.owners for w in passed]} after {world}"
    assert len({(w.a.on, w.b.on) for w in passed[-10:]}) == 1, f"swings after {world}"


def test_both_start_at_once_and_the_preferred_one_is_active():
    passed = settle(fresh())
    assert all(w.owners <= 1 for w in passed)
    assert passed[-1].a.on
    assert not passed[-1].b.on


def test_a_gateway_alone_takes_the_address():
    world = replace(fresh(), b=replace(fresh().b, alive=False))
    assert settle(world)[-1].a.on
    world = replace(fresh(), a=replace(fresh().a, alive=False, line=Line.DOWN))
    world = replace(world, b=replace(world.b, line=Line.DOWN))
    assert settle(world)[-1].b.on, "a dead path is better than no router"


def test_a_dead_path_moves_the_address_and_never_are_there_two():
    world = replace(CALM, a=replace(CALM.a, line=Line.DOWN))
    passed = settle(world)
    assert all(w.owners <= 1 for w in passed)
    assert passed[-1].b.on
    assert next(at for at, w in enumerate(passed) if w.b.on) <= 6
    back = settle(replace(passed[-1], a=replace(passed[-1].a, line=Line.UP)))
    assert all(w.owners <= 1 for w in back)
    assert back[-1].a.on, "preempt auto"


def test_both_paths_down_changes_nothing():
    for side in ("a", "b"):
        other = "b" if side == "a" else "a"
        world = replace(CALM, **{side: replace(getattr(CALM, side), line=Line.DOWN)})
        world = settle(world)[-1]
        holder = world.a.on
        world = replace(world, **{other: replace(getattr(world, other), line=Line.DOWN)})
        assert all(w.a.on == holder for w in settle(world))


def test_a_line_that_replies_again_is_better_than_a_dead_one():
    dead = replace(CALM, a=replace(CALM.a, line=Line.DOWN), b=replace(CALM.b, line=Line.DOWN))
    assert settle(dead)[-1].a.on
    replying = replace(settle(dead)[-1], b=replace(dead.b, line=Line.RECOVERING))
    passed = settle(replying)
    assert passed[-1].b.on
    assert all(w.owners <= 1 for w in passed)
    both = replace(passed[-1], a=replace(passed[-1].a, line=Line.RECOVERING))
    assert settle(both)[-1].b.on, "no better than the other: nothing moves"


def test_manual_preemption_leaves_the_address_where_it_is(monkeypatch):
    monkeypatch.setattr(pair_world, "RULES", replace(RULES, preempt=Preempt.MANUAL))
    world = settle(replace(CALM, a=replace(CALM.a, line=Line.DOWN)))[-1]
    assert world.b.on
    assert settle(replace(world, a=replace(world.a, line=Line.UP)))[-1].b.on


def test_maintenance_hands_over_and_the_end_of_it_hands_back():
    world = settle(replace(CALM, a=replace(CALM.a, maintenance=True)))
    assert all(w.owners <= 1 for w in world)
    assert world[-1].b.on
    assert settle(replace(world[-1], a=replace(world[-1].a, maintenance=False)))[-1].a.on


def test_power_off_is_noticed_within_the_time_of_death():
    passed = settle(replace(CALM, a=replace(CALM.a, alive=False, on=False, state=None)))
    first = next(at for at, w in enumerate(passed) if w.b.on)
    assert first <= RULES.dead_s + 1


def test_a_frozen_owner_yields_when_it_wakes():
    world = replace(CALM, a=replace(pair_world.wake(CALM.a), asleep=pair_world.SLEEP))
    passed = settle(world)
    both = [at for at, w in enumerate(passed) if w.owners == 2]
    assert both, "the sleeper cannot know better while it sleeps"
    assert max(both) <= pair_world.SLEEP + 2
    check_settles(world)


def test_whatever_befalls_two_gateways_one_of_them_is_active_in_the_end():
    """Two misfortunes and all patterns of loss over five ticks, exhaustively."""
    worlds = explore(CALM, 5, 2, losing=True)
    assert len(worlds) > 3000
    for world in worlds:
        check_settles(world)


def test_three_misfortunes_without_loss():
    worlds = explore(CALM, 6, 3)
    assert len(worlds) > 2000
    for world in worlds:
        check_settles(world)


def test_verdicts_alone_never_make_two_owners():
    """Paths flip at every moment, messages all arrive: not for one tick are there two.

    To the end: all worlds that flips can ever lead to.
    """
    layer, seen = {CALM}, {CALM}
    while layer:
        after = set()
        for world in layer:
            for line_a in (world.a.line, *pair_world.NEXT_LINES[world.a.line]):
                for line_b in (world.b.line, *pair_world.NEXT_LINES[world.b.line]):
                    a, b = replace(world.a, line=line_a), replace(world.b, line=line_b)
                    found = tick(replace(world, a=a, b=b))
                    assert found.owners <= 1
                    if found not in seen:
                        seen.add(found)
                        after.add(found)
        layer = after
    assert len(seen) > 150


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.sampled_from(LOSSES)), max_size=60))
def test_any_history_ends_well(history):
    world, flips, moves = CALM, 0, 0
    for number, lost in history:
        choices = list(misfortunes(world))
        before = world
        if number < len(choices):
            world = choices[number]
            flips += 1
        world = tick(world, lost)
        moves += before.a.on != world.a.on
    check_settles(world)
    assert moves <= 2 * flips + 2 * sum(1 for _, lost in history if lost) + 1


def test_a_decision_says_its_reason():
    world = settle(replace(CALM, a=replace(CALM.a, line=Line.DOWN)))[-1]
    decision = token.decide(RULES, world.b.state, world.b.own, 0.0)
    assert decision.wanted is Role.ACTIVE
    assert "partner" in decision.reason


@pytest.mark.parametrize("side", ["a", "b"])
def test_kill_9_of_the_daemon_moves_nothing(side):
    world = replace(CALM, **{side: replace(getattr(CALM, side), state=None)})
    assert all(w.a.on and not w.b.on for w in settle(world))
