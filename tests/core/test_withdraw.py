"""A gateway of a cluster withdraws only for one that serves: tables, and two of them explored."""

from itertools import product

import pytest

from havpn_core.rules.cluster.withdraw import (
    Seen,
    Withdrawal,
    together,
    trouble_of,
    why_stays,
    withdraw,
)
from havpn_core.rules.fitness import Fitness
from tests.core.values import replace

BAD = "forwarding of IPv4 is off"


def first(at_s, turn=0):
    return Seen(True, turn, at_s)


@pytest.mark.parametrize(
    ("fitness", "road", "expected"),
    [
        (Fitness(), "", ""),
        (Fitness(True), "", ""),
        (Fitness(), "road: no reply", "road: no reply"),
        (Fitness(False, reason=BAD), "", BAD),
        (Fitness(False, reason=BAD), "road: no reply", BAD),
        (Fitness(False, certain=True), "", "unfit"),
        (Fitness(None, reason=BAD), "", ""),
    ],
)
def test_what_is_wrong(fitness, road, expected):
    assert trouble_of(fitness, road) == expected


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([], Seen()),
        ([Seen(True, 1, 5.0)], Seen(True, 1, 5.0)),
        ([Seen(True, 0, 5.0), Seen(True, 2, 4.0)], Seen(True, 2, 4.0)),
        ([Seen(True, 0, 4.0), Seen(True, 2, 5.0)], Seen(True, 2, 4.0)),
        ([Seen(True, 0, 5.0), Seen(True, None, 5.0)], Seen(True, None, 5.0)),
        ([Seen(True, 0, 5.0), Seen(None, 0, 5.0)], Seen(None, 0, 5.0)),
        ([Seen(None, 0, 5.0), Seen(False, 0, 5.0)], Seen(False, 0, 5.0)),
        ([Seen(True, None, 5.0), Seen(True, None, 5.0)], Seen(True, None, 5.0)),
    ],
)
def test_several_looks_are_one(looks, expected):
    assert together(looks) == expected


def test_the_first_goes_at_once():
    assert withdraw(Withdrawal(), BAD, first(100.0), 100.1) == Withdrawal(BAD)


def test_nobody_goes_while_nothing_is_wrong():
    assert withdraw(Withdrawal(), "", first(100.0), 100.1) == Withdrawal()
    waiting = Withdrawal(turn=1, since_s=100.0)
    assert withdraw(waiting, "", first(107.0, 1), 107.0) == Withdrawal()


@pytest.mark.parametrize("seen", [Seen(None, 0, 100.0), Seen(False, 0, 100.0),
                                  Seen(True, None, 100.0), Seen()])  # fmt: skip
def test_it_stays_unless_another_is_seen_serving_and_it_is_its_turn(seen):
    assert withdraw(Withdrawal(), BAD, seen, 100.1) == Withdrawal()
    waiting = Withdrawal(turn=0, since_s=0.0)
    assert withdraw(waiting, BAD, seen, 100.1) == Withdrawal()


def test_what_was_seen_grows_old():
    assert withdraw(Withdrawal(), BAD, first(100.0), 103.0).reason
    assert not withdraw(Withdrawal(), BAD, first(100.0), 103.1).reason


@pytest.mark.parametrize("turn", [1, 2])
def test_each_other_looks_again_after_5_s(turn):
    state = withdraw(Withdrawal(), BAD, first(100.0, turn), 100.5)
    assert state == Withdrawal(turn=turn, since_s=100.0)
    due = 100.0 + 5 * turn
    assert withdraw(state, BAD, first(due - 0.1, turn), due) == state
    assert withdraw(state, BAD, first(due, turn), due + 0.1) == Withdrawal(BAD)


def test_another_turn_begins_anew():
    state = Withdrawal(turn=2, since_s=100.0)
    assert withdraw(state, BAD, first(109.0, 1), 109.0) == Withdrawal(turn=1, since_s=109.0)
    assert withdraw(state, BAD, first(110.0, 3), 110.0) == Withdrawal(turn=3, since_s=110.0)


def test_it_comes_back_when_nothing_has_been_wrong_for_5_s():
    state = withdraw(Withdrawal(BAD), "", first(100.0), 100.0)
    assert state == Withdrawal(BAD, well_s=100.0)
    assert withdraw(state, "", first(104.9), 104.9) == state
    assert withdraw(state, "", first(105.0), 105.0) == Withdrawal()
    again = withdraw(state, "no carrier", first(104.0), 104.0)
    assert again == Withdrawal("no carrier")
    assert withdraw(again, "", first(106.0), 106.0) == Withdrawal("no carrier", well_s=106.0)


def test_it_comes_back_when_nobody_else_has_been_seen_serving_for_5_s():
    nobody = Seen(False, None, 100.0)
    state = withdraw(Withdrawal(BAD), BAD, nobody, 100.0)
    assert state == Withdrawal(BAD, gone_s=100.0)
    assert withdraw(state, BAD, replace(nobody, at_s=104.9), 104.9) == state
    assert withdraw(state, BAD, replace(nobody, at_s=105.0), 105.0) == Withdrawal()
    unknown = withdraw(state, BAD, Seen(), 103.0)
    assert unknown == state, "what is not known changes nothing"
    assert withdraw(state, BAD, Seen(True, None, 103.0), 103.0) == Withdrawal(BAD)


