"""Probes that run in a thread, one call at a time: when they are sent, and what is promised."""

import heapq
import itertools
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from havpn_core.rules.cadence import GRACE_S, detection_s, failback_s, given_up_s, missed, void
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict
from havpn_core.rules.invariants import broken_change, broken_watch
from havpn_core.rules.settings import Settings
from havpn_core.rules.watch import Watch
from tests.core.profile import profile

OK, FAIL = Outcome.OK, Outcome.FAIL
INF = math.inf


class World:
    """Drives a path's watch as the daemon does, with probes on a loop and in threads.

    :param serial: for each probe, whether it runs in a thread.
    :param call: gives for a position and a moment the outcome of a call that starts then and
        the seconds that it takes; infinity for one that never comes back.
    """

    def __init__(self, rules, serial, call, *, level=Level.UP):
        self.rules, self.call, self.now = rules, call, 0.0
        self.watch = Watch(rules, len(serial), level, 0.0, known=True)
        self.serial = [n for n, each in enumerate(serial) if each]
        self.watch.take_turns(self.serial)
        self.free_at = [0.0] * len(serial)
        self.numbers, self.events = itertools.count(), []
        self.changes, self.sent, self.starts = [], [[] for _ in serial], [[] for _ in serial]

    def later(self, at, work, *arguments):
        heapq.heappush(self.events, (at, next(self.numbers), work, arguments))

    def note(self):
        assert broken_watch(self.watch, self.now) == []
        for before, after in self.watch.changes():
            assert broken_change(before, after, self.now) == []
            self.changes.append((self.now, after.verdict))

    def run(self, until):
        while True:
            due = min(self.watch.next_s, self.events[0][0] if self.events else INF)
            if due > until:
                return self
            self.now = max(self.now, due)
            self.watch.wake(self.now)
            self.note()
            while self.events and self.events[0][0] <= self.now:
                _, _, work, arguments = heapq.heappop(self.events)
                work(*arguments)
                self.note()
            if self.watch.send_s <= self.now:
                self.send()
            self.watch.judge(self.now)
            self.note()

    def send(self):
        sent = self.watch.send(self.now)
        self.note()
        for position, left_out in enumerate(sent.outcomes):
            if left_out is None:
                self.sent[position].append(self.now)
                open_one = {"open": True}
                end = given_up_s(self.now, self.rules.timeout_s)
                self.later(end, self.end, sent, position, FAIL, open_one)
                start = self.now
                if position in self.serial:
                    start = max(start, self.free_at[position])
                if start < self.now + self.rules.timeout_s:
                    # Only what starts in time takes the thread at all.
                    found, takes = self.call(position, start)
                    self.starts[position].append(start)
                    self.free_at[position] = start + takes
                    if start + takes < end:
                        self.later(start + takes, self.end, sent, position, found, open_one)

    def end(self, sent, position, outcome, open_one):
        if open_one["open"]:
            open_one["open"] = False
            took = self.now - sent.sent_s
            latency = took if outcome is OK else None
            self.watch.reply(sent, position, outcome, now_s=self.now, latency_s=latency)

    def down_after(self, cut):
        return next((at - cut for at, v in self.changes if v is Verdict.DOWN and at > cut), None)


def cut_at(cut, healthy_s, dead):
    """Calls that reply until a cut, and take as long as ``dead`` gives in turn after it."""
    lengths = itertools.cycle(dead)
    return lambda _, at: (OK, healthy_s) if at + healthy_s < cut else (FAIL, next(lengths))


