"""A path at work whose far host refuses: options, the hold, what the pair and the status see."""

import asyncio
import logging

import pytest

from havpn_core.config.instances import PathConfig
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.saying import refusal_event
from havpn_core.daemon.reporting import path_status
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.coercion import as_sample
from havpn_core.rules.hysteresis import Level, Outcome, Verdict
from havpn_core.rules.refusal import News
from havpn_core.rules.role import PathView, far_refused, wanted_role
from tests.core.profile import profile

UP, LONG = PathView(Level.UP, True, True), PathView(Level.UP, True, True, refused_long=True)
GONE = Sample.refusal("connection refused")
QUICK = {"interval": "20ms", "timeout": "1s", "damping": False}


class Probe:
    """Gives one sample after another, the last one for ever; silent where that is ``None``."""

    def __init__(self, *samples, refusing=False):
        self.samples, self.refuses = list(samples), refusing

    async def check(self, timeout_s):
        sample = self.samples.pop(0) if len(self.samples) > 1 else self.samples[0]
        if sample is None:
            await asyncio.sleep(timeout_s)
            return Sample.fail("no reply")
        return sample

    def refusing(self):
        return self.refuses

    def close(self):
        pass


def ran(probe, until, name="fast", lifetime_s=None, clock=None, **changes):
    """Run a path until something is true of it; gives it and what it passed on."""
    passed = []

    async def run():
        path = PathRun(
            PathConfig("vpn1", profile(name, **(QUICK | changes)), ()),
            {"echo": Caller(probe, "echo")},
            Level.UP,
            lambda path, change: passed.append(change.after.verdict),
            refusal=lambda path, news: passed.append((path.refused_long, *news)),
            lifetime_s=lifetime_s,
            **({"clock": clock} if clock else {}),
        )
        running = asyncio.ensure_future(path.run())
        async with asyncio.timeout(20):
            while not until(path):
                await asyncio.sleep(0.005)
        view = path.view
        await path.close()
        await running
        return path, view, passed

    return asyncio.run(run())


def counted(path):
    return path.tallies["echo"].counts


def test_a_refusal_is_counted_apart_and_makes_nothing_known():
    path, view, passed = ran(Probe(GONE), lambda p: counted(p)[Outcome.REFUSED] > 20)
    assert (path.verdict, view.heard, view.known) == (Verdict.UNKNOWN, False, False)
    assert wanted_role([view]) is None
    assert counted(path)[Outcome.FAIL] == 0
    assert passed == []
    assert view.refused_since_s is not None
    now = path.watch.refusals.since_s + 7.0
    status = path_status(path, now)
    assert status.refused_s == 7.0
    echo = status.probes["echo"]
    assert (echo.outcome, echo.detail) == ("refused", "connection refused")
    assert echo.refused > 20
    assert (echo.ok, echo.fail, echo.error) == (0, 0, 0)


@pytest.mark.parametrize(("name", "changes"), [("article", {}), ("fast", {"refused": "fail"})])
def test_where_it_is_a_failure_all_is_as_it_was(name, changes):
    path, view, passed = ran(
        Probe(GONE, refusing=True), lambda p: p.verdict is Verdict.DOWN, name, **changes
    )
    assert counted(path)[Outcome.REFUSED] == 0
    assert counted(path)[Outcome.FAIL] >= path.config.options.fall
    assert (view.refused_since_s, view.refused_long) == (None, False)
    assert passed[-1] is Verdict.DOWN
    assert path_status(path, 1e9).refused_s is None
    assert path_status(path, 1e9).probes["echo"].outcome == "fail"


def test_silence_is_a_failure_only_where_the_probe_does_not_know_better():
    settings = {"timeout": "100ms", "fall": 3}
    silent = Probe(Sample.ok(0.001), None)
    path, _, _ = ran(silent, lambda p: p.verdict is Verdict.DOWN, **settings)
    assert path.watch.refusals.since_s is None
    refusing = Probe(Sample.ok(0.001), None, refusing=True)
    path, view, passed = ran(refusing, lambda p: counted(p)[Outcome.FAIL] > 20, **settings)
    assert path.verdict is Verdict.UP
    assert passed[0] is Verdict.UP
    assert view.refused_since_s is not None
    article = Probe(Sample.ok(0.001), None, refusing=True)
    ran(article, lambda p: p.verdict is Verdict.DOWN, "article", **settings)


