"""Probes that report by themselves: what a path makes of it, exact, and contained."""

import asyncio
import threading
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.config.instances import Instance, PathConfig
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.saying import stance_towards
from havpn_core.daemon.paths.warning import warning
from havpn_core.plugging.descriptors import EventKind, ProbeType, Sample
from havpn_core.plugging.gate.arriving import far_stance
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.stance import Stance
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict
from havpn_core.rules.quality import WindowRules
from havpn_core.rules.role import Role
from havpn_core.rules.settings import Settings
from havpn_core.rules.target.loss import Loss
from havpn_core.rules.target.rule import Target
from havpn_core.stream.reported import LOOK_S, ReportedWatch
from havpn_core.testing.made import check_abilities
from tests.core.profile import profile

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED
WINDOW = WindowRules(span_s=60, least=10, loss_down=0.5, loss_up=0.2)


def rules(**more):
    path = PathRules(fall=3, rise=4, stale_s=5, interval_s=0.1, confirm_s=0.01, rise_loss=0.3)
    return Settings(path, timeout_s=0.3, slack_s=0.02, adaptive=True, window=WINDOW, **more)


def watch(watches=("line",), reporting=(0,), level=Level.UP, **more):
    return ReportedWatch(
        rules(**more), len(watches), level, 0.0, reporting=reporting, watches=watches, known=True
    )


def verdicts(made):
    return [after.verdict for _, after in made.changes()]


def rounds(made, now_s, outcome, position=1):
    """Send a round whose polled probe gives this."""
    sent = made.send(now_s)
    if outcome is not None:
        made.reply(sent, position, outcome, now_s=now_s, latency_s=0.001 if outcome is OK else None)
    return sent


def test_a_path_whose_only_probe_reports_sends_nothing_and_counts_each_report():
    made = watch()
    assert (made.send_s, made.next_s) == (float("inf"), LOOK_S)
    for at in (0.01, 0.02, 0.03):
        assert made.state.verdict in (Verdict.UP, Verdict.FAILING)
        made.report(0, FAIL, now_s=at)
    assert made.state.verdict is Verdict.DOWN and made.state.since_s == 0.03
    for at in (0.1, 0.2, 0.3, 0.4):
        made.report(0, OK, now_s=at)
    assert (made.state.verdict, made.state.since_s) == (Verdict.UP, 0.4)
    assert verdicts(made) == [Verdict.FAILING, Verdict.DOWN, Verdict.RECOVERING, Verdict.UP]


def test_an_arrival_ends_the_run():
    made = watch()
    for outcome in (FAIL, FAIL, OK, FAIL, FAIL):
        made.report(0, outcome, now_s=0.01)
    assert (made.state.verdict, made.state.streak) == (Verdict.FAILING, 2)


@pytest.mark.parametrize("outcome", [ERROR, None])
def test_a_probe_without_news_makes_the_path_unknown_and_switches_nothing(outcome):
    made = watch()
    made.report(0, OK, now_s=0.0)
    for at in range(1, 7):
        if outcome:
            made.report(0, outcome, now_s=float(at))
        made.wake(float(at))
        assert made.next_s == at + LOOK_S
    assert (made.state.verdict, made.state.level) == (Verdict.UNKNOWN, Level.UP)


REPORTS = st.lists(
    st.tuples(
        st.sampled_from([OK] * 12 + [FAIL, FAIL, ERROR, REFUSED]),
        st.integers(0, 40).map(lambda one: max(0, one - 37)),
        st.floats(0.001, 0.05),
        st.sampled_from([None, 0.001, 0.002, 0.01, 0.02]),
    ),
    max_size=150,
)


