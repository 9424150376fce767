import asyncio
import itertools
import socket
import time

import msgspec
import pytest
from havpn_plugins.probes import udp_echo
from probe_world import (
    built,
    closed,
    descriptors,
    echo,
    run,
    silence,
    udp_service,
    until,
)

from havpn_core import Outcome
from havpn_core.plugging.gate.calls import Caller
from tests.ports import free_port

[TYPE] = udp_echo.havpn_register_probes()


def asking(world, scenario, **options):
    """Run a scenario on a probe that asks 127.0.0.1 unless told otherwise."""

    async def play():
        options.setdefault("host", "127.0.0.1")
        async with built(TYPE, world, **options) as probe:
            return await scenario(probe)

    return run(play())


def test_an_echo_is_ok_and_has_a_latency(world):
    async def scenario():
        async with udp_service() as far, built(TYPE, world, host="127.0.0.1", port=far.port) as p:
            return await p.check(5)

    sample = run(scenario())
    assert sample.outcome is Outcome.OK
    assert 0 < sample.latency_s < 5


def test_ipv6_is_asked_as_well(world):
    async def scenario():
        async with (
            udp_service(address="::1") as far,
            built(TYPE, world, host="::1", port=far.port) as probe,
        ):
            return await probe.check(5)

    assert run(scenario()).outcome is Outcome.OK


@pytest.mark.parametrize("size", [5, 16, 17, 1400])
def test_the_question_has_the_size_asked_for(world, size):
    async def scenario():
        async with (
            udp_service() as far,
            built(TYPE, world, host="127.0.0.1", port=far.port, size=size) as probe,
        ):
            return await probe.check(5), far.asked

    sample, asked = run(scenario())
    assert sample.outcome is Outcome.OK
    assert [len(data) for data, _ in asked] == [size]


def test_questions_in_flight_overlap_and_each_gets_its_own_answer(world):
    held = []

    def hold(service, data, sender):
        held.append((data, sender))
        if len(held) == 20:
            for each in reversed(held):
                service.transport.sendto(*each)

    async def scenario():
        async with (
            udp_service(hold) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            return await asyncio.gather(*(probe.check(5) for _ in range(20)))

    samples = run(scenario())
    assert [sample.outcome for sample in samples] == [Outcome.OK] * 20
    assert len({data for data, _ in held}) == 20


def test_an_answer_to_one_question_is_none_to_the_others(world):
    def answer_second_only(service, data, sender):
        if len(service.asked) == 2:
            service.transport.sendto(data, sender)

    async def scenario():
        async with (
            udp_service(answer_second_only) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            return await asyncio.gather(*(probe.check(0.4) for _ in range(3)))

    outcomes = [sample.outcome for sample in run(scenario())]
    assert outcomes == [Outcome.FAIL, Outcome.OK, Outcome.FAIL]


def test_late_answer_counts_for_nobody(world):
    """The first answer comes while the second question is waiting, and must not serve it."""

    async def scenario():
        async with (
            udp_service(silence) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            long = asyncio.ensure_future(probe.check(1.5))  # keeps the first socket open
            await until(lambda: far.asked)
            first = await probe.check(0.1)
            second = asyncio.ensure_future(probe.check(0.5))
            await until(lambda: len(far.asked) == 3)
            late, _ = far.asked[1]
            for sender in {sender for _, sender in far.asked}:
                far.transport.sendto(late, sender)
            return first, await second, await long

    assert [sample.outcome for sample in run(scenario())] == [Outcome.FAIL] * 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"",
    ],
    ids=["shorter", "longer", "nonce", "padding", "empty"],
)
def test_an_answer_that_is_not_the_whole_question_does_not_count(world, spoil):
    def spoilt(service, data, sender):
        service.transport.sendto(spoil(data), sender)

    async def scenario():
        async with (
            udp_service(spoilt) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port, size=40) as probe,
        ):
            return await probe.check(0.3), len(far.asked)

    sample, asked = run(scenario())
    assert (sample.outcome, asked) == (Outcome.FAIL, 1)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"], ids=["port", "address"])
