"""Each sentence on a broken state of a path, and the states next to it that are whole."""

import pytest

from havpn_core.rules.damping import Damping, Flaps
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, PathState
from havpn_core.rules.invariants import EPSILON_S, broken_change, broken_state, broken_watch
from havpn_core.rules.quality import WindowRules
from havpn_core.rules.settings import Settings
from havpn_core.rules.watch import Watch
from tests.core.values import replace

RULES = PathRules(fall=3, rise=4, stale_s=5.0, rise_loss=0.5)
UP, DOWN = Level.UP, Level.DOWN


def state(level, streak, *, known=True, **more):
    return PathState(level, known, streak, **({"since_s": 1.0, "heard_s": 1.0} | more))


@pytest.mark.parametrize(
    "whole",
    [
        state(UP, 0),
        state(UP, 2),
        state(DOWN, 0),
        state(DOWN, 4),
        state(UP, 0, known=False),
        state(DOWN, 0, known=False),
        state(DOWN, 1, misses=1),
        state(DOWN, 4, misses=2, gap=2),
        state(UP, 0, heard_s=0.0, since_s=0.0),
    ],
)
def test_a_whole_state(whole):
    assert broken_state(RULES, whole, 1.0) == []


@pytest.mark.parametrize(
    ("broken", "sentences"),
    [
        (state(UP, 3), ["streak 3 is from 0 to 2"]),
        (state(UP, -1), ["streak -1 is from 0 to 2"]),
        (state(DOWN, 5), ["streak 5 is from 0 to 4"]),
        (state(UP, 1, known=False), ["an unknown path has no streak"]),
        (state(UP, 1, misses=1), ["misses belong to a recovery"]),
        (state(DOWN, 0, misses=1), ["misses belong to a recovery"]),
        (state(DOWN, 1, misses=3), ["misses 3 are at most 2"]),
        (state(DOWN, 1, misses=-1), ["misses -1 are at most 2", "gap 0 is part of the misses"]),
        (state(DOWN, 1, misses=1, gap=2), ["gap 2 is part of the misses"]),
        (state(DOWN, 1, misses=1, gap=-1), ["gap -1 is part of the misses"]),
        (state(UP, 0, heard_s=1.5), ["nothing is heard before it comes"]),
        (state(UP, 0, since_s=1.5), ["since is no time to come"]),
    ],
)
def test_a_broken_state_is_described(broken, sentences):
    assert broken_state(RULES, broken, 1.0) == sentences


def test_a_gap_is_below_that_of_the_rules():
    rules = replace(RULES, fall=2)
    assert broken_state(rules, state(DOWN, 1, misses=2, gap=1), 1.0) == []
    assert broken_state(rules, state(DOWN, 1, misses=2, gap=2), 1.0) == [
        "gap 2 is below that of the rules"
    ]


def test_rounding_breaks_no_state():
    assert broken_state(RULES, state(UP, 0, heard_s=EPSILON_S, since_s=EPSILON_S), 0.0) == []


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        (state(UP, 0), state(UP, 1, since_s=7.0, heard_s=7.0), []),
        (state(UP, 2), state(DOWN, 0, since_s=7.0), []),  # a fault of the host or a poor line
        (state(DOWN, 3), state(UP, 0, since_s=7.0, heard_s=7.0), []),
        (state(DOWN, 1), state(DOWN, 0, known=False, since_s=7.0), []),
        (state(UP, 1), state(UP, 2, since_s=7.0), ["a change changes the verdict"]),
        (state(UP, 0), state(UP, 1, since_s=6.0), ["a change is dated"]),
        (state(UP, 0), state(UP, 1, since_s=8.0), ["a change is dated"]),
        (state(UP, 0), state(UP, 1, since_s=7.0, heard_s=0.5), ["time does not go back"]),
        (
            state(UP, 0),
            state(DOWN, 0, known=False, since_s=7.0),
            ["the level stays when the path becomes unknown"],
        ),
        (state(DOWN, 3), state(UP, 0, since_s=7.0), ["only a sample raises a path"]),
    ],
)
def test_changes_whole_and_broken(before, after, sentences):
    assert broken_change(before, after, 7.0) == sentences


SETTINGS = Settings(
    RULES,
    timeout_s=0.5,
    window=WindowRules(5.0, 20, 0.5, 0.2),
    switch_when_poor=True,
    damping=Damping(half_life_s=60, suppress=1.5, reuse=0.75, max_hold_s=300),
)


