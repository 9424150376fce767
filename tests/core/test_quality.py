"""The sliding window of a line, sample by sample, and what is fed to it."""

import pytest

from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.quality import Feed, Window, WindowRules
from tests.core.values import replace

OK, FAIL, ERROR = Outcome.OK, Outcome.FAIL, Outcome.ERROR
RULES = WindowRules(
    span_s=20.0, least=4, loss_down=0.5, loss_up=0.25, latency_down_s=0.125, latency_up_s=0.0625
)


def filled(rules=RULES, *, lost=0, slow=0, quick=0, at=0.0):
    """A window with so many samples; a slow reply takes 0.125 s, a quick one 0.0625 s."""
    window = Window(rules)
    for times, gone, latency in ((quick, False, 0.0625), (slow, False, 0.125), (lost, True, None)):
        if times:
            window.add(at, lost=gone, latency_s=latency, times=times)
    return window


def test_a_window_begins_with_nothing():
    window = Window(RULES)
    assert (window.samples, window.loss, window.latency_s, window.poor) == (0, None, None, False)
    assert (window.span_s, window.describe()) == (20.0, "loss 0% over 20 s")


def test_samples_leave_with_the_slice_of_a_twentieth_that_they_are_in():
    window = Window(RULES)
    for at in (0.0, 0.97, 1.0, 1.5, 2.5):
        window.add(at, lost=False, latency_s=0.25)
    counts = []
    for at in (20.0, 20.9, 21.0, 22.4, 23.4):
        window.add(at, lost=True, latency_s=None)
        counts.append(window.samples)
    assert counts == [4, 5, 4, 5, 5]


def test_what_leaves_takes_its_loss_and_its_latency_along():
    window = Window(RULES)
    window.add(0.0, lost=True, latency_s=None, times=3)
    window.add(0.5, lost=False, latency_s=0.5, times=2)
    window.add(10.0, lost=False, latency_s=0.25)
    window.add(10.0, lost=False, latency_s=None)
    assert (window.samples, window.loss, window.latency_s) == (7, 3 / 7, 1.25 / 3)
    window.add(20.0, lost=False, latency_s=0.125, times=3)
    assert (window.samples, window.loss, window.latency_s) == (5, 0.0, 0.625 / 4)
    window.add(29.0, lost=True, latency_s=0.5)
    window.add(30.0, lost=True, latency_s=None)
    assert (window.samples, window.loss, window.latency_s) == (5, 0.4, 0.125)


def test_loss_is_said_once_there_are_samples_enough():
    assert filled(lost=1, quick=2).loss is None
    assert filled(lost=1, quick=3).loss == 0.25


def test_latency_is_that_of_timed_replies_only():
    assert filled(lost=5).latency_s is None
    assert filled(lost=5, quick=1, slow=1).latency_s == 0.09375


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"lost": 1}, "loss 100% over 20 s"),
        ({"lost": 5, "quick": 2, "slow": 1}, "loss 62%, latency 83 ms over 20 s"),
        ({"slow": 8}, "loss 0%, latency 125 ms over 20 s"),
    ],
)
def test_a_window_in_words(counts, words):
    assert filled(**counts).describe() == words


def test_a_slow_window_in_words():
    window = Window(RULES)
    window.add(0.0, lost=False, latency_s=2.0)
    assert window.describe() == "loss 0%, latency 2000 ms over 20 s"


@pytest.mark.parametrize(
    ("counts", "poor"),
    [
        ({"lost": 3}, False),  # too few samples
        ({"lost": 4}, True),
        ({"lost": 2, "quick": 2}, True),
        ({"lost": 7, "quick": 8}, False),
        ({"slow": 4}, True),
        ({"slow": 3}, False),
        ({"slow": 8, "quick": 1}, False),
        ({"lost": 4, "quick": 5}, False),
        ({"lost": 2, "slow": 3}, True),
    ],
)
def test_a_line_becomes_poor_by_loss_or_by_latency(counts, poor):
    assert filled(**counts).poor is poor


def test_untimed_replies_do_not_lag():
    window = Window(RULES)
    window.add(0.0, lost=False, latency_s=None, times=8)
    assert not window.poor


