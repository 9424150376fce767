import asyncio
import time

import pytest
from havpn_plugins.probes import arp
from probe_world import Surroundings, built, run

from havpn_core import Outcome

[TYPE] = arp.havpn_register_probes()


@pytest.fixture
def world():
    return Surroundings()


def check(wire, world, timeout_s=0.3, **options):
    async def probe():
        async with built(TYPE, world, **options) as probe:
            return await probe.check(timeout_s), await probe.check(timeout_s)

    with wire.inside(wire.near):
        return run(probe())


@pytest.mark.parametrize("host", ["192.0.2.2", "2001:db8::2", "fe80::2"])
def test_a_host_that_is_there_replies_at_once(wire, world, host):
    for sample in check(wire, world, device="wan", host=host):
        assert sample.outcome is Outcome.OK, sample
        assert 0 <= sample.latency_s < 0.2
        assert len(sample.detail.split(":")) == 6


@pytest.mark.parametrize("host", ["192.0.2.77", "2001:db8::77"])
def test_a_host_that_is_not_there_fails_at_the_timeout(wire, world, host):
    begun = time.monotonic()
    for sample in check(wire, world, device="wan", host=host):
        assert (sample.outcome, sample.detail) == (Outcome.FAIL, "no reply")
    assert 0.6 <= time.monotonic() - begun < 3


def test_an_own_address_gets_no_reply_from_the_lan(wire, world):
    assert check(wire, world, device="wan", host="192.0.2.1")[0].outcome is Outcome.FAIL


def test_a_device_that_is_not_there_or_down_fails(wire, world):
    assert check(wire, world, device="gone", host="192.0.2.2")[0].outcome is Outcome.FAIL
    assert "no ethernet" in check(wire, world, device="lo", host="192.0.2.2")[0].detail
    wire.ip(wire.far, "link", "set", "wan", "down")
    assert check(wire, world, device="wan", host="192.0.2.2")[0].outcome is Outcome.FAIL


def test_probes_may_overlap(wire, world):
    async def several():
        async with built(TYPE, world, device="wan", host="192.0.2.2") as probe:
            return await asyncio.gather(*(probe.check(1.0) for _ in range(20)))

    with wire.inside(wire.near):
        assert {sample.outcome for sample in run(several())} == {Outcome.OK}
