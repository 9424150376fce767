"""Paths that watch the line and the tunnel: votes, counts and words of each kind."""

import asyncio
import random
from itertools import product

import pytest

from havpn_core.config.instances import Instance, PathConfig
from havpn_core.config.kinds import impossible, sorted_by_kind, watching, without_tunnel
from havpn_core.config.options import ProbeOptions, Watches
from havpn_core.daemon.paths.failing import sentence
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.saying import verdict_event
from havpn_core.daemon.reporting import path_status
from havpn_core.plugging.descriptors import ProbeType, Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict
from havpn_core.rules.quality import WindowRules
from havpn_core.rules.settings import Settings
from havpn_core.rules.vote import Kind, Kinds, Sent, Standing, combine
from havpn_core.rules.watch import Watch
from havpn_core.study.loss import Independent
from havpn_core.study.montecarlo import Course, summarise
from tests.core.profile import profile
from tests.core.values import replace

OK, FAIL, ERROR, REFUSED = Outcome.OK, Outcome.FAIL, Outcome.ERROR, Outcome.REFUSED
BOTH = ("line", "tunnel")
RULES = PathRules(fall=4, rise=10, stale_s=5, interval_s=1.0, rise_loss=0.3)
SETTINGS = Settings(RULES, 0.5)


# --- the vote ----------------------------------------------------------------------------------


def test_every_pair_of_kinds_counts_as_the_table_says():
    order = [FAIL, None, REFUSED, ERROR, OK]
    for first, second in product(order, repeat=2):
        expected = min(first, second, key=order.index)
        assert combine([first, second]) is expected
        assert combine([first]) is first


def test_probes_are_sorted_by_what_they_watch():
    kinds = Kinds.of(["line", "tunnel", "line"])
    assert kinds == Kinds(BOTH, ((0, 2), (1,)))
    assert [*kinds.short(1)] == []
    assert [*kinds.short(2)] == [("tunnel", 1)]
    assert [*kinds.short(3)] == [("line", 2), ("tunnel", 1)]


@pytest.mark.parametrize(
    ("outcomes", "require", "by_kind", "result"),
    [
        ([OK, None, None], 1, (OK, None), None),
        ([OK, None, OK], 1, (OK, OK), OK),
        ([FAIL, OK, None], 1, (OK, None), None),
        ([FAIL, FAIL, None], 1, (FAIL, None), FAIL),
        ([OK, OK, FAIL], 1, (OK, FAIL), FAIL),
        ([OK, None, FAIL], 2, (None, FAIL), FAIL),
        ([OK, FAIL, REFUSED], 1, (OK, REFUSED), REFUSED),
        ([ERROR, ERROR, REFUSED], 1, (ERROR, REFUSED), REFUSED),
        ([OK, OK, ERROR], 1, (OK, ERROR), ERROR),
    ],
)
def test_each_kind_needs_its_own_probes(outcomes, require, by_kind, result):
    sent = Sent(0.0, 3, regular=True, kinds=Kinds.of(["line", "line", "tunnel"]))
    assert sent.by_kind == (None, None)
    for position, outcome in enumerate(outcomes):
        if outcome is not None:
            found = sent.take(position, outcome, require)
    assert (sent.by_kind, found) == (by_kind, result)


def test_silence_of_one_kind_alone_is_its_failure():
    sent = Sent(0.0, 2, regular=True, kinds=Kinds.of(BOTH))
    assert sent.take(0, OK, 1) is None
    assert sent.lost(1) is FAIL
    assert sent.by_kind == (OK, FAIL)
    # What is decided stays so while a late reply has not come.
    assert sent.take(0, OK, 1) is None
    assert sent.by_kind == (OK, FAIL)
    assert sent.take(1, OK, 1) is OK
    assert sent.by_kind == (OK, OK)


# --- the counts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "run", "misses"),
    [
        ([], 0, 0),
        ([FAIL, FAIL], 2, 2),
        ([FAIL, ERROR, FAIL], 2, 2),
        ([FAIL, OK, FAIL], 1, 2),
        ([FAIL, REFUSED], 0, 1),
    ],
)
def test_a_kind_counts_its_failures_in_a_row(outcomes, run, misses):
    kind = Kind("line")
    for outcome in outcomes:
        kind.take(outcome)
    last = outcomes[-1] if outcomes else None
    assert (kind.outcome, kind.run, kind.misses) == (last, run, misses)


