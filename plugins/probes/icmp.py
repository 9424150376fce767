"""The probe ``icmp``: echo requests as ping sends them (RFC 792, RFC 4443).

Where the kernel lets this group use ping sockets (``net.ipv4.ping_group_range``), no privilege
is needed; elsewhere a raw socket is, and CAP_NET_RAW with it. Firewalls like to drop ICMP:
``udp-echo`` is the better choice wherever the far end can answer it.
"""

import contextlib
import secrets
import socket
import struct
from collections.abc import Iterator
from typing import Annotated

import msgspec

from havpn_core import Context, ProbeType, hookimpl
from havpn_plugins.probes._echo import EchoProbe, EchoSocket, nonce
from havpn_plugins.probes._target import Target, bound_socket, locate

_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_HEADER = struct.Struct("!BBHH")  # type, code, checksum, identifier; the sequence is in the key
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_LONGEST_IP_HEADER = 60


class IcmpOptions(Target, frozen=True, kw_only=True):
    """Options of ``icmp``."""

    size: Annotated[
        int,
        msgspec.Meta(
            ge=8,
            le=1452,
            description="payload in bytes; up to 16 of them are random, the rest is padding",
        ),
    ] = 16


def checksum(data: bytes) -> int:
    """Compute the Internet checksum (RFC 1071) of data that has zero in its place."""
    number = int.from_bytes(data + bytes(len(data) % 2), "big")
    # Adding 16-bit words with end-around carry is arithmetic modulo 65535, in which only a sum
    # of nothing but zeros is 0 and any other multiple of 65535 is 65535.
    return 0xFFFF - ((number - 1) % 0xFFFF + 1 if number else 0)


def echo_request(family: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """Build an echo request.

    The checksum is left 0 for IPv6: it covers the IP addresses, which only the kernel knows.
    """
    kind = _REQUEST[socket.AddressFamily(family)]
    rest = sequence.to_bytes(2, "big") + payload
    frame = _HEADER.pack(kind, 0, 0, identifier) + rest
    if family == socket.AF_INET:
        frame = _HEADER.pack(kind, 0, checksum(frame), identifier) + rest
    return frame


def read_echo(message: bytes, kind: int) -> tuple[int, bytes] | None:
    """Take an ICMP echo apart.

    :param kind: the type it must have.
    :returns: its identifier, and sequence number and payload as they stand; ``None`` if it is
        another message, or too short.
    """
    if len(message) < 8 or message[0] != kind or message[1] != 0:
        return None
    return int.from_bytes(message[4:6], "big"), message[6:]


def without_ip_header(packet: bytes) -> bytes:
    """Give what an IPv4 packet carries; nothing if it is too short for its own header."""
    return packet[(packet[0] & 0x0F) * 4 :] if packet else b""


class IcmpWire:
    """Sequence number and payload are the key; the identifier tells whose it is.

    :param identifier: 16 bits; a ping socket writes its own into what it sends.
    :param headed: whether packets arrive with their IP header (raw IPv4 sockets).
    """

    def __init__(
        self, family: socket.AddressFamily, identifier: int, size: int, headed: bool
    ) -> None:
        self.identifier = identifier
        self.room = _LONGEST_IP_HEADER + 8 + size + 1
        self._family = family
        self._size = size
        self._headed = headed
        self._sequence = 0

    def key(self) -> bytes:
        """Make up a new payload under the next sequence number."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        return self._sequence.to_bytes(2, "big") + nonce(self._size)

    def question(self, key: bytes) -> bytes:
        """Give the echo request."""
        sequence = int.from_bytes(key[:2], "big")
        return echo_request(self._family, self.identifier, sequence, key[2:])

    def answered(self, packet: bytes) -> bytes | None:
        """Give an echo reply's key; ``None`` for what a raw socket sees of other people's."""
        message = without_ip_header(packet) if self._headed else packet
        return self._own(message, _REPLY[self._family])

    def quoted(self, quote: bytes) -> bytes | None:
        """Give the key of the request that an error quotes."""
        return self._own(quote, _REQUEST[self._family])

    def _own(self, message: bytes, kind: int) -> bytes | None:
        echo = read_echo(message, kind)
        return echo[1] if echo is not None and echo[0] == self.identifier else None


class Icmp(EchoProbe):
    """Pings."""

    def __init__(self, options: IcmpOptions, context: Context) -> None:
        super().__init__(options, context)
        self._size = options.size
        self._identifier = secrets.randbits(16)

    def open(self, address: str) -> EchoSocket:
        """Open a ping socket, or else a raw one, with a new identifier."""
        family, peer = locate(address, 0, self._target.device)
        try:
            sock = bound_socket(self._target, family, socket.SOCK_DGRAM, _PROTOCOL[family])
            identifier = sock.getsockname()[1]
            headed = False
        except PermissionError:
            sock = bound_socket(self._target, family, socket.SOCK_RAW, _PROTOCOL[family])
            _only_replies(sock)
            # Any step but 0 gives another one; a random step does not betray how many there were.
            self._identifier = (self._identifier + 1 + secrets.randbelow(0xFFFF)) & 0xFFFF
            identifier = self._identifier
            headed = family == socket.AF_INET
        wire = IcmpWire(family, identifier, self._size, headed)
        return EchoSocket(sock, peer, wire, self._context.clock, self.counts)


def _only_replies(sock: socket.socket) -> None:
    """Keep the kernel from copying every other ICMP message of this host to a raw socket."""
    if sock.family == socket.AF_INET:
        passed = 0xFFFFFFFF & ~(1 << _REPLY[socket.AF_INET])
        sock.setsockopt(255, 1, struct.pack("=I", passed))  # SOL_RAW, ICMP_FILTER
    else:
        blocked = [0xFFFFFFFF] * 8
        kind = _REPLY[socket.AF_INET6]
        blocked[kind >> 5] &= ~(1 << (kind & 31))
        sock.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("=8I", *blocked))  # ICMP6_FILTER


def _missing(options: IcmpOptions) -> list[str]:
    family = socket.AF_INET6 if options.resolve_to == socket.AF_INET6 else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        with contextlib.suppress(OSError), socket.socket(family, kind, _PROTOCOL[family]):
            return []
    return [
        "neither a ping socket nor a raw one may be opened: give the daemon CAP_NET_RAW, or its "
        "group a place in the sysctl net.ipv4.ping_group_range"
    ]


@hookimpl
def havpn_register_probes() -> Iterator[ProbeType]:
    """Supply ``icmp``."""
    yield ProbeType("icmp", "Pings (ICMP and ICMPv6 echo)", IcmpOptions, Icmp, missing=_missing)
