"""What one gateway of a pair tells of itself, and which of two is to be active.

Pure: no clock, socket or thread here.
"""

from dataclasses import dataclass
from enum import Enum

from havpn_core.rules.role import Role


class Line(Enum):
    """What a gateway's own paths make of it."""

    UP = "up"
    RECOVERING = "recovering"  #: not trusted yet, but it answers: better than a dead one
    DOWN = "down"


class Mode(Enum):
    """Where a gateway stands in the pair, in one word for people."""

    LISTENING = "listening"  #: just started: hears whether there is a partner
    STANDBY = "standby"
    TAKING = "taking"  #: has the right to be active, is not yet
    ACTIVE = "active"
    DOUBTING = "doubting"  #: holds the role, but slept or restarted and asks the partner first
    RELEASING = "releasing"  #: gives the role up; the partner may not take it yet
    OFFERING = "offering"  #: has let go; the role is the partner's to take


@dataclass(frozen=True, slots=True)
class Content:
    """What a gateway says in every frame.

    The *right* to be active is a token. It has a number (``term``) that grows whenever the
    right changes hands, so that an old offer is never taken for a new one.

    :param node: a number made of the node's name; the same in all of a gateway's runs.
    :param priority: 1 to 255; the higher one is preferred.
    :param line: of its own paths; ``None`` while nothing is known of it.
    :param held: the role in force; ``None`` while it cannot be told or is being changed.
    :param owner: it has the right to be active.
    :param offer: it gave the right with this ``term`` to the partner.
    :param claim: it is preferred, well, and asks for the role (preemption).
    :param hears: it hears the partner.
    :param doubt: it is owner, but slept or restarted: somebody else may be, too.
    :param maintenance: it wishes to stand by.
    :param forced: an operator wants it to be active.
    :param paused: it carries nothing out, by an operator's wish.
    :param unfit: it tried to become active and failed.
    :param asks: number of its last question to the partner, 0 to 255.
    :param answers: number of the partner's last question that it heard.
    """

    node: int
    priority: int
    line: Line | None = None
    held: Role | None = None
    wanted: Role | None = None
    mode: Mode = Mode.LISTENING
    term: int = 0
    owner: bool = False
    offer: bool = False
    claim: bool = False
    hears: bool = False
    doubt: bool = False
    maintenance: bool = False
    forced: bool = False
    paused: bool = False
    unfit: bool = False
    asks: int = 0
    answers: int = 0


_RANK = {Line.UP: 3, None: 2, Line.RECOVERING: 1, Line.DOWN: 0}


def rank(one: Content) -> tuple[int, ...]:
    """Order gateways for a role that nobody holds: the greater one is to have it."""
    return (
        not one.unfit and not one.paused,
        one.forced,
        not one.maintenance,
        _RANK[one.line],
        one.priority,
        one.node,
    )


def loses(own: Content, partner: Content) -> bool:
    """Say which of two active gateways must let go; exactly one of them comes to ``True``.

    Who doubts its right loses against who does not; who is paused cannot let go.
    """
    return (partner.paused, not partner.doubt, *rank(partner)) > (
        own.paused,
        not own.doubt,
        *rank(own),
    )


def why_give(own: Content, partner: Content) -> str:  # noqa: PLR0911
    """Say why the owner of the right should give it to the partner; empty if it should not.

    A holder of the role stays unless there is a reason to go: a path that is not known is
    none, neither here nor there. While nobody holds the role yet, the better one is to.
    """
    if own.held is not Role.ACTIVE:
        return "the partner is the better one" if rank(partner) > rank(own) else ""
    if own.paused or partner.paused or partner.unfit:
        return ""
    if own.forced != partner.forced:
        return "an operator wants the partner to be active" if partner.forced else ""
    if own.maintenance != partner.maintenance:
        return "stands by for maintenance" if own.maintenance else ""
    if own.maintenance or partner.line is None:
        return ""
    if own.line in (Line.DOWN, Line.RECOVERING) and _RANK[partner.line] > _RANK[own.line]:
        return f"our path is {own.line.value}, the partner's is {partner.line.value}"
    if partner.claim and partner.priority > own.priority:
        return "the partner has the higher priority"
    return ""
