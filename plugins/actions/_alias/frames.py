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
from .announce import ARP_TYPE, Address, Claim, claim_in_advertisement, claim_in_arp
from .filters import Instruction, advertisement_filter, arp_filter
from .netlink import Link

Heard = Callable[[Claim, float], None]

_SO_ATTACH_FILTER = 26
AT_ONCE = 64
"""Messages that are read in one turn of the loop."""
REST_S = 0.002
"""Pause after a full turn: a flood takes a small share of the loop; the kernel drops the rest."""


def attach(made: socket.socket, program: Iterable[Instruction]) -> None:
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


class Reader:
    """Reads a socket on the loop until it is closed, at most :data:`AT_ONCE` messages a turn.

    :param take: called with message, age in seconds by the kernel's clock, and hop limit.
    """

    def __init__(self, made: socket.socket, take: Callable[[bytes, float, int], None]) -> None:
        self.socket, self._take = made, take
        self._loop = asyncio.get_running_loop()
        self._rest: asyncio.TimerHandle | None = None
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._rest = None
        self._loop.add_reader(self.socket, self._read)

    def _read(self) -> None:
        number = 0
        for message, late_s, hops in _received(self.socket):
            number += 1
            self._take(message, late_s, hops)
        if number == AT_ONCE and not self._closed:
            self._loop.remove_reader(self.socket)
            self._rest = self._loop.call_later(REST_S, self._begin)

    def on(self, device: str) -> bool:
        """Whether it still hears this device.

        The kernel unbinds a packet socket of a device that is removed, and another one may come
        under its name and number.
        """
        packets = self.socket.family == socket.AF_PACKET
        return not packets or self.socket.getsockname()[0] == device

    def close(self) -> None:
        """Stop reading, and close the socket."""
        self._closed = True
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self.socket)
        close_aside(self.socket)


class ClaimReceiver:
    """Hears who else claims one of some addresses on a device.

    :param heard: called on the loop with the claim and its age in seconds, by the kernel's
        clock: a daemon that was stopped reads old news.
    """

    def __init__(self, addresses: Sequence[Address], heard: Heard) -> None:
        self._four = [a for a in addresses if isinstance(a, IPv4Address)]
        self._six = [a for a in addresses if isinstance(a, IPv6Address)]
        self._ours = frozenset(addresses)
        self._heard = heard
        self._where: tuple[int, bytes] | None = None
        self._readers: list[Reader] = []

    @property
    def mac(self) -> bytes | None:
        """The link-layer address of the device that it listens on, 6 bytes."""
        return self._where[1] if self._where is not None else None

    def open(self, device: str, link: Link) -> None:
        """Listen there, now if not already; must be called on the loop.

        :raises OSError: if that is not allowed or the device goes away.
        """
        there = self._where == (link.index, link.mac)
        if link.mac is None or (there and all(each.on(device) for each in self._readers)):
            return
        self.close()
        try:
            if self._four:
                made = packet_socket(device, ARP_TYPE, arp_filter(link.mac, self._four))
                self._readers.append(Reader(made, self._read_arp))
            if self._six:
                made = _advertisement_socket(device, self._six)
                self._readers.append(Reader(made, self._read_advertisement))
        except OSError:
            self.close()
            raise
        self._where = (link.index, link.mac)

    def close(self) -> None:
        """Stop listening; may be called twice."""
        for reader in self._readers:
            reader.close()
        self._readers, self._where = [], None

    def _read_arp(self, frame: bytes, late_s: float, _: int) -> None:
        self._pass_on(claim_in_arp(frame), late_s)

    def _read_advertisement(self, message: bytes, late_s: float, hops: int) -> None:
        if hops == 255:
            self._pass_on(claim_in_advertisement(message), late_s)

    def _pass_on(self, claim: Claim | None, late_s: float) -> None:
        if claim is None or claim.address not in self._ours:
            return
        if self._where is not None and claim.mac != self._where[1]:
            self._heard(claim, late_s)


def packet_socket(device: str, kind: int, program: Sequence[Instruction]) -> socket.socket:
    """Make one that receives the frames of an EtherType that the filter lets in.

    :raises OSError: if that is not allowed, or there is no such device.
    """
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        made.setblocking(False)
        stamp_arrivals(made)
        attach(made, program)
        made.bind((device, kind))  # only now does it receive anything
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
        attach(made, advertisement_filter(addresses))
    except OSError:
        made.close()
        raise
    return made


def _received(made: socket.socket) -> Iterable[tuple[bytes, float, int]]:
    """Go through what has arrived: message, age in seconds, hop limit."""
    for _ in range(AT_ONCE):  # then let the others have a turn
        try:
            message, extras, _, _ = made.recvmsg(2048, 256)
        except OSError:
            return  # nothing more, or the device went down
        hops = 0
        for level, kind, data in extras:
            if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT):
                (hops,) = struct.unpack_from("=i", data)
        yield message, age_s(extras, time.time_ns()), hops