def watched(settings=SETTINGS, *, level=UP, sends=()):
    watch = Watch(settings, 1, level, 0.0, known=True)
    for at in sends:
        watch.send(at)
    return watch


def test_a_whole_watch():
    assert broken_watch(watched(), 0.0) == []
    assert broken_watch(watched(replace(SETTINGS, window=None, damping=None)), 0.0) == []
    assert broken_watch(watched(sends=(0.0, 1.0)), 1.0) == []
    assert broken_watch(watched(sends=(EPSILON_S,)), 0.0) == []


def test_a_watch_is_asked_for_its_state_too():
    watch = watched()
    watch.blocked, watch.state = True, state(UP, 0, heard_s=5.0)
    assert broken_watch(watch, 1.0) == [
        "a blocked path is down",
        "nothing is heard before it comes",
    ]


def test_what_is_pending_is_in_order():
    watch = watched(sends=(0.0, 1.0))
    watch.pending.reverse()
    assert broken_watch(watch, 1.0) == ["what is pending is in order"]


def test_what_is_decided_first_is_taken_in():
    watch = watched(sends=(0.0, 1.0))
    watch.pending[1].result = Outcome.OK
    assert broken_watch(watch, 1.0) == []
    watch.pending[0].result = Outcome.OK
    assert broken_watch(watch, 1.0) == ["what is decided first is taken in"]


@pytest.mark.parametrize(
    ("deadline_s", "sentences"),
    [
        (0.5, []),
        (0.5 + EPSILON_S, []),
        (0.501, ["a deadline is within the timeout"]),
        (9.0, ["a deadline is within the timeout"]),
    ],
)
def test_a_deadline_is_within_the_timeout(deadline_s, sentences):
    watch = watched(sends=(0.0, 1.0))
    watch.trips[0].deadline_s = deadline_s
    assert broken_watch(watch, 1.0) == sentences


def test_nothing_is_sent_before_its_time():
    assert broken_watch(watched(sends=(0.0, 2.0)), 1.5) == ["nothing is sent before its time"]


def test_a_path_that_is_held_back_has_a_call_under_way():
    watch = watched()
    watch.cadence_s = float("inf")
    assert broken_watch(watch, 1.0) == ["a path that is held back has a call under way"]
    watch = watched()
    watch.take_turns([0])
    watch.send(0.0)
    assert watch.send_s == float("inf")
    assert broken_watch(watch, 0.0) == []


@pytest.mark.parametrize(("level", "sentences"), [(UP, ["a blocked path is down"]), (DOWN, [])])
def test_a_blocked_path_is_down(level, sentences):
    watch = watched(level=level)
    watch.blocked = True
    assert broken_watch(watch, 0.0) == sentences


@pytest.mark.parametrize(
    ("level", "sentences"), [(UP, ["a poor line that must go down is down"]), (DOWN, [])]
)
def test_a_poor_line_is_down(level, sentences):
    watch = watched(level=level)
    watch.window.poor = True
    assert broken_watch(watch, 0.0) == sentences


@pytest.mark.parametrize(
    ("silent", "run", "sentences"),
    [
        (True, 0, []),
        (False, 1, []),
        (True, 1, ["a dead line's silence is no loss"]),
    ],
)
def test_a_dead_line_s_silence_is_no_loss(silent, run, sentences):
    watch = watched()
    (feed,) = watch.feed.each
    feed.silent, feed.run = silent, run
    assert broken_watch(watch, 0.0) == sentences


@pytest.mark.parametrize(
    ("damping", "flaps", "sentences"),
    [
        (SETTINGS.damping, Flaps(0.0, 10.0, 310.0), []),
        (SETTINGS.damping, Flaps(0.0, 10.0, 310.5), ["a hold has an end"]),
        (None, Flaps(0.0, 0.0, EPSILON_S), []),
        (None, Flaps(0.0, 10.0, 10.5), ["a hold has an end"]),
        (SETTINGS.damping, Flaps(0.5, 10.0, 10.0), []),
        (SETTINGS.damping, Flaps(-0.5, 10.0, 10.0), ["a penalty is none below zero"]),
    ],
)
def test_what_is_remembered_of_flaps(damping, flaps, sentences):
    watch = watched(replace(SETTINGS, damping=damping))
    watch.memory.flaps = flaps
    assert broken_watch(watch, 20.0) == sentences
