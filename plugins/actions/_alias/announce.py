"""Pure: frames that announce to a LAN, or request from it, who has an address.

Ethernet frames begin with destination, source and type and have no padding: the network card
adds it. IPv4: ARP (RFC 826, RFC 5227). IPv6: neighbour discovery (RFC 4861).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from ..._checksum import checksum

Address = IPv4Address | IPv6Address

BROADCAST = b"\xff" * 6
NOBODY = bytes(6)
ALL_NODES = IPv6Address("ff02::1")
UNSPECIFIED = IPv6Address("::")
ARP_TYPE, IPV6_TYPE = 0x0806, 0x86DD
REQUEST, REPLY = 1, 2
SOLICITATION, ADVERTISEMENT = 135, 136
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET_IPV4 = (1, 0x0800, 6, 4)
_OVERRIDE, _ROUTER = 0x20000000, 0x80000000
_SOURCE_MAC, _TARGET_MAC = 1, 2
_NEIGHBOUR_LEN = 24
_HOPS = 255  # RFC 4861: anything less came through a router and is ignored


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says that an address is theirs.

    :param mac: their link-layer address, 6 bytes.
    """

    address: Address
    mac: bytes


def show(mac: bytes) -> str:
    """Write a link-layer address the usual way."""
    return mac.hex(":")


def announcements(
    mac: bytes, address: Address, *, router: bool, neighbours: Sequence[IPv4Address] = ()
) -> list[bytes]:
    """Give the frames of one announcement.

    IPv4 gets request and reply, as some equipment accepts only the one and some only the other.

    :param mac: our link-layer address.
    :param router: whether this host forwards IPv6; hosts drop a default router that says no
        (RFC 4861 7.2.5).
    :param neighbours: who is addressed by name besides, for IPv4.
    """
    if isinstance(address, IPv6Address):
        return [advertisement(mac, address, router=router)]
    frames = [gratuitous_request(mac, address), gratuitous_reply(mac, address)]
    return frames + [directed_request(mac, address, neighbour) for neighbour in neighbours]


def who_has(mac: bytes, address: Address) -> bytes:
    """Give the frame that requests who has an address and changes no cache.

    An ARP probe (RFC 5227 2.1.1), or a solicitation as for duplicate address detection
    (RFC 4862 5.4.2).
    """
    return probe(mac, address) if isinstance(address, IPv4Address) else solicitation(mac, address)


def gratuitous_request(mac: bytes, address: IPv4Address) -> bytes:
    """Build the ARP announcement of RFC 5227 2.3: a request for one's own address."""
    return _arp(REQUEST, mac, address, NOBODY, address)


def gratuitous_reply(mac: bytes, address: IPv4Address) -> bytes:
    """Build an unasked reply to everybody; its target is the sender (RFC 5944 4.6)."""
    return _arp(REPLY, mac, address, mac, address)


def directed_request(mac: bytes, address: IPv4Address, neighbour: IPv4Address) -> bytes:
    """Send a request to one neighbour in the name of the address.

    Its target takes the sender's mapping in, also if it had none (RFC 826), and replies. It is a
    broadcast, as its own link-layer address need not be known.
    """
    return _arp(REQUEST, mac, address, NOBODY, neighbour)


def probe(mac: bytes, address: IPv4Address) -> bytes:
    """Build an ARP probe: the sender's address is 0, so that no cache learns from it."""
    return _arp(REQUEST, mac, IPv4Address(0), NOBODY, address)


def _arp(
    operation: int, mac: bytes, sender: IPv4Address, target_mac: bytes, target: IPv4Address
) -> bytes:
    body = (operation, mac, sender.packed, target_mac, target.packed)
    return BROADCAST + mac + struct.pack("!H", ARP_TYPE) + _ARP.pack(*_ETHERNET_IPV4, *body)


def advertisement(mac: bytes, address: IPv6Address, *, router: bool) -> bytes:
    """Build an unsolicited neighbour advertisement with Override (RFC 4861 7.2.6)."""
    flags = _OVERRIDE | (_ROUTER if router else 0)
    body = struct.pack("!I", flags) + address.packed + _option(_TARGET_MAC, mac)
    return _icmp6(mac, address, ALL_NODES, ADVERTISEMENT, body)


def solicitation(mac: bytes, address: IPv6Address) -> bytes:
    """Build the solicitation of duplicate address detection: from ``::``, no option."""
    group = IPv6Address(IPv6Address("ff02::1:ff00:0").packed[:13] + address.packed[13:])
    return _icmp6(mac, UNSPECIFIED, group, SOLICITATION, bytes(4) + address.packed)


def _option(kind: int, mac: bytes) -> bytes:
    return bytes((kind, 1)) + mac  # the length counts units of 8 bytes


def _icmp6(mac: bytes, source: IPv6Address, group: IPv6Address, kind: int, body: bytes) -> bytes:
    empty = struct.pack("!BBH", kind, 0, 0) + body
    total = checksum6(source, group, empty)
    message = struct.pack("!BBH", kind, 0, total) + body
    header = struct.pack("!IHBB", 6 << 28, len(message), 58, _HOPS)
    ethernet = b"\x33\x33" + group.packed[12:] + mac + struct.pack("!H", IPV6_TYPE)
    return ethernet + header + source.packed + group.packed + message


def checksum6(source: IPv6Address, target: IPv6Address, message: bytes) -> int:
    """Give the checksum over pseudo-header and message (RFC 8200 8.1, RFC 4443 2.3)."""
    return checksum(source.packed + target.packed + struct.pack("!II", len(message), 58) + message)


def claim_in_arp(frame: bytes) -> Claim | None:
    """Find who claims what in an ARP frame, Ethernet header included.

    The sender of a request as of a reply says that the address is its own (RFC 5227 2.4). A
    probe claims nothing.
    """
    if len(frame) < 14 + _ARP.size or frame[12:14] != ARP_TYPE.to_bytes(2):
        return None
    *kind, operation, mac, sender, _, _ = _ARP.unpack_from(frame, 14)
    if tuple(kind) != _ETHERNET_IPV4 or operation not in (REQUEST, REPLY):
        return None
    return None if sender == bytes(4) else Claim(IPv4Address(sender), mac)


def claim_in_advertisement(message: bytes) -> Claim | None:
    """Find who claims what in an ICMPv6 message, whose checksum the kernel has checked.

    Without a target link-layer address nobody can be named, and no cache is overridden.
    """
    if len(message) < _NEIGHBOUR_LEN or message[:2] != bytes((ADVERTISEMENT, 0)):
        return None
    address, at = IPv6Address(message[8:24]), _NEIGHBOUR_LEN
    while at + 8 <= len(message):
        kind, units = message[at], message[at + 1]
        if kind == _TARGET_MAC and units == 1:
            return Claim(address, message[at + 2 : at + 8])
        if units == 0:
            return None  # RFC 4861 4.6: such a message is to be dropped
        at += units * 8
    return None