TIMES = st.floats(0.01, 2.0)
RULES = st.builds(
    lambda fall, interval, confirm, timeout, adaptive: Settings(
        PathRules(
            fall, 5, max(10 * interval, 5.0), interval, confirm if confirm < interval else None
        ),
        timeout,
        adaptive=adaptive,
    ),
    st.integers(1, 8),
    TIMES,
    st.floats(0.005, 0.2),
    TIMES,
    st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(
    RULES,
    st.lists(st.booleans(), min_size=1, max_size=3).filter(any),
    st.floats(0.05, 0.95),
    st.lists(st.one_of(st.just(INF), st.floats(0.0, 4.0)), min_size=1, max_size=5),
    st.data(),
)
def test_a_dead_line_is_found_within_what_is_promised(rules, serial, healthy, dead, data):
    """However long its calls take, and whether or not they ever come back."""
    require = data.draw(st.integers(1, len(serial)), label="require")
    phase = data.draw(st.floats(0.0, 1.0), label="phase")
    rules = Settings(rules.rules, rules.timeout_s, adaptive=rules.adaptive, require=require)
    cut = 4 * (rules.timeout_s + rules.rules.interval_s) + phase
    world = World(rules, serial, cut_at(cut, healthy * rules.timeout_s, dead))
    promised = detection_s(
        rules.rules, rules.timeout_s, serial=sum(serial), overlapping=serial.count(False)
    )
    world.run(cut + promised + 1)
    down = world.down_after(0)
    assert down is not None
    assert cut - rules.timeout_s <= down <= cut + promised + 1e-6


@settings(max_examples=200, deadline=None)
@given(RULES, st.floats(0.05, 0.95), st.lists(st.booleans(), min_size=1, max_size=3).filter(any))
def test_a_good_line_stays_up_and_comes_back_within_what_is_promised(rules, healthy, serial):
    world = World(rules, serial, lambda *_: (OK, healthy * rules.timeout_s), level=Level.DOWN)
    promised = failback_s(
        rules.rules, rules.timeout_s, serial=sum(serial), overlapping=serial.count(False)
    )
    world.run(promised)
    assert [verdict for _, verdict in world.changes][-1] is Verdict.UP
    world.changes.clear()
    world.run(promised + 60 * rules.rules.interval_s)
    assert world.changes == []


def fast():
    options = profile("fast")
    return options.settings


def test_a_probe_in_a_thread_is_sent_one_at_a_time_at_the_pace_it_keeps():
    world = World(fast(), [True], lambda *_: (OK, 0.04)).run(2)
    pauses = {round(b - a, 6) for a, b in itertools.pairwise(world.sent[0])}
    assert max(pauses) <= 0.05, "a moment that was held back comes when the thread is free"
    assert world.sent[0] == world.starts[0]
    assert world.changes == []


def test_one_that_is_quicker_than_the_interval_keeps_the_cadence():
    world = World(fast(), [True], lambda *_: (OK, 0.01)).run(2)
    assert world.sent[0] == pytest.approx([n * 0.025 for n in range(81)])


def test_a_thread_that_hangs_for_ever_fails_once_a_timeout():
    world = World(fast(), [True], cut_at(1, 0.01, [INF])).run(10)
    pace = 0.3 + GRACE_S
    hung = [at for at in world.sent[0] if at > 1]
    assert {round(b - a, 3) for a, b in itertools.pairwise(hung)} == {round(pace, 3)}
    assert 5 * pace < world.down_after(1) < 7 * pace
    assert len(world.starts[0]) == len([at for at in world.sent[0] if at < 1]) + 1


def test_a_call_that_comes_back_after_its_timeout_is_one_failure_and_no_more():
    slow = iter([0.4])
    world = World(
        fast(), [True], lambda _, at: (OK, 0.02) if not 1 < at < 1.3 else (OK, next(slow, 0.02))
    ).run(3)
    assert [verdict for _, verdict in world.changes] == [Verdict.FAILING, Verdict.UP]
    assert len([at for at in world.sent[0] if 1.05 < at < 1.35]) == 0


def test_the_article_with_a_plain_probe_counts_the_same():
    """Six failures, each one timeout long; a call that keeps its timeout keeps the interval."""
    article = profile("article").settings
    world = World(article, [True], cut_at(10, 0.01, [1.0])).run(30)
    assert world.down_after(9) == pytest.approx(7, abs=0.1)
    assert len([at for at in world.sent[0] if 9.5 < at < 15.5]) == 6


@pytest.mark.parametrize("require", [1, 2])
def test_a_mixed_path_keeps_its_cadence_on_the_loop(require):
    rules = profile("fast", require=require).settings
    times = {0: 0.002, 1: 0.2}
    world = World(rules, [False, True], lambda n, _: (OK, times[n])).run(3)
    assert world.changes == []
    assert world.sent[0] == pytest.approx([n * 0.025 for n in range(121)])
    assert 12 <= len(world.sent[1]) <= 15


def test_where_both_must_be_ok_the_quick_probe_alone_takes_the_path_down():
    rules = profile("fast", require=2).settings
    world = World(
        rules, [False, True], lambda n, at: (FAIL if n == 0 and at > 1 else OK, [0.002, 0.2][n])
    ).run(4)
    assert world.down_after(1) < 0.4


def test_two_threads_are_sent_together_so_that_they_vote():
    """Each at its own pace they would never fail at one moment, and the path never go down."""
    times = {0: 0.03, 1: 0.2}
    world = World(
        fast(), [True, True], lambda n, at: (OK, times[n]) if at < 2 else (FAIL, times[n] * 1.4)
    ).run(10)
    assert world.sent[0] == world.sent[1]
    assert world.down_after(2) is not None


def test_a_probe_slower_than_stale_is_no_lack_of_news():
    rules = Settings(PathRules(3, 3, 5.0, 0.5), 8.0)
    world = World(rules, [True], cut_at(20, 1.0, [INF])).run(60)
    assert Verdict.UNKNOWN not in [verdict for _, verdict in world.changes]
    assert world.down_after(20) is not None


def test_a_probe_that_moves_to_a_thread_under_way_waits_for_nothing_of_before():
    watch = Watch(fast(), 1, Level.UP, 0.0, known=True)
    first, second = watch.send(0.0), watch.send(0.025)
    watch.take_turns([0])
    third = watch.send(0.05)
    assert watch.send_s == INF
    for sent in (first, second):
        watch.reply(sent, 0, OK, now_s=0.06, latency_s=0.05)
    assert watch.send_s == INF
    watch.reply(third, 0, OK, now_s=0.07, latency_s=0.02)
    assert watch.send_s == pytest.approx(0.075)


@given(st.floats(0, 1e6), st.floats(0.001, 100), st.floats(0, 1e4))
@example(10.0, 1.0, 10.0)
def test_missed_moments(due, interval, late):
    passed = missed(due, due + late, interval)
    assert passed >= 0
    assert due + passed * interval <= due + late + 1e-6
    assert due + (passed + 1) * interval > due + late - 1e-6
    assert missed(due, due - late, interval) == 0


@given(st.floats(0.01, 10))
def test_a_failure_is_void_only_well_after_it_is_given_up(timeout):
    end = given_up_s(0.0, timeout)
    assert not void(timeout, timeout)
    assert not void(timeout, end)
    assert void(timeout, end + max(GRACE_S, timeout / 4) + 1e-6)