@given(REPORTS, st.sampled_from([None, Target(1 / 360_000, 5, 8.0)]))
def test_replies_that_are_taken_in_together_count_as_each_alone(reports, target):
    folded, single = (watch(grey=0.03, target=target) for _ in range(2))
    now_s = 0.0
    for outcome, lost, pause_s, latency_s in reports:
        now_s += pause_s
        more = {"now_s": now_s, "latency_s": latency_s}
        folded.report(0, outcome, lost, **more)
        single.report(0, outcome, lost, **more)
        single._fold()
        if folded.next_s <= now_s:
            folded.wake(now_s), single.wake(now_s)
        assert verdicts(folded) == verdicts(single)
    folded._fold()
    assert folded.state == single.state
    assert folded.calm.record.to_builtins() == single.calm.record.to_builtins()
    assert folded.calm.is_grey is single.calm.is_grey
    assert folded.window.samples == single.window.samples
    assert folded.window.loss == single.window.loss


def test_a_reply_on_a_path_that_is_up_is_no_news_for_a_moment():
    made = watch()
    assert made.report(0, OK, now_s=0.0, latency_s=0.001)
    assert not made.report(0, OK, now_s=0.01, latency_s=0.001)
    assert not made.report(0, OK, now_s=0.10, latency_s=0.001)
    assert made.report(0, OK, now_s=0.12, latency_s=0.001)
    assert made.window.samples == 4 and made.state.heard_s == 0.12
    assert made.report(0, FAIL, now_s=0.13)


def test_what_was_lost_unreported_is_loss_and_no_run():
    made = watch()
    for at in range(20):
        made.report(0, OK, 2, now_s=at / 100)
        assert made.state.verdict is Verdict.UP
    assert made.window.samples == 60
    assert made.window.loss == pytest.approx(2 / 3)


def test_on_the_way_up_what_was_lost_is_a_miss():
    made = watch(level=Level.DOWN)
    for at in (0.1, 0.2):
        made.report(0, OK, now_s=at)
    assert (made.state.streak, made.state.misses) == (2, 0)
    made.report(0, OK, 1, now_s=0.3)
    assert (made.state.streak, made.state.misses) == (3, 1)
    made.report(0, OK, 1, now_s=0.4)
    assert made.state.streak == 1, "a second miss of four starts over"


def test_in_a_path_that_watches_more_a_failure_counts_at_once_and_once():
    made = watch(("line", "tunnel"))
    made.report(0, OK, now_s=0.0)
    rounds(made, 0.0, OK)
    waiting = rounds(made, 0.1, None)
    made.report(0, FAIL, now_s=0.11)
    assert made.state.streak == 1, "though a reply of the round before is awaited"
    made.reply(waiting, 1, OK, now_s=0.12, latency_s=0.02)
    assert made.state.streak == 1, "nor does that reply end the run"
    made.report(0, FAIL, now_s=0.12)
    rounds(made, 0.2, OK)
    assert [kind.run for kind in made.standing.each] == [2, 0]
    made.report(0, FAIL, now_s=0.13)
    assert made.state.verdict is Verdict.DOWN


def test_in_a_path_that_watches_more_failures_of_two_kinds_do_not_add_up():
    made = watch(("line", "tunnel"))
    made.report(0, OK, now_s=0.0)
    rounds(made, 0.0, FAIL)
    rounds(made, 0.1, FAIL)
    made.report(0, FAIL, now_s=0.11)
    made.report(0, OK, now_s=0.12)
    made.report(0, FAIL, now_s=0.13)
    made.report(0, FAIL, now_s=0.14)
    assert made.state.level is Level.UP
    rounds(made, 0.2, FAIL)
    assert made.state.verdict is Verdict.DOWN, "the tunnel's third"


def test_in_a_path_that_watches_more_an_arrival_ends_its_own_run_only():
    made = watch(("line", "tunnel"))
    made.report(0, OK, now_s=0.0)
    rounds(made, 0.0, OK)
    made.report(0, FAIL, now_s=0.01)
    assert made.state.verdict is Verdict.FAILING
    made.report(0, OK, now_s=0.02)
    assert made.state.verdict is Verdict.UP
    rounds(made, 0.1, FAIL)
    made.report(0, OK, now_s=0.11)
    assert made.state.verdict is Verdict.FAILING, "the tunnel's run goes on"


def test_in_a_path_that_watches_more_rounds_make_the_way_up():
    made = watch(("line", "tunnel"), level=Level.DOWN)
    for at in range(100):
        made.report(0, OK, now_s=at / 100)
    assert made.state.streak == 0
    for at in range(4):
        rounds(made, 1 + at / 10, OK)
    assert made.state.verdict is Verdict.UP


