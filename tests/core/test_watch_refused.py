"""A far host that refuses, on a virtual clock: what a path holds, what it does not count."""

from itertools import pairwise

import pytest

from havpn_core.rules.damping import Damping, resume
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict
from havpn_core.rules.quality import WindowRules
from havpn_core.rules.settings import Settings
from havpn_core.rules.watch import Watch
from tests.core.profile import profile

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED
UP, FAILING, DOWN = Verdict.UP, Verdict.FAILING, Verdict.DOWN
UNKNOWN, RECOVERING = Verdict.UNKNOWN, Verdict.RECOVERING
RULES = PathRules(fall=4, rise=5, stale_s=5, interval_s=0.1, confirm_s=0.01)
FAST = Settings(RULES, timeout_s=0.3, slack_s=0.02, adaptive=True)


class Far:
    """Drives a watch against a far end; ``conduct(at)`` is OK, FAIL (silence) or REFUSED.

    What is neither silence nor lost arrives after a millisecond. A host that refuses is known to
    for a while, as a probe knows it: then its silence is a refusal, too.
    """

    def __init__(self, conduct, settings=FAST, *, level=Level.UP, known=False, flaps=None):
        self.watch = Watch(settings, 1, level, 0.0, known=known, flaps=flaps)
        self.conduct, self.now, self.changes, self.sent = conduct, 0.0, [], []
        self._due, self.refusing_until = [], 0.0

    def run(self, until):
        watch = self.watch
        while (now := min([watch.next_s, *(at for at, _, _ in self._due)])) <= until:
            self.now = now
            watch.wake(now)
            for item in [item for item in self._due if item[0] <= now]:
                self._due.remove(item)
                self.refusing_until = now + 3 if item[2] is REFUSED else 0.0
                latency_s = 0.001 if item[2] is OK else None
                watch.reply(item[1], 0, item[2], now_s=now, latency_s=latency_s)
            watch.judge(now, (0,) if now < self.refusing_until else ())
            if watch.send_s <= now:
                self.sent.append(round(now, 3))
                sent, outcome = watch.send(now), self.conduct(now)
                if outcome is not FAIL:
                    self._due.append((now + 0.001, sent, outcome))
            self.changes += [(round(now, 3), after.verdict) for _, after in watch.changes()]
        return self

    @property
    def verdicts(self):
        return [verdict for _, verdict in self.changes]


def between(began, ended, what, otherwise=OK):
    return lambda at: what if began <= at < ended else otherwise


def test_a_far_daemon_that_is_gone_leaves_the_path_up_for_ever():
    far = Far(between(0.95, 99, REFUSED)).run(60)
    assert far.verdicts == [UP]
    assert far.watch.refusals.since_s == pytest.approx(1.001)
    gaps = [after - before for before, after in pairwise(far.sent)]
    assert gaps == pytest.approx([0.1] * len(gaps), abs=0.002), "without a burst"


def test_so_does_one_whose_kernel_refuses_once_a_second():
    far = Far(lambda at: OK if at < 0.95 else REFUSED if round(at * 10) % 10 == 0 else FAIL).run(60)
    assert far.verdicts == [UP]


def test_from_unknown_it_stays_unknown_whatever_the_level():
    for level in Level:
        far = Far(lambda at: REFUSED, level=level).run(60)
        assert far.changes == []
        assert far.watch.state.verdict is UNKNOWN
        assert far.watch.state.level is level
        assert far.watch.refusals.since_s == pytest.approx(0.001)


def test_a_host_that_dies_is_down_once_its_last_refusal_is_old():
    far = Far(lambda at: OK if at < 1 else REFUSED if at < 2 else FAIL).run(10)
    assert far.verdicts == [UP, FAILING, DOWN]
    assert 4.9 < far.changes[-1][0] < 5.2
    assert far.watch.refusals.since_s is None


def test_a_refusal_ends_a_burst_and_starts_the_count_over():
    watch = Watch(FAST, 1, Level.UP, 0.0, known=True)
    now = 0.0
    for outcomes in ([FAIL, FAIL, FAIL, REFUSED], [FAIL, FAIL, FAIL, OK]):
        for outcome in outcomes:
            now = watch.send_s
            watch.reply(watch.send(now), 0, outcome, now_s=now)
        assert watch.state.verdict is UP
        assert watch.send_s >= now + 0.01 + 1e-9, "the burst is over"


def test_a_refusal_that_was_counted_as_lost_counts_all_the_same():
    watch = Watch(FAST, 1, Level.UP, 0.0, known=True)
    sent = watch.send(0.0)
    watch.judge(0.3)
    assert watch.state.streak == 1
    watch.reply(sent, 0, REFUSED, now_s=0.31)
    assert (watch.state.streak, watch.state.verdict) == (0, UP)
    assert watch.refusals.since_s == 0.31
    assert not watch.memory._was_up, "nobody has replied yet"


def test_on_the_way_up_refusals_count_for_nothing():
    watch = Watch(FAST, 1, Level.DOWN, 0.0, known=True)
    for number, outcome in enumerate([OK, OK, REFUSED, REFUSED, OK, OK, REFUSED, OK]):
        watch.reply(watch.send(number * 0.1), 0, outcome, now_s=number * 0.1)
        assert watch.state.verdict is (UP if number == 7 else RECOVERING)


def test_refusals_are_no_loss():
    window = WindowRules(span_s=5, least=20, loss_down=0.5, loss_up=0.2)
    settings = Settings(RULES, 0.3, window=window, switch_when_poor=True)
    far = Far(between(3, 9, REFUSED), settings).run(12)
    assert far.watch.window.loss == 0
    assert far.watch.window.samples < 50
    assert far.verdicts == [UP]


