"""A refusal by the target itself says that its host lives; all others are failures."""

import asyncio
import contextlib
import dataclasses
import socket
import struct
import subprocess
import time

import msgspec
import pytest
from havpn_plugins.probes import udp_echo
from havpn_plugins.probes._conversation import GOODBYE, GOODBYE_S, REFUSAL_S, Recent
from havpn_plugins.probes._echo import SETTLING_S
from probe_world import (
    _namespace,
    built,
    closed,
    echo,
    laid_wire,
    run,
    silence,
    udp_service,
    until,
)

from havpn_core import Outcome, Sample
from tests.ports import free_port

[TYPE] = udp_echo.havpn_register_probes()
REFUSED = Sample.refusal("connection refused: the far host lives, no responder listens there")


def kind(sample):
    return "refused" if sample.refused else sample.outcome.value


@contextlib.asynccontextmanager
async def probing(world, clock=time.monotonic, **options):
    """Build a probe with a clock of its own."""
    context = dataclasses.replace(world.context(), clock=clock)
    probe = TYPE.build(msgspec.convert(options, TYPE.config), context)
    try:
        yield probe
    finally:
        await closed(probe)


# --- on loopback -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("size", [5, 16, 40, 1400])
def test_a_closed_port_of_the_target_is_a_refusal(world, host, size):
    async def scenario():
        async with built(TYPE, world, host=host, port=free_port(), size=size) as probe:
            return [await probe.check(5) for _ in range(3)]

    assert run(scenario()) == [REFUSED] * 3


def test_a_refusal_with_a_report_is_one_too(world):
    async def scenario():
        async with built(
            TYPE, world, host="127.0.0.1", port=free_port(), size=64, report=True
        ) as probe:
            return await probe.check(5)

    assert run(scenario()) == REFUSED


def test_all_that_are_under_way_are_refused_each_for_itself(world):
    async def scenario():
        async with built(TYPE, world, host="127.0.0.1", port=free_port()) as probe:
            return await asyncio.gather(*(probe.check(5) for _ in range(20)))

    assert run(scenario()) == [REFUSED] * 20


def test_an_error_of_an_earlier_request_costs_no_later_one(world):
    """It stands in the socket as the next request is sent, and that must leave all the same."""
    port = free_port()

    async def scenario():
        async with built(TYPE, world, host="127.0.0.1", port=port) as probe:
            refused = asyncio.ensure_future(probe.check(5))
            await asyncio.sleep(0)  # it is sent, and nobody reads the error yet
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
                far.bind(("127.0.0.1", port))
                far.settimeout(5)
                later = asyncio.ensure_future(probe.check(5))
                await asyncio.sleep(0)
                far.sendto(*far.recvfrom(100))
                return kind(await refused), kind(await later)

    assert run(scenario()) == ("refused", "ok")


def test_a_responder_that_comes_back_is_heard_with_the_first_request(world):
    port = free_port()

    async def scenario():
        async with built(TYPE, world, host="127.0.0.1", port=port) as probe:
            before = [await probe.check(5) for _ in range(3)]
            async with udp_service(port=port) as far:
                after = [await probe.check(5) for _ in range(3)]
                return [kind(s) for s in before + after], len(far.asked), len(set(far.ports))

    assert run(scenario()) == (["refused"] * 3 + ["ok"] * 3, 3, 1)


def test_silence_after_a_refusal_is_one_until_a_reply_comes_or_time_is_over(world):
    """Kernels limit how many refusals they send."""
    port, now = free_port(), 100.0

    async def scenario():
        nonlocal now
        said = []
        async with probing(world, lambda: now, host="127.0.0.1", port=port) as probe:

            async def check(after_s=0.0):
                nonlocal now
                now += after_s
                said.append((probe.refusing(), kind(await probe.check(0.05))))

            await check()
            async with udp_service(silence, port=port) as far:
                await check(REFUSAL_S - 0.1)
                await check(0.2)  # long after the refusal
            await asyncio.sleep(0)  # the service's socket is closed a turn later
            await check()
            async with udp_service(port=port) as far:
                await check()
                far.conduct = silence
                await check(SETTLING_S - 0.1)
                await check(0.2)  # its daemon has started
        return said

    assert run(scenario()) == [
        (False, "refused"),
        (True, "refused"),
        (False, "fail"),
        (False, "refused"),
        (True, "ok"),
        (True, "refused"),
        (False, "fail"),
    ]


def test_replies_of_a_responder_that_started_again_do_not_keep_its_silence_excused(world):
    port, now = free_port(), 100.0

    async def scenario():
        nonlocal now
        async with probing(world, lambda: now, host="127.0.0.1", port=port) as probe:
            said = [kind(await probe.check(0.05))]
            now += REFUSAL_S - SETTLING_S / 2
            async with udp_service(port=port) as far:
                for _ in range(4):
                    said.append(kind(await probe.check(5)))
                    now += SETTLING_S / 4
                far.conduct = silence
                said.append(kind(await probe.check(0.05)))
        return said

    assert run(scenario()) == ["refused", "ok", "ok", "ok", "ok", "fail"]


