"""The frames of the partner heartbeat: what they hold, how they are signed, which are believed.

Pure: no file, socket or clock here.

A frame is a head (:mod:`~havpn_core.pair.wire.heads`), the content, and the first 16 bytes of
HMAC-SHA256 over both. There are two versions of the protocol:

* version 1 has a content of 21 bytes, all that release 0.1 knows of. The highest bit of its flags
  says that the sender reads version 2, too; release 0.1 passes over it.
* version 2 has fields as tag, length and value (:mod:`~havpn_core.pair.wire.tags`). A field with
  its default is left out, and an unknown one is passed over, so that a later release may say more.

A gateway sends version 1 until its partner says, or shows by a frame that is believed, that it
reads version 2. Which frames are believed, and what holds against the records of an attacker, is
said in :mod:`~havpn_core.pair.wire.sessions`. In short: nothing recorded earlier is believed, not
even by a gateway that restarted and forgot what it had seen, and two gateways that start at once
believe each other from the second frame on.

No frame has more than :data:`BIGGEST` bytes: a serial line of 9600 baud carries five such a
second. Ours are shorter; the rest is room for fields of a later release.
"""

import struct

from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from havpn_core.pair.message import Content, Line, Mode
from havpn_core.pair.wire.fields import (
    Field,
    flags_in,
    flags_of,
    octets,
    read_fields,
    tenths,
    whole,
    word,
    write_fields,
)
from havpn_core.pair.wire.heads import NONCE_BYTES, VERSIONS, Head, head_bytes, read_head
from havpn_core.pair.wire.keyring import MAC_BYTES, Keyring
from havpn_core.pair.wire.names import Names, node_number
from havpn_core.pair.wire.sessions import Sessions
from havpn_core.plugging.stance import as_number as stance_number
from havpn_core.plugging.stance import of_number as stance_of
from havpn_core.rules.role import Role
from havpn_core.rules.target.loss import as_number, of_number

__all__ = ["BIGGEST", "NONCE_BYTES", "VERDICTS", "Authenticator", "node_number", "pack", "unpack"]

BIGGEST = 160
_CONTENT = struct.Struct("!QBBBBIBHBB")
_BYTES_1 = head_bytes(1) + _CONTENT.size + MAC_BYTES
_READS_2 = 1 << 15

_LINES = (None, *Line)
_ROLES = (None, Role.ACTIVE, Role.STANDBY)
_MODES = tuple(Mode)
_YES_NO = (False, True)
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
_ALL_FLAGS = (*_FLAGS, "stopping", "refused", "off_road", "doubted", "off_line", "grey")
_DEFAULTS = {one.name: one.default for one in fields(Content) if one.default is not NODEFAULT}
_FIELDS = (
    whole(1, "node", 8),
    whole(2, "priority", 1, least=1),
    word(3, "line", _LINES),
    word(4, "held", _ROLES),
    word(5, "wanted", _ROLES),
    word(6, "mode", _MODES),
    whole(7, "term", 4),
    whole(8, "flags", 2),
    whole(9, "challenge", 1),
    whole(10, "response", 1),
    octets(11, "mac", 6),
    whole(12, "interval_ms", 4),
    word(13, "fit", _YES_NO),
    word(14, "road", _YES_NO),
    # 15 and 16 were a loss without its bounds, which nothing ever sent.
    word(17, "hears_lan", _YES_NO),
    whole(18, "asks", 1),
    whole(19, "road_for", 1),
    Field(20, "loss", 7, as_number, of_number),
    tenths(21, "moved_age_s", 2),
    word(22, "far", _ROLES),
    word(23, "this_line", _YES_NO),
    Field(24, "far_stance", 2, stance_number, stance_of),
    # 25 and 26 are names: :mod:`~havpn_core.pair.wire.names`.
)
_NEW = (
    *("mac", "interval_ms", "stopping", "refused", "fit", "loss", "hears_lan"),
    *("road", "road_for", "asks", "off_road", "doubted"),
    *("off_line", "moved_age_s", "grey", "this_line", "far", "far_stance"),
)
"""What version 1 cannot say."""
KEPT = 8
"""So many frames later what a frame of version 2 said still goes for one of version 1."""

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
    "field",
)
"""What happens to a frame; a greeting is genuine, but not known to be of this hour. A content
(version 1) or a field (version 2) holds what there is not."""


def pack(content: Content) -> bytes:
    """Turn a content into the bytes of version 1; they say that version 2 is read, too."""
    return _CONTENT.pack(
        content.node,
        content.priority,
        _LINES.index(content.line),
        _ROLES.index(content.held),
        _ROLES.index(content.wanted),
        content.term & 0xFFFFFFFF,
        _MODES.index(content.mode),
        flags_of(content, _FLAGS) | _READS_2,
        content.challenge,
        content.response,
    )


