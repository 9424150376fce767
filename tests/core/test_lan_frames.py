"""Requests to hosts on a LAN byte for byte, and what is read from theirs."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.host.lan.frames import NeighbourFrame, read, request
from havpn_core.host.lan.neighbours import own_source

OURS, THEIRS = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
FOUR, SIX = ip_address("10.1.0.10"), ip_address("2001:db8::aa:bbcc")
OWN4, OWN6 = ip_address("10.1.255.252"), ip_address("fe80::1")


def test_an_arp_request_to_everybody_byte_for_byte():
    assert request(OURS, OWN4, FOUR).hex(" ", 2) == (
        "ffff ffff ffff 0200 0000 0001 0806 0001 0800 0604 0001 "
        "0200 0000 0001 0a01 fffc 0000 0000 0000 0a01 000a"
    )


def test_an_arp_request_to_one_host_and_without_a_sender():
    frame = request(OURS, None, FOUR, THEIRS)
    assert frame[:6] == THEIRS
    assert frame[28:32] == bytes(4)
    assert request(OURS, OWN6, FOUR)[28:32] == bytes(4)


def test_a_solicitation_to_everybody_byte_for_byte():
    assert request(OURS, OWN6, SIX).hex(" ", 2) == (
        "3333 ffaa bbcc 0200 0000 0001 86dd 6000 0000 0020 3aff "
        "fe80 0000 0000 0000 0000 0000 0000 0001 ff02 0000 0000 0000 0000 0001 ffaa bbcc "
        "8700 d275 0000 0000 2001 0db8 0000 0000 0000 0000 00aa bbcc 0101 0200 0000 0001"
    )


def test_a_solicitation_without_a_sender_goes_to_the_group_without_the_option():
    frame = request(OURS, None, SIX, THEIRS)
    assert frame[:6] == bytes.fromhex("3333ffaabbcc")
    assert frame[22:38] == bytes(16)
    assert len(frame) == 14 + 40 + 24


def test_a_solicitation_to_one_host_goes_to_its_address():
    frame = request(OURS, OWN6, SIX, THEIRS)
    assert frame[:6] == THEIRS
    assert frame[38:54] == SIX.packed


@pytest.mark.parametrize("source", [None, OWN6])
@pytest.mark.parametrize("to", [b"", THEIRS])
def test_the_checksum_of_a_solicitation_sums_up(source, to):
    frame = request(OURS, source, SIX, to)
    message = frame[54:]
    data = frame[22:54] + struct.pack("!II", len(message), 58) + message
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    assert (total & 0xFFFF) + (total >> 16) in (0xFFFF, 0x1FFFE)


def arp(operation, sender="10.1.0.10", target="10.1.255.252", kind="00010800 0604"):
    return bytes.fromhex("020000000001 020000000002 0806") + bytes.fromhex(kind) + struct.pack(
        "!H6s4s6s4s", operation, THEIRS, ip_address(sender).packed, OURS, ip_address(target).packed
    )  # fmt: skip


def test_an_arp_reply_names_who_replied():
    found = read(arp(2) + bytes(18))
    assert found == NeighbourFrame(THEIRS, FOUR)
    assert found.replies


def test_an_arp_request_names_sender_and_whom_it_looks_for():
    assert read(arp(1)) == NeighbourFrame(THEIRS, FOUR, OWN4)
    assert read(arp(1, "0.0.0.0")) == NeighbourFrame(THEIRS, None, OWN4)
    assert not read(arp(1)).replies


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        arp(2)[:-1],
        arp(3),
        arp(0),
        arp(2, "0.0.0.0"),
        arp(2, kind="00060800 0604"),
        arp(2)[:12] + b"\x08\x00" + arp(2)[14:],
    ],
)
def test_what_is_no_arp_frame_says_nothing(frame):
    assert read(frame) is None


def ndp(
    kind=136, *, source="2001:db8::aa:bbcc", option="0201020000000002", hops=255, code=0, head=58
):
    message = bytes((kind, code)) + bytes(6) + SIX.packed + bytes.fromhex(option)
    ip = struct.pack("!IHBB", 6 << 28, len(message), head, hops)
    ip += ip_address(source).packed + OWN6.packed
    return OURS + bytes.fromhex("020000000003 86dd") + ip + message


def test_an_advertisement_names_who_replied():
    assert read(ndp()) == NeighbourFrame(THEIRS, SIX)
    assert read(ndp(option="")) == NeighbourFrame(bytes.fromhex("020000000003"), SIX)
    after = "0501000000000000" + "0201020000000002"
    assert read(ndp(option=after)) == NeighbourFrame(THEIRS, SIX)
    assert read(ndp(option="0200020000000002")).mac.hex() == "020000000003"


def test_a_solicitation_names_sender_and_whom_it_looks_for():
    third = bytes.fromhex("020000000003")
    assert read(ndp(135, source="fe80::9")) == NeighbourFrame(third, ip_address("fe80::9"), SIX)
    assert read(ndp(135, source="::")) == NeighbourFrame(third, None, SIX)


@pytest.mark.parametrize("frame", [ndp()[:77], ndp(134), ndp(hops=254), ndp(code=1), ndp(head=17)])
def test_what_is_no_ndp_frame_says_nothing(frame):
    assert read(frame) is None


@given(st.binary(max_size=120), st.sampled_from([b"\x08\x06", b"\x86\xdd"]))
def test_no_frame_breaks_the_reader(data, kind):
    read(OURS + THEIRS + kind + data)
    read(data)


def test_the_source_is_an_own_address_and_never_a_shared_one():
    shared, other = ip_address("10.1.255.254"), ip_address("2001:db8::1")
    assert own_source([shared, OWN4, other, OWN6], FOUR, [shared]) == OWN4
    assert own_source([shared, other, OWN6], FOUR, [shared]) is None
    assert own_source([OWN4, other, OWN6], SIX) == OWN6
    assert own_source([OWN4, other], SIX) == other
