import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from havpn_plugins.probes import icmp
from hypothesis import given
from hypothesis import strategies as st
from probe_world import Surroundings, built, closed, descriptors, run

from havpn_core import Outcome

[TYPE] = icmp.havpn_register_probes()
INET, INET6 = 2, 10


def summed(data):
    """Add 16-bit words with end-around carry, as a receiver verifies (RFC 1071)."""
    total = 0
    padded = data + b"\0" * (len(data) % 2)
    for high, low in zip(padded[::2], padded[1::2], strict=True):
        total += high << 8 | low
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_the_checksum_of_the_rfc_s_example():
    assert icmp.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


@given(st.binary(max_size=80))
def test_data_with_its_checksum_sums_up_to_all_ones(data):
    even = data + b"\0" * (len(data) % 2)
    assert summed(even + icmp.checksum(even).to_bytes(2, "big")) == 0xFFFF


@given(st.binary(max_size=81).filter(lambda data: len(data) % 2))
def test_odd_data_counts_as_padded_with_zero(data):
    assert icmp.checksum(data) == icmp.checksum(data + b"\0")


def test_an_ipv4_request_byte_for_byte():
    frame = icmp.build_request(INET, 0x1234, 0x0002, b"abcdefgh")
    assert frame == bytes.fromhex("0800 5434 1234 0002") + b"abcdefgh"
    assert summed(frame) == 0xFFFF


def test_an_ipv6_request_leaves_the_checksum_to_the_kernel():
    frame = icmp.build_request(INET6, 0x1234, 0x0002, b"abcdefgh")
    assert frame == bytes.fromhex("8000 0000 1234 0002") + b"abcdefgh"


REPLY4 = bytes.fromhex("0000 0000 1234 0002") + b"abcdefgh"
REPLY6 = bytes.fromhex("8100 0000 1234 0002") + b"abcdefgh"
HEADER = bytes.fromhex("45000024000040004001f6d1c0000202c0000201")
WITH_OPTIONS = b"\x46" + HEADER[1:] + b"\x01\x01\x01\x00"


@pytest.mark.parametrize(
    ("family", "raw", "packet"),
    [
        (INET, False, REPLY4),
        (INET, True, HEADER + REPLY4),
        (INET, True, WITH_OPTIONS + REPLY4),
        (INET6, False, REPLY6),
        (INET6, True, REPLY6),
    ],
)
def test_a_reply_gives_its_payload(family, raw, packet):
    assert icmp.parse_reply(family, raw, 0x1234, packet) == b"abcdefgh"


@pytest.mark.parametrize(
    ("family", "raw", "packet"),
    [
        (INET, False, b""),
        (INET, True, b""),
        (INET, True, HEADER),
        (INET, False, REPLY4[:7]),
        (INET, False, b"\x08" + REPLY4[1:]),
        (INET, False, b"\x03" + REPLY4[1:]),
        (INET, False, b"\x00\x01" + REPLY4[2:]),
        (INET, False, REPLY6),
        (INET6, False, REPLY4),
        (INET, False, REPLY4[:4] + b"\x12\x35" + REPLY4[6:]),
    ],
    ids="empty,raw-empty,header-only,cut,request,unreachable,code,v6,v4,other-id".split(","),  # noqa: SIM905
)
def test_what_is_no_reply_to_us_gives_nothing(family, raw, packet):
    assert icmp.parse_reply(family, raw, 0x1234, packet) is None


@given(st.binary(max_size=60), st.booleans(), st.sampled_from([INET, INET6]))
def test_no_packet_breaks_the_parser(packet, raw, family):
    icmp.parse_reply(family, raw, 7, packet)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_this_host_answers(world, host):
    async def scenario():
        async with built(TYPE, world, host=host) as probe:
            return await asyncio.gather(*(probe.check(5) for _ in range(5)))

    samples = run(scenario())
    assert [sample.outcome for sample in samples] == [Outcome.OK] * 5, samples
    assert all(0 < sample.latency_s < 5 for sample in samples)


@pytest.mark.parametrize(
    "options", [{"device": "nosuchdev0"}, {"source": "192.0.2.77"}], ids=["device", "source"]
)
def test_a_missing_device_or_source_is_a_fail(world, options):
    async def scenario():
        async with built(TYPE, world, host="127.0.0.1", **options) as probe:
            return await probe.check(5)

    assert run(scenario()).outcome is Outcome.FAIL