def test_a_refusal_names_its_request_whatever_its_length():
    recent = Recent()
    recent.add(b"large", b"L" * 100, 10.0)
    recent.add(b"small", b"s" * 16, 11.0)
    assert recent.named(b"L" * 60) == b"large"
    assert recent.named(b"s" * 16) == b"small"
    assert recent.named(b"L" * 60, since_s=10.5) is None
    assert recent.named(b"L" * 16) is None
    assert recent.whole(b"L" * 16) and not recent.whole(b"L" * 15)


# --- the goodbye of a responder that stops ----------------------------------------------------


def parting(service, data, sender):
    """Reply, and say goodbye: as a responder that stops after this request."""
    service.transport.sendto(data, sender)
    service.transport.sendto(GOODBYE + data[:40], sender)
    service.conduct = silence


@pytest.mark.parametrize("size", [5, 16, 40, 44, 100])
def test_silence_after_a_goodbye_is_a_refusal_for_two_seconds(world, size):
    now = 100.0

    async def scenario():
        nonlocal now
        async with (
            udp_service(parting) as far,
            probing(world, lambda: now, host="127.0.0.1", port=far.port, size=size) as probe,
        ):
            said = [kind(await probe.check(5))]
            await until(probe.refusing)
            said.append(kind(await probe.check(0.05)))
            now += GOODBYE_S - 0.01
            said.append(kind(await probe.check(0.05)))
            now += 0.01
            said.append(kind(await probe.check(0.05)))
            return said, probe.facts()["foreign"]

    assert run(scenario()) == (["ok", "refused", "refused", "fail"], 0)


def test_a_goodbye_may_follow_a_request_before_the_last(world):
    """More are under way by the time that it comes."""

    async def scenario():
        async with (
            udp_service(silence) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port) as probe,
        ):
            checks = [asyncio.ensure_future(probe.check(0.5)) for _ in range(3)]
            await until(lambda: len(far.asked) == 3)
            first, sender = far.asked[0]
            far.transport.sendto(GOODBYE + first[:40], sender)
            return [kind(await check) for check in checks]

    assert run(scenario()) == ["refused"] * 3


@pytest.mark.parametrize(
    "forge",
    [
        lambda data: GOODBYE,
        lambda data: GOODBYE + b"x" * len(data[:40]),
        lambda data: GOODBYE + data[:39],
        lambda data: GOODBYE + data[:40] + b"x",
        lambda data: b"HAV\x03" + data[:40],
        lambda data: data[:40] + GOODBYE,
    ],
    ids=["bare", "other", "shorter", "longer", "magic", "turned"],
)
def test_a_goodbye_without_the_head_of_a_request_is_none(world, forge):
    def forged(service, data, sender):
        service.transport.sendto(forge(data), sender)

    async def scenario():
        async with (
            udp_service(forged) as far,
            built(TYPE, world, host="127.0.0.1", port=far.port, size=60) as probe,
        ):
            said = [kind(await probe.check(0.1)) for _ in range(2)]
            return said, probe.refusing()

    assert run(scenario()) == (["fail"] * 2, False)


def test_a_reply_after_a_goodbye_ends_it(world):
    now = 100.0

    async def scenario():
        nonlocal now
        async with (
            udp_service(parting) as far,
            probing(world, lambda: now, host="127.0.0.1", port=far.port) as probe,
        ):
            await probe.check(5)
            await until(probe.refusing)
            far.conduct = echo
            after = await probe.check(5)
            now += GOODBYE_S
            return kind(after), probe.refusing()

    assert run(scenario()) == ("ok", False)


# --- on a wire: who sent it --------------------------------------------------------------------


def total(data):
    data += b"\0" * (len(data) % 2)
    found = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while found >> 16:
        found = (found & 0xFFFF) + (found >> 16)
    return ~found & 0xFFFF


