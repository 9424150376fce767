"""Every byte of the frames of alias-arp, and what is read out of others' frames."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from havpn_plugins.actions._alias.announce import (
    Claim,
    announcements,
    checksum6,
    claim_in_advertisement,
    claim_in_arp,
    directed_request,
    gratuitous_reply,
    gratuitous_request,
    probe,
    solicitation,
    who_has,
)
from hypothesis import given
from hypothesis import strategies as st

MAC = bytes.fromhex("020000000001")
OTHER = bytes.fromhex("0200000000aa")
FOUR = IPv4Address("10.1.255.254")
SIX = IPv6Address("2001:db8::1:fe")


def hexed(text):
    return bytes.fromhex("".join(text.split()))


HEAD = "ffffffffffff 020000000001 0806 0001 0800 06 04"


def test_gratuitous_request():
    assert gratuitous_request(MAC, FOUR) == hexed(
        f"{HEAD} 0001 020000000001 0a01fffe 000000000000 0a01fffe"
    )


def test_gratuitous_reply():
    assert gratuitous_reply(MAC, FOUR) == hexed(
        f"{HEAD} 0002 020000000001 0a01fffe 020000000001 0a01fffe"
    )


def test_directed_request_asks_the_neighbour_in_the_name_of_the_address():
    assert directed_request(MAC, FOUR, IPv4Address("10.1.0.9")) == hexed(
        f"{HEAD} 0001 020000000001 0a01fffe 000000000000 0a010009"
    )


def test_probe_has_no_sender_address():
    assert probe(MAC, FOUR) == hexed(f"{HEAD} 0001 020000000001 00000000 000000000000 0a01fffe")


@pytest.mark.parametrize(
    ("router", "flags", "total"), [(True, "a0", "772e"), (False, "20", "f72e")]
)
def test_advertisement(router, flags, total):
    (frame,) = announcements(MAC, SIX, router=router)
    assert frame == hexed(
        f"""333300000001 020000000001 86dd
        60000000 0020 3a ff
        20010db8 00000000 00000000 000100fe
        ff020000 00000000 00000000 00000001
        88 00 {total} {flags}000000
        20010db8 00000000 00000000 000100fe
        02 01 020000000001"""
    )


def test_solicitation_is_the_one_of_duplicate_address_detection():
    assert solicitation(MAC, SIX) == hexed(
        """3333ff0100fe 020000000001 86dd
        60000000 0018 3a ff
        00000000 00000000 00000000 00000000
        ff020000 00000000 00000001 ff0100fe
        87 00 4af1 00000000
        20010db8 00000000 00000000 000100fe"""
    )


@given(st.binary(max_size=61))
def test_a_message_with_its_checksum_sums_up_to_nothing(body):
    body += b"\0" * (len(body) % 2)
    total = checksum6(SIX, SIX, b"\x88\0\0\0" + body)
    assert checksum6(SIX, SIX, b"\x88\0" + total.to_bytes(2) + body) == 0


def test_an_announcement_is_request_reply_and_one_for_each_neighbour():
    near = [IPv4Address("10.1.0.8"), IPv4Address("10.1.0.9")]
    frames = announcements(MAC, FOUR, router=True, neighbours=near)
    assert frames == [
        gratuitous_request(MAC, FOUR),
        gratuitous_reply(MAC, FOUR),
        directed_request(MAC, FOUR, near[0]),
        directed_request(MAC, FOUR, near[1]),
    ]


@pytest.mark.parametrize("build", [gratuitous_request, gratuitous_reply])
def test_both_forms_of_announcement_are_claims(build):
    assert claim_in_arp(build(OTHER, FOUR) + bytes(18)) == Claim(FOUR, OTHER)


def test_a_question_claims_nothing():
    assert claim_in_arp(who_has(OTHER, FOUR)) is None
    assert claim_in_advertisement(who_has(OTHER, SIX)[54:]) is None


def test_an_ordinary_request_claims_its_senders_address():
    frame = directed_request(OTHER, FOUR, IPv4Address("10.1.0.9"))
    assert claim_in_arp(frame) == Claim(FOUR, OTHER)


def test_an_advertisement_is_a_claim_whatever_options_precede():
    (frame,) = announcements(OTHER, SIX, router=False)
    message = frame[54:]
    assert claim_in_advertisement(message) == Claim(SIX, OTHER)
    padded = message[:24] + bytes((14, 2)) + bytes(14) + message[24:]
    assert claim_in_advertisement(padded) == Claim(SIX, OTHER)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda message: message[:24],
        lambda message: message[:31],
        lambda message: b"\x87" + message[1:],
        lambda message: message[:1] + b"\1" + message[2:],
        lambda message: message[:25] + b"\0" + message[26:],
    ],
)
def test_a_spoilt_advertisement_is_none(spoil):
    (frame,) = announcements(OTHER, SIX, router=False)
    assert claim_in_advertisement(spoil(frame[54:])) is None


@pytest.mark.parametrize(("at", "byte"), [(12, 9), (14, 9), (17, 1), (18, 8), (19, 16), (21, 3)])
def test_an_arp_frame_of_another_kind_is_none(at, byte):
    frame = bytearray(gratuitous_reply(OTHER, FOUR))
    frame[at] = byte
    assert claim_in_arp(bytes(frame)) is None


@given(st.binary(max_size=80))
def test_noise_is_read_without_an_accident(noise):
    claim_in_arp(noise)
    claim_in_advertisement(noise)
    claim_in_advertisement(b"\x88\0" + noise)
    claim_in_arp(gratuitous_request(OTHER, FOUR)[:22] + noise)