def test_the_hold_is_passed_on_when_it_is_over_and_when_the_responder_is_back():
    probe = Probe(Sample.ok(0.001), GONE)
    _, view, passed = ran(probe, lambda p: p.refused_long, refused_hold="100ms")
    assert passed == [Verdict.UP, (True,)]
    assert view.refused_long
    assert far_refused([view])
    probe = Probe(*[GONE] * 20, Sample.ok(0.001))
    _, view, passed = ran(probe, lambda p: p.verdict is Verdict.UP, refused_hold="100ms")
    said = [each for each in passed if isinstance(each, tuple)]
    assert said[0] == (True,)
    assert (said[-1][0], [n.missing for n in said[-1][1:]]) == (False, [True, False])
    assert not far_refused([view])


@pytest.mark.parametrize(
    ("written", "lifetime_s", "hold_s"),
    [
        (None, None, 30),
        (None, 10, 10),
        (None, 60, 30),
        ("5s", None, 5),
        ("5s", 3, 5),
        ("2m", 10, 120),
    ],
)
def test_the_hold_is_bounded_by_the_lifetime_unless_it_is_written(written, lifetime_s, hold_s):
    options = profile("fast", **({"refused_hold": written} if written else {}))
    assert options.refused_hold_s(lifetime_s) == hold_s


def test_the_lifetime_bounds_the_hold_of_a_path_at_work():
    path, _, _ = ran(Probe(GONE), lambda p: p.refused_long, lifetime_s=0.1)
    assert path.verdict is Verdict.UNKNOWN


def test_profiles_differ_in_what_a_refusal_is():
    assert [profile(name).refused for name in ("article", "balanced", "fast")] == [
        "fail", "hold", "hold",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("paths", "give_up_on", "refused"),
    [
        ([], "any", False),
        ([], "all", False),
        ([UP], "any", False),
        ([LONG], "any", True),
        ([LONG], "all", True),
        ([UP, LONG], "any", True),
        ([UP, LONG], "all", False),
        ([LONG, LONG], "all", True),
    ],
)
def test_a_gateway_is_refused_as_far_as_its_paths_are_needed(paths, give_up_on, refused):
    assert far_refused(paths, give_up_on=give_up_on) is refused
    assert wanted_role([UP, LONG]) is wanted_role([UP]), "it moves nothing by itself"


@pytest.mark.parametrize(
    ("news", "event"),
    [
        (News(True, 1.0), ("", "far responder missing", "connection refused", "warning")),
        (
            News(True, 0.42, brief=True),
            ("", "far responder missing", "for 0.4 s, as during a restart", "info"),
        ),
        (
            News(False, 61.0),
            ("far responder missing", "far responder back", "it was missing for 61.0 s", "info"),
        ),
    ],
)
def test_what_the_events_say(news, event):
    path, _, _ = ran(Probe(GONE), lambda p: counted(p)[Outcome.REFUSED] > 0)
    made = refusal_event(path, news)
    assert (made.kind, made.subject) == ("path", "vpn1")
    assert (made.before, made.after, made.detail, made.severity) == event


class Odd(Sample):
    """A sample of a plugin's own class."""


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (GONE, GONE),
        (Sample(Outcome.REFUSED, "gone"), Sample.refusal("gone")),
        (Sample(Outcome.OK, "fine", 0.1, refused=True), Sample(Outcome.OK, "fine", 0.1)),
        (Sample(Outcome.ERROR, "odd", refused=True), Sample.error("odd")),
        (Sample(Outcome.FAIL, "odd", refused="yes"), Sample.fail("odd")),
        (Odd(Outcome.FAIL, "gone", refused=True), Sample.refusal("gone")),
        (Sample(Outcome.FAIL, "two\nlines", refused=True), Sample.refusal("two lines")),
    ],
)
def test_only_a_failure_can_be_a_refusal(given, taken):
    found = as_sample(given)
    assert type(found) is Sample
    assert found == taken


class Untrue(Probe):
    def refusing(self):
        return "yes"


class Raising(Probe):
    def refusing(self):
        raise SystemExit(3)


class Bare:
    async def check(self, timeout_s): ...


@pytest.mark.parametrize(
    ("probe", "refuses"),
    [
        (Probe(refusing=True), True),
        (Probe(), False),
        (Untrue(), False),
        (Raising(), False),
        (Bare(), False),
    ],
)
def test_whether_a_plugin_s_probe_refuses(probe, refuses, caplog):
    caplog.set_level(logging.DEBUG)
    assert Caller(probe, "x").refusing() is refuses
