"""Pure: tell the echo of a reply from a request, so that two responders do not feed each other.

A reply that reaches another echo service comes back unchanged, is a request again, and so on
without end. Three things end that at once: no reply goes to a port at which responders listen, none
to a datagram that a responder of HA-VPN has marked as its reply, and none to one that is, byte for
byte, the reply which that very source has just had.

A sender whose requests are all alike looks the same at first. It loses one reply; as it goes on
without having had one, which no echo does, it is known to be a sender for a while.
"""

import struct
from collections.abc import Iterable
from typing import TypeVar

from havpn_core.echo.report import GOODBYE, MAGIC, NOTICES, EchoSession

ECHO_PORT = 7
"""The port of RFC 862."""
BACK_NS = 250_000_000
"""Nanoseconds within which an echo of a reply comes back; a slower loop does no harm."""
PROVEN_S = 60.0
"""Seconds for which whoever sends without having had a reply is taken for a sender."""
_FILLED_IN = struct.Struct("!I")

Peer = tuple[str, int]
Key = tuple[Peer, int]
K = TypeVar("K")
V = TypeVar("V")


def is_reply(request: bytes) -> bool:
    """Whether a datagram says itself that it is no request: it bears what responders fill in."""
    if request.startswith((GOODBYE, *NOTICES)):
        return True
    if len(request) < EchoSession.BYTES or not request.startswith(MAGIC):
        return False
    epoch: int = _FILLED_IN.unpack_from(request, EchoSession.BYTES - 2 * _FILLED_IN.size)[0]
    return epoch != 0


class Loops:
    """Knows the ports of responders, and what was replied recently.

    :param ports: at which our own responder listens; the far one mostly listens at the same.
    :param most: replies and senders remembered, of each.
    """

    def __init__(self, ports: Iterable[int], most: int) -> None:
        self._ports = {ECHO_PORT, *ports}
        self._most = most
        self._sent: dict[Key, tuple[int, int]] = {}
        self._tested: dict[Key, int] = {}
        self._senders: dict[Peer, float] = {}

    def closed(self, port: int, request: bytes) -> bool:
        """Whether a request cannot be one: it comes of a responder, or is a reply."""
        return port in self._ports or is_reply(request)

    def echoed(self, peer: Peer, request: bytes, arrived_ns: int, now_s: float) -> bool:
        """Whether a request is the echo of a reply; what is none is taken to get a reply.

        :param arrived_ns: when it arrived, by the clock of :meth:`replied`.
        """
        if peer in self._senders:
            if now_s < self._senders[peer]:
                return False
            del self._senders[peer]
        key = (peer, hash(request))
        number, sent_ns = self._sent.pop(key, (0, 0))
        if not number or not 0 < arrived_ns - sent_ns < BACK_NS:
            if key in self._tested and arrived_ns > self._tested[key]:
                del self._tested[key]
                _keep(self._senders, peer, now_s + PROVEN_S, self._most)
            return False
        if number > 1:
            _keep(self._sent, key, (number - 1, sent_ns), self._most)
        else:
            _keep(self._tested, key, arrived_ns, self._most)
        return True

    def replied(self, peer: Peer, reply: bytes, sent_ns: int) -> None:
        """Take in what was sent.

        :param sent_ns: the moment before it was sent, in nanoseconds of the clock of arrivals.
        """
        if peer in self._senders:
            return
        key = (peer, hash(reply))
        number, _ = self._sent.get(key, (0, 0))
        _keep(self._sent, key, (number + 1, sent_ns), self._most)


def _keep(table: dict[K, V], key: K, value: V, most: int) -> None:
    """Put an entry last; the first one gives way."""
    table.pop(key, None)
    if len(table) >= most:
        table.pop(next(iter(table)))
    table[key] = value