def test_what_is_known_later_of_one_moment_is_counted_once():
    standing = Standing(Kinds.of(BOTH))
    state = Watch(SETTINGS, 1, Level.UP, 0.0).state
    standing.take((FAIL, None), state)
    assert [(k.outcome, k.run) for k in standing.each] == [(FAIL, 1), (None, 0)]
    assert standing.correct((FAIL, None), (FAIL, FAIL)) == [None, FAIL]
    assert [(k.outcome, k.run) for k in standing.each] == [(FAIL, 1), (FAIL, 1)]
    assert standing.correct((FAIL, FAIL), (FAIL, OK)) == [None, None]
    assert [(k.outcome, k.run) for k in standing.each] == [(FAIL, 1), (OK, 0)]
    standing.correct((FAIL, OK), (FAIL, None))
    assert [k.run for k in standing.each] == [1, 0]
    assert tuple(standing.worst) == (1, 1)
    standing.take((None, FAIL), replace(state, misses=1))
    assert tuple(standing.worst) == (1, 2)
    standing.take((None, None), state)
    assert tuple(standing.worst) == (1, 0)
    assert Standing(Kinds.of(["line", "line"])).worst is None


class Rounds:
    """Drives a watch by whole rounds: a pair of outcomes each second."""

    def __init__(self, settings=SETTINGS, level=Level.UP, watches=BOTH):
        self.watch = Watch(settings, len(watches), level, 0.0, known=True, watches=watches)
        self.now = 0.0

    def play(self, *rounds):
        for outcomes in rounds:
            self.now = self.watch.send_s
            sent = self.watch.send(self.now)
            for position, outcome in enumerate(outcomes):
                if outcome is not None:
                    self.watch.reply(sent, position, outcome, now_s=self.now + 0.001)
            self.watch.judge(self.now + 0.6)
        return self

    @property
    def seen(self):
        state = self.watch.state
        return state.verdict, state.streak


WELL, LINE, TUNNEL, NEITHER = (OK, OK), (FAIL, OK), (OK, FAIL), (FAIL, FAIL)


@pytest.mark.parametrize(
    ("rounds", "verdict", "streak"),
    [
        ([TUNNEL] * 3, Verdict.FAILING, 3),
        ([TUNNEL] * 4, Verdict.DOWN, 0),
        ([LINE] * 4, Verdict.DOWN, 0),
        ([NEITHER] * 4, Verdict.DOWN, 0),
        ([(OK, None)] * 4, Verdict.DOWN, 0),
        # Each is lost in turn: no row of four of either.
        ([LINE, TUNNEL] * 10, Verdict.FAILING, 1),
        ([LINE, LINE, TUNNEL], Verdict.FAILING, 1),
        ([LINE, LINE, NEITHER, TUNNEL], Verdict.FAILING, 2),
        ([TUNNEL] * 3 + [WELL], Verdict.UP, 0),
        ([TUNNEL] * 3 + [WELL, TUNNEL], Verdict.FAILING, 1),
        # A row goes on over a round that could not be tested, and starts over upon a refusal.
        ([TUNNEL] * 3 + [(OK, ERROR), TUNNEL], Verdict.DOWN, 0),
        ([TUNNEL] * 3 + [(OK, REFUSED), TUNNEL], Verdict.FAILING, 1),
        ([TUNNEL] * 3 + [(ERROR, FAIL)], Verdict.DOWN, 0),
        ([(REFUSED, FAIL)] * 4, Verdict.DOWN, 0),
        ([(OK, REFUSED)] * 9, Verdict.UP, 0),
        ([(OK, ERROR)] * 9, Verdict.UNKNOWN, 0),
        ([(OK, ERROR)] * 9 + [LINE] * 4, Verdict.DOWN, 0),
    ],
)
def test_failures_in_a_row_are_those_of_one_kind(rounds, verdict, streak):
    assert Rounds().play(*rounds).seen == (verdict, streak)


def test_one_kind_alone_counts_as_ever():
    """Random rounds of a path whose probes all watch the line, with and without its name."""
    chance = random.Random(3)
    for _ in range(200):
        rounds = [
            tuple(chance.choice([OK, OK, FAIL, ERROR, REFUSED, None]) for _ in range(2))
            for _ in range(40)
        ]
        named = Rounds(watches=("line", "line"))
        tunnel = Rounds(watches=("tunnel", "tunnel"))
        for each in rounds:
            assert named.play(each).watch.state == tunnel.play(each).watch.state


