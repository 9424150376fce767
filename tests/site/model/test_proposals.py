"""Proposals in strongSwan's words, and what ESP makes of the size of a packet."""

import pytest

from havpn_core.site.model.options import ESP, IKE
from havpn_core.site.model.overhead import Way, largest, overheads, probe_size
from havpn_core.site.model.proposals import faults
from havpn_core.site.reading import model_of
from havpn_core.site.verified import verified
from tests.site.verify.variations import figure

GOOD_IKE = [
    IKE,
    "aes128-sha256-modp2048",
    "aes256-sha384-prfsha512-ecp384",
    "aes256gcm16-prfsha384-ecp384,aes128-sha256-ecp256",
    "aes128gcm16-aes256gcm16-prfsha256-prfsha384-ecp256-x25519",
    "chacha20poly1305-prfsha256-curve25519",
    "aes256gcm16-prfsha512-x25519-ke1_mlkem768-ke2_none",
    "default",
]
GOOD_ESP = [
    ESP,
    "aes256-sha256-esn",
    "aes128gcm8-modp3072-noesn",
    "aes128ccm96,chacha20poly1305",
    "aes128gmac",
    "camellia256-aescmac",
]
BAD_IKE = [
    ("aes128gcm16-ecp256", "pseudo-random function", "prfsha256"),
    ("aes128gcm16-sha256-ecp256", "checks integrity itself", "prfsha256"),
    ("aes128-ecp256", "no integrity check", "aes128-sha256"),
    ("aes128-sha256", "no key exchange", "ecp256"),
    ("sha256-ecp256", "no encryption", "aes128gcm16"),
    ("aes128gcm16-aes128-prfsha256-ecp256", "beside aes128", "two proposals"),
    ("aes128gcm16-prfsha256-ecp257", "'ecp257'", "ecp256"),
    ("AES128-sha256-ecp256", "'AES128'", "aes128"),
    ("aes128-sha256-ecp256-esn", "is for ESP", "leave esn out"),
    ("null-sha256-ecp256", "encrypts nothing", "one that does"),
    ("", "''", "aes128"),
    ("aes128-sha256-ecp256,", "''", "aes128"),
    ("aes128 sha256 ecp256", "'aes128 sha256 ecp256'", "aes128"),
]
BAD_ESP = [
    ("aes128", "no integrity check", "aes128-sha256"),
    ("aes128gcm16-sha256", "checks integrity itself", "leave sha256 out"),
    ("aes128gcm16-prfsha256", "no such function", "leave prfsha256 out"),
    ("aes512-sha256", "'aes512'", "aes"),
    ("ecp256", "no encryption", "aes128gcm16"),
]


@pytest.mark.parametrize("text", GOOD_IKE)
def test_a_good_proposal_for_ike_has_no_fault(text):
    assert list(faults(text, ike=True)) == []


@pytest.mark.parametrize("text", GOOD_ESP)
def test_a_good_proposal_for_esp_has_no_fault(text):
    assert list(faults(text, ike=False)) == []


@pytest.mark.parametrize(
    ("ike", "text", "wrong", "remedy"),
    [(True, *each) for each in BAD_IKE] + [(False, *each) for each in BAD_ESP],
)
def test_a_malformed_proposal_says_what_to_write(ike, text, wrong, remedy):
    found = list(faults(text, ike=ike))
    assert [said for said, _ in found if wrong in said], found
    assert [what for _, what in found if remedy in what], found


WAYS = [
    ("aes128gcm16", Way(8, 4, 16)),
    ("aes256gcm64", Way(8, 4, 8)),
    ("aes128ccm12", Way(8, 4, 12)),
    ("chacha20poly1305", Way(8, 4, 16)),
    ("aes128gmac", Way(8, 4, 16)),
    ("aes128-sha256", Way(16, 16, 16)),
    ("aes256-sha512", Way(16, 16, 32)),
    ("aes128ctr-sha1", Way(8, 4, 12)),
    ("3des-md5", Way(8, 8, 12)),
    ("null-sha384", Way(0, 4, 24)),
    ("default", Way(16, 16, 32)),
]


@pytest.mark.parametrize(("text", "way"), WAYS)
def test_what_a_proposal_adds(text, way):
    assert overheads(text) == [way]


def packet(size, version, way, *, encapsulated):
    """Count the bytes of a packet as RFC 4303 lays it out."""
    padded = -(-(size + 2) // way.block) * way.block
    outside = {4: 20, 6: 40}[version] + (8 if encapsulated else 0)
    return outside + 8 + way.iv + padded + way.icv


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("encapsulated", [False, True])
@pytest.mark.parametrize("way", [way for _, way in WAYS])
def test_the_largest_packet_passes_and_one_byte_more_does_not(version, encapsulated, way):
    for mtu in range(1280, 1520):
        size = largest(mtu, version, way, encapsulated=encapsulated)
        assert packet(size, version, way, encapsulated=encapsulated) <= mtu
        assert packet(size + 1, version, way, encapsulated=encapsulated) > mtu


def test_a_well_known_size():
    # Ethernet, IPv4, AES-GCM with 16 bytes of ICV: 1500 - 20 - 8 - 8 - 16 - 2.
    assert largest(1500, 4, Way(8, 4, 16), encapsulated=False) == 1446


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, 1400),
        ({"mtu": 1400}, 1346),
        ({"mtu": 1400, "ends": {"gw-aa": "dynamic", "gw-ba": "192.0.2.6"}}, 1338),
        ({"mtu": 1400, "ends": {"gw-aa": "2001:db8:f::2", "gw-ba": "2001:db8:e::2"}}, 1326),
        ({"mtu": 9000}, 1400),
    ],
)
def test_the_large_probe_is_as_large_as_the_line_lets_it_be(changes, size):
    raw = figure()
    raw["line"]["line1"] |= changes
    model = model_of(raw)
    assert probe_size(model.lines["line1"], model.options.tunnel) == size
    found = verified(raw)
    assert found.problems == []
    (tunnel,) = (p for p in found.configs["gw-aa"].paths[0].probes if p.id == "tunnel")
    assert tunnel.options.bytes == size


def test_a_size_that_is_written_counts():
    model = model_of(figure() | {"tunnel": {"size": 1000}})
    assert probe_size(model.lines["line1"], model.options.tunnel) == 1000
