"""Pure: names of gateways in frames and packets, for people only: no wrong one ends anything.

A frame of a pair has room for so much (:class:`Names`): it takes turns with its sender's own name
and that of the far gateway of the sender's line, and leaves out what has no room.
"""

import hashlib
from functools import lru_cache

from havpn_core.pair.wire.tags import join, split
from havpn_core.plugging.stance import MOST_NAME, shown_name

MOST = 24
"""Bytes of a name in a frame of a pair."""
OWN, FAR = 25, 26
"""The tags of both names in a frame of a pair."""
TURNS = {0: OWN, 3: FAR}
"""Which frames have which; of so few that nothing that comes round with them meets none."""
EVERY = 7


def node_number(name: str) -> int:
    """Make the number of a node's name that breaks ties."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


@lru_cache(maxsize=64)
def name_field(tag: int, name: str, most: int = MOST_NAME) -> bytes:
    """Write a name as a field; nothing if it is empty."""
    shown = shown_name(name, most)
    return join([(tag, shown.encode())]) if shown else b""


@lru_cache(maxsize=1024)
def name_in(tag: int, fields: bytes) -> str:
    """Read the name that is in fields; empty if none is, or the fields are malformed."""
    return _found(tag, fields) or ""


def _found(tag: int, fields: bytes) -> str | None:
    try:
        found = split(fields, (tag,)).get(tag)
    except ValueError:
        return ""
    return None if found is None else shown_name(found.decode(errors="replace"))


class Names:
    """The names that two gateways of a pair give each other.

    :param own: of this gateway.
    """

    def __init__(self, own: str = "") -> None:
        self._own = own
        self._node: int | None = None
        #: of the partner, as it said last; empty while it did not.
        self.partner = ""
        #: of the far gateway of the partner's line.
        self.far = ""

    def field(self, sequence: int, far: str, room: int) -> bytes:
        """Give the field of the frame with that number; nothing where it is none's turn.

        :param far: the name of the far gateway of this one's line.
        :param room: so many bytes are left in the frame.
        """
        tag = TURNS.get(sequence % EVERY)
        if tag is None:
            return b""
        # That a far gateway has no name any more is said, too.
        field = name_field(tag, self._own if tag == OWN else far, MOST) or join([(tag, b"")])
        return field if len(field) <= room else b""

    def take(self, fields: bytes, node: int) -> None:
        """Take in what a frame that is believed says.

        :param fields: its content.
        :param node: the number of its sender.
        """
        if node != self._node:
            self._node, self.partner, self.far = node, "", ""
        partner, far = _found(OWN, fields), _found(FAR, fields)
        self.partner = self.partner if partner is None else partner
        self.far = self.far if far is None else far
