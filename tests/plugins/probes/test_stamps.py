"""Arrival by the kernel's clock."""

import asyncio
import socket
import struct
import time

from havpn_plugins._sockets import SO_TIMESTAMPNS, STAMP_BYTES, age_s, stamp_arrivals
from havpn_plugins.probes import udp_echo
from probe_world import built, run, udp_service

from havpn_core import Outcome

[TYPE] = udp_echo.havpn_register_probes()


def at(seconds, nanoseconds):
    return [(socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@qq", seconds, nanoseconds))]


def test_age_is_now_less_the_stamp():
    assert age_s(at(100, 500_000_000), 100_700_000_000) == 0.2


def test_a_clock_set_meanwhile_is_not_believed():
    assert age_s(at(100, 0), 99 * 10**9) == 0
    assert age_s(at(100, 0), 4000 * 10**9, most_s=60) == 0
    assert age_s(at(100, 0), 150 * 10**9, most_s=60) == 50


def test_old_news_stays_old_where_no_age_is_too_great():
    assert age_s(at(100, 0), 4000 * 10**9) == 3900


def test_no_stamp_means_now():
    assert age_s([], 10**18) == 0
    assert age_s([(socket.SOL_SOCKET, 2, b"x" * 16)], 10**18) == 0


def test_the_kernel_stamps_what_waits_in_the_socket():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        stamp_arrivals(made)
        time.sleep(0.5)  # the kernel begins to stamp a moment after the first socket asks for it
        made.sendto(b"x", made.getsockname())
        time.sleep(0.2)
        _, ancillary, _, _ = made.recvmsg(100, STAMP_BYTES)
        assert 0.19 < age_s(ancillary, time.time_ns()) < 2


def test_a_busy_loop_does_not_make_an_answer_late(world):
    """The answer is there after a moment; the loop reads it half a second later."""

    async def scenario():
        async with (
            udp_service() as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            asking = asyncio.ensure_future(probe.check(0.2))
            while not far.asked:
                await asyncio.sleep(0)
            time.sleep(0.5)
            return await asking

    sample = run(scenario())
    assert sample.outcome is Outcome.OK
    assert sample.latency_s < 0.2


def test_an_answer_after_the_timeout_fails_though_it_is_read_before_the_timer(world):
    async def scenario():
        loop = asyncio.get_running_loop()

        def late(service, data, sender):
            time.sleep(0.3)
            service.transport.sendto(data, sender)

        async with (
            udp_service(late) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            before = loop.time()
            sample = await probe.check(0.1)
            return sample, loop.time() - before

    sample, _ = run(scenario())
    assert sample.outcome is Outcome.FAIL


def test_renew_leaves_from_another_port_and_loses_no_answer(world):
    waiting = []

    async def scenario():
        async with (
            udp_service(lambda far, data, sender: waiting.append((data, sender))) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            first = asyncio.ensure_future(probe.check(5))
            await asyncio.sleep(0.05)
            probe.renew()
            second = asyncio.ensure_future(probe.check(5))
            while len(waiting) < 2:
                await asyncio.sleep(0.01)
            for data, sender in waiting:
                far.transport.sendto(data, sender)
            return (await first).outcome, (await second).outcome, far.ports

    first, second, ports = run(scenario())
    assert (first, second) == (Outcome.OK, Outcome.OK)
    assert ports[0] != ports[1]
