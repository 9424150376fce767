"""Frames of the pair on the LAN itself: raw Ethernet, to everybody.

Where every other way between two gateways is cut, the LAN of their address still is one. The
EtherType is the first of those that IEEE 802 leaves to local experiments (RFC 9542 B.1). Ethernet
pads short frames, so two bytes in front say how long the content is.
"""

from collections.abc import Callable

from .announce import BROADCAST, show
from .filters import broadcast_filter
from .frames import FrameSender, Reader, packet_socket
from .netlink import Link, link

LOCAL_EXPERIMENTAL = 0x88B5
LONGEST = 1400
"""Bytes of a content; longer ones are not sent, as not every LAN carries them."""
_HEAD = 14


def wrapped(mac: bytes, content: bytes) -> bytes:
    """Make the Ethernet frame of a content.

    :param mac: our link-layer address, 6 bytes.
    """
    kind = LOCAL_EXPERIMENTAL.to_bytes(2)
    return BROADCAST + mac + kind + len(content).to_bytes(2) + content


def unwrapped(frame: bytes) -> tuple[bytes, bytes] | None:
    """Give the sender's link-layer address and the content; ``None`` if it is cut short."""
    if len(frame) < _HEAD + 2:
        return None
    length = int.from_bytes(frame[_HEAD : _HEAD + 2])
    content = frame[_HEAD + 2 : _HEAD + 2 + length]
    return (frame[6:12], content) if 0 < length == len(content) else None


class Broadcasts:
    """Sends contents to everybody on a device, and hears those of others.

    Nothing is received before somebody wants it (:attr:`heard`); a frame costs nothing then.
    """

    def __init__(self, device: str, sender: FrameSender) -> None:
        self._device, self._sender = device, sender
        self.heard: Callable[[str, bytes], None] | None = None
        self._where: tuple[int, bytes] | None = None
        self._reader: Reader | None = None
        self._closed = False
        self._counts = {"sent": 0, "received": 0, "unsent": 0}

    def open(self, there: Link) -> None:
        """Listen there, now if not already; must be called on the loop.

        :raises OSError: if that is not allowed or the device goes away.
        """
        if there.mac is None or self.heard is None or self._listens(there):
            return
        self._stop()
        made = packet_socket(self._device, LOCAL_EXPERIMENTAL, broadcast_filter(there.mac))
        self._reader = Reader(made, self._take)
        self._where = (there.index, there.mac)

    def send(self, content: bytes) -> None:
        """Send one, without waiting; what cannot be sent is counted."""
        try:
            there = link(self._device)
            ready = there is not None and there.running and not self._closed
            if ready and there is not None and there.mac and len(content) <= LONGEST:
                self._sender.send(self._device, [wrapped(there.mac, content)])
                self._counts["sent"] += 1
                return
        except OSError:
            pass
        self._counts["unsent"] += 1

    def facts(self) -> dict[str, int]:
        """Give what status shows: contents sent, received, and not sent."""
        return dict(self._counts)

    def close(self) -> None:
        """Stop listening and sending, permanently; may be called twice."""
        self._closed = True
        self._stop()

    def _listens(self, there: Link) -> bool:
        known = self._where == (there.index, there.mac)
        return known and self._reader is not None and self._reader.on(self._device)

    def _stop(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self._where = None

    def _take(self, frame: bytes, late_s: float, hops: int) -> None:
        found = unwrapped(frame)
        if found is not None and self.heard is not None:
            self._counts["received"] += 1
            self.heard(show(found[0]), found[1])
