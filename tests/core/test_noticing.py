"""What a probe's target says of its gateway: through the gate, and what a path makes of it."""

import asyncio

import pytest

from havpn_core import Noticing, ProbeType, Sample
from havpn_core.config.instances import Instance, PathConfig
from havpn_core.config.options import ProbeOptions
from havpn_core.daemon.paths.path import PathRun
from havpn_core.plugging.gate.calls import NOTICES, Caller
from havpn_core.plugging.protocols import ABILITIES, able
from havpn_core.rules.hysteresis import Level, Verdict
from tests.core.profile import profile


class Target:
    """A probe whose target says something; ``None`` for a sample is silence."""

    def __init__(self, said=None, sample=None):
        self.said, self.sample = said, sample

    async def check(self, timeout_s):
        if self.sample is None:
            await asyncio.sleep(timeout_s)
            return Sample.fail("no reply")
        return self.sample

    def close(self):
        pass


class Tells(Target):
    def noticed(self):
        return self.said


class Breaks(Target):
    def noticed(self):
        raise OSError("gone")


@pytest.mark.parametrize(
    ("made", "gives"),
    [
        (Tells("away"), "away"),
        (Tells("standby"), "standby"),
        (Tells("no road"), "no road"),
        (Tells(), None),
        (Tells("asleep"), None),
        (Tells(b"away"), None),
        (Tells(["away"]), None),
        (Breaks(), None),
        (Target("away"), None),
    ],
)
def test_only_the_known_words_pass_the_gate(made, gives):
    caller = Caller(made, "echo")
    assert caller.noticed() == gives
    assert caller.notices is able(made, Noticing)


def test_the_words_are_these():
    assert NOTICES == ("away", "standby", "no road")
    assert ABILITIES[Noticing] == ("noticed",)


def path_of(*probes, damping=True):
    kind = ProbeType("own", "own", ProbeOptions, lambda options, context: None)
    names = [f"p{n}" for n in range(len(probes))]
    instances = tuple(
        Instance(f"path.vpn1.probe.{name}", "probe", kind, ProbeOptions(), 0) for name in names
    )
    options = profile("fast", interval="20ms", timeout="100ms", rise=3, damping=damping)
    callers = {name: Caller(each, name) for name, each in zip(names, probes, strict=True)}
    config = PathConfig("vpn1", options, instances)
    return PathRun(config, callers, Level.DOWN, lambda path, change: None)


@pytest.mark.parametrize(
    ("said", "stands_by"),
    [
        ([Tells()], False),
        ([Tells("standby")], True),
        ([Tells("away")], True),
        ([Target()], False),
        ([Tells("standby"), Tells()], True),
        ([Tells("away"), Tells()], False),  # it replies to the other
        ([Tells("away"), Target()], True),  # the other could not say so
        ([Tells("away"), Tells("standby")], True),
        ([Tells("away"), Tells("away")], True),
    ],
)
def test_who_stands_by(said, stands_by):
    async def look():
        return path_of(*said).far_stands_by

    assert asyncio.run(look()) is stands_by


@pytest.mark.parametrize(
    ("said", "without"),
    [((), False), ((Tells("no road"),), True), ((Tells(), Tells("no road")), True),
     ((Tells("standby"), Tells("away")), False)],
)  # fmt: skip
def test_who_serves_without_a_road(said, without):
    async def look():
        return path_of(*said).far_without_road

    assert asyncio.run(look()) is without


@pytest.mark.parametrize(("said", "flaps"), [("away", 0), ("standby", 1), (None, 1)])
def test_a_fall_that_the_far_gateway_announced_adds_no_penalty(said, flaps):
    async def run():
        target = Tells(sample=Sample.ok(0.001))
        path = path_of(target)
        running = asyncio.ensure_future(path.run())
        async with asyncio.timeout(20):
            while path.verdict is not Verdict.UP:
                await asyncio.sleep(0.005)
            target.sample, target.said = None, said
            while path.verdict is not Verdict.DOWN:
                await asyncio.sleep(0.005)
        figure = path.watch.memory.penalty(asyncio.get_running_loop().time())
        await path.close()
        await running
        return figure

    assert asyncio.run(run()) == pytest.approx(flaps, abs=0.1)
