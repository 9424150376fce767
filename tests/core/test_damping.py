"""Flaps: the penalty, the hold that follows from it, and what counts as one."""

from math import inf

import pytest

from havpn_core.rules.damping import EXCUSED_S, Damping, FlapMemory, Flaps, fell, penalty, resume
from havpn_core.rules.hysteresis import Outcome

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED
RULES = Damping(half_life_s=100.0, suppress=1.5, reuse=0.75, max_hold_s=300.0)


@pytest.mark.parametrize(
    ("now_s", "expected"), [(10, 4.0), (110, 2.0), (210, 1.0), (0, 4.0), (1e9, 0.0)]
)
def test_a_penalty_halves_every_half_life_and_never_grows_by_itself(now_s, expected):
    assert penalty(RULES, Flaps(4.0, 10.0), now_s) == pytest.approx(expected)


def test_the_ceiling_is_what_takes_the_longest_hold_to_decay():
    assert RULES.ceiling == pytest.approx(0.75 * 8)
    assert Damping(1.0, 1.5, 0.75, 1e6).ceiling == 0.75 * 2**64, "without an overflow"


@pytest.mark.parametrize(
    ("figure", "kept", "hold_s"),
    [
        (0.5, 0.5, 0.0),
        (1.5, 1.5, 0.0),  # the hold is above, not at suppress
        (1.6, 1.6, 100 * 1.0931),
        (3.0, 3.0, 200.0),
        (6.0, 6.0, 300.0),
        (50.0, 6.0, 300.0),
    ],
)
def test_a_hold_lasts_until_the_penalty_is_at_reuse(figure, kept, hold_s):
    found = resume(RULES, figure, 1000.0)
    assert (found.penalty, found.at_s) == (pytest.approx(kept), 1000.0)
    assert found.held_until_s - 1000.0 == pytest.approx(hold_s, abs=0.01)


def test_a_short_hold_is_capped_and_one_fall_is_never_forgotten_at_once():
    short = Damping(half_life_s=100.0, suppress=0.5, reuse=0.25, max_hold_s=10.0)
    assert short.ceiling < 1
    found = resume(short, 5.0, 0.0)
    assert (found.penalty, found.held_until_s) == (1.0, 10.0)


def test_a_fall_adds_one_to_what_is_left():
    once = fell(RULES, Flaps(), 50.0)
    assert once == Flaps(1.0, 50.0, 50.0)
    again = fell(RULES, once, 150.0)
    assert again.penalty == pytest.approx(1.5)
    third = fell(RULES, again, 150.0)
    assert third.penalty == pytest.approx(2.5)
    assert third.held_until_s > 150.0 + 100


def counted(trace, fall=2, *, up=True, damping=RULES):
    """Give the penalty after a trace of outcomes and falls (``None``), all at one moment."""
    memory = FlapMemory(damping, Flaps(), fall)
    if up:
        memory.came_up()
    for each in trace:
        if each is None:
            memory.fell(5.0)
        elif each == "up":
            memory.came_up()
        else:
            memory.take(each, 5.0)
    return memory.penalty(5.0)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ([], 0),
        ([None], 1),
        ([None, None], 2),
        ([FAIL, FAIL, FAIL], 0),  # it has not replied in between
        ([OK, FAIL], 0),
        ([OK, FAIL, FAIL], 1),
        ([OK, FAIL, FAIL, FAIL, FAIL], 1),
        ([OK, FAIL, FAIL, OK, FAIL, FAIL], 2),
        ([OK, FAIL, OK, FAIL], 0),
        ([FAIL, OK, FAIL], 0),
        ([OK, FAIL, ERROR, FAIL], 1),
        ([OK, FAIL, REFUSED, FAIL], 0),
        ([OK, FAIL, REFUSED, FAIL, FAIL], 1),
        ([REFUSED, FAIL, FAIL], 0),  # a refusal is no reply
        ([OK, FAIL, None, FAIL], 1),
        ([OK, None, FAIL, FAIL], 1),  # what was before the fall is forgotten
    ],
)
def test_what_counts_as_a_flap(trace, expected):
    assert counted(trace) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        ([None], 0),
        ([None, OK, FAIL, FAIL, OK, FAIL, FAIL], 0),
        ([None, "up"], 0),
        ([None, "up", None], 1),
        ([OK, FAIL, FAIL, "up", None, OK, FAIL, FAIL], 2),
    ],
)
def test_nothing_before_the_first_up_is_a_flap(trace, expected):
    assert counted(trace, up=False) == pytest.approx(expected)


def test_what_is_remembered_from_before_stays_and_without_damping_there_is_nothing():
    memory = FlapMemory(RULES, resume(RULES, 2.0, 0.0), 2)
    memory.fell(0.0)
    assert memory.penalty(0.0) == 2.0
    assert memory.penalty(100.0) == pytest.approx(1.0)
    assert memory.flaps.held_until_s > 100
    assert counted([None, None], damping=None) == 0.0
    assert Flaps() == Flaps(0.0, 0.0, 0.0)
    assert penalty(RULES, Flaps(1.0, 0.0), inf) == pytest.approx(0.0)


# --- a fall that the far end announced ----------------------------------------------------------


def excused(*falls, detection_s=1.0):
    """Count the falls after a silence that was announced; each is told of with its time."""
    memory = FlapMemory(RULES, Flaps(), 2)
    memory.came_up()
    memory.excuse(100.0, detection_s)
    found = []
    for now_s in falls:
        before = memory.flaps
        memory.fell(now_s)
        found.append(memory.flaps is not before)
    return found


def test_an_announced_silence_is_no_flap_for_10_s():
    assert EXCUSED_S == 10.0
    assert excused(100.0, 109.9, 110.0, 110.1, 111.0) == [False, False, False, True, True]


def test_a_path_that_takes_longer_to_fall_is_excused_for_longer():
    assert excused(140.0, 140.1, detection_s=40.0) == [False, True]
    assert excused(110.0, 110.1, detection_s=9.0) == [False, True], "never for less than 10 s"


def test_a_line_that_dies_again_while_it_is_excused_is_no_flap_either():
    memory = FlapMemory(RULES, Flaps(), 2)
    memory.came_up()
    memory.excuse(100.0, 1.0)
    for now_s, expected in ((110.0, 0), (110.1, 1)):
        for outcome in (OK, FAIL, FAIL):
            memory.take(outcome, now_s)
        assert memory.penalty(now_s) == pytest.approx(expected)


def test_what_was_counted_before_an_announcement_stays():
    memory = FlapMemory(RULES, resume(RULES, 2.0, 100.0), 2)
    memory.came_up()
    memory.excuse(100.0, 1.0)
    memory.fell(100.0)
    assert memory.penalty(100.0) == 2.0


def test_without_an_announcement_the_first_moment_of_a_clock_is_one_like_others():
    memory = FlapMemory(RULES, Flaps(), 2)
    memory.came_up()
    memory.fell(0.0)
    assert memory.penalty(0.0) == 1.0