def test_an_answer_from_a_stranger_does_not_count(world, address):
    """The stranger knows the nonce, but has another port, or the right port elsewhere."""

    async def scenario():
        async with udp_service(silence) as far:
            port = far.port if address != "127.0.0.1" else 0
            async with udp_service(address=address, port=port) as stranger:
                far.conduct = lambda _, data, sender: stranger.transport.sendto(data, sender)
                async with built(TYPE, world, host="127.0.0.1", port=far.port) as probe:
                    return await probe.check(0.3), len(far.asked)

    sample, asked = run(scenario())
    assert (sample.outcome, asked) == (Outcome.FAIL, 1)


def test_refused_fails_at_once_and_says_so(world):
    port = free_port()

    async def scenario(probe):
        started = asyncio.get_running_loop().time()
        sample = await probe.check(10)
        return sample, asyncio.get_running_loop().time() - started

    sample, took = asking(world, scenario, port=port)
    assert sample.outcome is Outcome.FAIL
    assert "connection refused" in sample.detail.lower()
    assert took < 5


def test_every_refused_question_is_a_fail(world):
    """Also those whose send reports an earlier one's refusal."""
    port = free_port()

    async def scenario(probe):
        return [(await probe.check(2)).outcome for _ in range(10)]

    assert asking(world, scenario, port=port) == [Outcome.FAIL] * 10