def unpack(data: bytes) -> Content:
    """Read a content of version 1.

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
            reads_2=bool(flags & _READS_2),
            **flags_in(flags, _FLAGS),
        )
    except IndexError:
        raise ValueError("a word that there is not") from None


def pack_fields(content: Content) -> bytes:
    """Turn a content into the bytes of version 2."""
    said = {
        name: value
        for name in Content.__struct_fields__
        if (value := getattr(content, name)) != _DEFAULTS.get(name, NODEFAULT)
    }
    if flags := flags_of(content, _ALL_FLAGS):
        said["flags"] = flags
    if content.term:
        said["term"] = content.term & 0xFFFFFFFF
    return write_fields(_FIELDS, said)


def unpack_fields(data: bytes) -> Content:
    """Read a content of version 2.

    :raises ValueError: if a field is malformed, or one without a default is missing.
    """
    values = read_fields(_FIELDS, data)
    if not {"node", "priority"} <= values.keys():
        raise ValueError("a field is missing")
    return Content(**flags_in(values.pop("flags", 0), _ALL_FLAGS), **values)


class Authenticator:
    """Signs our frames and judges the partner's.

    :param keys: the first signs, all are accepted.
    :param incarnation: grows with every start of this gateway.
    :param nonce: :data:`NONCE_BYTES` random bytes, drawn again for every run.
    :param name: of this gateway, for people.
    """

    def __init__(
        self, keys: tuple[bytes, ...], incarnation: int, nonce: bytes, name: str = ""
    ) -> None:
        self.use(keys)
        self.names = Names(name)
        self._sessions = Sessions(incarnation, nonce)
        self._node: int | None = None
        self._wide: tuple[Head, Content] | None = None
        #: the last frame judged was the newest one once more, as a second link brings it.
        self.duplicate = False
        #: the last frame judged is the partner's, and newer ones overtook it on a quicker link.
        self.overtaken = False
        #: the partner lives and has our own node number: both gateways have the same name.
        self.same_name = False
        #: what was made of the last frame judged, one of :data:`VERDICTS`.
        self.verdict = ""
        self.counts = dict.fromkeys(VERDICTS, 0)

    def use(self, keys: tuple[bytes, ...]) -> None:
        """Sign with the first of these keys from now on, and accept all of them."""
        self._keys = Keyring(keys)

    @property
    def speaks(self) -> int | None:
        """The version of the protocol that the partner reads, 1 or 2; we send that one.

        ``None`` before a frame of the partner was believed.
        """
        return self._sessions.speaks

    def sign(self, content: Content) -> bytes:
        """Make the next frame."""
        self._node = content.node
        head = self._sessions.head()
        head = replace(head, key_id=self._keys.signing_id(head.version))
        body = head.pack() + (pack(content) if head.version == 1 else pack_fields(content))
        if head.version > 1:
            far = content.far_stance.name if content.far_stance is not None else ""
            body += self.names.field(head.sequence, far, BIGGEST - MAC_BYTES - len(body))
        return body + self._keys.sign(body)

    def plausible(self, frame: bytes) -> bool:
        """Whether a frame passes the checks that cost nothing: length, version and key.

        Only such a frame costs :meth:`judge` a signature.
        """
        return not self._implausible(frame)

    def judge(self, frame: bytes) -> Content | None:
        """Give what a frame says; ``None`` if it is not believed. Every one is counted."""
        verdict, content = self._judge(frame)
        self.duplicate, self.overtaken = verdict == "duplicate", verdict == "late"
        self.verdict = "replay" if self.overtaken else verdict
        self.counts[self.verdict] += 1
        return content

    def _implausible(self, frame: bytes) -> str:
        if not frame or len(frame) > BIGGEST:
            return "length"
        version = frame[0]
        if version not in VERSIONS:
            return "version"
        if (len(frame) != _BYTES_1) if version == 1 else len(frame) < head_bytes(2) + MAC_BYTES:
            return "length"
        return "" if self._keys.known(read_head(frame).key_id) else "key"

    def _judge(self, frame: bytes) -> tuple[str, Content | None]:
        if why := self._implausible(frame):
            return why, None
        head = read_head(frame)
        body, signature = frame[:-MAC_BYTES], frame[-MAC_BYTES:]
        if not self._keys.verify(head.key_id, body, signature):
            return "mac", None
        data = body[head_bytes(head.version) :]
        try:
            content = unpack(data) if head.version == 1 else unpack_fields(data)
        except ValueError:
            return "content" if head.version == 1 else "field", None
        speaks = 2 if content.reads_2 else 1
        namesake = content.node == self._node
        verdict = self._sessions.judge(head, speaks, namesake=namesake)
        if verdict != "good":
            return verdict, None
        self.same_name = namesake
        return verdict, self._completed(head, content, data)

    def _completed(self, head: Head, content: Content, data: bytes) -> Content:
        """Add what only version 2 says, where the same run said it a few frames ago."""
        if head.version > 1:
            self._wide = head, content
            self.names.take(data, content.node)
        elif self._wide is not None:
            before, wide = self._wide
            if before.run == head.run and head.sequence - before.sequence <= KEPT:
                return replace(content, **{name: getattr(wide, name) for name in _NEW})
        return content
