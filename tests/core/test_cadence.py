"""When a call is given up, whose turn it is, and what detection time results: exact tables."""

import math

import pytest

from havpn_core.rules.cadence import (
    Turns,
    detection_s,
    failback_s,
    given_up_s,
    missed,
    pace_s,
    void,
)
from havpn_core.rules.hysteresis import PathRules
from tests.core.values import replace

RULES = PathRules(fall=4, rise=5, stale_s=5.0, interval_s=1.0, confirm_s=0.1)
NONE = frozenset()


def exact(seconds):
    return pytest.approx(seconds, rel=1e-12)


def test_a_call_is_given_up_a_twentieth_of_a_second_after_its_timeout():
    assert given_up_s(10.0, 0.5) == exact(10.55)


@pytest.mark.parametrize(
    ("timeout_s", "limit_s"),
    [(0.1, 0.2), (0.2, 0.3), (1.0, 1.3), (2.0, 2.55)],
)
def test_a_failure_is_void_beyond_a_limit_that_grows_with_the_timeout(timeout_s, limit_s):
    assert not void(timeout_s, limit_s - 1e-9)
    assert void(timeout_s, limit_s + 1e-9)


def test_a_failure_noticed_at_the_limit_is_none_too_late():
    assert not void(1.0, 1.0 + 0.05 + 0.25)


@pytest.mark.parametrize(
    ("due_s", "now_s", "interval_s", "moments"),
    [
        (10.0, 12.5, 1.0, 2),
        (10.0, 12.0, 1.0, 2),
        (10.0, 11.9, 1.0, 1),
        (0.0, 5.0, 2.0, 2),
        (10.0, 10.0, 1.0, 0),
        (10.0, 9.5, 1.0, 0),
        (10.0, 4.0, 1.0, 0),
    ],
)
def test_moments_missed(due_s, now_s, interval_s, moments):
    assert missed(due_s, now_s, interval_s) == moments


def test_probes_on_the_loop_take_no_turns():
    turns = Turns(2)
    assert (turns.serial, turns.freed_s) == (NONE, -math.inf)
    for _ in range(2):
        assert (turns.mixed, turns.held_back, turns.left_out) == (True, False, NONE)
        assert turns.sent() == NONE


def test_probes_in_threads_are_sent_again_when_the_last_has_ended():
    turns = Turns(2)
    turns.serial = both = frozenset({0, 1})
    assert (turns.mixed, turns.held_back, turns.left_out) == (False, False, NONE)
    assert turns.sent() == both
    assert (turns.held_back, turns.left_out) == (True, both)
    assert turns.sent() == NONE
    assert turns.ended(1.0) is False
    assert (turns.held_back, turns.left_out, turns.freed_s) == (True, both, -math.inf)
    assert turns.ended(2.0) is True
    assert (turns.held_back, turns.left_out, turns.freed_s) == (False, NONE, 2.0)
    assert turns.sent() == both


def test_a_mixed_path_is_never_held_back():
    turns = Turns(2)
    turns.serial = frozenset({1})
    assert turns.mixed
    assert turns.sent() == {1}
    assert (turns.held_back, turns.left_out) == (False, {1})
    assert turns.sent() == NONE
    assert turns.ended(3.0) is True
    assert (turns.left_out, turns.freed_s) == (NONE, 3.0)


@pytest.mark.parametrize(
    ("timeout_s", "mixed", "pace"),
    [(0.5, False, 1.0), (2.0, False, 2.05), (0.5, True, 1.55), (2.0, True, 3.05)],
)
def test_the_pace_of_probes_in_threads(timeout_s, mixed, pace):
    assert pace_s(RULES, timeout_s, mixed=mixed) == exact(pace)


@pytest.mark.parametrize(
    ("probes", "timeout_s", "stale_s"),
    [(1, 0.5, 5.0), (1, 3.0, 6.1), (2, 0.5, 5.0), (2, 3.0, 8.1)],
)
def test_a_path_waits_two_turns_of_its_probes_before_it_is_stale(probes, timeout_s, stale_s):
    turns = Turns(probes)
    assert turns.patient(RULES, timeout_s) is RULES
    turns.serial = frozenset({0})
    assert turns.patient(RULES, timeout_s) == replace(RULES, stale_s=exact(stale_s))


@pytest.mark.parametrize(
    ("change", "timeout_s", "deadline_s", "found_s"),
    [
        ({}, 0.5, None, 1 + 0.5 + 2 * 0.1 + 0.5),
        ({}, 0.5, 0.02, 1 + 0.02 + 2 * 0.1 + 0.02),
        ({}, 2.0, None, 1 + 2.0 + 2.0),  # two are on their way when the first is late
        ({}, 3.0, None, 4 + 3.0),
        ({}, 9.0, None, 4 + 9.0),
        ({"fall": 1}, 0.5, None, 1 + 0.5),
        ({"fall": 2}, 0.5, None, 1 + 0.5 + 0.5),
        ({"confirm_s": None}, 0.5, None, 4 + 0.5),
        ({"confirm_s": None}, 0.5, 0.02, 4 + 0.02),
        ({"confirm_s": 1.0}, 0.5, None, 4 + 0.5),
        ({"confirm_s": 2.0}, 0.5, None, 4 + 0.5),
        ({"interval_s": 0.25, "fall": 3}, 1.0, None, 3 * 0.25 + 1.0),
        ({"interval_s": 0.5, "confirm_s": 0.25}, 0.5, None, 0.5 + 0.5 + 0.25 + 0.5),
    ],
)
def test_the_time_of_detection_on_the_loop(change, timeout_s, deadline_s, found_s):
    assert detection_s(replace(RULES, **change), timeout_s, deadline_s) == exact(found_s)


@pytest.mark.parametrize(
    ("change", "timeout_s", "counts", "found_s"),
    [
        ({}, 0.5, {"overlapping": 0}, 1 + 3 * 0.55 + 0.5),
        ({"confirm_s": 0.9}, 0.1, {"overlapping": 0}, 1 + 3 * 0.9 + 0.1),
        ({"confirm_s": 0.0}, 0.5, {"overlapping": 0}, 1 + 3 * 0.55 + 0.5),
        ({"confirm_s": None}, 0.5, {"overlapping": 0}, 1 + 3 * 1.0 + 0.5),
        ({"confirm_s": 1.0}, 0.5, {"overlapping": 0}, 1 + 3 * 1.0 + 0.5),
        ({}, 0.5, {}, 1 + 4 * 1.55 + 0.5),
        ({"confirm_s": None}, 0.5, {}, 1 + 4 * 1.55 + 0.5),
    ],
)
def test_the_time_of_detection_in_threads(change, timeout_s, counts, found_s):
    rules = replace(RULES, **change)
    assert detection_s(rules, timeout_s, serial=1, **counts) == exact(found_s)


@pytest.mark.parametrize(
    ("interval_s", "counts", "back_s"),
    [
        (1.0, {}, 5 * 1.0 + 0.5),
        (0.2, {}, 5 * 0.2 + 0.5),
        (0.2, {"serial": 1, "overlapping": 0}, 5 * 0.55 + 0.5),
        (0.2, {"serial": 1}, 5 * 0.75 + 0.5),
    ],
)
def test_the_time_of_the_way_back(interval_s, counts, back_s):
    assert failback_s(replace(RULES, interval_s=interval_s), 0.5, **counts) == exact(back_s)
