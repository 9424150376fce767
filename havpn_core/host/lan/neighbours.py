"""Probes of hosts on a LAN by ARP and NDP, and the frames of others that are heard there."""

import asyncio
import ctypes
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence

from havpn_core.host.lan.frames import ARP, IPV6, Address, NeighbourFrame, read, request
from havpn_core.host.lan.kernel import mac_of

AT_ONCE = 64
"""Frames that are read in one turn of the loop."""
REST_S = 0.005
"""Pause after a full turn: a flood takes a small share of the loop; the kernel drops the rest."""
OLDEST_S = 5.0
"""No frame waits longer: a greater age comes of a clock that was set."""
_ATTACH_FILTER, _STAMP = 26, 35
_TIMESPEC = struct.Struct("@qq")
# Classic BPF: IPv6 frames whose next header is ICMPv6 (58), type 135 or 136.
_NDP_ONLY = (
    (0x30, 0, 0, 20),
    (0x15, 0, 4, 58),
    (0x30, 0, 0, 54),
    (0x15, 1, 0, 135),
    (0x15, 0, 1, 136),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


class Neighbours:
    """Sends requests on one device and hears what is said there.

    :param device: an Ethernet device.
    :param heard: called on the loop with each frame of another host, and its age in seconds.
    """

    def __init__(self, device: str, heard: Callable[[NeighbourFrame, float], None]) -> None:
        self.device, self._heard = device, heard
        self.mac = b""  #: ours on the device, 6 bytes; empty before :meth:`open`
        self._sockets: list[socket.socket] = []
        self._rest: dict[socket.socket, asyncio.TimerHandle] = {}
        self._number = 0

    @property
    def is_open(self) -> bool:
        """Whether it listens, on the device that has the name now."""
        try:
            there = socket.if_nametoindex(self.device) == self._number
        except OSError:
            return False
        return bool(self._sockets) and there

    def open(self, families: Sequence[str] = ("IPv4", "IPv6")) -> None:
        """Begin to listen; must be called on the loop.

        :param families: ``IPv4``, ``IPv6`` or both.
        :raises OSError: without CAP_NET_RAW, or if there is no such Ethernet device.
        """
        self.close()
        mac = mac_of(self.device)
        if mac is None:
            raise OSError(f"device {self.device} is no Ethernet device")
        self.mac, self._number = mac, socket.if_nametoindex(self.device)
        kinds = {"IPv4": ARP, "IPv6": IPV6}
        try:
            for family in families:
                self._sockets.append(_listening(self.device, kinds[family]))
        except OSError:
            self.close()
            raise
        for made in self._sockets:
            self._begin(made)

    def probe(self, target: Address, to: bytes = b"", source: Address | None = None) -> bool:
        """Send a request to a host; gives whether the kernel took it.

        :param to: the host's link-layer address; empty for everybody.
        :param source: our own address; ``None``: none.
        """
        if not self._sockets:
            return False
        frame = request(self.mac, source, target, to)
        try:
            self._sockets[0].sendto(frame, (self.device, int.from_bytes(frame[12:14])))
        except OSError:  # no carrier, or the queue is full: no reply comes either
            return False
        return True

    def close(self) -> None:
        """Stop listening; may be called twice."""
        for made in self._sockets:
            if (rest := self._rest.pop(made, None)) is not None:
                rest.cancel()
            asyncio.get_running_loop().remove_reader(made)
            _close_aside(made)
        self._sockets, self._number = [], 0

    def _begin(self, made: socket.socket) -> None:
        self._rest.pop(made, None)
        asyncio.get_running_loop().add_reader(made, self._read, made)

    def _read(self, made: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                frame, extras, *_ = made.recvmsg(256, 64)
            except OSError:
                return  # nothing more, or the device went down
            found = read(frame)
            if found is not None and found.mac != self.mac:
                self._heard(found, _age_s(extras))
            if made not in self._sockets:
                return  # closed by whoever heard it
        loop = asyncio.get_running_loop()
        loop.remove_reader(made)
        self._rest[made] = loop.call_later(REST_S, self._begin, made)


def own_source(
    own: Sequence[Address], target: Address, shared: Sequence[Address] = ()
) -> Address | None:
    """Choose the address from which to probe for another; ``None`` if there is none.

    :param own: the addresses of the device.
    :param shared: addresses that are never the source, as the partner may have them, too.
    """
    usable = [each for each in own if each.version == target.version and each not in shared]
    if target.version == 6:  # RFC 4861: a link-local source reaches every host on the link
        usable.sort(key=lambda each: not each.is_link_local)
    return usable[0] if usable else None


def _listening(device: str, kind: int) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, _STAMP, 1)
        if kind == IPV6:
            code = b"".join(struct.pack("=HBBI", *line) for line in _NDP_ONLY)
            held = ctypes.create_string_buffer(code, len(code))
            program = struct.pack("@HP", len(_NDP_ONLY), ctypes.addressof(held))
            made.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
        made.bind((device, kind))  # only now does it receive anything
    except OSError:
        made.close()
        raise
    return made


def _age_s(extras: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in extras:
        if (level, kind) == (socket.SOL_SOCKET, _STAMP) and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            age_s: float = (time.time_ns() - seconds * 10**9 - nanoseconds) / 1e9
            return age_s if 0 <= age_s <= OLDEST_S else 0.0
    return 0.0


def _close_aside(made: socket.socket) -> None:
    """Close a packet socket without waiting: the kernel takes 8 to 24 ms for it."""
    try:
        threading.Thread(target=made.close, name="close", daemon=True).start()
    except RuntimeError:
        made.close()
