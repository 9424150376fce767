"""One path on a virtual clock: bursts, late and belated replies, voids, flaps, grey lines."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havpn_core.rules.damping import Damping
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict
from havpn_core.rules.invariants import broken_change, broken_watch
from havpn_core.rules.lateness import RoundTrip
from havpn_core.rules.quality import WindowRules
from havpn_core.rules.settings import Settings
from havpn_core.rules.watch import Watch
from havpn_core.study.loss import Independent
from havpn_core.study.montecarlo import Course, summarise
from tests.core.profile import profile

OK, FAIL, ERROR = Outcome.OK, Outcome.FAIL, Outcome.ERROR
FAST = Settings(
    PathRules(fall=4, rise=5, stale_s=5, interval_s=0.1, confirm_s=0.01),
    timeout_s=0.3,
    slack_s=0.02,
    adaptive=True,
)


class Line:
    """Drives a watch; ``replies(at)`` gives the round-trip time, or None for no reply.

    Its own rules are checked after each input.
    """

    def __init__(self, rules=FAST, replies=lambda at: 0.001, level=Level.UP):
        self.now, self.replies, self.sent, self.changes = 0.0, replies, [], []
        self.due = []
        self.watch = Watch(rules, 1, level, 0.0, known=True)

    def note(self):
        assert broken_watch(self.watch, self.now) == []
        for before, after in self.watch.changes():
            assert broken_change(before, after, self.now) == []
            self.changes.append((round(self.now, 6), after.verdict))

    def run(self, until):
        while True:
            due = min([self.watch.next_s, *(at for at, _, _ in self.due)])
            if due > until:
                return self
            self.now = due
            self.watch.wake(due)
            self.note()
            for item in [item for item in self.due if item[0] <= due]:
                self.due.remove(item)
                self.watch.reply(item[1], 0, OK, now_s=due, latency_s=item[2])
                self.note()
            self.watch.judge(due)
            self.note()
            if self.watch.send_s <= due:
                self.sent.append(round(due, 6))
                latency, sent = self.replies(due), self.watch.send(due)
                self.note()
                if latency is not None:
                    self.due.append((due + latency, sent, latency))

    def down_at(self):
        return next((at for at, verdict in self.changes if verdict is Verdict.DOWN), None)


def test_a_silent_line_is_found_out_by_a_burst():
    line = Line(replies=lambda at: 0.001 if at < 0.95 else None).run(3)
    # Lost at 1.0, late 21 ms after that, then three more 10 ms apart, the last late at 1.062.
    assert [at for at in line.sent if 0.95 < at < 1.07] == [1.0, 1.021, 1.031, 1.041]
    assert line.down_at() == pytest.approx(1.062, abs=1e-3)


def test_one_lost_reply_costs_one_more_probe_and_the_cadence_stays():
    line = Line(replies=lambda at: None if 0.95 < at < 1.01 else 0.001).run(2)
    assert line.watch.state.verdict is Verdict.UP
    assert line.down_at() is None
    assert [at for at in line.sent if 0.95 < at < 1.25] == [1.0, 1.021, 1.1, 1.2]


def test_a_burst_sends_no_more_than_fall_lacks():
    """What is on its way already counts: all that were sent in time to be judged are needed."""
    many = Settings(PathRules(8, 5, 5, interval_s=0.1, confirm_s=0.01), 0.3, 0.02, adaptive=True)
    line = Line(many, replies=lambda at: 0.25 if at < 2 else None).run(4)
    judged = [at for at in line.sent if 2 <= at <= line.down_at() - 0.3 + 1e-6]
    extra = [at for at in judged if abs(at * 10 - round(at * 10)) > 0.01]
    assert len(judged) == 8
    assert 3 <= len(extra) <= 5


def test_without_a_burst_the_interval_stays():
    plain = Settings(PathRules(fall=3, rise=5, stale_s=5, interval_s=0.1), timeout_s=0.05)
    line = Line(plain, replies=lambda at: 0.001 if at < 0.95 else None).run(3)
    assert line.down_at() == pytest.approx(1.2 + 0.05)


def test_a_line_suddenly_slower_is_alive():
    """Its replies are late by what was known, and come after all."""
    rules = PathRules(fall=8, rise=5, stale_s=5, interval_s=0.1, confirm_s=0.02)
    slower = Settings(rules, 0.5, 0.02, adaptive=True)
    line = Line(slower, replies=lambda at: 0.001 if at < 0.95 else 0.12).run(5)
    assert line.down_at() is None
    assert any(verdict is Verdict.FAILING for _, verdict in line.changes)
    assert line.watch.state.verdict is Verdict.UP


def test_silence_while_this_host_slept_is_void():
    line = Line().run(1)
    line.replies = lambda at: None
    line.run(1.105)
    watch = line.watch
    assert watch.state.verdict is Verdict.UP
    watch.wake(6.0)
    watch.judge(6.0)
    assert watch.state.verdict is not Verdict.FAILING
    assert watch.void_rounds > 40
    assert watch.send_s == pytest.approx(6.0, abs=0.1)


def test_each_round_without_a_result_is_void_once():
    watch = Watch(FAST, 1, Level.UP, 0.0, known=True)
    sent = [watch.send(number * 0.1) for number in range(3)]
    watch.void(0.25)
    assert (watch.void_rounds, len(watch.pending)) == (3, 0)
    assert [each.result for each in sent] == [ERROR] * 3
    assert (watch.state.verdict, watch.state.streak) == (Verdict.UP, 0)
    watch.wake(watch.send_s + 0.1)
    assert watch.void_rounds == 3, "that late is not late"
    due = watch.cadence_s
    watch.wake(due + 0.55)
    assert watch.void_rounds == 3 + 5, "moments of the cadence that were slept through"
    assert watch.cadence_s == pytest.approx(due + 0.5)


def test_a_probe_that_could_not_be_sent_starts_no_burst():
    watch = Watch(FAST, 1, Level.UP, 0.0, known=True)
    watch.reply(watch.send(0.0), 0, FAIL, now_s=0.0)
    assert watch.send_s == pytest.approx(0.01)
    watch.reply(watch.send(0.01), 0, ERROR, now_s=0.01)
    assert watch.send_s == pytest.approx(0.1)


def test_two_probes_one_of_which_must_reply():
    rules = Settings(FAST.rules, 0.3, 0.02, adaptive=True, require=1)
    watch = Watch(rules, 2, Level.UP, 0.0, known=True)
    sent = watch.send(0.0)
    watch.reply(sent, 0, FAIL, now_s=0.01)
    assert watch.state.verdict is Verdict.UP
    watch.judge(0.31)
    assert watch.state.verdict is Verdict.FAILING
    watch.reply(sent, 1, OK, now_s=0.32, latency_s=0.32)
    assert watch.state.verdict is Verdict.UP


DAMPED = Settings(
    PathRules(fall=2, rise=3, stale_s=99, interval_s=1.0),
    timeout_s=0.5,
    damping=Damping(half_life_s=60, suppress=1.5, reuse=0.75, max_hold_s=300),
)


def flap(line, at, length):
    """Cut the line for a time and give when it came up again."""
    line.replies = lambda t: None if at <= t < at + length else 0.001
    line.changes.clear()
    line.run(at + length + 400)
    return next((t - at - length for t, v in line.changes if v is Verdict.UP), None)


def test_the_hold_grows_with_each_flap_and_decays():
    line = Line(DAMPED)
    line.run(10)
    first = flap(line, 20, 5)
    assert first == pytest.approx(2, abs=1.1)
    again = flap(line, line.now + 5, 5)
    assert again == pytest.approx(2, abs=1.1), "four hundred seconds later it is forgotten"
    line = Line(DAMPED, replies=lambda at: None if int(at) % 20 > 15 else 0.001)
    line.run(120)
    assert sum(v is Verdict.UP for _, v in line.changes) <= 2
    held = line.watch.memory.flaps.held_until_s - 120
    line.run(200)
    assert line.watch.memory.flaps.held_until_s - 200 > held, (
        "relapses count, though it never came up"
    )
    assert line.watch.memory.penalty(200) > 2


def test_the_hold_is_capped():
    line = Line(DAMPED, replies=lambda at: None if int(at) % 4 > 1 else 0.001).run(3000)
    assert 250 < line.watch.memory.flaps.held_until_s - 3000 <= 300


GREY = Settings(
    PathRules(fall=30, rise=5, stale_s=5, interval_s=0.1),
    timeout_s=0.05,
    window=WindowRules(span_s=5, least=20, loss_down=0.5, loss_up=0.2),
    switch_when_poor=True,
)


def grey(at):
    """Two of three lost between 10 s and 30 s, one in ten otherwise."""
    number = round(at * 10)
    return None if (number % 3 if 100 <= number < 300 else number % 10 == 0) else 0.001


def test_a_grey_line_goes_down_and_comes_back_at_another_level():
    line = Line(GREY, replies=grey).run(60)
    levels = [(at, v) for at, v in line.changes if v in (Verdict.DOWN, Verdict.UP)]
    down = next(at for at, v in levels if v is Verdict.DOWN)
    assert 12 < down < 16, "about half of the window must be bad"
    up = next(at for at, v in levels if v is Verdict.UP and at > down)
    assert up > 30
    assert line.watch.state.level is Level.UP


def test_a_grey_line_may_be_only_reported():
    report = Settings(GREY.rules, 0.05, window=GREY.window, switch_when_poor=False)
    line = Line(report, replies=grey).run(29)
    assert line.watch.window.poor
    assert line.down_at() is None
    line.run(60)
    assert not line.watch.window.poor


def test_a_dead_line_does_not_count_as_grey():
    line = Line(GREY, replies=lambda at: None if 10 <= at < 60 else 0.001).run(80)
    up = next(at for at, v in line.changes if v is Verdict.UP and at > 60)
    assert up < 61


def test_slow_replies_make_a_line_poor():
    window = WindowRules(5, 20, 0.5, 0.2, latency_down_s=0.03, latency_up_s=0.02)
    slow = Settings(GREY.rules, 0.05, window=window, switch_when_poor=True)
    line = Line(slow, replies=lambda at: 0.04 if 10 < at < 30 else 0.001).run(60)
    assert 10 < line.down_at() < 16
    assert line.watch.state.level is Level.UP


@given(st.lists(st.floats(0.0001, 0.3), min_size=1, max_size=60))
def test_the_deadline_stays_between_floor_and_ceiling(latencies):
    trip = RoundTrip(0.02, 0.25)
    for latency in latencies:
        trip.take(latency)
        assert min(trip.mean_s + 0.02, 0.25) <= trip.deadline_s <= 0.25


@given(st.floats(0.001, 0.1), st.integers(1, 500), st.integers(0, 5))
def test_a_run_of_equal_replies_may_be_taken_at_once(latency, times, others):
    one, many = RoundTrip(0.02, 9), RoundTrip(0.02, 9)
    for trip in (one, many):
        trip.take(latency)
    for _ in range(times):
        one.take(latency)
    many.repeat(latency, times)
    assert many.deadline_s == pytest.approx(one.deadline_s, rel=1e-6)


class Scripted:
    """A line that is the same whether it is drawn one by one or in gaps."""

    def __init__(self, gaps):
        self.gaps, self.at = gaps, 0
        self.left = self.take()

    def take(self):
        self.at += 1
        return self.gaps[(self.at - 1) % len(self.gaps)]

    def lost(self, at_s):
        if self.left:
            self.left -= 1
            return False
        self.left = self.take()
        return True


class Leaping(Scripted):
    """The same, with the shortcut."""

    def __init__(self, gaps):
        super().__init__([0])
        self.gaps, self.at = gaps, 0

    def gap(self):
        return self.take()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(st.just(0), st.integers(0, 300)), min_size=1, max_size=60),
    st.sampled_from(["fast", "balanced"]),
)
def test_the_simulator_s_shortcut_changes_nothing(gaps, name):
    if not any(gaps):
        gaps = [*gaps, 5]
    options = profile(name, rise=20, fall=3)
    slow, quick = (Course(options.settings, line(gaps), 0.004) for line in (Scripted, Leaping))
    seconds = 200 * float(options.interval)
    slow.run(seconds)
    quick.run(seconds)
    assert slow.switches == quick.switches
    assert slow.down_s == pytest.approx(quick.down_s, abs=1e-6)
    assert slow.watch.state.level is quick.watch.state.level


@pytest.mark.parametrize("name", ["fast", "balanced"])
@pytest.mark.parametrize("loss", [0.05, 0.1])
def test_profiles_stay_calm(name, loss):
    line, chance = Independent(loss, random.Random(3)), random.Random(1)
    hours = 0.25 if name == "fast" else 2
    assert summarise(profile(name).settings, line, hours=hours, chance=chance, cuts=0).switches == 0


def test_article_stays_exact_whatever_else_there_is():
    """Nothing but six failures in a row, each one timeout long, puts it down."""
    article = profile("article").settings
    line = Line(article, replies=lambda at: None if 10 <= at < 14.5 else 0.9).run(40)
    assert line.down_at() is None
    line = Line(article, replies=lambda at: None if 10 <= at < 16 else 0.9).run(40)
    assert line.down_at() == pytest.approx(15 + 1)
    assert line.sent == [float(n) for n in range(41)]