def test_without_a_limit_of_latency_no_line_lags():
    rules = replace(RULES, latency_down_s=None, latency_up_s=None)
    assert not filled(rules, slow=100).poor
    assert filled(rules, slow=2, lost=2).poor
    window = filled(rules, lost=4)
    window.add(1.0, lost=False, latency_s=9.0, times=11)
    assert window.poor
    window.add(1.0, lost=False, latency_s=9.0)
    assert not window.poor


@pytest.mark.parametrize(
    ("later", "poor"),
    [
        ({"times": 11, "latency_s": 0.0625}, True),  # 4 of 15 lost
        ({"times": 12, "latency_s": 0.0625}, False),  # 4 of 16 lost, at the limit of both
        ({"times": 12, "latency_s": 0.078125}, True),
        ({"times": 40, "latency_s": 0.078125}, True),
        ({"times": 12, "latency_s": None}, False),
        ({"times": 12, "latency_s": 0.03125}, False),
    ],
)
def test_a_poor_line_is_good_again_at_its_other_levels_only(later, poor):
    window = filled(lost=4)
    assert window.poor
    window.add(1.0, lost=False, **later)
    assert window.poor is poor


def test_a_poor_window_that_has_too_few_samples_stays_poor():
    window = filled(lost=4)
    window.add(30.0, lost=False, latency_s=0.01)
    assert (window.samples, window.poor) == (1, True)


def taken(feed, *samples):
    """Feed samples, (outcome, regular), a second apart; gives loss and all in its window."""
    for at, (outcome, regular) in enumerate(samples):
        latency = 0.01 if outcome is OK else None
        feed.take(outcome, float(at), regular=regular, latency_s=latency)
    return round((feed.window.loss or 0) * feed.window.samples), feed.window.samples


ANY = replace(RULES, least=1)


@pytest.mark.parametrize(
    ("samples", "lost", "every", "run"),
    [
        ([(OK, True)], 0, 1, 0),
        ([(OK, False)], 0, 0, 0),
        ([(ERROR, True)], 0, 0, 0),
        ([(FAIL, True), (FAIL, True)], 0, 0, 2),
        ([(FAIL, True), (FAIL, False), (OK, True)], 1, 2, 0),
        ([(FAIL, True), (FAIL, True), (OK, False)], 2, 2, 0),
        ([(FAIL, True), (OK, True), (OK, True), (FAIL, True), (OK, True)], 2, 5, 0),
        ([(FAIL, True), (ERROR, True), (FAIL, True), (OK, True)], 2, 3, 0),
    ],
)
def test_a_run_of_failures_is_loss_once_a_reply_ends_it(samples, lost, every, run):
    feed = Feed(ANY, silent=False)
    assert taken(feed, *samples) == (lost, every)
    assert feed.run == run


def test_the_silence_of_a_dead_line_is_no_loss():
    feed = Feed(ANY, silent=True)
    assert taken(feed, (FAIL, True), (FAIL, True), (OK, True)) == (0, 1)
    assert not feed.silent
    assert taken(feed, (FAIL, True)) == (0, 1)
    assert feed.run == 1
    feed.died()
    assert (feed.silent, feed.run) == (True, 0)
    assert taken(feed, (FAIL, True), (OK, False)) == (0, 1)


@pytest.mark.parametrize(
    ("interval_s", "times"), [(0.25, 41), (0.25, 3), (0.5, 7), (1.0, 9), (2.0, 9), (5.0, 3)]
)
def test_a_run_of_replies_taken_at_once_is_the_same_as_one_by_one(interval_s, times):
    run, one = Feed(RULES, silent=False), Feed(RULES, silent=False)
    run.replied(3.0, interval_s, times, 0.125)
    for number in range(times):
        one.take(OK, 3.0 + number * interval_s + 0.125, regular=True, latency_s=0.125)
    last = 3.0 + times * interval_s
    for step in range(int((last + 25) * 8)):
        for feed in (run, one):
            feed.window.add(last + step / 8, lost=True, latency_s=None)
        assert run.window.samples == one.window.samples
        assert run.window.latency_s == one.window.latency_s