def test_no_descriptor_is_left(world):
    async def scenario():
        before = descriptors()
        async with built(TYPE, world, host="127.0.0.1") as probe:
            for _ in range(5):
                world.changes += 1
                await probe.check(5)
            await closed(probe)
            return before, descriptors()

    before, after = run(scenario())
    assert after == before


def test_a_payload_too_small_for_the_nonce_is_refused():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"host": "h", "size": 4}, TYPE.config)


def play_inside(wire, statements, groups="1 0", prefix=()):
    """Run this very module's scenario in the near namespace, where sysctls are its own."""
    there = ["nsenter", "-t", str(wire.near), "-n"]
    subprocess.run(
        [*there, "sysctl", "-qw", f"net.ipv4.ping_group_range={groups}"],
        check=True, capture_output=True, timeout=10,
    )  # fmt: skip
    code = f"import test_icmp as t\n{statements}"
    done = subprocess.run(
        [*there, *prefix, sys.executable, "-c", code],
        cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def show(**options):
    """Print two outcomes, and what kind of socket gave them."""

    async def scenario():
        async with built(TYPE, Surroundings(), **options) as probe:
            print((await probe.check(1)).outcome.name, (await probe.check(1)).outcome.name)

    run(scenario())


def explain(**options):
    """Print what is said of a probe that fails."""

    async def scenario():
        async with built(TYPE, Surroundings(), **options) as probe:
            print((await probe.check(5)).detail.replace(" ", "-"))

    run(scenario())


REJECT = (
    "add table inet t; add chain inet t in {{ type filter hook input priority 0; }}; "
    "add rule inet t in icmp{v6} type echo-request reject with icmp{v6} {why}"
)


UNPRIVILEGED = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")


@pytest.mark.lab
class TestOnAWire:
    @pytest.mark.parametrize("groups", ["1 0", "0 2147483647"], ids=["raw", "ping-socket"])
    @pytest.mark.parametrize("host", ["192.0.2.2", "2001:db8::2", "fe80::2%wan"])
    @pytest.mark.parametrize("device", [None, "wan"])
    def test_both_kinds_of_socket_get_answers(self, wire, groups, host, device):
        statements = f"t.show(host={host!r}, device={device!r})"
        assert play_inside(wire, statements, groups) == ["OK", "OK"]

    @pytest.mark.parametrize("host", ["192.0.2.2", "2001:db8::2"])
    def test_without_privilege_ping_sockets_do(self, wire, host):
        statements = f"t.show(host={host!r})"
        assert play_inside(wire, statements, "0 2147483647", UNPRIVILEGED) == ["OK", "OK"]

    def test_without_any_permission_it_is_an_error_not_a_fail(self, wire):
        statements = "t.show(host='192.0.2.2')"
        assert play_inside(wire, statements, "1 0", UNPRIVILEGED) == ["ERROR", "ERROR"]

    @pytest.mark.parametrize("groups", ["1 0", "0 2147483647"], ids=["raw", "ping-socket"])
    def test_nobody_there_is_a_fail(self, wire, groups):
        statements = "t.show(host='192.0.2.99')"
        assert play_inside(wire, statements, groups) == ["FAIL", "FAIL"]

    @pytest.mark.parametrize("groups", ["1 0", "0 2147483647"], ids=["raw", "ping-socket"])
    @pytest.mark.parametrize(
        ("host", "why", "said"),
        [
            ("192.0.2.2", "host-unreachable", "no-route-to-host"),
            ("192.0.2.2", "net-unreachable", "network-is-unreachable"),
            ("192.0.2.2", "admin-prohibited", "no-route-to-host"),
            ("2001:db8::2", "addr-unreachable", "no-route-to-host"),
            ("2001:db8::2", "no-route", "network-is-unreachable"),
        ],
    )
    def test_what_the_way_refuses_fails_at_once(self, wire, groups, host, why, said):
        """A timeout would say that there was no reply."""
        rules = REJECT.format(v6="v6" if ":" in host else "", why=why)
        there = ["nsenter", "-t", str(wire.far), "-n", "nft", rules]
        subprocess.run(there, check=True, capture_output=True, timeout=10)
        assert play_inside(wire, f"t.explain(host={host!r})", groups) == [said]
