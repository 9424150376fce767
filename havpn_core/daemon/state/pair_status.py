"""Pure: what the daemon knows of a pair, as values of :mod:`~havpn_core.daemon.state.status`."""

import msgspec
from msgspec import field

from havpn_core.daemon.state.path_status import Facts


class LossStatus(msgspec.Struct, kw_only=True):
    """What a line loses, as shares from 0 to 1.

    :param share: share lost.
    :param at_least: lower confidence bound of it.
    :param at_most: upper confidence bound of it.
    :param samples: number of probes counted.
    :param age_s: age of the newest of them in seconds.
    """

    share: float
    at_least: float
    at_most: float
    samples: int = 0
    age_s: float = 0.0


class FarStatus(msgspec.Struct, kw_only=True):
    """The far gateway of the partner's line, as the partner reports it.

    :param role: its role.
    :param fit: whether it is fit; ``None``: not known, which counts as fit.
    :param maintenance: it is in maintenance.
    :param paused: its daemon is paused.
    :param verdict: its verdict of that line.
    :param name: its name; ``None``: not known.
    """

    role: str | None = None
    fit: bool | None = None
    maintenance: bool = False
    paused: bool = False
    verdict: str | None = None
    name: str | None = None


class PartnerStatus(msgspec.Struct, kw_only=True):
    """What the partner last sent of itself.

    :param state: state of the token at the partner ([a pair](pair.md#where-the-token-goes)).
    :param role: the role in force there; ``None`` while it changes or is not known.
    :param path: ``up``, ``recovering`` or ``down``: its paths taken together.
    :param priority: its ``priority``.
    :param maintenance: it is in maintenance.
    :param stopping: its daemon stops in order.
    :param loss: what its line loses; ``None``: not known.
    :param wanted: the role that it wants.
    :param hears: whether it receives the frames of this gateway.
    :param fit: whether it can serve, its lines aside; ``None``: not known, which counts as fit.
    :param failed: it tried to take the role and could not.
    :param forced: an operator forced it to active.
    :param paused: its daemon is paused.
    :param refused: its far host has refused probes for longer than ``refused_hold``.
    :param road: whether hosts behind its far gateway reply; ``None``: not known.
    :param grey: its line is grey.
    :param far: its far gateway; ``None``: not known.
    :param name: its name, up to 24 bytes of it; ``None``: not known.
    """

    state: str
    role: str | None = None
    path: str | None = None
    priority: int | None = None
    maintenance: bool = False
    stopping: bool = False
    loss: LossStatus | None = None
    wanted: str | None = None
    hears: bool = True
    fit: bool | None = None
    failed: bool = False
    forced: bool = False
    paused: bool = False
    refused: bool = False
    road: bool | None = None
    grey: bool = False
    far: FarStatus | None = None
    name: str | None = None


class LinkStatus(msgspec.Struct, kw_only=True):
    """A link.

    :param alive: whether it carries frames of the partner.
    :param heard_s: seconds since the last frame that was accepted.
    :param frames: number of frames received.
    :param verdicts: frames received, by what was made of them.
    :param facts: what the plugin reports of itself.
    """

    alive: bool
    heard_s: float | None = None
    frames: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)


class LineStatus(msgspec.Struct, kw_only=True):
    """Which line this gateway has, and which one each site uses.

    :param number: 1 on the gateway with the higher priority, 2 on the other one.
    :param ordered: the line that ``switch --line`` on this gateway orders.
    :param by_partner: the partner received such an order for its line, and this gateway stands
        by.
    :param site: the line that this site uses; ``None`` while that changes or is not known.
    :param far_site: the line that the far site uses, as far as is seen here.
    """

    number: int
    ordered: int | None = None
    by_partner: bool = False
    site: int | None = None
    far_site: int | None = None


class PairStatus(msgspec.Struct, kw_only=True):
    """The pair.

    :param state: state of the token at this gateway ([a pair](pair.md#where-the-token-goes)).
    :param wanted: the role that the pair wants here.
    :param reason: why.
    :param priority: ``priority`` of this gateway.
    :param partner: the partner; ``None`` while it is silent.
    :param links: the links.
    :param frames: frames received, by what was made of them.
    :param dead_s: seconds of silence after which the partner counts as dead.
    :param dead_raised: ``dead`` of the configuration is too low and was raised.
    :param troubles: what is wrong with the pair now, a sentence with the remedy each.
    :param loss: what the line here loses; ``None``: not known, or old.
    :param moved_for_loss_s: seconds since the role last moved for loss; ``None``: not within
        the last 10 minutes.
    :param heard_s: seconds since the partner was last heard; ``None``: never.
    :param in_use: whether the address of a silent partner is in use on the LAN; ``None`` while
        nothing is probed.
    :param line: which line each site uses; ``None`` while the partner is silent.
    """

    state: str
    wanted: str | None = None
    reason: str | None = None
    priority: int | None = None
    partner: PartnerStatus | None = None
    links: dict[str, LinkStatus] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    dead_s: float | None = None
    dead_raised: bool = False
    troubles: list[str] = field(default_factory=list)
    loss: LossStatus | None = None
    moved_for_loss_s: float | None = None
    heard_s: float | None = None
    in_use: bool | None = None
    line: LineStatus | None = None