def test_it_stays_away_while_nothing_is_known():
    assert withdraw(Withdrawal(BAD), BAD, Seen(), 1e6) == Withdrawal(BAD)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Seen(), "not known"),
        (Seen(False, 0), "no other gateway"),
        (Seen(True, None), "holds nothing"),
        (Seen(True, 1), "another goes first"),
    ],
)
def test_why_it_stays(seen, words):
    assert words in why_stays(seen)


# --- two gateways, all that can happen, a look a second ---------------------------------------

RUNNING, STOPPED = "running", "stopped"
STOP_S, START_S = 4, 6


class Attribute:
    """Pacemaker: what a gateway says is seen by the other at once, and whoever it is."""

    quick = True

    def begin(self):
        return (RUNNING, RUNNING)

    def look(self, me, phases):
        return Seen(phases[1 - me] == RUNNING, me, 0.0)

    def step(self, phases, states):
        return tuple(STOPPED if state.reason else RUNNING for state in states)

    def serving(self, phases):
        return {me for me in (0, 1) if phases[me] == RUNNING}


class Heartbeat:
    """Heartbeat, stopped and started: a stop and a start take their time, once begun.

    A phase is ``running``, ``stopped``, ``(stopping, seconds left)`` or ``(starting, ...)``.
    """

    quick = False

    def __init__(self, failback, stop_s=STOP_S):
        self.failback, self.stop_s = failback, stop_s

    def begin(self):
        return (RUNNING, RUNNING, 0)

    def look(self, me, phases):
        mine, other, holder = phases[me], phases[1 - me], phases[2]
        if mine != RUNNING:
            return Seen(None, None, 0.0)
        active = other == RUNNING or other[0] == "stopping"
        alone = holder == me and (other != RUNNING or not self.failback)
        if self.failback:
            return Seen(active and not alone, 0 if me == 0 and not alone else None, 0.0)
        return Seen(active, (1 if alone else None), 0.0)

    def step(self, phases, states):
        *each, holder = phases
        after = [self._next(phase, state) for phase, state in zip(each, states, strict=True)]
        running = [me for me in (0, 1) if after[me] == RUNNING]
        if running and (self.failback or holder not in running):
            holder = running[0]
        return (*after, holder)

    def _next(self, phase, state):
        if phase == RUNNING:
            return ("stopping", self.stop_s) if state.reason else RUNNING
        if phase == STOPPED:
            return STOPPED if state.reason else ("starting", START_S)
        word, left = phase
        if left > 1:
            return (word, left - 1)
        return STOPPED if word == "stopping" else RUNNING

    def serving(self, phases):
        return {phases[2]} if phases[phases[2]] == RUNNING else set()


CLUSTERS = [Attribute(), Heartbeat(True), Heartbeat(False), Heartbeat(False, 1)]


def older(state):
    """Let a second go by: all times are seconds before now."""

    def back(at_s):
        return None if at_s is None else max(at_s - 1, -6.0)

    return replace(state, since_s=back(state.since_s), gone_s=back(state.gone_s),
                   well_s=back(state.well_s))  # fmt: skip


def seconds(cluster, world, fits):
    """Give all that may follow within a second: either may look first, and act before both."""
    states, phases = world
    for order, at_once in product(((0, 1), (1, 0)), (False, True)):
        now, there = list(states), phases
        for me in order:
            trouble = "" if fits[me] else BAD
            now[me] = withdraw(now[me], trouble, cluster.look(me, there), 0.0)
            there = cluster.step(there, now) if at_once and cluster.quick else there
        yield tuple(older(state) for state in now), cluster.step(there, now)


def reachable(cluster):
    begin = ((Withdrawal(), Withdrawal()), cluster.begin())
    found, todo = {begin}, [begin]
    while todo:
        world = todo.pop()
        for fits in product((True, False), repeat=2):
            for after in seconds(cluster, world, fits):
                if after not in found:
                    found.add(after)
                    todo.append(after)
    return found


def changes(before, after):
    return sum(bool(a.reason) is not bool(b.reason) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("fits", [*product((True, False), repeat=2)])
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_whatever_becomes_unfit_and_when_a_router_stays_and_the_right_one(cluster, fits):
    """From all that sequences of fitness lead to it comes to rest, without going to and fro."""
    moves = dict.fromkeys(reachable(cluster), 0)
    if not cluster.quick:
        assert all(RUNNING in phases[:2] for _, phases in moves), "both were stopped"
    for _ in range(60):
        after = {}
        for world, count in moves.items():
            for then in seconds(cluster, world, fits):
                more = count + changes(world[0], then[0])
                after[then] = max(after.get(then, 0), more)
        moves = after
    for (states, phases), count in moves.items():
        assert all(after[1] == phases for after in seconds(cluster, (states, phases), fits))
        serving = cluster.serving(phases)
        assert serving
        assert not any(fits) or serving <= {me for me in (0, 1) if fits[me]}
        assert count <= 5
