"""What the status shows of a pair.

Pure: no clock, socket or thread here.
"""

from typing import Any

import msgspec

from havpn_core.pair.lines.loss import LossFacts
from havpn_core.plugging.stance import Stance


class FarFacts(msgspec.Struct, frozen=True):
    """What the far gateway of the partner's line says of itself."""

    role: str | None
    fit: bool | None
    maintenance: bool
    paused: bool
    verdict: str | None
    name: str | None = None


def far_facts(stance: Stance, name: str = "") -> FarFacts:
    """Give a stance as the status shows it.

    :param name: of the gateway that stands so.
    """
    return FarFacts(
        role=stance.role.value if stance.role else None,
        fit=stance.fit,
        maintenance=stance.maintenance,
        paused=stance.paused,
        verdict=stance.verdict.value if stance.verdict else None,
        name=name or None,
    )


class PartnerFacts(msgspec.Struct, frozen=True):
    """What the status shows of the living partner."""

    state: str
    role: str | None
    path: str | None
    priority: int
    maintenance: bool
    stopping: bool = False
    loss: LossFacts | None = None
    wanted: str | None = None
    hears: bool = True
    fit: bool | None = None
    failed: bool = False
    forced: bool = False
    paused: bool = False
    refused: bool = False
    road: bool | None = None
    grey: bool = False
    far: FarFacts | None = None
    name: str | None = None


class PairFacts(msgspec.Struct, frozen=True):
    """``pair`` of the status.

    :param links: for each link whether it is ``alive``, the seconds since its last frame
        (``heard_s``), the ``frames`` that came, and what the link says of itself.
    :param frames: how many frames were given each verdict.
    :param dead_s: the silence in force that is the partner's death, in seconds.
    :param dead_raised: whether that is longer than the configuration's ``dead``.
    :param troubles: what is wrong now, a sentence with the remedy each.
    :param loss: what the line here loses recently.
    :param moved_for_loss_s: seconds since the role last moved for loss.
    :param heard_s: seconds since the partner's last message; ``None`` if there never was one.
    :param in_use: whether its address was found on the LAN while it is silent; ``None`` while
        nothing is looked for.
    """

    state: str
    wanted: str | None
    reason: str
    priority: int
    partner: PartnerFacts | None
    links: dict[str, dict[str, Any]]
    frames: dict[str, int]
    dead_s: float = 0.0
    dead_raised: bool = False
    troubles: list[str] = []
    loss: LossFacts | None = None
    moved_for_loss_s: float | None = None
    heard_s: float | None = None
    in_use: bool | None = None