def test_where_one_of_two_is_enough_the_other_decides_with_it_in_rounds():
    made = watch(("line", "line"))
    made.report(0, OK, now_s=0.0)
    for at in range(20):
        made.report(0, FAIL, now_s=at / 100)
    assert made.state.verdict is Verdict.UP
    for at in range(5):
        rounds(made, at / 10, OK)
    assert made.state.verdict is Verdict.UP
    for at in range(3):
        rounds(made, 1 + at / 10, FAIL)
    assert made.state.verdict is Verdict.DOWN


def test_where_it_is_not_heard_yet_the_others_decide():
    made = watch(("line", "line"))
    made.report(0, ERROR, now_s=0.0)
    rounds(made, 0.0, OK)
    assert made.state.verdict is Verdict.UP
    alone = watch(("line", "tunnel"))
    alone.report(0, ERROR, now_s=0.0)
    rounds(alone, 0.0, OK)
    assert alone.state.verdict is Verdict.UP and alone.standing.each[0].outcome is ERROR


def test_what_was_reported_too_long_ago_is_nothing_in_a_round():
    made = watch(("line", "tunnel"))
    made.report(0, OK, now_s=0.0)
    assert rounds(made, 4.9, OK).result is OK
    assert rounds(made, 5.0, OK).result is ERROR


def test_two_that_report_need_no_reply_for_a_round():
    made = watch(("line", "tunnel"), reporting=(0, 1), level=Level.DOWN)
    for at in range(4):
        for position in (0, 1):
            made.report(position, OK, now_s=at / 10)
        assert made.send(at / 10).result is OK
    assert made.state.verdict is Verdict.UP


def test_a_refusal_holds_and_ends_the_run():
    made = watch()
    for outcome in (FAIL, FAIL, REFUSED, FAIL, FAIL):
        made.report(0, outcome, now_s=0.01)
    assert made.state.verdict is Verdict.FAILING and made.refusals.since_s == 0.01


def test_losses_that_the_next_arrival_overtook_are_learned_of():
    """Every fifth packet is lost alone and never late: the record knows a fifth all the same."""
    made = watch(target=Target(1 / 360_000, 3, 8.0))
    for number in range(2000):
        made.report(0, OK, 1 if number % 4 == 3 else 0, now_s=number * 0.125)
    calm = made.calm
    assert calm.record.loss == pytest.approx(0.2, abs=0.001)
    assert made.rules.fall == calm.limits.fall > 8
    assert made.state.verdict is Verdict.UP


def test_many_arrivals_at_once_are_as_many_one_by_one():
    for level, heard in ((Level.UP, 0), (Level.DOWN, 1)):
        one, many = (watch(level=level, target=Target(1 / 360_000, 3, 8.0)) for _ in range(2))
        for made in (one, many):
            for number in range(heard):
                made.report(0, OK, now_s=0.01 * number)
        times = min(2, many.alike(0.5)) if heard else 500
        assert times == (2 if heard else 500) <= many.alike(0.5)
        for number in range(times):
            one.report(0, OK, now_s=0.02 + 0.01 * number, latency_s=0.001)
        many.arrived(times, 0.01, 0.001, 0.02 + 0.01 * (times - 1))
        one._fold()  # what came within a tenth of a second is taken in together
        assert many.state == one.state and many.rules == one.rules
        assert many.calm.record.to_builtins() == one.calm.record.to_builtins()
        assert many.window.samples == one.window.samples
    assert watch(level=Level.DOWN).alike(1.0) == 0, "the first one changes the verdict"


class Reports:
    """A probe that reports what the test tells it to."""

    def __init__(self):
        self.checked = 0
        self.tell = None

    async def check(self, timeout_s):
        self.checked += 1
        return Sample.ok()

    def tell_arrivals(self, tell):
        self.tell = tell

    def close(self):
        pass


class NoOptions(msgspec.Struct):
    """None."""


