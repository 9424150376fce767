"""Grey lines: found by CUSUM, soon where they lose much, and falsely no more often than borne."""

import random
import statistics

import pytest

from havpn_core.rules.hysteresis import Level, Outcome
from havpn_core.rules.target.grey import ALIKE, CLEAR, Chart, Grey, Lag, Share
from havpn_core.study.loss import Changing, Independent
from havpn_core.study.montecarlo import Course
from tests.core.profile import targeted as profile
from tests.core.test_calm_rules import watched

CHANCES = 360_000 * 40


@pytest.mark.parametrize(
    ("value", "share"), [("3%", 0.03), (" 2.5 % ", 0.025), (0.1, 0.1), ("30%", 0.3), (0, 0)]
)
def test_a_share_is_read(value, share):
    assert Share.parse(value) == pytest.approx(share)


@pytest.mark.parametrize(
    "value", ["", "3", "x%", "100%", "-1%", "nan%", "31%", 0.31, 1, True, None]
)
def test_what_is_no_share_is_said_with_what_would_be(value):
    with pytest.raises(ValueError, match=r'is no share: write "3%" or 0\.03'):
        Share.parse(value)


def test_a_share_is_shown_as_it_is_written():
    assert str(Share(0.03)) == "3%"


def test_a_chart_weighs_by_the_ratio_of_chances_and_never_goes_below_nothing():
    chart = Chart(0.03, 0.3)
    chart.take(lost=False, times=100)
    assert chart.evidence == 0
    chart.take(lost=True)
    assert chart.evidence == pytest.approx(2.3026, abs=1e-4)  # ln 10
    chart.take(lost=False, times=2)
    assert chart.evidence == pytest.approx(2.3026 - 2 * 0.32622, abs=1e-4)  # ln(0.97/0.7)


def losses(grey, share, probes, seed=1):
    """Give after how many probes it is grey."""
    chance, row = random.Random(seed), 0
    for number in range(1, probes + 1):
        if chance.random() < share:
            row += 1
            continue
        if row:
            grey.lost(row)
        row = 0
        grey.replied()
        if grey.holds:
            return number
    return None


def test_much_loss_is_found_in_some_fifty_probes_and_a_little_in_thousands():
    def middle(share, probes):
        found = [losses(Grey(0.03, CHANCES), share, probes, seed) for seed in range(101)]
        return statistics.median(found)

    assert 30 <= middle(0.3, 1000) <= 50
    assert 1000 <= middle(0.06, 20_000) <= 2000


@pytest.mark.parametrize("share", [0.0, 0.01, 0.02])
def test_a_line_that_loses_less_is_never_grey(share):
    assert losses(Grey(0.03, CHANCES), share, 500_000) is None


def test_one_silent_spell_makes_no_line_grey():
    grey = Grey(0.03, CHANCES)
    grey.replied(100)
    grey.lost(1000)
    grey.replied()
    assert not grey.holds
    again = Grey(0.03, CHANCES)
    again.lost(ALIKE)
    again.replied()
    assert again.curious == grey.curious


def test_a_line_that_is_good_again_is_believed_after_some_hundred_replies():
    grey = Grey(0.03, CHANCES)
    losses(grey, 0.3, 1000)
    assert grey.holds and not grey.curious
    needed = int(CLEAR / 0.015345) + 1  # ln(0.985/0.97) each
    grey.replied(needed - 2)  # one reply ended the last row of losses
    assert grey.holds
    grey.replied(1)
    assert not grey.holds


def test_two_losses_soon_after_each_other_make_curious():
    grey = Grey(0.03, CHANCES)
    grey.lost(1)
    grey.replied(2)
    assert not grey.curious
    grey.lost(1)
    assert grey.curious
    grey.replied(4)
    assert not grey.curious


# --- a path -------------------------------------------------------------------------------------


def noticed(name, before, after, seed):
    """Give the seconds from the change of a line to grey."""
    chance = random.Random(seed)
    line = Changing(Independent(before, chance), Independent(after, chance), 10.0)
    line.lost = lambda at_s: (line.after if at_s >= 10.0 else line.before).lost(at_s)
    line.quiet_until = lambda at_s: at_s
    course = Course(profile(name, on_poor="report").settings, line, 0.001)
    at = 10.0
    course.run(at)
    assert not course.watch.calm.is_grey
    while not course.watch.calm.is_grey:
        at += 0.05
        course.run(at)
    return at - 10.0


