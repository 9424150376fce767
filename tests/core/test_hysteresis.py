"""The verdict, sample by sample, on a virtual clock."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havpn_core.rules.hysteresis import (
    Level,
    Outcome,
    PathRules,
    Verdict,
    expire,
    lower,
    start,
    step,
)
from havpn_core.rules.invariants import broken_change, broken_state

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


@settings(max_examples=2000, deadline=None)
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
            st.sampled_from([OK, FAIL, ERROR, "expire", "lower"]),
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