def test_a_path_that_refuses_does_not_come_up_from_a_fault_of_this_host():
    watch = Watch(FAST, 1, Level.UP, 0.0, known=True)
    watch.block(0.05, True)
    watch.reply(watch.send(0.1), 0, REFUSED, now_s=0.1)
    assert watch.state.verdict is DOWN


def test_two_probes_one_of_which_is_refused():
    for require, verdict in ((1, UP), (2, FAILING)):
        settings = Settings(RULES, 0.3, 0.02, adaptive=True, require=require)
        watch = Watch(settings, 2, Level.UP, 0.0, known=True)
        sent = watch.send(0.0)
        watch.reply(sent, 0, REFUSED, now_s=0.01)
        watch.judge(0.3)
        assert watch.state.verdict is verdict
    # Silence of the one that refuses is no failure, silence of the other is.
    for refusing, verdict in ((0,), UP), ((1,), UP), ((), FAILING):
        settings = Settings(RULES, 0.3, 0.02, adaptive=True, require=1)
        watch = Watch(settings, 2, Level.UP, 0.0, known=True)
        watch.send(0.0)
        watch.judge(0.3, refusing)
        assert watch.state.verdict is verdict


def test_a_path_that_can_no_longer_be_tested_forgets_the_refusals():
    watch = Watch(FAST, 1, Level.UP, 0.0, known=True)
    watch.reply(watch.send(0.0), 0, REFUSED, now_s=0.0)
    for number in range(1, 60):
        watch.wake(number * 0.1)
        watch.reply(watch.send(number * 0.1), 0, ERROR, now_s=number * 0.1)
    assert watch.state.verdict is UNKNOWN
    assert watch.refusals.since_s is None


def test_what_waits_for_a_thread_waits_for_the_news_of_a_refusal_too():
    slow = Settings(RULES, timeout_s=30.0)
    watch = Watch(slow, 1, Level.UP, 0.0)
    watch.take_turns([0])
    watch.reply(watch.send(0.0), 0, REFUSED, now_s=0.0)
    watch.expire(40.0)
    assert watch.refusals.since_s == 0.0


# --- flaps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fast", "balanced"])
@pytest.mark.parametrize("before", [FAIL, REFUSED], ids=["silent", "refusing"])
@pytest.mark.parametrize("level", list(Level))
def test_a_cold_start_and_a_cut_hold_nothing(name, before, level):
    """The far gateway boots later; once the path is up, the line is cut for a moment.

    So does who follows docs/pacemaker.md: both sides start, and the first fault is 10 s later.
    """
    boots = 60.0

    def conduct(at):
        return before if at < boots else OK

    far = Far(conduct, profile(name).settings, level=level).run(boots + 200)
    assert far.verdicts[-1] is UP
    up_s = far.now
    cut_s = up_s + 10
    far.conduct = between(cut_s, cut_s + 15, FAIL)
    far.changes.clear()
    far.run(cut_s + 15)
    assert DOWN in far.verdicts
    assert far.watch.memory.penalty(far.now) == pytest.approx(1, abs=0.1)
    assert far.watch.memory.flaps.held_until_s <= far.now
    far.run(cut_s + 15 + 90)
    assert far.verdicts[-1] is UP, "back after its rise, and no hold"


def test_a_line_that_comes_and_goes_before_its_first_up_has_no_flaps():
    damping = Damping(300, 1.5, 0.75, 900)
    settings = Settings(RULES, 0.05, damping=damping)
    far = Far(lambda at: OK if round(at * 10) % 20 < 4 else FAIL, settings, level=Level.DOWN)
    far.run(30)
    assert RECOVERING in far.verdicts
    assert UP not in far.verdicts
    assert far.watch.memory.penalty(far.now) == 0


def test_an_assumed_up_is_none_and_what_is_remembered_stays():
    damping = Damping(300, 1.5, 0.75, 900)
    settings = Settings(RULES, 0.05, damping=damping)
    far = Far(between(0, 5, FAIL), settings, known=True).run(10)
    assert (far.verdicts[-1], far.watch.memory.penalty(10)) == (UP, 0)
    far.conduct = between(0, 15, FAIL)
    far.run(20)
    assert far.watch.memory.penalty(far.now) == pytest.approx(1, abs=0.05)
    far = Far(between(0, 5, FAIL), settings, flaps=resume(damping, 2.0, 0.0)).run(30)
    assert far.verdicts[-1] is RECOVERING
    assert far.watch.memory.penalty(0) == 2.0
    assert far.watch.memory.flaps.held_until_s > 300


def test_a_belated_reply_is_a_first_up_too():
    watch = Watch(Settings(RULES, 0.3, damping=Damping(300, 1.5, 0.75, 900)), 1, Level.UP, 0.0)
    sent = watch.send(0.0)
    watch.judge(0.3)
    watch.reply(sent, 0, OK, now_s=0.4, latency_s=0.4)
    assert watch.state.verdict is UP
    for number in range(4):
        watch.reply(watch.send(1.0 + number), 0, FAIL, now_s=1.0 + number)
    assert watch.memory.penalty(4.0) == 1.0


def test_so_is_a_run_of_replies_taken_at_once():
    settings = Settings(RULES, 0.3, damping=Damping(300, 1.5, 0.75, 900))
    watch = Watch(settings, 1, Level.UP, 0.0, known=True)
    watch.skip(10, 0.001)
    for number in range(4):
        watch.reply(watch.send(1.0 + number), 0, FAIL, now_s=1.0 + number)
    assert watch.memory.penalty(4.0) == 1.0
