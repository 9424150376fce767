"""Pure: what the daemon knows of a pair, as values of :mod:`~havpn_core.daemon.state.status`."""

import msgspec
from msgspec import field

from havpn_core.daemon.state.path_status import Facts


class LossStatus(msgspec.Struct, kw_only=True):
    """What a line loses of late, as shares from 0 to 1, with the bounds that are sure.

    :param samples: how many probes that is of.
    :param age_s: how old the newest of them is, in seconds.
    """

    share: float
    at_least: float
    at_most: float
    samples: int = 0
    age_s: float = 0.0


class FarStatus(msgspec.Struct, kw_only=True):
    """What the far gateway of the partner's line says of itself, as the partner passes it on.

    :param fit: ``None``: not known, which counts as fit.
    :param verdict: what it believes of that line.
    :param name: of the far gateway; ``None``: it, or the partner, is of a release that has none.
    """

    role: str | None = None
    fit: bool | None = None
    maintenance: bool = False
    paused: bool = False
    verdict: str | None = None
    name: str | None = None


class PartnerStatus(msgspec.Struct, kw_only=True):
    """What the partner last sent of itself.

    :param role: the role that is in force there; ``None`` while it changes or is not known.
    :param path: ``up``, ``recovering`` or ``down``, its paths taken together.
    :param wanted: the role that it is to have.
    :param hears: whether it receives our frames.
    :param fit: whether it can serve, its lines aside; ``None``: not known, which counts as fit.
    :param failed: it tried to take the role, and could not.
    :param forced: an operator wants it to be active.
    :param refused: the far host refuses its probes for long.
    :param road: whether hosts behind its far gateway reply, as it said last; ``None``: not known.
    :param grey: its line loses more than it may.
    :param far: its far gateway; ``None`` while it does not say, or has not heard it of late.
    :param name: its name, up to 24 bytes of it; ``None`` while it has not said it.
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
    """A link: ``heard_s`` is the seconds since the last frame that was believed.

    :param verdicts: the frames that came over it, by what was made of them.
    """

    alive: bool
    heard_s: float | None = None
    frames: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)


class LineStatus(msgspec.Struct, kw_only=True):
    """Which line is whose, and which one each site uses.

    :param number: 1 on the gateway with the higher priority, 2 on the other one.
    :param ordered: the line that this gateway was ordered to have both sites use.
    :param by_partner: the partner was ordered so, to its line, and this gateway stands by.
    :param site: the line that this site uses; ``None`` while that changes or is not known.
    :param far_site: the line that the far site is seen to use.
    """

    number: int
    ordered: int | None = None
    by_partner: bool = False
    site: int | None = None
    far_site: int | None = None


class PairStatus(msgspec.Struct, kw_only=True):
    """The pair; ``frames`` counts those that arrived, by what was made of them.

    :param troubles: what is wrong with it now, a sentence with the remedy each.
    :param loss: what the line here loses; ``None`` while that is not known, or old.
    :param moved_for_loss_s: the seconds since the role last moved for loss; ``None`` if that was
        not within the last 10 minutes.
    :param heard_s: the seconds since the partner's last news came; ``None`` if none ever did.
    :param in_use: whether a silent partner's address was found in use on the LAN; ``None`` while
        nothing is looked for.
    :param line: ``None`` while the partner is silent.
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
