"""The verdict, sample by sample, on a virtual clock."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havpn_core.rules.hysteresis import (
    Level,
    Outcome,
    PathRules,
    PathState,
    Verdict,
    expire,
    lower,
    start,
    step,
    wanted_in_s,
)
from havpn_core.rules.invariants import broken_change, broken_state
from tests.core.values import replace

OK, FAIL, ERROR = Outcome.OK, Outcome.FAIL, Outcome.ERROR
RULES = PathRules(fall=3, rise=4, stale_s=10.0)


def feed(rules, state, outcomes, interval=1.0):
    verdicts = []
    for number, outcome in enumerate(outcomes, start=1):
        state = step(rules, state, outcome, number * interval)
        assert broken_state(rules, state, number * interval) == []
        verdicts.append(state.verdict)
    return state, verdicts


def test_fall_needs_consecutive_failures():
    _, verdicts = feed(RULES, start(Level.UP, 0), [OK, FAIL, FAIL, OK, FAIL, FAIL, FAIL])
    assert verdicts[-3:] == [Verdict.FAILING, Verdict.FAILING, Verdict.DOWN]
    assert verdicts[3] is Verdict.UP


def test_rise_needs_consecutive_successes_and_one_failure_starts_over():
    _, verdicts = feed(RULES, start(Level.DOWN, 0), [OK, OK, OK, FAIL, OK, OK, OK, OK])
    assert verdicts[2:5] == [Verdict.RECOVERING, Verdict.DOWN, Verdict.RECOVERING]
    assert verdicts[-1] is Verdict.UP


def test_error_neither_counts_nor_resets():
    _, verdicts = feed(RULES, start(Level.UP, 0), [FAIL, ERROR, FAIL, ERROR, ERROR, FAIL])
    assert verdicts[-1] is Verdict.DOWN
    _, verdicts = feed(RULES, start(Level.UP, 0), [OK] + [ERROR] * 8)
    assert set(verdicts) == {Verdict.UP}


def test_silence_makes_unknown_and_keeps_the_level():
    state, _ = feed(RULES, start(Level.DOWN, 0), [FAIL])
    state = expire(RULES, state, 10.9)
    assert state.verdict is Verdict.DOWN
    state = expire(RULES, state, 11.0)
    assert state.verdict is Verdict.UNKNOWN
    assert state.level is Level.DOWN
    assert step(RULES, state, OK, 12).verdict is Verdict.RECOVERING


def test_since_is_the_time_of_the_last_change_of_verdict():
    state, _ = feed(RULES, start(Level.UP, 0), [OK, OK, FAIL, FAIL])
    assert state.since_s == 3.0


def test_rules_that_never_switch_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        PathRules(fall=1, rise=0, stale_s=1)


class Published:
    """The published shell supervisor, written down anew from its description."""

    def __init__(self, maxfail, hystere):
        self.maxfail, self.hystere = maxfail, hystere
        self.backup, self.fails, self.good = False, 0, 0

    def sample(self, answered):
        if not self.backup:
            self.fails = 0 if answered else self.fails + 1
            if self.fails > self.maxfail:
                self.backup, self.good = True, 0
        else:
            self.good = self.good + 1 if answered else 0
            if self.good == self.hystere:
                self.backup, self.fails = False, 0
        return self.backup


RUNS = st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=12)


@settings(max_examples=500, deadline=None)
@given(RUNS)
def test_profile_article_is_the_published_system_sample_by_sample(runs):
    from havpn_core.config.profiles import PROFILES

    article = PROFILES["article"]
    rules = PathRules(article["fall"], article["rise"], stale_s=10)
    state, published = start(Level.UP, 0, known=True), Published(maxfail=5, hystere=180)
    now = 0
    for answered, length in runs:
        for _ in range(length):
            now += 1
            state = step(rules, state, OK if answered else FAIL, now)
            assert broken_state(rules, state, now) == []
            assert (state.level is Level.DOWN) == published.sample(answered)


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.lists(st.sampled_from([OK, FAIL, ERROR]), max_size=200),
)
def test_level_follows_the_runs_of_the_trace(fall, rise, trace):
    """An independent reading: look back over the whole trace at every sample."""
    rules = PathRules(fall, rise, stale_s=1e9)
    state = start(Level.UP, 0)
    down, counted = False, []
    for now, outcome in enumerate(trace):
        state = step(rules, state, outcome, now)
        if outcome is not ERROR:
            counted.append(outcome)
        need, kind = (rise, OK) if down else (fall, FAIL)
        if outcome is not ERROR and len(counted) >= need and set(counted[-need:]) == {kind}:
            down, counted = not down, []
        assert (state.level is Level.DOWN) == down


@given(
    st.builds(
        PathRules,
        fall=st.integers(1, 4),
        rise=st.integers(1, 12),
        stale_s=st.floats(1, 8),
        rise_loss=st.floats(0, 0.9),
    ),
    st.sampled_from(Level),
    st.lists(
        st.tuples(
            st.sampled_from([OK, FAIL, ERROR, Outcome.REFUSED, "expire", "lower"]),
            st.booleans(),
            st.floats(0.001, 6),  # a sample without time between leaves no trace of itself
        ),
        max_size=100,
    ),
)
def test_no_state_breaks_its_own_rules(rules, level, trace):
    now, state = 0.0, start(level, 0)
    for what, may_rise, pause in trace:
        now, before = now + pause, state
        if what == "expire":
            state = expire(rules, state, now)
        elif what == "lower":
            state = lower(state, now)
        else:
            state = step(rules, state, what, now, may_rise=may_rise)
        assert broken_state(rules, state, now) == []
        if state.verdict is not before.verdict:
            assert broken_change(before, state, now) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"streak": 3}, "streak"),
        ({"streak": -1}, "streak"),
        ({"known": False, "streak": 1}, "unknown"),
        ({"misses": 1}, "misses"),
        ({"heard_s": 9.0}, "heard"),
        ({"since_s": 9.0}, "since"),
        ({"level": Level.DOWN, "streak": 5}, "streak"),
        ({"level": Level.DOWN, "streak": 1, "gap": 1}, "gap"),
        ({"level": Level.DOWN, "streak": 1, "misses": 3, "gap": 3}, "gap"),
    ],
)
def test_a_state_that_cannot_be_is_named(change, word):
    state = replace(start(Level.UP, 0, known=True), **change)
    assert any(word in text for text in broken_state(RULES, state, 1.0))


REFUSED = Outcome.REFUSED
UP, DOWN = Level.UP, Level.DOWN


@pytest.mark.parametrize(
    ("before", "outcome", "after"),
    [
        # A refusal: unknown stays so; up and failing are up; down and recovering stay as they are.
        (PathState(UP, False, 0, 1, 2), REFUSED, PathState(UP, False, 0, 1, 2)),
        (PathState(DOWN, False, 0, 1, 2), REFUSED, PathState(DOWN, False, 0, 1, 2)),
        (PathState(UP, True, 0, 1, 2), REFUSED, PathState(UP, True, 0, 1, 9)),
        (PathState(UP, True, 2, 1, 2), REFUSED, PathState(UP, True, 0, 9, 9)),
        (PathState(DOWN, True, 0, 1, 2), REFUSED, PathState(DOWN, True, 0, 1, 9)),
        (PathState(DOWN, True, 3, 1, 2), REFUSED, PathState(DOWN, True, 3, 1, 9)),
        (PathState(DOWN, True, 3, 1, 2, 2, 2), REFUSED, PathState(DOWN, True, 3, 1, 9, 2, 0)),
        # The others, from the same states.
        (PathState(UP, False, 0, 1, 2), OK, PathState(UP, True, 0, 9, 9)),
        (PathState(UP, False, 0, 1, 2), FAIL, PathState(UP, True, 1, 9, 9)),
        (PathState(UP, False, 0, 1, 2), ERROR, PathState(UP, False, 0, 1, 2)),
        (PathState(UP, True, 0, 1, 2), OK, PathState(UP, True, 0, 1, 9)),
        (PathState(UP, True, 0, 1, 2), FAIL, PathState(UP, True, 1, 9, 9)),
        (PathState(UP, True, 0, 1, 2), ERROR, PathState(UP, True, 0, 1, 2)),
        (PathState(UP, True, 1, 1, 2), FAIL, PathState(UP, True, 2, 1, 9)),
        (PathState(UP, True, 2, 1, 2), FAIL, PathState(DOWN, True, 0, 9, 9)),
        (PathState(UP, True, 2, 1, 2), OK, PathState(UP, True, 0, 9, 9)),
        (PathState(UP, True, 2, 1, 2), ERROR, PathState(UP, True, 2, 1, 2)),
        (PathState(DOWN, True, 0, 1, 2), FAIL, PathState(DOWN, True, 0, 1, 9)),
        (PathState(DOWN, True, 0, 1, 2), OK, PathState(DOWN, True, 1, 9, 9)),
        (PathState(DOWN, False, 0, 1, 2), OK, PathState(DOWN, True, 1, 9, 9)),
        (PathState(DOWN, False, 0, 1, 2), FAIL, PathState(DOWN, True, 0, 9, 9)),
        (PathState(DOWN, True, 4, 1, 2), OK, PathState(DOWN, True, 5, 1, 9)),
        (PathState(DOWN, True, 8, 1, 2), OK, PathState(DOWN, True, 9, 1, 9)),
        (PathState(DOWN, True, 9, 1, 2), OK, PathState(UP, True, 0, 9, 9)),
        (PathState(DOWN, True, 4, 1, 2, 1, 1), OK, PathState(DOWN, True, 5, 1, 9, 1, 0)),
        (PathState(DOWN, True, 4, 1, 2), FAIL, PathState(DOWN, True, 4, 1, 9, 1, 1)),
        (PathState(DOWN, True, 4, 1, 2, 2, 1), FAIL, PathState(DOWN, True, 4, 1, 9, 3, 2)),
        (PathState(DOWN, True, 4, 1, 2, 3, 0), FAIL, PathState(DOWN, True, 0, 9, 9)),
        (PathState(DOWN, True, 4, 1, 2, 2, 2), FAIL, PathState(DOWN, True, 0, 9, 9)),
    ],
)
def test_each_step(before, outcome, after):
    """fall 3, rise 10, three of which may fail on the way."""
    rules = PathRules(fall=3, rise=10, stale_s=100, rise_loss=0.3)
    assert step(rules, before, outcome, 9) == after


def test_a_path_that_may_not_rise_waits_at_the_top():
    rules = PathRules(fall=3, rise=4, stale_s=100)
    held = step(rules, PathState(DOWN, True, 3, 1, 2), OK, 9, may_rise=False)
    assert held == PathState(DOWN, True, 4, 1, 9)
    assert step(rules, held, OK, 10, may_rise=False) == PathState(DOWN, True, 4, 1, 10)
    assert step(rules, held, OK, 10).verdict is Verdict.UP


@pytest.mark.parametrize(
    ("state", "now_s", "after"),
    [
        (PathState(UP, True, 2, 1, 2), 11.9, PathState(UP, True, 2, 1, 2)),
        (PathState(UP, True, 2, 1, 2), 12, PathState(UP, False, 0, 12, 2)),
        (PathState(DOWN, True, 4, 1, 2, 2, 1), 12, PathState(DOWN, False, 0, 12, 2)),
        (PathState(DOWN, False, 0, 1, 2), 99, PathState(DOWN, False, 0, 1, 2)),
    ],
)
def test_a_path_grows_stale(state, now_s, after):
    assert expire(RULES, state, now_s) == after
    assert step(RULES, state, ERROR, now_s) == after


def test_refusals_keep_a_path_from_growing_stale():
    state = start(UP, 0, known=True)
    for now in range(1, 100):
        state = expire(RULES, step(RULES, state, REFUSED, now), now)
    assert state == PathState(UP, True, 0, 0, 99)


def test_a_path_that_is_put_down_keeps_what_was_heard():
    assert lower(PathState(UP, True, 2, 1, 2), 9) == PathState(DOWN, True, 0, 9, 2)
    assert lower(PathState(DOWN, True, 0, 1, 2), 9) == PathState(DOWN, True, 0, 1, 2)
    assert start(UP, 3) == PathState(UP, False, 0, 3, 3)
    assert start(DOWN, 3, known=True) == PathState(DOWN, True, 0, 3, 3)


@pytest.mark.parametrize(
    ("state", "pending", "confirm_s", "wanted_s"),
    [
        (PathState(UP, True, 0, 0, 0), 0, 0.1, 1.0),
        (PathState(UP, True, 1, 0, 0), 0, 0.1, 0.1),
        (PathState(UP, True, 1, 0, 0), 1, 0.1, 0.1),
        (PathState(UP, True, 1, 0, 0), 2, 0.1, 1.0),
        (PathState(UP, True, 1, 0, 0), 0, None, 1.0),
        (PathState(UP, True, 1, 0, 0), 0, 5.0, 1.0),
        (PathState(DOWN, True, 1, 0, 0), 0, 0.1, 1.0),
    ],
)
def test_when_the_next_probe_is_wanted(state, pending, confirm_s, wanted_s):
    assert wanted_in_s(replace(RULES, confirm_s=confirm_s), state, pending) == wanted_s


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"fall": 0}, "at least 1"),
        ({"rise": 0}, "at least 1"),
        ({"rise_loss": -0.1}, "below 1"),
        ({"rise_loss": 1.0}, "below 1"),
    ],
)
def test_rules_that_make_no_sense_are_refused(fields, word):
    with pytest.raises(ValueError, match=word):
        PathRules(**{"fall": 1, "rise": 1, "stale_s": 1} | fields)
    PathRules(fall=1, rise=1, stale_s=1, rise_loss=0.99)