@pytest.mark.parametrize(
    ("rounds", "verdict"),
    [
        ([WELL] * 10, Verdict.UP),
        # 0.3 of 10 may fail: three of each kind, not three of both together.
        ([WELL] + [LINE, TUNNEL, WELL] * 3 + [WELL] * 6, Verdict.UP),
        ([WELL] + [LINE, WELL] * 3 + [WELL] * 6, Verdict.UP),
        ([WELL] + [LINE, WELL] * 4 + [WELL] * 5, Verdict.RECOVERING),
        # Four lost of one kind in a row start over; of both in turn they do not.
        ([WELL] * 5 + [LINE, TUNNEL] * 2 + [WELL] * 5, Verdict.UP),
    ],
)
def test_what_may_fail_on_the_way_up_is_counted_for_each_kind(rounds, verdict):
    assert Rounds(level=Level.DOWN).play(*rounds).seen[0] is verdict


def test_a_fault_of_one_kind_found_at_once_leaves_the_other_s_reply_to_come():
    watch = Watch(SETTINGS, 2, Level.UP, 0.0, known=True, watches=BOTH)
    sent = watch.send(0.0)
    watch.reply(sent, 1, FAIL, now_s=0.0)
    assert [(k.outcome, k.run) for k in watch.standing.each] == [(None, 0), (FAIL, 1)]
    watch.reply(sent, 0, OK, now_s=0.01)
    assert [(k.outcome, k.run) for k in watch.standing.each] == [(OK, 0), (FAIL, 1)]
    assert watch.state.streak == 1


def test_each_kind_has_a_window_of_its_own():
    window = WindowRules(span_s=1000, least=20, loss_down=0.5, loss_up=0.2)
    path = Rounds(replace(SETTINGS, window=window, switch_when_poor=True))
    # Two of five lost of each kind, never of both: four of five rounds fail.
    path.play(*[LINE, TUNNEL, LINE, TUNNEL, WELL] * 20)
    assert path.watch.window.loss == pytest.approx(0.4, abs=0.02)
    assert not path.watch.poor
    path.play(*[TUNNEL, TUNNEL, WELL] * 60)
    assert path.watch.poor
    assert path.watch.state.level is Level.DOWN
    assert path.watch.window.describe().startswith("tunnel: loss ")


def test_a_lossy_path_that_watches_both_is_as_calm_as_one_that_watches_one():
    settings = profile("fast", damping=False).settings
    for loss in (0.1, 0.2):
        line = Independent(loss, random.Random(1))
        found = summarise(settings, line, hours=0.2, chance=random.Random(2), cuts=20, watches=BOTH)
        assert found.switches == 0
        assert found.percentile_s(1) < 0.6
    with pytest.raises(ValueError, match="require: 2 of 1 probes can never be OK"):
        Course(replace(settings, require=2), line, 0.001, watches=BOTH)


# --- the words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "details", "said"),
    [
        ([("line", OK, 0), ("tunnel", OK, 0)], {}, ""),
        ([("line", None, 0), ("tunnel", None, 0)], {}, ""),
        (
            [("line", OK, 0), ("tunnel", FAIL, 12)],
            {"tunnel": ["no reply"]},
            "tunnel: no reply in 12 probes; the line is well",
        ),
        (
            [("line", FAIL, 1), ("tunnel", FAIL, 2)],
            {},
            "line: no reply in 1 probe; tunnel: no reply in 2 probes",
        ),
        (
            [("line", OK, 0), ("tunnel", FAIL, 3)],
            {"tunnel": ["a", "", "a", "b"]},
            "tunnel: a, b (3 probes failed); the line is well",
        ),
        (
            [("line", REFUSED, 0), ("tunnel", ERROR, 0)],
            {"tunnel": ["not permitted"]},
            "line: the far host refuses; tunnel: not permitted",
        ),
        ([("line", ERROR, 0), ("tunnel", None, 0)], {}, "line: cannot be tested"),
        ([("line", OK, 1), ("tunnel", OK, 0)], {}, "line: no reply in 1 probe; the tunnel is well"),
    ],
)
def test_the_kind_that_fails_is_named(kinds, details, said):
    assert sentence([Kind(*each) for each in kinds], details) == said


class Probe:
    """Always the same sample; ``None`` is silence."""

    def __init__(self, sample, why=None):
        self.sample, self.why = sample, why

    async def check(self, timeout_s):
        if self.sample is None:
            await asyncio.sleep(timeout_s)
            return Sample.fail("no reply")
        return self.sample

    def explanation(self):
        return self.why

    def close(self):
        pass


