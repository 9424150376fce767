"""A path at work records what its line loses: each probe of the cadence once, no burst, no void."""

import asyncio
import random

from havpn_core.config.instances import PathConfig
from havpn_core.daemon.paths.path import PathRun
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.hysteresis import Level
from tests.core.profile import profile


class Line:
    """Loses every second probe or more, at random; what it sent is counted."""

    def __init__(self, bad="fail"):
        self.sent, self.bad, self.chance = 0, bad, random.Random(2)

    async def check(self, timeout_s):
        self.sent += 1
        if self.chance.random() < 0.5:
            return Sample.fail("gone") if self.bad == "fail" else Sample.error("no permission")
        return Sample.ok(0.0001)

    def close(self):
        pass


def at_work(line, enough):
    """Run a path until so many probes were sent; gives it and the time then."""

    async def run():
        options = profile("fast", interval="5ms", confirm="2ms", fall=300, rise=400)
        path = PathRun(
            PathConfig("vpn1", options, ()), {"echo": Caller(line, "echo")}, Level.UP,
            lambda path, change: None,
        )  # fmt: skip
        work = asyncio.ensure_future(path.run())
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(60):
            while not enough(path, loop.time()):
                await asyncio.sleep(0.01)
        found = path.losses.found(loop.time())
        await path.close()
        await work
        return found

    return asyncio.run(run())


def test_the_probes_of_the_cadence_count_and_those_of_bursts_do_not():
    line = Line()
    found = at_work(line, lambda path, now: path.losses.found(now))
    assert 0.3 < found.share < 0.7
    assert 200 <= found.samples < 230
    assert line.sent > found.samples * 1.2, "a burst follows each loss"


def test_what_could_not_be_tested_is_no_loss():
    line = Line("error")
    found = at_work(line, lambda path, now: path.losses.found(now))
    assert found.share == 0.0
    assert line.sent > 300