def unreachable(offender, asked, sender, port, *, quoted=None, icmp=3, code=3):
    """Make an ICMP packet about a request that came, with IP header."""
    near = socket.inet_aton(sender[0])
    udp = struct.pack("!HHHH", sender[1], port, 8 + len(asked), 0) + asked
    inner = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0)
    original = inner + near + socket.inet_aton("192.0.2.2") + udp
    original = original[: None if quoted is None else 28 + quoted]
    body = struct.pack("!BBHI", icmp, code, 0, 0) + original
    body = body[:2] + struct.pack("!H", total(body)) + body[4:]
    outer = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0)
    return outer + socket.inet_aton(offender) + near + body


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        ({}, ["refused", "no reply"]),
        ({"offender": "192.0.2.77"}, ["connection refused", "no reply"]),
        ({"code": 1}, ["no route to host", "no reply"]),
        ({"code": 13}, ["no route to host", "no reply"]),
        ({"icmp": 11, "code": 0}, ["no route to host", "no reply"]),
        # Without a quote nobody knows whose it is, nor that its sender has seen a request.
        ({"quoted": 0}, ["connection refused", "connection refused"]),
        ({"quoted": 10}, ["connection refused", "connection refused"]),
        ({"asked": b"x" * 16}, ["no reply", "no reply"]),
    ],
    ids=["target", "router", "host", "prohibited", "ttl", "no-quote", "short-quote", "long-ago"],
)
def test_only_the_target_s_own_word_about_this_request_is_a_refusal(wire, world, forge, expected):
    """Two requests are under way, and an error comes about the first."""
    with wire.inside(wire.far):
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with far, raw:
        far.bind(("192.0.2.2", 7))
        far.settimeout(5)

        async def scenario():
            async with built(TYPE, world, host="192.0.2.2") as probe:
                with wire.inside(wire.near):
                    checks = [asyncio.ensure_future(probe.check(1)) for _ in range(2)]
                    await asyncio.sleep(0)
                asked = [far.recvfrom(100) for _ in range(2)]
                told = {"offender": "192.0.2.2", "asked": asked[0][0], **forge}
                packet = unreachable(told.pop("offender"), sender=asked[0][1], port=7, **told)
                raw.sendto(packet, (asked[0][1][0], 0))
                samples = [await check for check in checks]
                return ["refused" if s.refused else s.detail for s in samples]

        said = run(scenario())
        # A refusal makes the silence beside it one, too.
        assert said == (["refused", "refused"] if expected[0] == "refused" else expected)


@pytest.mark.parametrize("host", ["192.0.2.2", "2001:db8::2", "fe80::2%wan", "::ffff:192.0.2.2"])
def test_a_target_that_limits_its_refusals_refuses_all_the_same(wire, world, host):
    """Linux sends six at once and then one a second."""

    async def scenario():
        async with built(TYPE, world, host=host) as probe:
            with wire.inside(wire.near):
                return {kind(await probe.check(0.05)) for _ in range(60)}

    assert run(scenario()) == {"refused"}


@pytest.fixture
def routed():
    """Lay near 192.0.2.1, a router, and far 198.51.100.2, each in a namespace."""
    with laid_wire() as cable, _namespace() as far:
        router = cable.far
        cable.ip(router, "link", "add", "lan", "type", "veth", "peer", "wan", "netns", str(far))
        for pid, device, addresses in (
            (router, "lan", ["198.51.100.1/24", "2001:db8:1::1/64", "fe80::1/64"]),
            (far, "wan", ["198.51.100.2/24", "2001:db8:1::2/64", "fe80::2/64"]),
        ):
            cable.ip(pid, "link", "set", device, "addrgenmode", "none")
            cable.ip(pid, "link", "set", "lo", "up")
            cable.ip(pid, "link", "set", device, "up")
            for address in addresses:
                nodad = ["nodad"] if ":" in address else []
                cable.ip(pid, "address", "add", address, "dev", device, *nodad)
        cable.ip(cable.near, "route", "add", "198.51.100.0/24", "via", "192.0.2.2")
        cable.ip(far, "route", "add", "192.0.2.0/24", "via", "198.51.100.1")
        cable.ip(cable.near, "-6", "route", "add", "2001:db8:1::/64", "via", "2001:db8::2")
        cable.ip(far, "-6", "route", "add", "2001:db8::/64", "via", "2001:db8:1::1")
        inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        yield cable, router, far


def inside(pid, *command, text=None):
    words = ["nsenter", "-t", str(pid), "-n", *command]
    subprocess.run(words, check=True, capture_output=True, timeout=10, input=text, text=True)


def reject(pid, hook):
    rules = f"""
    table inet t {{
      chain c {{
        type filter hook {hook} priority 0
        udp dport 7 reject with icmpx type port-unreachable
      }}
    }}
    """
    inside(pid, "nft", "-f", "-", text=rules)


@pytest.mark.parametrize("host", ["198.51.100.2", "2001:db8:1::2"])
@pytest.mark.parametrize("who", ["router", "target", "nobody listens"])
def test_a_router_s_reject_is_a_failure_and_the_target_s_own_a_refusal(routed, world, host, who):
    cable, router, far = routed
    if who == "router":
        reject(router, "forward")
    elif who == "target":
        reject(far, "input")

    async def scenario():
        async with built(TYPE, world, host=host) as probe:
            with cable.inside(cable.near):
                return [await probe.check(1) for _ in range(3)]

    samples = run(scenario())
    assert {sample.outcome for sample in samples} == {Outcome.FAIL}
    if who == "router":
        assert [(s.refused, s.detail) for s in samples] == [(False, "connection refused")] * 3
    else:
        assert samples == [REFUSED] * 3