def probe(name, watches, **options):
    kind = ProbeType("own", "own", ProbeOptions, lambda options, context: None)
    return Instance(f"path.vpn1.probe.{name}", "probe", kind, ProbeOptions(), 0, watches=watches)


def ran(line, tunnel):
    events = []

    async def run():
        config = PathConfig(
            "vpn1",
            profile("fast", interval="20ms", damping=False),
            (probe("echo", Watches.LINE), probe("inside", Watches.TUNNEL)),
        )
        callers = {"echo": Caller(line, "echo"), "inside": Caller(tunnel, "inside")}
        path = PathRun(
            config,
            callers,
            Level.UP,
            lambda path, change: events.append(verdict_event(path, change, 0.0)),
        )
        running = asyncio.ensure_future(path.run())
        async with asyncio.timeout(20):
            while path.verdict is not Verdict.DOWN:
                await asyncio.sleep(0.005)
        status = path_status(path, 0.0)
        await path.close()
        await running
        return status

    return asyncio.run(run()), events[-1]


@pytest.mark.parametrize(
    ("line", "tunnel", "begins", "ends"),
    [
        (Sample.ok(0.001), None, "tunnel: no reply in ", "; the line is well"),
        (None, Sample.ok(0.001), "line: no reply in ", "; the tunnel is well"),
        (None, None, "line: no reply in ", " probes"),
    ],
)
def test_event_and_status_of_a_path_name_the_kind(line, tunnel, begins, ends):
    status, event = ran(Probe(line), Probe(tunnel))
    assert event.after == "down"
    assert event.detail.startswith(begins)
    assert event.detail.endswith(ends)
    assert status.failing.startswith(begins)
    assert {name: each.watches for name, each in status.probes.items()} == {
        "echo": "line",
        "inside": "tunnel",
    }
    failed = {name: each.failed for name, each in status.kinds.items()}
    # Where both fail, one of them may be some probes behind: those of its own lateness are void.
    assert (failed["line"] > 0) is (line is None)
    assert (failed["tunnel"] > 0) is (tunnel is None)
    assert max(failed.values()) >= 7


def test_what_a_probe_knows_before_its_timeout_is_in_the_event():
    _, event = ran(Probe(Sample.ok(0.001)), Probe(None, why="only\nsmall"))
    assert event.detail.startswith("tunnel: only small (")


# --- the configuration -------------------------------------------------------------------------


def path(*watches, require=1):
    probes = [probe(f"p{n}", Watches(each)) for n, each in enumerate(watches)]
    return sorted_by_kind("vpn1", profile("fast", require=require), probes)


def test_probes_of_the_road_are_no_part_of_the_verdict():
    found = path("line", "road", "tunnel")
    assert found.watches == {"p0": "line", "p2": "tunnel"}
    assert [each.id for each in found.road] == ["p1"]
    assert impossible(found) == []
    (problem,) = impossible(path("road", "road"))
    assert problem.startswith("path.vpn1.probe: all probes have watches = ")
    assert "[path.vpn1.probe.tunnel]" in problem


def test_more_required_than_a_kind_has_names_both_keys():
    assert impossible(path("line", "line", "tunnel", "tunnel", require=2)) == []
    assert impossible(path("line", require=2)) == [
        "path.vpn1.require: 2 of 1 probes can never be OK: write at most 1"
    ]
    (problem,) = impossible(path("line", "line", "tunnel", require=2))
    assert problem == (
        "path.vpn1.require: 2 of 1 probes can never be OK: each kind needs so many, and only "
        'path.vpn1.probe.p2.watches is "tunnel": write at most 1'
    )


def test_a_path_that_nobody_watches_through_the_tunnel_is_warned_of():
    assert without_tunnel(path("line", "tunnel")) is None
    assert without_tunnel(path("tunnel")) is None
    warning = without_tunnel(path("line", "road"))
    assert warning.startswith("path.vpn1: no probe watches the tunnel")
    assert "[path.vpn1.probe.tunnel]" in warning


def test_a_type_gives_its_defaults_for_what_is_watched():
    made = probe("echo", Watches.TUNNEL)
    asked = []

    def give(options, watches):
        asked.append(watches)
        return replace_with[0]

    kind = replace(made.type, watching=give)
    for given, taken in ((ProbeOptions(watches=Watches.ROAD), True), (object(), False)):
        replace_with = [given]
        assert (watching(replace(made, type=kind)).options is given) is taken
    assert asked == ["tunnel", "tunnel"]
