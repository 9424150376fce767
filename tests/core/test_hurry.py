"""A probe that knows of a change has the next probes of its path sent now: exact, and contained."""

import asyncio
import threading

import pytest

from havpn_core.config.instances import PathConfig
from havpn_core.daemon.paths.hurry import hurrying
from havpn_core.daemon.paths.path import PathRun
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict
from havpn_core.rules.settings import Settings
from havpn_core.rules.watch import Watch
from havpn_core.testing import context
from tests.core.profile import profile

RULES = Settings(PathRules(fall=3, rise=5, stale_s=50, interval_s=1.0, confirm_s=0.01), 0.3)
NEVER = float("inf")


def watch(level=Level.UP):
    made = Watch(RULES, 1, level, 0.0, known=True)
    replied(made, 0.0, Outcome.OK if level is Level.UP else Outcome.FAIL)
    return made


def replied(made, now_s, outcome):
    sent = made.send(now_s)
    made.reply(sent, 0, outcome, now_s=now_s)
    return sent


def test_a_hurried_probe_is_sent_at_once_and_the_cadence_stays():
    made = watch()
    assert (made.send_s, made.next_s) == (1.0, 1.0)
    made.hurry(0.4)
    assert (made.send_s, made.next_s) == (0.4, 0.4)
    sent = replied(made, 0.4, Outcome.OK)
    assert (sent.sent_s, sent.regular) == (0.4, False)
    assert (made.send_s, made.cadence_s, made._hurry.due_s) == (1.0, 1.0, NEVER)


def test_between_two_moments_of_the_cadence_one_is_heeded():
    made = watch()
    made.hurry(0.4)
    made.hurry(0.5)
    assert made.send_s == 0.4
    replied(made, 0.4, Outcome.OK)
    made.hurry(0.6)
    assert made.send_s == 1.0
    assert replied(made, 1.0, Outcome.OK).regular
    made.hurry(1.2)
    assert made.send_s == 1.2


def test_a_regular_probe_that_is_due_stands_for_a_hurried_one():
    made = watch()
    made.hurry(1.0)
    assert replied(made, 1.0, Outcome.OK).regular
    assert (made.send_s, made._hurry.due_s) == (2.0, NEVER)
    made.hurry(1.1)
    assert made.send_s == 1.1


def test_a_hurried_failure_starts_the_burst_at_once():
    made = watch()
    made.hurry(0.4)
    for at in (0.4, 0.41, 0.42):
        assert made.send_s == pytest.approx(at)
        replied(made, at, Outcome.FAIL)
    assert [change.after.verdict for change in made.changes()] == [Verdict.FAILING, Verdict.DOWN]


def test_a_path_that_is_down_has_no_hurry():
    made = watch(Level.DOWN)
    made.hurry(0.4)
    assert made.send_s == 1.0


class Probe:
    """Replies at once, but not any more when told so."""

    def __init__(self):
        self.sent, self.good = 0, True

    async def check(self, timeout_s):
        self.sent += 1
        return Sample.ok(0.001) if self.good else Sample.fail("gone")

    def close(self):
        pass


def at_work(test, **changes):
    """Run a path with a probe a minute beside a test, after its first probe."""

    async def run():
        probe = Probe()
        options = profile("fast", interval="60s", confirm="5ms", fall=3, **changes)
        path = PathRun(
            PathConfig("vpn1", options, ()), {"echo": Caller(probe, "echo")}, Level.UP,
            lambda path, change: None,
        )  # fmt: skip
        work = asyncio.ensure_future(path.run())
        async with asyncio.timeout(20):
            while path.verdict is not Verdict.UP:
                await asyncio.sleep(0.005)
            hurry = hurrying("path.vpn1.probe.echo", lambda: {"vpn1": path})
            await test(path, probe, hurry)
        if not work.done():
            await path.close()
        await work

    asyncio.run(run())


def test_a_path_goes_down_without_waiting_for_its_interval():
    async def test(path, probe, hurry):
        probe.good = False
        hurry()
        while path.verdict is not Verdict.DOWN:
            await asyncio.sleep(0.005)
        assert probe.sent == 4

    at_work(test)


def test_from_any_thread_and_with_anything_it_is_one_probe_an_interval():
    async def test(path, probe, hurry):
        def call():
            for _ in range(1000):
                hurry("now", at="once")

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        while probe.sent < 2 or any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert probe.sent == 2

    at_work(test)


def test_a_path_that_was_closed_sends_nothing_more():
    async def test(path, probe, hurry):
        await path.close()
        hurry()
        await asyncio.sleep(0.05)
        assert probe.sent == 1

    at_work(test)


def test_a_path_that_does_not_run_yet_has_no_hurry():
    async def run():
        probe = Probe()
        path = PathRun(
            PathConfig("vpn1", profile("fast"), ()), {"echo": Caller(probe, "echo")}, Level.UP,
            lambda path, change: None,
        )  # fmt: skip
        path.hurry()
        await asyncio.sleep(0.05)
        assert probe.sent == 0
        await path.close()

    asyncio.run(run())


@pytest.mark.parametrize("instance", ["action.gateway", "path.other.probe.echo", "path.vpn1", ""])
def test_who_is_no_probe_of_a_path_at_work_hurries_nobody(instance):
    async def test(path, probe, hurry):
        hurrying(instance, lambda: {"vpn1": path})()
        await asyncio.sleep(0.05)
        assert probe.sent == 1

    at_work(test)


def test_without_a_daemon_nothing_happens():
    assert context().hurry() is None
