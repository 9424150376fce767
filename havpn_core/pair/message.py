"""What one gateway of a pair says of itself, and which of two is to be active.

Pure: no clock, socket or thread here.
"""

from enum import Enum

import msgspec
from msgspec.structs import replace

from havpn_core.pair.lines.loss import words
from havpn_core.plugging.stance import Stance
from havpn_core.rules.role import Role
from havpn_core.rules.target.loss import Loss


class Line(Enum):
    """What a gateway's own paths make of it."""

    UP = "up"
    RECOVERING = "recovering"  #: not trusted yet, but it replies: better than a dead one
    DOWN = "down"


class Mode(Enum):
    """Where a gateway stands in the pair, in one word for people."""

    LISTENING = "listening"  #: just started: waits for a first frame of the partner
    STANDBY = "standby"
    TAKING = "taking"  #: has the right to be active, is not yet
    ACTIVE = "active"
    DOUBTING = (
        "doubting"  #: holds the role, but slept or restarted and challenges the partner first
    )
    RELEASING = "releasing"  #: gives the role up; the partner may not take it yet
    OFFERING = "offering"  #: has let go; the role is the partner's to take


class Content(msgspec.Struct, frozen=True):
    """What a gateway says in every frame.

    The *right* to be active is a token. It has a number (``term``) that grows whenever the
    right changes hands, so that an old offer is never taken for a new one.

    :param node: a number made of the node's name; the same in all of a gateway's runs.
    :param priority: 1 to 255; the higher one is preferred.
    :param line: of its own paths; ``None`` while nothing is known of it.
    :param held: the role in force; ``None`` while it is not known or is being changed.
    :param owner: it has the right to be active.
    :param offer: it gave the right with this ``term`` to the partner.
    :param claim: it is preferred, well, and claims the role (failback).
    :param hears: it receives the partner's frames.
    :param doubt: it is owner, but slept or restarted: somebody else may be, too.
    :param maintenance: it wishes to stand by.
    :param forced, paused: an operator wants it to be active; to carry nothing out.
    :param unfit: it tried to become active and failed.
    :param challenge: number of its last challenge to the partner, 0 to 255.
    :param response: number of the partner's last challenge that it received.

    What follows travels in frames of version 2 only; in those of version 1 it has its default.

    :param mac: the link-layer address on the LAN of the shared address, 6 bytes; empty if that
        is not known.
    :param interval_ms: the announced time from one frame to the next; 0 if not announced.
    :param stopping: it ends in order and keeps the role; a restart or an upgrade follows.
    :param refused: the far host refuses its probes for longer than ``refused_hold``.
    :param fit: it can serve, its line aside; ``None`` while that is not known.
    :param road: hosts behind the far gateway reply; ``None`` while that is not known.
    :param road_for: number of the partner's request that ``road`` is the reply to; 0: none.
    :param asks: number of the request to the partner to probe its road, 1 to 255; 0 for none.
    :param off_road: it leaves the role, or has left it, because the road is down here and was
        well on the partner.
    :param doubted: it has the right to be active, and the far gateway of its line says that the
        road is down there and nobody better is to be had.
    :param loss: what its line loses recently; ``None`` while that is not known, or old.
    :param grey: its line is grey: it carries, and loses more than it may, or is slow.
    :param off_line: it leaves the role, or has left it recently, because its line loses more.
    :param moved_age_s: seconds since the role last moved for loss; ``None``: not recently.
    :param hears_lan: enough of its witnesses on the LAN reply; ``None`` while it knows of none.
    :param this_line: an operator wants both sites on its line: the receiver is to stand by.
    :param far: what the far gateway of its line is seen to be; ``None`` while that is not known.
    :param far_stance: how the far gateway of its line says that it stands; for people only.
    :param reads_2: the sender reads version 2, whichever it speaks; each frame shows it.
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
    challenge: int = 0
    response: int = 0
    mac: bytes = b""
    interval_ms: int = 0
    stopping: bool = False
    refused: bool = False
    fit: bool | None = None
    road: bool | None = None
    road_for: int = 0
    asks: int = 0
    off_road: bool = False
    doubted: bool = False
    loss: Loss | None = None
    grey: bool = False
    off_line: bool = False
    moved_age_s: float | None = None
    hears_lan: bool | None = None
    this_line: bool = False
    far: Role | None = None
    far_stance: Stance | None = None
    reads_2: bool = True


_RANK = {Line.UP: 5, None: 3, Line.RECOVERING: 2, Line.DOWN: 0}
_RANK_REFUSED = 4
"""Of a path that is up, though the far responder has been missing for long: the line carries."""
_RANK_OFF_ROAD = 1
"""Of a line that replies while the road behind it does not: still better than a dead one."""


def _path_rank(one: Content) -> int:
    found = _RANK_REFUSED if one.refused and one.line is Line.UP else _RANK[one.line]
    return min(found, _RANK_OFF_ROAD) if one.off_road else found


def takes_road(one: Content) -> bool:
    """Whether a partner could take the role from a gateway whose road is down."""
    fit = not one.unfit and one.fit is not False and not one.paused and not one.maintenance
    serves = one.line in (Line.UP, Line.RECOVERING) and not one.off_road
    return one.reads_2 and one.hears and fit and serves


def tie(node: int, priority: int, mac: bytes, *, protocol_1: bool = False) -> tuple[int, ...]:
    """Order gateways whatever they are at: the greater one makes the token that nobody has.

    The preferred gateway makes it, so that a cold start hands nothing over. Gateways with one
    name (a wrong configuration) and one priority differ in their link-layer addresses,
    6 bytes: the lower one is the greater gateway, an unknown one is not.

    :param protocol_1: one of the two speaks it, in which the number of the name comes first.
    """
    first = (node, priority) if protocol_1 else (priority, node)
    return *first, bool(mac), -int.from_bytes(mac)


def rank(one: Content, other: Content | None = None) -> tuple[int, ...]:
    """Order gateways for a role that nobody holds: the greater one is to have it.

    Unknown fitness counts as fit. A partner that reads protocol 1 only tells gateways of one name
    apart by nothing and so yields to nobody: it is to have it.

    :param other: whom it is weighed against; a grey line counts beside another one alone.
    """
    return (
        not one.unfit and not one.paused,
        one.fit is not False,
        one.forced,
        not one.maintenance,
        _path_rank(one),
        other is None or not shaded(one, other),
        not one.off_line,
        one.priority,
        one.node,
        not one.reads_2,
        bool(one.mac),
        -int.from_bytes(one.mac),
    )


def shaded(one: Content, other: Content) -> bool:
    """Whether a line is grey, while what both lose cannot be compared; protocol 1 lacks it."""
    known = one.loss is not None and other.loss is not None
    return one.grey and not known and one.reads_2 and other.reads_2


def why_better(
    worse: Content, better: Content, *, there: str = "here", here: str = "on the partner"
) -> str:
    """Say by what one gateway ranks above the other; empty if it does not.

    :param there: where the worse one is, in words.
    :param here: where the better one is, in words.
    """
    reasons = (
        f"the role could not be taken {there}" if worse.unfit else f"paused {there}",
        f"unfit {there}",
        f"forced to active {here}",
        f"in maintenance {there}",
        _paths(worse, better, there, here),
        f"line grey {there}, good {here}",
        words(worse.loss, better.loss, there, here),
        f"the higher priority is {here}",
        f"the larger number of the node's name is {here}",
        *[f"both nodes have one name, and the lower link-layer address is {here}"] * 3,
    )
    for less, more, why in zip(rank(worse, better), rank(better, worse), reasons, strict=True):
        if less < more:
            return why
        if less > more:
            break
    return ""


def _paths(worse: Content, better: Content, there: str, here: str) -> str:
    if worse.off_road and not better.off_road and worse.line is not Line.DOWN:
        return f"road down {there}, well {here}"
    sound = better.line is Line.UP and not better.refused
    if worse.refused and sound and worse.line in (Line.UP, None):
        return f"far responder missing for long {there}, path up {here}"
    first, second = (one.line.value if one.line else "unknown" for one in (worse, better))
    return f"path {first} {there}, {second} {here}"


def loses(own: Content, partner: Content) -> bool:
    """Say which of two owners of the right must let go; exactly one of them comes to ``True``.

    Who holds the role stays, whatever the one without it would be better at; who holds it and is
    paused cannot let go; who doubts its right loses against who does not. Only two of which
    nothing tells them apart, neither name nor link-layer address, both stay.
    """
    return _standing(partner, own) > _standing(own, partner)


def _standing(one: Content, other: Content) -> tuple[int, ...]:
    holds = one.held is Role.ACTIVE
    return (holds and one.paused, holds, not one.doubt, *rank(one, other))


def why_give(own: Content, partner: Content) -> str:
    """Say why the owner of the right should give it to the partner; empty if it should not.

    A holder of the role stays unless there is a reason to go: a path that is not known is
    none, neither here nor there. So does a gateway whose role is being changed or is not known:
    a daemon that restarts holds the address and applies it once more. Where it is seen that
    nobody holds the role yet, the better one is to. A partner that does not hear this gateway
    would not hear of it.
    """
    if not partner.hears:
        return ""
    if own.held is Role.STANDBY or own.unfit:
        return why_better(_presumed(own, partner), partner)
    # The first that holds decides; an empty reason is one to stay.
    reasons = (
        (own.paused or partner.paused or partner.unfit, ""),
        (own.fit is False and partner.fit is not False, "unfit here"),
        (partner.fit is False and own.fit is not False, ""),
        (partner.forced and not own.forced, "forced to active on the partner"),
        (own.forced and not partner.forced, ""),
        (own.maintenance and not partner.maintenance, "in maintenance here"),
        (partner.maintenance, ""),
        (partner.line is None, ""),
        (_flees(own, partner), _paths(own, partner, *HERE)),
        (own.off_road and takes_road(partner), ROAD),
        (own.off_line and carries(own) and carries(partner), words(own.loss, partner.loss, *HERE)),
        (
            partner.claim and partner.priority > own.priority and own.refused >= partner.refused,
            "failback to the higher priority on the partner",
        ),
    )
    return next((why for holds, why in reasons if holds), "")


HERE = "here", "on the partner"
ROAD = "road down here, well on the partner"


def carries(one: Content) -> bool:
    """Whether a gateway's path is up and nothing is known against it."""
    return one.line is Line.UP and not one.refused and not one.off_road


def _presumed(own: Content, partner: Content) -> Content:
    """Give an owner whose paths are not known yet, at a start, the partner's.

    Its first samples are on their way; giving the right away for a moment would move the role
    twice.
    """
    return own if own.line is not None else replace(own, line=partner.line)


def _flees(own: Content, partner: Content) -> bool:
    """Whether the path is a reason for a holder to go.

    A far responder that is missing proves that the line carries: a dead path is worse, one
    that replies again is not fled from towards it.
    """
    if own.line is Line.DOWN:
        return _path_rank(partner) > _RANK[Line.DOWN]
    return (own.line is Line.RECOVERING or own.refused) and carries(partner)