@pytest.mark.parametrize(("name", "most_s"), [("fast", 2.0), ("balanced", 6.0)])
def test_from_5_to_30_percent_is_noticed_soon(name, most_s):
    found = [noticed(name, 0.05, 0.3, seed) for seed in range(60)]
    assert statistics.median(found) <= most_s


def test_a_grey_line_stays_up():
    course = Course(profile("fast").settings, Independent(0.1, random.Random(3)), 0.001)
    course.run(60)
    assert (course.watch.calm.is_grey, course.switches) == (True, 0)


def test_who_wants_no_grey_lines_has_none_and_a_fall_by_hand_sends_nothing_more():
    assert watched(grey="0%").calm.grey is None
    assert watched("article").calm.is_grey is False
    by_hand = watched(fall=12)
    assert by_hand.calm.grey is not None
    by_hand.calm.grey.lost(3)
    by_hand.calm.grey.replied()
    assert by_hand.calm.grey.curious and not by_hand.calm.curious


def test_the_largest_share_has_charts_above_it():
    assert losses(Grey(0.3, CHANCES), 0.2, 20_000) is None
    assert losses(Grey(0.3, CHANCES), 0.55, 2000) is not None


# --- latency -------------------------------------------------------------------------------------


def until(lag, latency_s, most=10_000):
    """Feed replies that take so long until it is another one; gives their number."""
    before = lag.holds
    for number in range(1, most):
        lag.timed(latency_s)
        if lag.holds is not before:
            return number
    return None


def test_a_line_that_became_slow_is_grey_after_some_replies_and_good_again_below_the_lower_limit():
    lag = Lag(0.1, 0.08, CHANCES)
    assert until(lag, 0.1) is None, "the limit itself is not over it"
    assert until(lag, 0.101) == 11
    assert until(lag, 0.09) is None, "between the limits it stays as it is"
    assert 100 < until(lag, 0.08) < 200
    lag.timed(0.01, 100)
    assert until(lag, 0.3) == 11
    assert lag.words == "more than 10% of its replies take over 100 ms"


def test_now_and_then_a_slow_reply_is_nothing():
    lag, chance = Lag(0.1, 0.08, CHANCES), random.Random(4)
    for _ in range(300_000):
        lag.timed(0.2 if chance.random() < 0.08 else 0.02)
        assert not lag.holds


def test_latency_makes_a_path_grey_only_where_it_is_configured():
    slow = {"latency_down": "100ms", "latency_up": "80ms"}
    for more, grey in (({}, False), (slow, True), (slow | {"grey": "0%"}, False)):
        watch = watched("fast", **more)
        watch.skip(200, 0.13)
        assert watch.calm.is_grey is grey, more
        assert bool(watch.calm.grey_text) is grey
    watch = watched("fast", **slow)
    for _ in range(20):
        sent = watch.send(watch.send_s)
        watch.reply(sent, 0, Outcome.OK, now_s=sent.sent_s, latency_s=0.13)
    assert watch.calm.is_grey
    assert watch.state.level is Level.UP


def regular_gaps(watch, number):
    """The times between regular probes that each have a reply at once, but for each third one."""
    gaps, before = [], None
    for count in range(number):
        now = watch.send_s
        sent = watch.send(now)
        if sent.regular:
            gaps.append(now - before if before is not None else 0.0)
            before = now
        lost = count % 3 == 0
        watch.reply(
            sent,
            0,
            Outcome.FAIL if lost else Outcome.OK,
            now_s=now,
            latency_s=None if lost else 0.001,
        )
    return gaps[1:]


def test_a_line_that_becomes_grey_is_probed_more_often_for_half_a_minute():
    watch = watched("balanced")
    early = regular_gaps(watch, 20)
    assert watch.calm.is_grey or regular_gaps(watch, 200)
    gaps = regular_gaps(watch, 3000)
    assert min(gaps) == pytest.approx(0.05) and max(early) == pytest.approx(0.5)
    assert gaps[-1] == pytest.approx(0.5), "it is known by now"


def test_fast_and_who_has_no_target_keep_their_interval():
    for kept in (watched("fast"), watched("balanced", fall=17)):
        gaps = regular_gaps(kept, 800)
        assert min(gaps) == pytest.approx(kept.rules.interval_s)
