"""Pure: frames that request a host's link-layer address on the LAN, and what others say there.

IPv4: ARP requests (RFC 826; with no sender's address a probe, RFC 5227 2.1.1). IPv6: neighbour
solicitations (RFC 4861 4.3). Ethernet frames begin with target, sender and type and have no
padding: the network card adds it.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address

EVERYBODY = b"\xff" * 6
ARP, IPV6 = 0x0806, 0x86DD
SOLICITATION, ADVERTISEMENT = 135, 136
_REQUEST, _REPLY = 1, 2
_ICMP6, _HOPS = 58, 255
_ETHERNET, _IP6 = 14, 40
_FAMILY = struct.pack("!HHBB", 1, 0x0800, 6, 4)
_PAIRS = struct.Struct("!6s4s6s4s")
_SOURCE_MAC, _TARGET_MAC = 1, 2
_TARGET_AT = _ETHERNET + _IP6 + 8
_LEAST_6 = _TARGET_AT + 16


@dataclass(frozen=True, slots=True)
class NeighbourFrame:
    """What a frame says.

    :param mac: who says it, 6 bytes.
    :param address: the sender's own address; ``None`` if it does not name one.
    :param wanted: the address that it looks for; ``None`` in a reply.
    """

    mac: bytes
    address: Address | None = None
    wanted: Address | None = None

    @property
    def replies(self) -> bool:
        """Whether it may be the reply to a request."""
        return self.wanted is None


def request(mac: bytes, source: Address | None, target: Address, to: bytes = b"") -> bytes:
    """Build the frame that requests from a host its link-layer address.

    :param mac: ours, 6 bytes.
    :param source: our own address; ``None``: none, so that no cache learns from the frame.
    :param to: the host's link-layer address as it was last; empty: everybody is sent the frame.
    """
    if isinstance(target, IPv6Address):
        return _solicitation(mac, source if isinstance(source, IPv6Address) else None, target, to)
    sender = source if isinstance(source, IPv4Address) else IPv4Address(0)
    body = struct.pack("!H", _REQUEST) + _PAIRS.pack(mac, sender.packed, bytes(6), target.packed)
    return (to or EVERYBODY) + mac + struct.pack("!H", ARP) + _FAMILY + body


def _solicitation(mac: bytes, source: IPv6Address | None, target: IPv6Address, to: bytes) -> bytes:
    group = IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + target.packed[13:])
    sender, receiver = source or IPv6Address("::"), target if to and source else group
    # RFC 4861 4.3: no option while the sender has no address, and then to the group only.
    option = bytes((_SOURCE_MAC, 1)) + mac if source else b""
    body = bytes(4) + target.packed + option
    total = _checksum(sender, receiver, struct.pack("!BBH", SOLICITATION, 0, 0) + body)
    message = struct.pack("!BBH", SOLICITATION, 0, total) + body
    header = struct.pack("!IHBB", 6 << 28, len(message), _ICMP6, _HOPS)
    there = to if to and source else b"\x33\x33" + group.packed[12:]
    ethernet = there + mac + struct.pack("!H", IPV6)
    return ethernet + header + sender.packed + receiver.packed + message


def _checksum(source: IPv6Address, target: IPv6Address, message: bytes) -> int:
    """Give the checksum over pseudo-header and message (RFC 4443 2.3)."""
    data = source.packed + target.packed + struct.pack("!II", len(message), _ICMP6) + message
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def read(frame: bytes) -> NeighbourFrame | None:
    """Give what an ARP or NDP frame says; ``None`` if it is none, or damaged."""
    kind = int.from_bytes(frame[12:14])
    if kind == ARP:
        return _read_arp(frame[_ETHERNET:])
    return _read_ndp(frame) if kind == IPV6 else None


def _read_arp(data: bytes) -> NeighbourFrame | None:
    if len(data) < 8 + _PAIRS.size or data[:6] != _FAMILY:
        return None
    operation = int.from_bytes(data[6:8])
    mac, sender, _, target = _PAIRS.unpack_from(data, 8)
    address = None if sender == bytes(4) else IPv4Address(sender)
    if operation == _REPLY:
        return None if address is None else NeighbourFrame(mac, address)
    return NeighbourFrame(mac, address, IPv4Address(target)) if operation == _REQUEST else None


def _read_ndp(frame: bytes) -> NeighbourFrame | None:
    # RFC 4861 7.1: a lower hop limit came through a router, and other codes do not exist.
    if len(frame) < _LEAST_6 or frame[20] != _ICMP6 or frame[21] != _HOPS or frame[55]:
        return None
    source, target = IPv6Address(frame[22:38]), IPv6Address(frame[_TARGET_AT:_LEAST_6])
    if frame[54] == ADVERTISEMENT:
        # A unicast reply may leave the option out (RFC 4861 4.4): who sent the frame replied.
        return NeighbourFrame(_option(frame) or frame[6:12], target)
    if frame[54] == SOLICITATION:
        return NeighbourFrame(frame[6:12], None if source.is_unspecified else source, target)
    return None


def _option(frame: bytes) -> bytes:
    at = _LEAST_6
    while at + 8 <= len(frame) and frame[at + 1]:
        if frame[at] == _TARGET_MAC and frame[at + 1] == 1:
            return frame[at + 2 : at + 8]
        at += 8 * frame[at + 1]
    return b""