PACED = ProbeType("paced", "", NoOptions, Reports, arrival_s=lambda options: 0.02)
OWN = Instance("path.vpn1.probe.own", "probe", PACED, NoOptions(), 0.0)


def at_work(test, **more):
    async def run():
        probe = Reports()
        path = PathRun(
            PathConfig("vpn1", profile("fast", fall=3, interval="20ms"), (OWN,)),
            {"own": Caller(probe, "own"), **more}, Level.UP, lambda path, change: None,
        )  # fmt: skip
        work = asyncio.ensure_future(path.run())
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await test(path, probe)
        if not work.done():
            await path.close()
        await work

    asyncio.run(run())


def test_a_report_is_in_the_verdict_when_the_call_returns():
    async def test(path, probe):
        probe.tell(Sample.ok(0.001))
        assert path.verdict is Verdict.UP
        for _ in range(3):
            probe.tell(Sample.fail("late"))
        assert path.verdict is Verdict.DOWN
        assert path.tallies["own"].counts[FAIL] == 3
        assert path.tallies["own"].last.detail == "late"
        assert probe.checked == 0

    at_work(test)


def test_beside_a_polled_probe_it_is_never_polled_itself():
    class Polled(Reports):
        tell_arrivals = None

    polled = Polled()

    async def test(path, probe):
        probe.tell(Sample.ok(0.001))
        while polled.checked < 3:
            await asyncio.sleep(0.005)
        assert path.verdict is Verdict.UP and probe.checked == 0

    at_work(test, other=Caller(polled, "other"))


def test_one_whose_type_has_no_pace_is_polled_and_a_failure_that_it_reports_has_it_polled_now():
    news = Reports()

    async def test(path, probe):
        probe.tell(Sample.ok(0.001))
        while news.checked < 3:
            await asyncio.sleep(0.005)
        hurried = []
        path._probes.listen(lambda *report: None, lambda: hurried.append(True))
        for sample in (Sample.ok(0.001), Sample.error("nobody knows"), Sample.fail("gone")):
            news.tell(sample, 0)
        await asyncio.sleep(0)
        assert hurried == [True] and path.verdict is Verdict.UP

    at_work(test, other=Caller(news, "other"))


def test_reports_from_any_thread_and_of_anything_hurt_nobody():
    async def test(path, probe):
        def call():
            for lost in (0, -1, 10**30, "3", None):
                probe.tell(Sample.ok(0.001), lost)
                probe.tell("nonsense", lost=lost)
                probe.tell()
                probe.tell(sample=Sample.ok(0.001), more=object())

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        call()
        while any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        tally = path.tallies["own"]
        assert path.verdict is Verdict.UP
        assert tally.counts[ERROR] >= 10 and tally.counts[FAIL] == 0

    at_work(test)


def test_a_path_that_was_closed_takes_no_report():
    async def test(path, probe):
        await path.close()
        probe.tell(Sample.ok(0.001))
        assert path.tallies["own"].last is None

    at_work(test)


def test_a_path_that_is_not_polled_records_its_losses_from_the_reports():
    async def test(path, probe):
        now = asyncio.get_running_loop().time
        for number in range(300):
            probe.tell(Sample.ok(0.001), 1 if number % 10 == 0 else 0)
            if number % 30 == 0:
                probe.tell(Sample.fail("late"))
        probe.tell(Sample.error("not known"))
        found = path.loss(now())
        assert (found.share, found.samples) == (40 / 340, 340)

    at_work(test)


class Counts(Reports):
    """Says what it is told to say of its line."""

    said, left, far = None, False, None

    def far_stance(self):
        return self.far

    def line_loss(self):
        if isinstance(self.said, Exception):
            raise self.said
        return self.said

    def far_left(self):
        return self.left


