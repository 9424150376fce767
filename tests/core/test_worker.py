"""Plain methods: one call at a time in a thread, and who is told that it is so."""

import asyncio
import functools
import threading

import msgspec
import pytest

from havpn_core.config.instances import Config, Instance, PathConfig
from havpn_core.config.options import NodeOptions
from havpn_core.errors import CallBusy, CallOverdue
from havpn_core.plugging.descriptors import ProbeType, Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.mode import type_is_async
from havpn_core.plugging.protocols import Probe
from havpn_core.timing.promised import in_threads
from tests.core.profile import profile


class Gated:
    """A plain probe that waits for a gate; notes what it is given."""

    def __init__(self):
        self.gate, self.given = threading.Event(), []

    def check(self, timeout_s):
        self.given.append(timeout_s)
        self.gate.wait(30)
        return Sample.ok(0.001)

    def close(self): ...


def test_a_call_waits_for_the_thread_and_gets_what_is_left_of_its_timeout():
    async def run():
        caller = Caller(probe := Gated(), "p")
        assert (caller.overlaps, caller.mode) == (False, "thread")
        first, second = caller.begin_check(20.0), caller.begin_check(20.0)
        with pytest.raises(CallBusy):
            caller.begin_check(20.0)
        await asyncio.sleep(0.05)
        assert len(probe.given) == 1
        probe.gate.set()
        assert await first == await second == Sample.ok(0.001)
        assert probe.given[0] == 20.0
        assert 10 < probe.given[1] <= 20.0 - 0.05
        await caller.close()

    asyncio.run(run())


def test_a_call_that_was_given_up_is_never_started():
    async def run():
        caller = Caller(probe := Gated(), "p")
        first = caller.begin_check(20.0)
        for _ in range(3):
            given_up = caller.begin_check(20.0)
            given_up.cancel()
        probe.gate.set()
        await first
        await caller.check(20.0, 20.0)
        assert len(probe.given) == 2
        await caller.close()

    asyncio.run(run())


def test_a_thread_that_hangs_is_a_timeout_each_time_and_no_error():
    async def run():
        caller = Caller(probe := Gated(), "p")
        for _ in range(3):
            with pytest.raises(CallOverdue):
                await caller.check(0.05, 0.05)
        assert len(probe.given) == 1
        probe.gate.set()
        while caller.worker.busy:
            await asyncio.sleep(0.001)
        assert await caller.check(5.0, 5.0) == Sample.ok(0.001)
        await caller.close()

    asyncio.run(run())


class Plain:
    def check(self, timeout_s): ...


class Async:
    async def check(self, timeout_s): ...


class Inherits(Async):
    pass


class Lazy:
    def __init__(self, options, context):
        self.check = Async().check


def annotated(options: object, context: object) -> Async:
    return Async()


def says_probe(options: object, context: object) -> Probe:
    return Async()


def unresolvable(options: object, context: object) -> "Nowhere":  # noqa: F821
    return Async()


class Hostile(type):
    def __getattribute__(cls, name):
        raise SystemExit(1)


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (Plain, False),
        (Async, True),
        (Inherits, True),
        (annotated, True),
        (functools.partial(annotated, context=None), True),
        (functools.partial(Plain), False),
        (lambda options, context: Async(), None),
        (Lazy, None),
        (says_probe, None),
        (unresolvable, None),
    ],
)
def test_a_type_says_where_its_probes_run_as_far_as_it_can(build, found):
    assert type_is_async(ProbeType("tried", "", msgspec.Struct, build), "check") is found


def test_a_type_that_ends_the_program_when_it_is_looked_at_says_nothing():
    hostile = ProbeType("tried", "", msgspec.Struct, Hostile("Bad", (), {}))
    assert type_is_async(hostile, "check") is None


def test_check_builds_what_no_type_tells(tmp_path):
    def refuses(options, context):
        raise SystemExit(1)

    builds = {"a": lambda *_: Async(), "b": Lazy, "c": lambda *_: Plain(), "d": refuses}
    probes = []
    for name, build in builds.items():
        kind = ProbeType("tried", "", msgspec.Struct, build)
        probes.append(Instance(f"path.vpn1.probe.{name}", "tried", kind, msgspec.Struct(), 1.0))
    path = PathConfig("vpn1", profile("fast"), tuple(probes))
    node = NodeOptions(run_dir=str(tmp_path))
    config = Config(tmp_path / "havpn.toml", node, (), (path,), (), (), None)
    assert in_threads(config, path) == ["c", "d"]
