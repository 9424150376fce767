"""Pure: the echo request to whose reply a responder of HA-VPN adds what it received.

To any other echo service (RFC 862) the request is a payload like others and comes back unchanged.
The layout, big-endian: magic 4, session 8, sequence 4, nonce 16, epoch 4, received 4. The last
two are zero in the request; a responder of HA-VPN fills them in. Nothing grows: no
amplification.
"""

import struct
from dataclasses import dataclass

MAGIC = b"HAV\x01"
GOODBYE = b"HAV\x02"
"""Begins the last datagram of a responder that ends in order; the head of a request follows."""
AWAY = b"HAV\x03"
"""Begins a datagram of a responder that falls silent, for its gateway is not to be used."""
STANDBY = b"HAV\x04"
"""Begins a datagram of a responder whose gateway stands by."""
NO_ROAD = b"HAV\x05"
"""Begins a datagram of a responder whose gateway serves though its road is down: nobody better."""
NOTICES = (AWAY, STANDBY, NO_ROAD)
"""How a notice begins."""
GOODBYE_BYTES = 40
SIGN_BYTES = 8
SIGNED_BYTES = 16
"""Bytes of the least request without a session that has a sign."""
_LAYOUT = struct.Struct("!4s8sI16sII")
_RECEIVED = struct.Struct("!II")


def goodbye(request: bytes) -> bytes:
    """Make the datagram that says that this responder ends, to whoever sent a request last.

    It bears the first :data:`GOODBYE_BYTES` bytes of that request, so that nobody off the way can
    have made it.
    """
    return GOODBYE + request[:GOODBYE_BYTES]


def notice(kind: bytes, request: bytes) -> bytes:
    """Make a notice of a kind, one of :data:`NOTICES`, about this request."""
    return kind + request[:GOODBYE_BYTES]


def sign(request: bytes) -> bytes:
    """Give what is alike in all requests of one sender, and known to nobody else.

    That is the session of an :class:`EchoSession`; of another request the first bytes, which
    ``udp-echo`` draws once. Empty for a request that is too short to have one.
    """
    if len(request) >= EchoSession.BYTES and request.startswith(MAGIC):
        return request[: len(MAGIC) + EchoSession.ID_BYTES]
    return request[:SIGN_BYTES] if len(request) >= SIGNED_BYTES else b""


@dataclass(frozen=True, slots=True)
class EchoReport:
    """What one reply says.

    :param sequence: the number of the request that it belongs to.
    :param received: requests of the session that the far end had received by then.
    :param epoch: another number after each start of the far responder; 0 if the far end is a
        plain echo service, which reports nothing.
    """

    nonce: bytes
    sequence: int
    received: int
    epoch: int


class EchoSession:
    """The requests of one sender, numbered, and the reports in the replies to them.

    :param session: random bytes, :data:`ID_BYTES` of them, another value for each sender.
    :raises ValueError: if it has another length.
    """

    ID_BYTES = 8
    NONCE_BYTES = 16
    BYTES = _LAYOUT.size
    """Bytes of the least request, 40; what follows them comes back as it is."""

    def __init__(self, session: bytes) -> None:
        if len(session) != self.ID_BYTES:
            raise ValueError(f"session: write {self.ID_BYTES} bytes, not {len(session)}")
        self._session = session
        self._sequence = 0

    def request(self, nonce: bytes) -> bytes:
        """Make the first :data:`BYTES` of the next request.

        :param nonce: :data:`NONCE_BYTES` random bytes.
        :raises ValueError: if it has another length.
        """
        if len(nonce) != self.NONCE_BYTES:
            raise ValueError(f"nonce: write {self.NONCE_BYTES} bytes, not {len(nonce)}")
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        return _LAYOUT.pack(MAGIC, self._session, self._sequence, nonce, 0, 0)

    def report(self, reply: bytes) -> EchoReport | None:
        """Read a reply; ``None`` if it does not belong to this session."""
        if len(reply) < self.BYTES:
            return None
        magic, session, sequence, nonce, epoch, received = _LAYOUT.unpack_from(reply)
        if (magic, session) != (MAGIC, self._session):
            return None
        return EchoReport(nonce, sequence, received, epoch)


class Sessions:
    """What a responder counts.

    :param epoch: any number but 0, another one at every start.
    :param most: sessions remembered; the one without requests for longest gives way.
    """

    def __init__(self, epoch: int, most: int = 1024) -> None:
        self._epoch, self._most = epoch, most
        self._received: dict[tuple[str, bytes], int] = {}

    def reply(self, host: str, request: bytes) -> bytes:
        """Count a request and give the reply to it, which is as long."""
        if len(request) < EchoSession.BYTES or not request.startswith(MAGIC):
            return request
        key = (host, request[4:12])
        received = self._received.pop(key, 0) + 1
        if len(self._received) >= self._most:
            self._received.pop(next(iter(self._received)))
        self._received[key] = received
        end = EchoSession.BYTES - _RECEIVED.size
        counted = _RECEIVED.pack(self._epoch, received & 0xFFFFFFFF)
        return request[:end] + counted + request[EchoSession.BYTES :]