def test_the_deadline_holds_and_the_service_was_asked(world):
    async def scenario():
        loop = asyncio.get_running_loop()
        async with (
            udp_service(silence) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            started = loop.time()
            sample = await probe.check(0.3)
            return sample, loop.time() - started, len(far.asked)

    sample, took, asked = run(scenario())
    assert (sample.outcome, asked) == (Outcome.FAIL, 1)
    assert 0.29 <= took < 3


def test_an_answer_already_here_wins_over_a_deadline_noticed_late(world):
    """The loop is held up past the deadline while the answer waits in the socket."""

    async def scenario():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            far.bind(("127.0.0.1", 0))
            far.settimeout(5)
            port = far.getsockname()[1]
            async with built(TYPE, world, host="127.0.0.1", port=port) as probe:
                question = asyncio.ensure_future(probe.check(0.2))
                await asyncio.sleep(0.05)
                far.sendto(*far.recvfrom(100))
                # Nobody but the loop itself can find the answer during this.
                time.sleep(0.4)
                return await question

    assert run(scenario()).outcome is Outcome.OK


def test_after_a_fail_the_next_question_has_another_port(world):
    async def scenario():
        async with (
            udp_service(silence) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            for _ in range(5):
                await probe.check(0.05)
            return far.ports

    ports = run(scenario())
    assert len(ports) == 5
    assert all(before != after for before, after in itertools.pairwise(ports))


def test_while_it_answers_the_port_stays(world):
    async def scenario():
        async with (
            udp_service() as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            for _ in range(5):
                await probe.check(5)
            return far.ports

    ports = run(scenario())
    assert len(ports) == 5
    assert len(set(ports)) == 1


def test_a_fresh_socket_breaks_no_question_in_flight_on_the_old_one(world):
    async def scenario():
        async with (
            udp_service(silence) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            slow = asyncio.ensure_future(probe.check(5))
            await until(lambda: far.asked)
            failed = await probe.check(0.05)
            far.conduct = echo
            after = await probe.check(5)
            echo(far, *far.asked[0])
            return failed, after, await slow, far.ports

    failed, after, slow, ports = run(scenario())
    assert [failed.outcome, after.outcome, slow.outcome] == [Outcome.FAIL, Outcome.OK, Outcome.OK]
    assert ports[0] == ports[1] != ports[2]


@pytest.mark.parametrize("change", ["network", "address"])
def test_a_change_of_the_network_or_of_the_address_opens_a_fresh_socket(world, change):
    world.names["far.example"] = "127.0.0.1"

    async def scenario():
        async with (
            udp_service(address="0.0.0.0") as far,
            built(TYPE, world, host="far.example", port=far.port) as probe,
        ):
            first = await probe.check(5)
            if change == "network":
                world.changes += 1
            else:
                world.names["far.example"] = "127.0.0.3"
            # An echo from the wildcard address would come from 127.0.0.1.
            second = await probe.check(0.3)
            return first, second, far.ports

    first, second, ports = run(scenario())
    assert first.outcome is Outcome.OK
    assert change != "network" or second.outcome is Outcome.OK
    assert ports[0] != ports[1]


def test_a_name_without_address_is_an_error_and_comes_right(world):
    world.names["far.example"] = None

    async def scenario():
        async with (
            udp_service() as far,
            built(TYPE, world, host="far.example", port=far.port) as probe,
        ):
            before = await probe.check(5)
            world.names["far.example"] = "127.0.0.1"
            return before, await probe.check(5)

    before, after = run(scenario())
    assert before.outcome is Outcome.ERROR
    assert "far.example" in before.detail
    assert after.outcome is Outcome.OK


@pytest.mark.parametrize(
    "options", [{"device": "nosuchdev0"}, {"source": "192.0.2.77"}], ids=["device", "source"]
)
def test_a_missing_device_or_source_is_a_fail(world, options):
    async def scenario(probe):
        return await probe.check(5)

    sample = asking(world, scenario, port=9, **options)
    assert sample.outcome is Outcome.FAIL
    assert sample.detail


def test_the_source_asked_for_is_the_source(world):
    async def scenario():
        async with (
            udp_service() as far,
            built(TYPE, world, host="127.0.0.1", port=far.port, source="127.9.9.9") as probe,
        ):
            return await probe.check(5), far.asked[0][1][0]

    sample, source = run(scenario())
    assert (sample.outcome, source) == (Outcome.OK, "127.9.9.9")


def test_no_descriptor_is_left_after_failures_and_close(world):
    async def scenario():
        async with udp_service(silence) as far:
            before = descriptors()
            async with built(TYPE, world, host="127.0.0.1", port=far.port) as probe:
                await asyncio.gather(*(probe.check(0.05) for _ in range(5)))
                for _ in range(20):
                    await probe.check(0.02)
                while_open = descriptors()
                await closed(probe)
                await closed(probe)
                return before, while_open, descriptors()

    before, while_open, after = run(scenario())
    assert while_open <= before + 2
    assert after == before


def test_closing_ends_questions_in_flight_without_blaming_the_line(world):
    async def scenario():
        async with (
            udp_service(silence) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            question = asyncio.ensure_future(probe.check(20))
            await until(lambda: far.asked)
            await closed(probe)
            return await asyncio.wait_for(question, 5)

    assert run(scenario()).outcome is Outcome.ERROR


def test_the_core_closes_it_on_the_loop(world):
    """In debug mode asyncio raises where another thread touches it."""

    async def scenario():
        asyncio.get_running_loop().set_debug(True)
        async with udp_service(silence) as far:
            options = msgspec.convert({"host": "127.0.0.1", "port": far.port}, TYPE.config)
            caller = Caller(TYPE.build(options, world.context()), "probe")
            question = asyncio.ensure_future(caller.call("check", 20.0, deadline_s=21))
            await until(lambda: far.asked)
            return await caller.close(), await asyncio.wait_for(question, 5)

    problem, sample = run(scenario())
    assert problem is None
    assert sample.outcome is Outcome.ERROR


def test_a_source_that_is_no_address_is_refused_before_it_can_fail_a_line():
    with pytest.raises(msgspec.ValidationError, match="is no IP address"):
        msgspec.convert({"host": "far", "source": "192.0.2.x"}, TYPE.config)
    with pytest.raises(msgspec.ValidationError, match="mix IPv4 and IPv6"):
        msgspec.convert({"host": "192.0.2.6", "source": "2001:db8::2"}, TYPE.config)


@pytest.mark.parametrize(
    "wrong", [{}, {"host": ""}, {"host": "h", "port": 0}, {"host": "h", "size": 4}]
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, TYPE.config)


def test_defaults_are_the_echo_service_of_rfc_862():
    options = msgspec.convert({"host": "far"}, TYPE.config)
    assert (options.port, options.bytes, options.family) == (7, 16, "any")


@pytest.mark.lab
class TestOnAWire:
    def service(self, wire, address, family=socket.AF_INET):
        with wire.inside(wire.far):
            far = socket.socket(family, socket.SOCK_DGRAM)
        far.setblocking(False)
        far.bind(address)
        return far

    def play(self, world, wire, far, within_s=10, **options):
        async def scenario():
            asyncio.get_running_loop().add_reader(far, lambda: far.sendto(*far.recvfrom(2000)))
            with wire.inside(wire.near):
                async with built(TYPE, world, **options) as probe:
                    return await probe.check(within_s)

        with far:
            return run(scenario())

    @pytest.mark.parametrize("options", [{}, {"device": "wan"}, {"source": "192.0.2.9"}])
    def test_source_and_device_of_the_line_work(self, world, wire, options):
        far = self.service(wire, ("192.0.2.2", 7))
        sample = self.play(world, wire, far, host="192.0.2.2", **options)
        assert sample.outcome is Outcome.OK, sample.detail

    def test_link_local_scope_names_the_device(self, world, wire):
        with wire.inside(wire.far):
            index = socket.if_nametoindex("wan")
        far = self.service(wire, ("fe80::2", 7, 0, index), socket.AF_INET6)
        sample = self.play(world, wire, far, host="fe80::2%wan")
        assert sample.outcome is Outcome.OK, sample.detail

    def test_another_device_than_the_line_s_does_not_reach_it(self, world, wire):
        far = self.service(wire, ("192.0.2.2", 7))
        sample = self.play(world, wire, far, 2, host="192.0.2.2", device="lo")
        assert sample.outcome is Outcome.FAIL

    def test_an_unreachable_network_is_a_fail(self, world, wire):
        far = self.service(wire, ("192.0.2.2", 7))
        sample = self.play(world, wire, far, host="198.51.100.1")
        assert sample.outcome is Outcome.FAIL
        assert "unreachable" in sample.detail

    def test_it_comes_right_after_the_device_and_its_address_were_gone(self, world, wire):
        async def scenario():
            outcomes = []
            with wire.inside(wire.near):
                async with built(
                    TYPE, world, host="192.0.2.2", device="wan", source="192.0.2.1"
                ) as probe:
                    outcomes.append((await probe.check(2)).outcome)
                    wire.ip(wire.near, "address", "del", "192.0.2.1/24", "dev", "wan")
                    world.changes += 1
                    outcomes.append((await probe.check(0.3)).outcome)
                    wire.ip(wire.near, "address", "add", "192.0.2.1/24", "dev", "wan")
                    world.changes += 1
                    outcomes.append((await probe.check(2)).outcome)
            return outcomes

        async def with_service():
            loop = asyncio.get_running_loop()
            loop.add_reader(far, lambda: far.sendto(*far.recvfrom(2000)))
            return await scenario()

        with self.service(wire, ("192.0.2.2", 7)) as far:
            assert run(with_service()) == [Outcome.OK, Outcome.FAIL, Outcome.OK]


# --- large packets, unfragmented -----------------------------------------------------------------


def tunnel(**options):
    made = msgspec.convert({"host": "127.0.0.1", **options}, TYPE.config)
    return TYPE.watching(made, "tunnel")


def unfragmented(**options):
    return {"unfragmented": True, **options}


@pytest.mark.parametrize(
    ("watches", "given", "size", "whole"),
    [
        ("line", {}, 16, False),
        ("road", {}, 16, False),
        ("tunnel", {}, 1400, True),
        ("tunnel", {"size": 1500}, 1500, True),
        ("tunnel", {"size": 64}, 64, True),
        ("tunnel", {"report": True}, 1400, True),
        ("tunnel", {"unfragmented": False}, 16, False),
        ("line", {"unfragmented": True}, 1400, True),
        ("line", {"size": 1400}, 1400, False),
    ],
)
def test_what_watches_the_tunnel_is_large_and_whole(watches, given, size, whole):
    made = TYPE.watching(msgspec.convert({"host": "far", **given}, TYPE.config), watches)
    assert (made.bytes, made.unfragmented) == (size, whole)


@pytest.mark.parametrize(
    ("watches", "given", "said"),
    [
        ("line", {"size": 1401}, "write at most 1400"),
        ("line", {"report": True}, "with report, write at least 40"),
        ("tunnel", {"size": 63}, "with unfragmented, write at least 64"),
        ("tunnel", {"size": 87, "report": True}, "with unfragmented, write at least 88"),
    ],
)
def test_a_size_that_does_not_fit_what_is_watched_is_refused(watches, given, said):
    made = msgspec.convert({"host": "far", **given}, TYPE.config)
    with pytest.raises(ValueError, match=said):
        TYPE.watching(made, watches)


@pytest.mark.parametrize(("address", "payload"), [("127.0.0.1", 1372), ("::1", 1352)])
@pytest.mark.parametrize("report", [False, True])
def test_the_size_of_an_unfragmented_packet_counts_its_headers(world, address, payload, report):
    async def scenario():
        options = unfragmented(host=address, report=report)
        async with (
            udp_service(address=address) as far,
            built(TYPE, world, port=far.port, **options) as probe,
        ):
            return await probe.check(5), far.asked, probe.explanation()

    sample, asked, why = run(scenario())
    assert sample.outcome is Outcome.OK
    assert [len(data) for data, _ in asked] == [payload]
    assert why is None


def only_below(limit):
    def conduct(service, data, sender):
        if len(data) < limit:
            echo(service, data, sender)

    return conduct


@pytest.mark.parametrize("report", [False, True])
def test_small_packets_that_pass_are_told_from_large_ones_that_do_not(world, report):
    async def scenario():
        async with udp_service(only_below(1000)) as far:
            options = unfragmented(host="127.0.0.1", port=far.port, report=report)
            async with built(TYPE, world, **options) as probe:
                first = await probe.check(0.05)
                small_first = [len(data) for data, _ in far.asked]
                second = await probe.check(0.05)
                black = (first, second, probe.explanation(), probe.facts()["small_passes"])
                far.conduct = echo
                healed = await probe.check(5)
                after = (healed, probe.explanation(), probe.facts()["small_passes"])
                far.conduct = silence
                await probe.check(0.05)
                dead = await probe.check(0.05)
                await asyncio.sleep(0.05)
                return small_first, black, after, (dead, probe.facts()["small_passes"])

    small_first, black, after, dead = run(scenario())
    assert small_first == [1372], "nothing goes along before there is a doubt"
    said = "small packets pass, large ones do not"
    assert (black[0].detail, black[1].detail) == ("no reply", said)
    assert (black[1].outcome, black[2], black[3]) == (Outcome.FAIL, said, True)
    assert (after[0].outcome, after[1:]) == (Outcome.OK, (None, None))
    assert (dead[0].detail, dead[1]) == ("no reply", False)


def test_a_burst_knows_before_its_timeout_that_only_small_packets_pass(world):
    async def scenario():
        async with (
            udp_service(only_below(1000)) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port, unfragmented=True) as probe,
        ):
            checks = []
            for _ in range(5):
                probe.renew()
                checks.append(asyncio.ensure_future(probe.check(5)))
                await asyncio.sleep(0.01)
            await until(lambda: probe.explanation() is not None)
            pending = not any(check.done() for check in checks)
            for check in checks:
                check.cancel()
            await asyncio.gather(*checks, return_exceptions=True)
            return pending

    assert run(scenario())


def test_a_large_request_that_comes_back_cut_is_no_reply(world):
    def cut(service, data, sender):
        service.transport.sendto(data[:16], sender)

    async def scenario():
        async with (
            udp_service(cut) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port, unfragmented=True) as probe,
        ):
            return await probe.check(0.1)

    assert run(scenario()).outcome is Outcome.FAIL


@pytest.mark.lab
@pytest.mark.parametrize("host", ["192.0.2.2", "2001:db8::2"])
def test_a_packet_beyond_the_mtu_is_a_failure_that_says_so(world, wire, host):
    wire.ip(wire.near, "link", "set", "wan", "mtu", "1399")

    async def scenario(size):
        with wire.inside(wire.near):
            probe = TYPE.build(tunnel(host=host, size=size), world.context())
            sample = await probe.check(0.2)
        await closed(probe)
        return sample

    large = run(scenario(1400))
    assert large.outcome is Outcome.FAIL
    assert large.detail.startswith("small packets pass, large ones do not: it exceeds the MTU")
    assert run(scenario(1399)).detail != large.detail
