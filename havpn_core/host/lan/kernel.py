"""What the kernel says of a device: its addresses and neighbours (rtnetlink(7)), and forwarding.

By hand, as each is one request; a library for it takes longer to import than all of them take.
"""

import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from havpn_core.host.lan.frames import Address

FAMILIES = {"IPv4": "ipv4", "IPv6": "ipv6"}
"""Families by the name that people use, with the kernel's."""

_NET = Path("/proc/sys/net")
_DUMP, _ADDRESSES, _NEIGHBOURS = 0x301, 22, 30
_DONE, _ERROR = 3, 2
_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_LOCAL, _DST, _CACHE = 2, 1, 3
_REPLY_S = 0.5
_GET_FLAGS, _HARDWARE = 0x8913, 0x8927  # SIOCGIFFLAGS and SIOCGIFHWADDR, netdevice(7)
_UP, _RUNNING = 0x1, 0x40
_ETHER = 1


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entry of the neighbour table.

    :param confirmed_s: how long ago the neighbour was last known to be there, in seconds.
    """

    address: Address
    confirmed_s: float


def forwarding(family: str) -> bool | None:
    """Whether this host forwards packets of a family of :data:`FAMILIES`.

    :returns: ``None`` where the kernel does not say, as one without that family.
    """
    try:
        return (_NET / FAMILIES[family] / "conf/all/forwarding").read_text().strip() != "0"
    except OSError:
        return None


def has_carrier(device: str) -> bool:
    """Whether a device is there, up and connected.

    By the network that this process is in, whatever /sys shows.
    """
    request = struct.pack("16s24x", device.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            reply = fcntl.ioctl(any_socket, _GET_FLAGS, request)
        except OSError:
            return False
    (flags,) = struct.unpack_from("=H", reply, 16)
    return bool(flags & _UP and flags & _RUNNING)


def mac_of(device: str) -> bytes | None:
    """Give the Ethernet address of a device; ``None`` for another kind of device.

    :raises OSError: if there is no such device.
    """
    request = struct.pack("16s24x", device.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        reply = fcntl.ioctl(any_socket, _HARDWARE, request)
    (kind,) = struct.unpack_from("=H", reply, 16)
    return reply[18:24] if kind == _ETHER else None


def addresses(device: str) -> list[Address]:
    """Give the addresses of a device, the first one first; none if there is no such device.

    :raises OSError: if the kernel does not say.
    """
    found: list[Address] = []
    index = _index(device)
    for message in _dump(_ADDRESSES, bytes(_ADDRESS.size)):
        *_, number = _ADDRESS.unpack_from(message)
        parts = _attributes(message, _ADDRESS.size)
        packed = parts.get(_LOCAL) or parts.get(_DST)
        if number == index and packed:
            found.append(ip_address(packed))
    return found


def neighbours(device: str) -> list[Neighbour]:
    """Give the neighbours of a device that the kernel knows.

    :raises OSError: if the kernel does not say.
    """
    found, index = [], _index(device)
    ticks = os.sysconf("SC_CLK_TCK")
    for message in _dump(_NEIGHBOURS, bytes(_NEIGHBOUR.size)):
        _, number, *_ = _NEIGHBOUR.unpack_from(message)
        parts = _attributes(message, _NEIGHBOUR.size)
        packed = parts.get(_DST, b"")
        if number != index or len(packed) not in (4, 16) or len(parts.get(_CACHE, b"")) < 4:
            continue
        address = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
        (confirmed,) = struct.unpack_from("=I", parts[_CACHE])
        if not address.is_multicast:
            found.append(Neighbour(address, confirmed / ticks))
    return found


def _index(device: str) -> int:
    try:
        return socket.if_nametoindex(device)
    except OSError:
        return -1  # of no device


def _dump(kind: int, body: bytes) -> Iterator[bytes]:
    """Go through what the kernel has of a kind."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(_REPLY_S)
        kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _DUMP, 1, 0) + body)
        while True:
            data, at = kernel.recv(1 << 16), 0
            while at + _HEADER.size <= len(data):
                length, found, *_ = _HEADER.unpack_from(data, at)
                if found in (_DONE, _ERROR):
                    return
                yield data[at + _HEADER.size : at + length]
                at += max(_HEADER.size, (length + 3) & ~3)


def _attributes(message: bytes, at: int) -> dict[int, bytes]:
    found = {}
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        found[kind & 0x3FFF] = message[at + 4 : at + length]
        at += max(4, (length + 3) & ~3)
    return found
