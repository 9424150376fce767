"""Read the errors that ICMP brings to a connected datagram socket, with who sent each.

The kernel keeps them in the socket's error queue (IP_RECVERR in ip(7), IPV6_RECVERR in ipv6(7)),
each with the datagram that it is about as far as the sender quoted it. Without the queue the next
call on the socket raises the error, and nobody knows whose it is.
"""

import ipaddress
import os
import socket
import struct
from dataclasses import dataclass
from typing import Any

IP_RECVERR, IPV6_RECVERR = 11, 25
"""Of include/uapi/linux/in.h and in6.h; Python has no names for them."""
PORT_UNREACHABLE = {(2, 3, 3), (3, 1, 4)}
"""Origin, type and code: of ICMP (RFC 792) and of ICMPv6 (RFC 4443)."""

_MOST = 2048
_IPV6_BYTES = 40
_EXTENDED = struct.Struct("@IBBBBII")
_ROOM = socket.CMSG_SPACE(_EXTENDED.size + 28) + socket.CMSG_SPACE(16)


@dataclass(frozen=True, slots=True)
class Received:
    """One error.

    :param number: as of :mod:`errno`.
    :param quote: the beginning of the datagram that it is about; may be empty.
    :param by_target: the target itself says that nobody listens on the port.
    :param refusal: somebody says that nobody listens on the port.
    :param offender: who says it, where that is known: an address in its shortest form, and the
        number of its device if it is link-local.
    """

    number: int
    quote: bytes
    by_target: bool
    refusal: bool = False
    offender: tuple[str, int] | None = None

    @property
    def problem(self) -> OSError:
        """The error as an exception."""
        return OSError(self.number, os.strerror(self.number))


def collect_errors(made: socket.socket) -> bool:
    """Have errors kept in the socket's queue; gives whether the kernel can."""
    try:
        # A socket of IPv6 may be connected to an IPv4-mapped address: the errors are IPv4's then.
        if made.family == socket.AF_INET or made.type != socket.SOCK_RAW:
            made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    except OSError:
        return False
    return True


def next_error(made: socket.socket, target: Any) -> Received | None:
    """Take the oldest error out of the queue; ``None`` if there is none.

    :param target: the socket address to which the socket is connected; ``None`` if it is not.
    """
    try:
        quote, ancillary, _, _ = made.recvmsg(_MOST, _ROOM, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    if made.type == socket.SOCK_RAW and made.family == socket.AF_INET6:
        quote = quote[_IPV6_BYTES:]  # there, and there only, it begins with the IP header
    for level, kind, data in ancillary:
        if (level, kind) in (
            (socket.IPPROTO_IP, IP_RECVERR),
            (socket.IPPROTO_IPV6, IPV6_RECVERR),
        ) and len(data) >= _EXTENDED.size:
            number, origin, icmp, code, *_ = _EXTENDED.unpack_from(data)
            refused = (origin, icmp, code) in PORT_UNREACHABLE
            offender = _address(data[_EXTENDED.size :])
            by_target = refused and target is not None and offender == plain(target)
            return Received(number, quote, by_target, refused, offender)
    return Received(0, quote, by_target=False)


def _address(raw: bytes) -> tuple[str, int] | None:
    """Read a ``struct sockaddr``: an address and, where it is link-local, its device."""
    (family,) = struct.unpack_from("@H", raw) if len(raw) >= 2 else (socket.AF_UNSPEC,)
    if family == socket.AF_INET and len(raw) >= 8:
        return plain((socket.inet_ntop(socket.AF_INET, raw[4:8]), 0))
    if family == socket.AF_INET6 and len(raw) >= 28:
        (scope,) = struct.unpack_from("@I", raw, 24)
        return plain((socket.inet_ntop(socket.AF_INET6, raw[8:24]), 0, 0, scope))
    return None


def plain(address: Any) -> tuple[str, int]:
    """Give an address in its shortest form, and its device where that has a meaning."""
    found = ipaddress.ip_address(address[0].partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    scope = address[3] if len(address) > 3 and found.is_link_local and not mapped else 0
    return str(mapped or found), scope
