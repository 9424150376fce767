"""The frames of the partner heartbeat: what they hold, how they are signed, which are believed.

Pure: no file, socket or clock here.

A frame is at most :data:`BIGGEST` bytes, so that a serial line of 9600 baud carries five a second
with room to spare. Big-endian: version 1, key 1, incarnation 8, nonce 8, echo 8, sequence 4,
content 21, and the first 16 bytes of HMAC-SHA256 (RFC 2104, RFC 4868) over all before.

A frame is believed if it is newer than any before (incarnation, then sequence) and if it echoes
the nonce of this very run: only who heard us after our start can do that, so nothing recorded
earlier is believed, not even by a gateway that restarted and forgot what it had seen. Two
gateways that start at once believe each other from the second frame on.
"""

import hashlib
import hmac
import struct
from typing import Any

from havpn_core.pair.message import Content, Line, Mode
from havpn_core.rules.role import Role

VERSION = 1
MAC_BYTES = 16
NONCE_BYTES = 8
_HEAD = struct.Struct("!BB8s8s8sI")
_CONTENT = struct.Struct("!QBBBBIBHBB")
BIGGEST = _HEAD.size + _CONTENT.size + MAC_BYTES

_LINES = (None, *Line)
_ROLES = (None, Role.ACTIVE, Role.STANDBY)
_MODES = tuple(Mode)
_FLAGS = (
    "owner",
    "offer",
    "claim",
    "hears",
    "doubt",
    "maintenance",
    "forced",
    "paused",
    "unfit",
)

VERDICTS = (
    "good",
    "greeting",
    "length",
    "version",
    "key",
    "mac",
    "self",
    "duplicate",
    "replay",
    "content",
)
"""What becomes of a frame; a greeting is genuine, but not known to be of this hour."""


def pack(content: Content) -> bytes:
    """Turn a content into bytes."""
    flags = sum(getattr(content, name) << bit for bit, name in enumerate(_FLAGS))
    return _CONTENT.pack(
        content.node,
        content.priority,
        _LINES.index(content.line),
        _ROLES.index(content.held),
        _ROLES.index(content.wanted),
        content.term & 0xFFFFFFFF,
        _MODES.index(content.mode),
        flags,
        content.challenge,
        content.response,
    )


def unpack(data: bytes) -> Content:
    """Read a content.

    :raises ValueError: if it holds a word that there is not.
    """
    node, priority, line, held, wanted, term, mode, flags, challenge, response = _CONTENT.unpack(
        data
    )
    try:
        return Content(
            node=node,
            priority=priority,
            line=_LINES[line],
            held=_ROLES[held],
            wanted=_ROLES[wanted],
            mode=_MODES[mode],
            term=term,
            challenge=challenge,
            response=response,
            **_flags_of(flags),
        )
    except IndexError:
        raise ValueError("a word that there is not") from None


def _flags_of(flags: int) -> dict[str, Any]:
    return {name: bool(flags >> bit & 1) for bit, name in enumerate(_FLAGS)}


def node_number(name: str) -> int:
    """Make the number of a node's name that breaks ties."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


class Authenticator:
    """Signs our frames and judges the partner's.

    :param keys: the first signs, all are accepted.
    :param incarnation: grows with every start of this gateway.
    :param nonce: :data:`NONCE_BYTES` random bytes, drawn anew for every run.
    """

    def __init__(self, keys: tuple[bytes, ...], incarnation: int, nonce: bytes) -> None:
        self.use(keys)
        self._incarnation = incarnation.to_bytes(8, "big")
        self._nonce = nonce
        self._sequence = 0
        self._partner_nonce = bytes(NONCE_BYTES)
        self._newest = (bytes(8), -1)
        #: the last frame judged was the newest one once more, as a second link brings it.
        self.duplicate = False
        self.counts = dict.fromkeys(VERDICTS, 0)

    def use(self, keys: tuple[bytes, ...]) -> None:
        """Sign with the first of these keys from now on, and accept all of them."""
        self._keys = {_key_id(key): key for key in keys}
        self._signing = _key_id(keys[0])

    def sign(self, content: Content) -> bytes:
        """Make the next frame."""
        self._sequence += 1
        head = _HEAD.pack(
            VERSION,
            self._signing,
            self._incarnation,
            self._nonce,
            self._partner_nonce,
            self._sequence,
        )
        body = head + pack(content)
        return body + _mac(self._keys[self._signing], body)

    def judge(self, frame: bytes) -> Content | None:
        """Give what a frame says; ``None`` if it is not believed. Every one is counted."""
        self.duplicate = False
        verdict, content = self._judge(frame)
        self.counts[verdict] += 1
        return content

    def _judge(self, frame: bytes) -> tuple[str, Content | None]:
        if len(frame) != BIGGEST:
            return "length", None
        version, key, incarnation, nonce, echo, sequence = _HEAD.unpack_from(frame)
        body, mac = frame[:-MAC_BYTES], frame[-MAC_BYTES:]
        if version != VERSION:
            return "version", None
        if key not in self._keys:
            return "key", None
        if not hmac.compare_digest(mac, _mac(self._keys[key], body)):
            return "mac", None
        if nonce == self._nonce:
            return "self", None
        if (incarnation, sequence) <= self._newest:
            self.duplicate = (incarnation, sequence) == self._newest
            return "duplicate" if self.duplicate else "replay", None
        try:
            content = unpack(body[_HEAD.size :])
        except ValueError:
            return "content", None
        self._newest = (incarnation, sequence)
        self._partner_nonce = nonce
        if echo != self._nonce:
            return "greeting", None
        return "good", content


def _key_id(key: bytes) -> int:
    return hashlib.sha256(b"havpn key id" + key).digest()[0]


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:MAC_BYTES]
