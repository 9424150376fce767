"""The pair's transitions as a table: where the token is, what happens, where it is then.

Pure: data only; :mod:`~havpn_core.pair.token` says when an event happens.
"""

from dataclasses import dataclass
from enum import Enum

from havpn_core.pair.state import Token


class Event(Enum):
    """What may happen to the token."""

    FOUND_ACTIVE = "found active"  #: this gateway starts and holds the role already
    SLEPT = "slept"  #: this owner did not run for so long that the partner may have taken over
    CONFIRMED = "confirmed"  #: the partner replies to our challenge and is no owner, or is dead
    SILENCE = "silence"  #: the partner is dead and nobody on the LAN has the address
    OFFER = "offer"  #: the partner offers the token, with a number that is new
    DEAF = "deaf"  #: neither has it, the partner does not hear this gateway, the address is free
    CUT_OFF = "cut off"  #: the owner is unfit and hears nobody, and its address is not on the LAN
    ORPHANED = "orphaned"  #: both live, neither has it, and it is on this gateway to make one
    USED = "used"  #: the partner had used the number of our offer already and ignores it
    ARRIVED = "arrived"  #: the partner has the token
    OUTRANKED = "outranked"  #: both are owners and the partner is the better one
    UNHEARD = "unheard"  #: both are active and the partner does not hear this one
    IN_USE = "in use"  #: taken from silence, not held yet, and the address is not known to be free
    LET_GO = "let go"  #: there is a reason to give it away, and the role is seen to be gone


@dataclass(frozen=True, slots=True)
class Row:
    """What follows from an event.

    :param token: where the token is then.
    :param grows: by how much its number grows above all that were heard of.
    :param reason: why, for people; empty where nothing is new about that.
    """

    token: Token
    grows: int = 0
    reason: str = ""


SILENT = "the partner is silent on all links"

_HAD = {
    Event.SILENCE: Row(Token.OWNED, 1, SILENT),
    Event.OFFER: Row(Token.OWNED, 0, "the partner handed the role over"),
    Event.CUT_OFF: Row(
        Token.OWNED, 1, "the partner is unfit, does not hear this gateway and is not on the LAN"
    ),
    Event.ORPHANED: Row(Token.OWNED, 1, "neither gateway had the role"),
    Event.DEAF: Row(
        Token.OWNED, 1, "neither gateway had the role, and the partner does not hear this one"
    ),
}
_LOST = {
    Event.SLEPT: Row(Token.DOUBTED),
    Event.OUTRANKED: Row(Token.ELSEWHERE, 0, "both gateways were active, the partner stays"),
    Event.UNHEARD: Row(
        Token.ELSEWHERE, 0, "both gateways were active, and the partner does not hear this one"
    ),
    Event.IN_USE: Row(Token.ELSEWHERE, 0, "the address is not known to be free"),
    Event.LET_GO: Row(Token.OFFERED, 1, "handed the role over"),
}
TABLE: dict[Token, dict[Event, Row]] = {
    Token.ELSEWHERE: {
        Event.FOUND_ACTIVE: Row(Token.DOUBTED, 0, "was active at the start"),
        **_HAD,
    },
    Token.OFFERED: {
        Event.ARRIVED: Row(Token.ELSEWHERE),
        Event.USED: Row(Token.OFFERED, 1),
        **_HAD,
    },
    Token.OWNED: _LOST,
    Token.DOUBTED: {Event.CONFIRMED: Row(Token.OWNED), **_LOST},
}
"""Where the token is, what happens, what follows; what is not listed changes nothing."""
