"""Pure: the packets of a stream, as bytes.

Big-endian. The head: version 1 (of the stream), key 8, incarnation 8, nonce 8, echo 8, sequence 4;
it means what the head of the pair's frames means (:mod:`~havpn_core.pair.wire.heads`). Then:

======  ========  ===================================================================
bytes   field     meaning
======  ========  ===================================================================
8       sent      when it was sent, microseconds of the sender's monotonic clock
4       heard     sequence of the newest packet of the receiver that the sender had
4       echoed    when that one was sent, the low 32 bits of its ``sent``
4       held      microseconds from its arrival to this packet
4       received  how many of the receiver's packets came in its run, in all
4       pace      microseconds until the next packet at the most
4       wish      the interval that the sender wishes, microseconds
1       late      packets of the receiver that are late in a row: "I do not hear you"
1       states    role (bits 0-1), fitness (2-3), line verdict (4-6)
1       flags     maintenance 1, paused 2, away 4, no road 8, leaving 16, left 32
7       loss      what the way to the sender loses, as
                  :func:`havpn_core.rules.target.loss.as_number`; 0 if not known, left out
                  if nothing follows
        fields    tag, length and value each (:mod:`~havpn_core.pair.wire.tags`); 1: name
                  of the sender, for people only, up to 64 bytes; left out if not known
======  ========  ===================================================================

Other fields, as in a packet of a later release, are passed over. At the end stand the first 16
bytes of HMAC-SHA256 (RFC 2104, RFC 4868) over :data:`PURPOSE` and all before: a frame of a pair
that has the same key is no packet.
"""

import struct

import msgspec

from havpn_core.pair.wire.heads import Head
from havpn_core.pair.wire.keyring import MAC_BYTES, Keyring
from havpn_core.pair.wire.names import name_field, name_in
from havpn_core.plugging.stance import NO_STANCE, Stance, as_number, of_number

VERSION = 1
PURPOSE = b"havpn stream"
MOST_LATE = 255
"""More are late than a packet can say."""
LARGEST = 512
"""A packet of a later release may have so many bytes."""

_KEYS = 2  #: the version of the pair's frames whose ids of keys have 8 bytes.
_HEAD = struct.Struct("!B8sQ8s8sI")
_WHOLE = struct.Struct("!B8sQ8s8sIQIIIIIIBBB")
LEAST = _WHOLE.size + MAC_BYTES
_LOSS_BYTES, _NAME = 7, 1
_VERSION, _ECHO = bytes([VERSION]), slice(25, 33)

_LEAVING = 16
"""The flag that is no part of the stance."""
_MOST = 2**32 - 1
MICRO = 1_000_000


class Report(msgspec.Struct, frozen=True):
    """What a packet says beside its head; times in seconds.

    :param sent_us: microseconds of the sender's clock.
    :param echoed_us: the low 32 bits of ``sent_us`` of the packet ``heard``.
    :param leaving: the sender ends, and its silence says nothing of the line.
    :param loss: what the way to the sender loses, as a number; 0 while that is not known.
    """

    sent_us: int
    heard: int = 0
    echoed_us: int = 0
    held_s: float = 0.0
    received: int = 0
    pace_s: float = 1.0
    wish_s: float = 1.0
    late: int = 0
    stance: Stance = NO_STANCE
    leaving: bool = False
    loss: int = 0


def write(head: Head, report: Report, keys: Keyring) -> bytes:
    """Make the packet."""
    states, flags = divmod(as_number(report.stance), 256)
    body = _WHOLE.pack(
        VERSION,
        keys.signing_id(_KEYS),
        head.incarnation,
        head.nonce,
        head.echo,
        head.sequence,
        report.sent_us,
        report.heard,
        report.echoed_us & _MOST,
        _micros(report.held_s),
        report.received & _MOST,
        _micros(report.pace_s),
        _micros(report.wish_s),
        min(report.late, MOST_LATE),
        states,
        flags | _LEAVING * report.leaving,
    )
    if report.loss or report.stance.name:
        body += report.loss.to_bytes(_LOSS_BYTES) + name_field(_NAME, report.stance.name)
    return body + keys.sign(PURPOSE + body)


def fault(packet: bytes, keys: Keyring) -> str:
    """Say why a packet is not genuine; empty if it is.

    :returns: ``length``, ``version``, ``key`` or ``mac``.
    """
    if not LEAST <= len(packet) <= LARGEST:
        return "length"
    if packet[0] != VERSION:
        return "version"
    number, body = key_of(packet), packet[:-MAC_BYTES]
    if not keys.known(number):
        return "key"
    return "" if keys.verify(number, PURPOSE + body, packet[-MAC_BYTES:]) else "mac"


def echo_of(packet: bytes) -> bytes:
    """Give the echo in a packet; shorter than 8 bytes if it has none."""
    return packet[_ECHO] if packet[:1] == _VERSION else b""


def key_of(packet: bytes) -> bytes:
    """Give the id of the key of a packet that is long enough."""
    return packet[1:9]


def head_of(packet: bytes) -> Head | None:
    """Read the head of a packet, or of what ICMP quotes of one; ``None`` if it has none."""
    whole = len(packet) >= _HEAD.size and packet[0] == VERSION
    return Head(*_HEAD.unpack_from(packet)) if whole else None


def read(packet: bytes) -> tuple[Head, Report] | None:
    """Read a genuine packet; ``None`` if a state is one that there is not."""
    (
        *head,
        sent_us,
        heard,
        echoed_us,
        held_us,
        received,
        pace_us,
        wish_us,
        late,
        states,
        flags,
    ) = _WHOLE.unpack_from(packet)
    more = packet[_WHOLE.size : -MAC_BYTES]
    stance = of_number(states << 8 | flags & ~_LEAVING, name_in(_NAME, more[_LOSS_BYTES:]))
    if stance is None:
        return None
    return Head(*head), Report(
        sent_us,
        heard,
        echoed_us,
        held_us / MICRO,
        received,
        pace_us / MICRO,
        wish_us / MICRO,
        late,
        stance,
        bool(flags & _LEAVING),
        int.from_bytes(more[:_LOSS_BYTES]),
    )


def elapsed_s(now_us: int, then_us: int) -> float:
    """Give the seconds from one moment to another, of which the low 32 bits are known."""
    return ((now_us - then_us) & _MOST) / MICRO


def _micros(seconds: float) -> int:
    micros = round(seconds * MICRO)
    return micros if 0 <= micros <= _MOST else min(max(0, micros), _MOST)
