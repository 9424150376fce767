"""Two gateways and one address: never two owners for longer than a message takes, never none.

Every misfortune of :mod:`tests.core.pair_world` at every moment, in every combination of two or
three, with every pattern of lost messages for some ticks around them: worlds that are equal but for
the time are visited once. Each exploration has its own start and its own kinds of misfortune, as
their whole product is too large.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havpn_core.pair import token
from havpn_core.pair.message import Line
from havpn_core.pair.state import Preempt
from havpn_core.rules.role import Role
from tests.core import pair_world
from tests.core.pair_world import (
    ALL,
    BOUND,
    LIFETIME,
    LOSSES,
    PLAIN,
    RULES,
    Node,
    World,
    changed,
    ended,
    expected,
    explore,
    explored,
    forgotten,
    fresh,
    misfortunes,
    settle,
    stopped,
    tick,
)
from tests.core.values import replace

CALM = settle(fresh())[-1]
GRACE = 16
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


def alike(**fields):
    """Give two gateways with one name and one priority that have settled it."""
    a, b = Node(7, 100, mac=MAC_A), Node(7, 100, mac=MAC_B)
    return settle(World(replace(a, **fields), b))[-1]


def uneven(a=None, b=None):
    return settle(World(Node(2, **{"priority": 150} | (a or {})), Node(1, 100, **b or {})), 60)[-1]


def cut(world, *ways):
    return settle(replace(world, cut=frozenset(ways)))[-1]


MAC_A, MAC_B = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
LOSING = settle(changed(changed(CALM, "a", loses="clean"), "b", loses="clean"))[-1]
CUT = cut(CALM, "ab", "ba")
NET = ("cut", "carrier", "switch", "restart", "stop")
EXPLORATIONS = {
    # a start, ticks, misfortunes, their kinds, whether frames are lost, worlds at least
    "plain": (CALM, 4, 2, PLAIN, True, 8000),
    "three": (CALM, 6, 3, PLAIN, False, 4000),
    "stops": (CALM, 4, 2, ("stop", "restart", "line", "refused"), True, 5000),
    "refused": (CALM, 7, 3, ("refused", "line", "maintenance", "restart"), False, 2000),
    "all kinds": (CALM, 4, 2, ALL, False, 1500),
    "all kinds, links cut": (CUT, 4, 2, ALL, False, 1500),
    "links cut": (CUT, 6, 3, ("cut", "carrier", "switch", "power", "restart"), False, 4000),
    "links cut, frames lost": (CUT, 4, 2, ("carrier", "switch", "restart"), True, 300),
    "deaf b": (cut(CALM, "ab"), 5, 2, ("line", "power", "refused", *NET), False, 1000),
    "deaf a": (cut(CALM, "ba"), 5, 2, ("line", "power", "refused", *NET), False, 1000),
    "slow a": (uneven(a={"pace": 2}), 5, 2, PLAIN, False, 800),
    "slow b": (uneven(b={"pace": 2}), 5, 2, PLAIN, False, 800),
    "slow a, net": (uneven(a={"pace": 2}), 5, 2, ("refused", *NET), False, 1000),
    "slow b, net": (uneven(b={"pace": 2}), 5, 2, ("refused", *NET), False, 1000),
    "old a": (uneven(a={"old": True}), 5, 2, (*PLAIN, "stop", "cut", "refused"), False, 900),
    "old b": (uneven(b={"old": True}), 5, 2, (*PLAIN, "stop", "cut", "refused"), False, 900),
    "old and slow a": (uneven(a={"old": True, "pace": 2}), 5, 2, ("line", *NET), False, 1000),
    "old and slow b": (uneven(b={"old": True, "pace": 2}), 5, 2, ("line", *NET), False, 1000),
    "one name": (alike(), 5, 2, ("line", "power", *NET), False, 1000),
    "one name, one address known": (alike(mac=b""), 5, 2, ("line", "power", *NET), False, 1000),
    "lossy": (LOSING, 8, 4, ("loss", "line"), False, 3000),
    "lossy, frames lost": (LOSING, 4, 2, ("loss", "line"), True, 1000),
    "lossy, daemons": (LOSING, 5, 2, ("loss", "restart", "stop", "power", "sleep"), False, 700),
    "lossy, unfit": (LOSING, 6, 3, ("loss", "maintenance", "refused", "fit", "act"), False, 8000),
    "lossy, net": (LOSING, 5, 2, ("loss", *NET), False, 600),
    "lossy, links cut": (cut(LOSING, "ab", "ba"), 4, 2, ("loss", "carrier", "switch"), False, 100),
    "grey": (CALM, 7, 3, ("grey", "line", "restart"), False, 400),
    "grey, frames lost": (CALM, 4, 2, ("grey", "line", "power"), True, 500),
    "grey and old a": (uneven(a={"old": True}), 5, 2, ("grey", "line", *NET), False, 300),
    "grey and old b": (uneven(b={"old": True}), 5, 2, ("grey", "line", *NET), False, 300),
    "followed": (LOSING, 7, 3, ("far left", "loss", "line"), False, 1000),
    "followed, frames lost": (LOSING, 4, 2, ("far left", "loss", "line"), True, 500),
    "followed, daemons": (CALM, 5, 2, ("far left", "grey", "restart", "stop", "sleep"), False, 300),
    "followed, net": (CALM, 5, 2, ("far left", "line", *NET), False, 300),
    "one priority": (uneven({"priority": 100}), 5, 2, ("line", "power", *NET), False, 1000),
}


# The largest of them; each of their kinds is in a smaller one, too.
LONG = {"followed, frames lost", "lossy, unfit", "lossy, frames lost", "stops", "three"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.more] if name in LONG else []) for name in EXPLORATIONS],
)
def test_whatever_befalls_two_gateways_one_of_them_is_active_in_the_end(name):
    """Also after whatever is broken is mended, and never two for longer than it takes."""
    for world in explored(EXPLORATIONS[name]):
        check_settles(world)


@pytest.mark.parametrize("start", [CALM, CUT], ids=["calm", "cut"])
def test_what_is_mended_ends_with_one_owner(start):
    for world in map(mended, explore(start, 4, 2, ALL)):
        assert expected(world) == {1}
        check_settles(world)


def mended(world):
    for side in ("a", "b"):
        world = changed(
            world, side, alive=True, running=True, carrier=True, act="ok", asleep=0, life=0,
            maintenance=False,
        )  # fmt: skip
    return replace(world, cut=frozenset(), isolated=False, double=0)


def restarts(world):
    """Give the world after every way to restart one daemon or both, or to leave it down a while."""
    for sides in (("a",), ("b",), ("a", "b")):
        if not all(getattr(world, side).works for side in sides):
            continue
        for end in (forgotten, stopped, ended):
            after = world
            for side in sides:
                after = end(after, side)
            for _ in range(0 if end is forgotten else LIFETIME - 1):
                yield up(after, sides)
                after = tick(after)
            yield up(after, sides)


def up(world, sides):
    """Start daemons that know nothing of their paths yet."""
    for side in sides:
        world = changed(world, side, running=True, life=0, line=None)
    return world


def known(world, lines):
    """Let the paths be what they were before the restart."""
    for side, line in zip("ab", lines, strict=True):
        world = changed(world, side, line=line)
    return world


@pytest.mark.parametrize(
    ("start", "kinds"),
    [(CALM, ("line", "maintenance", "refused", "cut", "power")), (CUT, ("line", "cut"))],
)
def test_a_restart_moves_nobody(start, kinds):
    """Once all has settled, in any way, each daemon is killed or stopped, and started later on."""
    ends = {settle(world)[-1]: None for world in explore(start, 4, 2, kinds)}
    still = [world for world in ends if settle(world)[0] == world]
    assert len(still) > 5
    for world in still:
        for restarted in restarts(world):
            unknown = settle(restarted)
            lines = world.a.line, world.b.line
            for after in (unknown, *(settle(known(unknown[at], lines)) for at in (0, 3))):
                moves = [w for w in after if (w.a.on, w.b.on) != (world.a.on, world.b.on)]
                assert not moves, f"moved by a restart: {world}"


@pytest.mark.parametrize("late", range(8))
@pytest.mark.parametrize("first", ["a", "b"])
def test_a_start_of_both_moves_the_role_once(first, late):
    """In any order: a gateway that is up first waits for the other."""
    world = changed(fresh(), "b" if first == "a" else "a", alive=False)
    for _ in range(late):
        world = tick(world)
    world = changed(changed(world, "a", alive=True), "b", alive=True)
    passed = settle(world)
    assert passed[-1].a.on
    assert not any(w.b.on for w in passed) or (first == "b" and late >= RULES.start_s)
    assert all(w.owners <= 1 for w in passed)


@pytest.mark.parametrize("side", ["a", "b"])
@pytest.mark.parametrize("how", ["carrier", "switch"])
@pytest.mark.parametrize("ticks", range(1, 30))
def test_a_port_that_flaps_while_the_links_are_cut_ends_with_one_owner(side, how, ticks):
    """The holder stays; without a carrier nothing is taken, as nothing is known."""
    port = {"carrier": False, "in_use": None}
    world = changed(CUT, side, **port) if how == "carrier" else replace(CUT, isolated=True)
    for _ in range(ticks):
        world = tick(world)
    if how == "carrier":
        if side == "b":
            assert (world.a.on, world.b.on) == (True, False)
        world = changed(world, side, carrier=True)
    passed = settle(replace(world, isolated=False))
    assert passed[-1].a.on
    assert max((at for at, w in enumerate(passed) if w.owners == 2), default=0) <= BOUND


def hundred(seed):
    """Give the world after a hundred misfortunes of all kinds, all of it mended now and then."""
    chance, world = random.Random(seed), CALM
    for number in range(100):
        world = chance.choice(list(misfortunes(world, ALL)))
        for _ in range(chance.choice([1, 1, 2, 3, 5, 8])):
            world = tick(world, chance.choice([*LOSSES, (), (), ()]))
        if number % 10 == 9:
            world = mended(world)
            check_settles(world)
            world = settle(world)[chance.randrange(30)]
    return world


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_misfortunes_of_all_kinds(seed):
    assert hundred(seed).a.alive


@pytest.mark.parametrize("refusing", [False, pytest.param(True, marks=pytest.mark.more)])
def test_verdicts_alone_never_make_two_owners(refusing):
    """Paths flip at every moment, messages all arrive: not for one tick are there two.

    To the end: all worlds that flips can ever lead to.
    """
    kinds = ("line", "refused") if refusing else ("line",)
    layer, seen = {CALM}, {CALM}
    while layer:
        after = set()
        for world in layer:
            one = {world, *misfortunes(world, kinds)}
            for struck in one if refusing else {w for each in one for w in flips(each, "b")}:
                found = tick(struck)
                assert found.owners <= 1
                if found not in seen:
                    seen.add(found)
                    after.add(found)
        layer = after
    assert len(seen) > 150


def test_what_lines_lose_alone_moves_the_role_once_in_a_rest_and_never_makes_two_owners():
    """Figures change at every moment: to the end, all worlds that this can ever lead to."""
    layer, seen, left = {(LOSING, RULES.lines.rest_s)}, {(LOSING, RULES.lines.rest_s)}, 0
    while layer:
        after = set()
        for world, since in layer:
            for struck in (world, *misfortunes(world, ("loss",))):
                found = tick(struck)
                assert found.owners <= 1
                leaves = begins(world.a, found.a) or begins(world.b, found.b)
                assert not leaves or since >= RULES.lines.rest_s, f"twice: {world}"
                left += leaves
                what = (found, 1.0 if leaves else min(since + 1, RULES.lines.rest_s))
                if what not in seen:
                    seen.add(what)
                    after.add(what)
        layer = after
    assert left > 10
    assert {world.b.on for world, _ in seen} == {False, True}


def begins(before, after):
    """Whether a gateway begins to leave the role for its line."""
    return after.state.lines.off and not before.state.lines.off


def flips(world, side):
    node = getattr(world, side)
    return [world, *(changed(world, side, line=line) for line in pair_world.NEXT_LINES[node.line])]


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