def test_what_a_probe_counts_itself_goes_before_its_samples_and_nonsense_is_nothing():
    counts = Counts()

    async def test(path, probe):
        now = asyncio.get_running_loop().time
        for _ in range(300):
            counts.tell(Sample.ok(0.001))
        assert path.loss(now()) is None, "neither says anything"
        counts.said = Loss(0.2, 400)
        assert path.loss(now()).share == pytest.approx(0.2, abs=1e-4)
        for said in (
            *(0.5, "much", Loss("x", 1), Loss(0.1, None), Loss([], {}), Loss(0.1, 10, "a")),
            *(RuntimeError("no"), object(), Loss(0.1, 10**400)),
        ):
            counts.said = said
            found = path.loss(now())
            assert found is None or isinstance(found.share, float), said
        counts.said = Loss(float("nan"), -3, float("inf"), -1.0)
        assert 0 <= path.loss(now()).low <= path.loss(now()).high <= 1

    at_work(test, counts=Caller(counts, "counts"))


def test_what_a_far_gateway_says_of_having_left_is_true_or_nothing():
    counts = Counts()

    async def test(path, probe):
        for said, left in ((False, False), (True, True), ("yes", False), (None, False)):
            counts.left = said
            assert path.far_left is left

    at_work(test, counts=Caller(counts, "counts"))


def test_how_a_far_gateway_stands_is_a_stance_or_nothing():
    counts = Counts()
    caller = Caller(counts, "counts")
    counts.far = Stance(Role.ACTIVE, True, paused=True, verdict=Verdict.UP)
    assert far_stance(caller) == counts.far
    for far in (
        *(None, "active", Stance("active"), Stance(fit=3), Stance(verdict=Role.ACTIVE)),
        Stance(role=[]),
    ):
        counts.far = far
        assert far_stance(caller) is None, far
    counts.far = Stance(paused="yes", left=0)
    assert far_stance(caller) == Stance(paused=True)
    for name, shown in (
        ("gw-ba", "gw-ba"),
        ("\x1b[2Jgw\n", "[2Jgw"),
        (b"gw", ""),
        ("g" * 100, None),
    ):
        counts.far = Stance(name=name)
        assert far_stance(caller).name == (shown if shown is not None else "g" * 61 + "…")


def test_the_kit_calls_what_a_probe_says_of_its_line():
    counts = Counts()
    check_abilities(counts)
    counts.said = Loss(0.1, 300)
    check_abilities(counts)
    counts.said = 0.1
    with pytest.raises(AssertionError, match=r"line_loss gave 0\.1, which is no Loss"):
        check_abilities(counts)
    counts.said, counts.left = None, 1
    with pytest.raises(AssertionError, match="far_left gave 1, neither true nor false"):
        check_abilities(counts)
    counts.left, counts.far = False, "active"
    with pytest.raises(AssertionError, match="far_stance gave 'active', which is no Stance"):
        check_abilities(counts)


def test_the_kit_calls_it_and_finds_what_the_core_never_would():
    probe = Reports()
    check_abilities(probe)
    probe.tell(Sample.ok())

    class Slow(Reports):
        async def tell_arrivals(self, tell): ...

    with pytest.raises(AssertionError, match="tell_arrivals is async"):
        check_abilities(Slow())


def test_a_warning_is_an_event_of_the_path_one_in_ten_seconds_and_nonsense_is_none():
    async def run():
        now, events = 100.0, []
        warn = warning("path.vpn1.probe.line", events.append, lambda: now)
        warn(3)
        for moment, text in ((100.0, "first"), (109.9, "left out"), (110.0, "second\nline")):
            now = moment
            warn(text)
        warning("action.gateway", events.append, lambda: now)("of no path")
        return events

    events = asyncio.run(run())
    assert [(e.kind, e.subject, e.after, e.severity) for e in events] == [
        (EventKind.PATH, "vpn1", "trouble", "warning")
    ] * 2
    assert [e.detail for e in events] == ["line: first", "line: second line"]


def test_what_is_said_of_this_gateway_goes_with_the_verdict_of_the_own_path():
    here = Stance(Role.ACTIVE, True, paused=True)
    paths = {"vpn1": SimpleNamespace(verdict=Verdict.FAILING)}
    said = stance_towards("path.vpn1.probe.line", here, paths)
    assert said == Stance(Role.ACTIVE, True, paused=True, verdict=Verdict.FAILING)
    assert stance_towards("path.other.probe.line", here, paths) == here
