"""The frames of the partner heartbeat: what they hold, how they are signed, which are believed.

No socket and no clock in here. A frame is at most :data:`BIGGEST` bytes, so that a serial line of
9600 baud carries five a second with room to spare. Big-endian: version 1, key 1, incarnation 8,
session 8, echo 8, sequence 4, content 21, and the first 16 bytes of HMAC-SHA256 (RFC 2104, RFC
4868) over all before.

A frame is believed if it is newer than any before (incarnation, then sequence) and if it echoes
the session of this very run: only who heard us after our start can do that, so nothing recorded
earlier is believed, not even by a gateway that restarted and forgot what it had seen. Two
gateways that start at once believe each other from the second frame on.
"""

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from havpn_core.errors import HavpnError
from havpn_core.host import files
from havpn_core.pair.message import Content, Line, Mode
from havpn_core.rules.role import Role

VERSION = 1
MAC_BYTES = 16
KEY_BYTES = 32
KEY_FILE_BYTES = 65536
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
        content.asks,
        content.answers,
    )


def unpack(data: bytes) -> Content:
    """Read a content.

    :raises ValueError: if it holds a word that there is not.
    """
    node, priority, line, held, wanted, term, mode, flags, asks, answers = _CONTENT.unpack(data)
    try:
        return Content(
            node=node,
            priority=priority,
            line=_LINES[line],
            held=_ROLES[held],
            wanted=_ROLES[wanted],
            mode=_MODES[mode],
            term=term,
            asks=asks,
            answers=answers,
            **{name: bool(flags >> bit & 1) for bit, name in enumerate(_FLAGS)},
        )
    except IndexError:
        raise ValueError("a word that there is not") from None


def node_number(name: str) -> int:
    """Make the number of a node's name that breaks ties."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def read_keys(file: Path) -> tuple[bytes, ...]:
    """Read a key file: one key in hexadecimal a line, ``#`` begins a comment.

    The first key signs; a second one is accepted, too, while keys are being changed.

    :raises HavpnError: if it cannot be read, others may read it, or a key is bad.
    """
    text = files.read_text(file, largest=KEY_FILE_BYTES, private=True)
    if text is None:
        raise HavpnError(f"{file}: there is no such file: make one with havpn keygen {file}")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    try:
        keys = tuple(bytes.fromhex(line) for line in lines if line)
    except ValueError:
        raise HavpnError(f"{file}: a key is no hexadecimal number: use havpn keygen") from None
    if not 1 <= len(keys) <= 2 or any(len(key) < KEY_BYTES for key in keys):
        raise HavpnError(
            f"{file}: one or two keys of {KEY_BYTES} bytes are needed: use havpn keygen"
        )
    return keys


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame that is believed."""

    content: Content
    first: bool  #: the first one of this run of the partner


class Authenticator:
    """Signs our frames and judges the partner's.

    :param keys: the first signs, all are accepted.
    :param incarnation: grows with every start of this gateway.
    """

    def __init__(self, keys: tuple[bytes, ...], incarnation: int) -> None:
        self.use(keys)
        self._incarnation = incarnation.to_bytes(8, "big")
        self._session = secrets.token_bytes(8)
        self._sequence = 0
        self._partner_session = bytes(8)
        self._newest = (bytes(8), -1)
        self._believed: bytes | None = None
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
            self._session,
            self._partner_session,
            self._sequence,
        )
        body = head + pack(content)
        return body + _mac(self._keys[self._signing], body)

    def judge(self, frame: bytes) -> Heard | None:
        """Take a frame in; ``None`` if it is not believed. Every one is counted."""
        self.duplicate = False
        verdict, heard = self._judge(frame)
        self.counts[verdict] += 1
        return heard

    def _judge(self, frame: bytes) -> tuple[str, Heard | None]:  # noqa: PLR0911
        if len(frame) != BIGGEST:
            return "length", None
        version, key, incarnation, session, echo, sequence = _HEAD.unpack_from(frame)
        body, mac = frame[:-MAC_BYTES], frame[-MAC_BYTES:]
        if version != VERSION:
            return "version", None
        if key not in self._keys:
            return "key", None
        if not hmac.compare_digest(mac, _mac(self._keys[key], body)):
            return "mac", None
        if session == self._session:
            return "self", None
        if (incarnation, sequence) == self._newest:
            self.duplicate = True
            return "duplicate", None
        if (incarnation, sequence) < self._newest:
            return "replay", None
        try:
            content = unpack(body[_HEAD.size :])
        except ValueError:
            return "content", None
        self._newest = (incarnation, sequence)
        self._partner_session = session
        if echo != self._session:
            return "greeting", None
        first, self._believed = self._believed != session, session
        return "good", Heard(content, first)


def _key_id(key: bytes) -> int:
    return hashlib.sha256(b"havpn key id" + key).digest()[0]


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:MAC_BYTES]
