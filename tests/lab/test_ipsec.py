"""The probe ``ipsec`` against real strongSwan: what each thing that befalls charon counts as."""

import asyncio
import random
import time

import msgspec
import pytest

from benchmarks.campaigns import rekeys
from havpn_core import Outcome
from havpn_core.plugging.registry import Registry
from havpn_core.testing import context
from havpn_core.testing.lab import GATEWAYS, TwoSite, wait_for
from havpn_core.testing.lab.daemons.strongswan import CHILD, FILE, VICI

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

KIND = Registry.load().get("probe", "ipsec")
NEAR, FAR = rekeys.ENDS
CONNECTION = GATEWAYS[NEAR].line
EVERY_S = 0.01
TIMEOUT_S = 0.3


@pytest.fixture(scope="module")
def lab():
    with TwoSite() as network:
        yield network


@pytest.fixture(autouse=True)
def tunnel(lab):
    charon = lab.tunnels[NEAR]
    charon.configure()
    charon.load()
    charon.initiate()
    return charon


class Seen:
    """The samples of a probe of the near gateway, one each 10 ms, while something happens."""

    def __init__(self, lab, **more):
        self.samples, self.reported = [], []
        path = f"{lab.hosts[NEAR].root}{VICI}"
        options = {"child": CHILD, "connection": CONNECTION, "socket": path, **more}
        self.probe = KIND.build(msgspec.convert(options, KIND.config), context())
        self.probe.tell_arrivals(lambda sample, lost: self.reported.append(time.monotonic()))

    async def take(self):
        began = time.monotonic()
        sample = await self.probe.check(TIMEOUT_S)
        self.samples.append((began, sample))
        assert time.monotonic() - began < TIMEOUT_S
        return sample

    async def until(self, outcome, within_s=10):
        """Take samples until there is such an outcome."""
        async with asyncio.timeout(within_s):
            while (await self.take()).outcome is not outcome:
                await asyncio.sleep(EVERY_S)
        return self.samples[-1]

    async def during(self, act, for_s=0.3):
        """Take samples while something is done, and for some time after it."""
        done = asyncio.get_running_loop().run_in_executor(None, act)
        until = None
        while until is None or time.monotonic() < until:
            await self.take()
            if until is None and done.done():
                until = time.monotonic() + for_s
            await asyncio.sleep(EVERY_S)
        await done

    def outcomes(self):
        return {sample.outcome for _, sample in self.samples}


def seen(lab, test, **more):
    async def run():
        found = Seen(lab, **more)
        try:
            await found.until(Outcome.OK)
            found.samples.clear()
            await test(found)
        finally:
            await found.probe.close()

    asyncio.run(run())


def swanctl(lab, *arguments, end=NEAR):
    return lambda: lab.hosts[end].run("swanctl", *arguments, check=False)


def signalled(lab, name):
    lab.hosts[NEAR].run("sh", "-c", f"kill -{name} $(cat /run/charon.pid)")


def test_what_it_shows(lab):
    async def test(found):
        sample = await found.take()
        assert sample.detail.startswith("INSTALLED, in ")
        facts = found.probe.facts()
        assert (facts["ike_sa"], facts["child_sa"]) == ("ESTABLISHED", "INSTALLED")
        assert facts["local_ts"] == [str(rekeys.site_of(NEAR).shared.network)]
        assert facts["rekey_in_s"] > 0

    far = str(rekeys.far_site(NEAR).shared.network)
    seen(lab, test, remote_ts=[far])


def test_the_wrong_selectors_are_a_failure(lab):
    async def run():
        found = Seen(lab, local_ts=["10.99.0.0/16"])
        _, sample = await found.until(Outcome.FAIL)
        assert sample.detail.endswith("lack 10.99.0.0/16")
        await found.probe.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("what", "end"),
    [
        (("--terminate", "--child", CHILD), NEAR),
        (("--terminate", "--child", CHILD), FAR),
        (("--terminate", "--ike", CONNECTION), NEAR),
        (("--terminate", "--ike", CONNECTION), FAR),
        (("--terminate", "--ike", CONNECTION, "--force"), NEAR),
    ],
)
def test_a_deleted_sa_is_a_failure_at_once(lab, what, end):
    async def test(found):
        await found.during(swanctl(lab, *what, end=end))
        outcomes = [sample.outcome for _, sample in found.samples]
        first = outcomes.index(Outcome.FAIL)
        assert set(outcomes[:first]) <= {Outcome.OK}
        assert set(outcomes[first:]) == {Outcome.FAIL}
        # It was reported before the next one of these came.
        assert len(found.reported) == 1
        assert found.samples[first - 1][0] < found.reported[0] <= found.samples[first][0]
        await found.during(swanctl(lab, "--initiate", "--child", CHILD))
        assert (await found.take()).outcome is Outcome.OK

    seen(lab, test)


def test_an_unloaded_connection_is_no_failure_while_its_sa_is_there(lab):
    async def test(found):
        lab.hosts[NEAR].run("rm", FILE)
        await found.during(swanctl(lab, "--load-conns"))
        assert found.outcomes() == {Outcome.OK}
        await found.during(swanctl(lab, "--terminate", "--ike", CONNECTION))
        assert (await found.take()).outcome is Outcome.FAIL
        assert Outcome.ERROR not in found.outcomes()

    seen(lab, test)


def test_a_frozen_charon_is_an_error_and_never_a_failure(lab):
    async def test(found):
        signalled(lab, "STOP")
        try:
            began = time.monotonic()
            at, _ = await found.until(Outcome.ERROR)
            assert at - began < TIMEOUT_S + 0.5
            await found.during(lambda: time.sleep(1))
            assert found.samples[-1][1].outcome is Outcome.ERROR
        finally:
            signalled(lab, "CONT")
        await found.until(Outcome.OK)
        assert Outcome.FAIL not in found.outcomes()
        assert found.reported == []

    seen(lab, test)


def test_a_killed_charon_is_an_error_until_it_is_back(lab, tunnel):
    async def test(found):
        tunnel.kill()
        await found.until(Outcome.ERROR)
        await found.during(lambda: time.sleep(0.5))
        assert found.samples[-1][1].outcome is Outcome.ERROR
        assert Outcome.FAIL not in found.outcomes()
        tunnel.start()
        await found.during(tunnel.load)
        await found.until(Outcome.FAIL)  # it has no SA yet
        await found.during(tunnel.initiate)
        assert (await found.take()).outcome is Outcome.OK

    seen(lab, test)


def test_the_path_is_down_before_the_next_probe_of_a_slow_interval(lab):
    config = rekeys.CONFIG.replace('profile = "fast"', 'profile = "fast"\ninterval = "5s"')
    daemon = rekeys.watch_tunnel(lab, NEAR, config.replace("rise = 40", "rise = 1\nfall = 3"))
    try:
        since = time.time()
        swanctl(lab, "--terminate", "--ike", CONNECTION)()

        def down():
            return [e for e in daemon.events("verdict", since) if e["after"] == "down"]

        wait_for(down, 3, "the path to be down")
        probe = daemon.status()["paths"]["tunnel"]["probes"]["sa"]
        assert probe["outcome"] == "fail"
        assert probe["detail"].startswith(f"no CHILD_SA {CHILD} is INSTALLED")
    finally:
        daemon.kill()


def test_no_rekey_under_traffic_is_a_failure(lab):
    assert rekeys.campaign(lab, 20, random.Random(1)) == []
