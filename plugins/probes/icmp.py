"""``icmp``: echo request and reply of ICMP (RFC 792) and ICMPv6 (RFC 4443).

It uses the kernel's ping socket where the system allows that to the daemon's group, and a raw
socket otherwise.
"""

import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from havpn_core import Context, ProbeType, hookimpl

from .._checksum import checksum
from ._binding import LineOptions, connected
from ._echo import EchoProbe

NONCE_BYTES = 16
REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_HEADER = struct.Struct("!BBHHH")


class IcmpOptions(LineOptions, frozen=True, kw_only=True):
    """Options of ``icmp``."""

    size: Annotated[int, msgspec.Meta(ge=16, le=1400, description="payload in bytes")] = 16


def build_request(family: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """Build an echo request; for IPv6 the kernel fills the checksum in."""
    kind = REQUEST[socket.AddressFamily(family)]
    empty = _HEADER.pack(kind, 0, 0, identifier, sequence) + payload
    total = 0 if family == socket.AF_INET6 else checksum(empty)
    return _HEADER.pack(kind, 0, total, identifier, sequence) + payload


def parse_reply(family: int, raw: bool, identifier: int | None, packet: bytes) -> bytes | None:
    """Give the payload of an echo reply that is meant for us, else ``None``.

    :param raw: from a raw socket, where IPv4 packets begin with the IP header.
    :param identifier: ``None`` for a ping socket, whose identifier is the kernel's affair.
    """
    if raw and family == socket.AF_INET:
        if not packet:
            return None
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < _HEADER.size:
        return None
    kind, code, _, found, _ = _HEADER.unpack_from(packet)
    if kind != REPLY[socket.AddressFamily(family)] or code != 0:
        return None
    if identifier is not None and found != identifier:
        return None
    return packet[_HEADER.size :]


def ping_sockets_allowed() -> bool:
    """Whether the kernel lets one of our groups open ping sockets."""
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ping_group_range").read_text().split())
    except (OSError, ValueError):
        return False
    return any(low <= group <= high for group in (os.getegid(), *os.getgroups()))


class Icmp(EchoProbe):
    """A ping; every socket has an identifier of its own."""

    kernel_bytes = _HEADER.size

    def __init__(self, options: IcmpOptions, context: Context) -> None:
        self._options = options
        self._family = socket.AF_INET
        self._raw = False
        self._identifier = 0
        self._sequence = 0
        self._padding = os.urandom(options.size - NONCE_BYTES)
        super().__init__(context, options.host, 0, options.family)

    def connect(self, family: int, address: Any) -> socket.socket:
        """Make a socket of the kind that is allowed."""
        protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        try:
            made = socket.socket(family, socket.SOCK_DGRAM, protocol)
            raw = False
        except PermissionError:
            made = socket.socket(family, socket.SOCK_RAW, protocol)
            raw = True
        connected(made, self._options, address)
        self._family, self._raw = socket.AddressFamily(family), raw
        self._identifier = int.from_bytes(os.urandom(2), "big")
        return made

    def request(self, family: int, nonce: bytes) -> bytes:
        """Make the request."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        return build_request(family, self._identifier, self._sequence, nonce + self._padding)

    def match(self, packet: bytes) -> bytes | None:
        """Find the nonce."""
        # No identifier is required: after a rotation, replies to the last one are still due
        # on the old socket, and the nonce, 128 random bits, keeps them apart anyway.
        payload = parse_reply(self._family, self._raw, None, packet)
        if payload is None or payload[NONCE_BYTES:] != self._padding:
            return None
        return payload[:NONCE_BYTES]


def _missing(options: IcmpOptions) -> list[str]:
    if ping_sockets_allowed() or os.geteuid() == 0:
        return []
    return [
        "neither ping sockets (sysctl net.ipv4.ping_group_range does not hold this group) nor "
        "raw sockets (CAP_NET_RAW): run with AmbientCapabilities=CAP_NET_RAW"
    ]


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType("icmp", "ICMP and ICMPv6 echo (ping)", IcmpOptions, Icmp, missing=_missing)
