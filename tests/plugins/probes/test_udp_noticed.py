"""What a responder of HA-VPN says of its gateway, as the probe of the far end takes it."""

import contextlib
import dataclasses
import time

import msgspec
import pytest
from havpn_plugins.probes import udp_echo
from havpn_plugins.probes._conversation import NOTICES
from havpn_plugins.probes._echo import AWAY_S, STANDBY_S
from probe_world import closed, echo, run, silence, udp_service, until

from havpn_core.echo.report import AWAY, NO_ROAD, STANDBY, notice
from havpn_core.plugging.gate import calls

[TYPE] = udp_echo.havpn_register_probes()


@contextlib.asynccontextmanager
async def probing(world, clock=time.monotonic, **options):
    context = dataclasses.replace(world.context(), clock=clock)
    probe = TYPE.build(msgspec.convert({"host": "127.0.0.1"} | options, TYPE.config), context)
    try:
        yield probe
    finally:
        await closed(probe)


def instead(service, data, sender):
    service.transport.sendto(notice(AWAY, data), sender)


def beside(service, data, sender):
    service.transport.sendto(data, sender)
    service.transport.sendto(notice(STANDBY, data), sender)


def without_road(service, data, sender):
    service.transport.sendto(data, sender)
    service.transport.sendto(notice(NO_ROAD, data), sender)


def test_both_sides_mean_the_same():
    assert NOTICES == {AWAY: "away", STANDBY: "standby", NO_ROAD: "no road"}
    assert tuple(NOTICES.values()) == calls.NOTICES
    assert float("inf") == AWAY_S
    assert STANDBY_S == 3.0


@pytest.mark.parametrize("size", [5, 16, 40, 44, 1400])
@pytest.mark.parametrize(
    ("conduct", "word", "lasts_s"),
    [(instead, "away", 1e9), (beside, "standby", STANDBY_S), (without_road, "no road", STANDBY_S)],
)
def test_a_notice_counts_for_its_time_and_is_no_sample(world, size, conduct, word, lasts_s):
    now = 100.0

    async def scenario():
        nonlocal now
        async with (
            udp_service(conduct) as far,
            probing(world, lambda: now, port=far.port, size=size) as probe,
        ):
            said = [probe.noticed()]
            sample = await probe.check(0.1 if conduct is instead else 5)
            await until(lambda: probe.noticed() is not None)
            said.append(probe.noticed())
            for moment in (100.0 + lasts_s - 0.01, 100.0 + lasts_s):
                now = moment
                said.append(probe.noticed())
            return said, sample.outcome.value, sample.refused, probe.facts()["foreign"]

    assert run(scenario()) == (
        [None, word, word, word if conduct is instead else None],
        "fail" if conduct is instead else "ok",
        False,
        0,
    )


def test_a_reply_takes_back_that_it_falls_silent_and_not_that_it_stands_by(world):
    async def scenario():
        async with (
            udp_service(instead) as far,
            probing(world, lambda: 100.0, port=far.port) as probe,
        ):
            said = []
            await probe.check(0.1)
            said.append(probe.noticed())
            far.conduct = silence
            await probe.check(0.05)
            said.append(probe.noticed())
            far.conduct = beside
            await probe.check(5)
            await until(lambda: probe.noticed() == "standby")
            far.conduct = echo
            await probe.check(5)
            said.append(probe.noticed())
            return said

    assert run(scenario()) == ["away", "away", "standby"]


def test_the_last_word_counts(world):
    async def scenario():
        async with (
            udp_service(beside) as far,
            probing(world, lambda: 100.0, port=far.port) as probe,
        ):
            await probe.check(5)
            await until(lambda: probe.noticed() == "standby")
            far.conduct = instead
            await probe.check(0.1)
            return probe.noticed()

    assert run(scenario()) == "away"


@pytest.mark.parametrize(
    "forge",
    [
        lambda data: AWAY,
        lambda data: AWAY + b"x" * len(data[:40]),
        lambda data: AWAY + data[:39],
        lambda data: AWAY + data[:40] + b"x",
        lambda data: b"HAV\x06" + data[:40],
        lambda data: data[:40] + AWAY,
        lambda data: STANDBY[:3] + data[:40],
    ],
    ids=["bare", "other", "shorter", "longer", "magic", "turned", "cut"],
)
def test_a_notice_without_the_head_of_a_request_is_none(world, forge):
    def forged(service, data, sender):
        service.transport.sendto(forge(data), sender)

    async def scenario():
        async with udp_service(forged) as far, probing(world, port=far.port, size=44) as probe:
            sample = await probe.check(0.2)
            return probe.noticed(), sample.outcome.value, probe.facts()["foreign"]

    assert run(scenario()) == (None, "fail", 1)
