"""The sockets of ``alias-arp``: one to send, two to receive who else claims an address.

A packet socket takes the kernel 8 to 24 ms to close (measured; it waits until no process can hold
it), so sockets stay open and are closed in a thread.
"""

import asyncio
import ctypes
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from ..._sockets import age_s, bind_to_device, stamp_arrivals
from .announce import (
    ADVERTISEMENT,
    ARP_TYPE,
    Address,
    Claim,
    claim_in_advertisement,
    claim_in_arp,
)
from .netlink import Link

Heard = Callable[[Claim, float], None]

_SO_ATTACH_FILTER = 26
_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _JUMP_EQUAL, _RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
_AT_ONCE = 64

Instruction = tuple[int, int, int, int]


def arp_filter(own: bytes, addresses: Sequence[IPv4Address]) -> list[Instruction]:
    """Give a program of classic BPF that lets in others' ARP frames that claim our addresses.

    A line of it is code, jump if true, jump if false, constant; offsets count from the Ethernet
    header: 22 is the sender's link-layer address, 28 its IPv4 address.
    """
    return [
        (_LOAD_WORD, 0, 0, 22),
        (_JUMP_EQUAL, 0, 2, int.from_bytes(own[:4])),
        (_LOAD_HALF, 0, 0, 26),
        (_JUMP_EQUAL, len(addresses) + 1, 0, int.from_bytes(own[4:])),
        (_LOAD_WORD, 0, 0, 28),
        *_one_of([int(address) for address in addresses]),
    ]


def advertisement_filter(addresses: Sequence[IPv6Address]) -> list[Instruction]:
    """Give one that lets in ICMPv6 advertisements of addresses that end as ours do."""
    return [
        (_LOAD_BYTE, 0, 0, 0),
        (_JUMP_EQUAL, 0, len(addresses) + 1, ADVERTISEMENT),
        (_LOAD_WORD, 0, 0, 20),
        *_one_of([int.from_bytes(address.packed[12:]) for address in addresses]),
    ]


def _one_of(values: list[int]) -> list[Instruction]:
    """Compare what was loaded; the last two lines refuse and accept."""
    tests = [(_JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*tests, (_RETURN, 0, 0, 0), (_RETURN, 0, 0, 0xFFFF)]


def _attach(made: socket.socket, program: Iterable[Instruction]) -> None:
    code = b"".join(struct.pack("=HBBI", *line) for line in program)
    held = ctypes.create_string_buffer(code, len(code))
    made.setsockopt(
        socket.SOL_SOCKET,
        _SO_ATTACH_FILTER,
        struct.pack("@HP", len(code) // 8, ctypes.addressof(held)),
    )


def close_aside(made: socket.socket) -> None:
    """Close a socket without waiting for the kernel, if there can be one more thread."""
    try:
        threading.Thread(target=made.close, name="close", daemon=True).start()
    except RuntimeError:
        made.close()


class FrameSender:
    """Sends frames. Without a protocol of its own the socket receives nothing."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Make the socket beforehand.

        :raises OSError: if that is not allowed.
        """
        if self._socket is None:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.setblocking(False)

    def send(self, device: str, frames: Iterable[bytes]) -> int:
        """Send frames and give their number.

        :raises OSError: if the device is gone, down or full.
        """
        self.open()
        assert self._socket is not None
        number = 0
        for frame in frames:
            self._socket.sendto(frame, (device, int.from_bytes(frame[12:14])))
            number += 1
        return number

    def close(self) -> None:
        """Close the socket; may be called twice."""
        if self._socket is not None:
            close_aside(self._socket)
            self._socket = None


class ClaimReceiver:
    """Hears who else claims one of some addresses on a device.

    :param heard: called on the loop with the claim and its age in seconds, by the kernel's
        clock: a daemon that was stopped reads old news.
    """

    def __init__(self, addresses: Sequence[Address], heard: Heard) -> None:
        self._four = [a for a in addresses if isinstance(a, IPv4Address)]
        self._six = [a for a in addresses if isinstance(a, IPv6Address)]
        self._heard = heard
        self._where: tuple[int, bytes] | None = None
        self._sockets: list[socket.socket] = []

    @property
    def mac(self) -> bytes | None:
        """The link-layer address of the device that it listens on, 6 bytes."""
        return self._where[1] if self._where is not None else None

    def open(self, device: str, link: Link) -> None:
        """Listen there, now if not already; must be called on the loop.

        :raises OSError: if that is not allowed or the device goes away.
        """
        if link.mac is None or self._where == (link.index, link.mac):
            return
        self.close()
        try:
            if self._four:
                self._add(_arp_socket(device, link.mac, self._four), self._read_arp)
            if self._six:
                self._add(_advertisement_socket(device, self._six), self._read_advertisement)
        except OSError:
            self.close()
            raise
        self._where = (link.index, link.mac)

    def close(self) -> None:
        """Stop listening; may be called twice."""
        for made in self._sockets:
            asyncio.get_running_loop().remove_reader(made)
            close_aside(made)
        self._sockets, self._where = [], None

    def _add(self, made: socket.socket, read: Callable[[socket.socket], None]) -> None:
        self._sockets.append(made)
        asyncio.get_running_loop().add_reader(made, read, made)

    def _read_arp(self, made: socket.socket) -> None:
        for frame, late_s, _ in _received(made):
            self._pass_on(claim_in_arp(frame), late_s)

    def _read_advertisement(self, made: socket.socket) -> None:
        for message, late_s, hops in _received(made):
            if hops == 255:
                self._pass_on(claim_in_advertisement(message), late_s)

    def _pass_on(self, claim: Claim | None, late_s: float) -> None:
        if claim is None or claim.address not in (*self._four, *self._six):
            return
        if self._where is not None and claim.mac != self._where[1]:
            self._heard(claim, late_s)


def _arp_socket(device: str, own: bytes, addresses: Sequence[IPv4Address]) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        made.setblocking(False)
        stamp_arrivals(made)
        _attach(made, arp_filter(own, addresses))
        made.bind((device, ARP_TYPE))  # only now does it receive anything
    except OSError:
        made.close()
        raise
    return made


def _advertisement_socket(device: str, addresses: Sequence[IPv6Address]) -> socket.socket:
    made = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    try:
        made.setblocking(False)
        stamp_arrivals(made)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        bind_to_device(made, device)
        _attach(made, advertisement_filter(addresses))
    except OSError:
        made.close()
        raise
    return made


def _received(made: socket.socket) -> Iterable[tuple[bytes, float, int]]:
    """Go through what has arrived: message, age in seconds, hop limit."""
    for _ in range(_AT_ONCE):  # then let the others have a turn
        try:
            message, extras, _, _ = made.recvmsg(2048, 256)
        except OSError:
            return  # nothing more, or the device went down
        hops = 0
        for level, kind, data in extras:
            if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT):
                (hops,) = struct.unpack_from("=i", data)
        yield message, age_s(extras, time.time_ns()), hops
