"""How a pair stands: the facts from which its troubles follow.

Pure: no clock, socket or thread here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

UNANNOUNCED_S = 0.6
"""The least ``dead`` while the partner's interval is not known."""
ROUNDED_S = 1e-6
"""Three intervals written as decimals are no more than they seem."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts of a pair at one moment.

    :param priority: of this gateway.
    :param partner_priority: of the living partner; ``None`` while it is silent.
    :param dead_s: silence after which the partner counts as dead.
    :param hears: whether the living partner receives our frames.
    :param same_name: whether the living partner has our node name.
    :param stopping: whether the partner's last frame said that it ends in order.
    :param frames: how many frames were given each verdict so far.
    :param links: for each link the seconds since its last believed frame, ``None`` if it never
        brought one.
    :param raised: what ``dead`` is written as, and what it was raised to, in seconds.
    """

    priority: int
    partner_priority: int | None
    dead_s: float
    hears: bool = True
    same_name: bool = False
    stopping: bool = False
    frames: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, float | None] = field(default_factory=dict)
    raised: tuple[float, float] | None = None

    @property
    def heard(self) -> bool:
        """Whether the partner lives."""
        return self.partner_priority is not None


def raised(
    explicit_s: float | None, interval_s: float, partner_interval_s: float
) -> tuple[float, float] | None:
    """Give from what to what an explicit ``dead`` is raised; ``None`` if it is not.

    :param partner_interval_s: the partner's interval, 0 if it is not announced.
    """
    if explicit_s is None:
        return None
    least_s = 3 * max(interval_s, partner_interval_s)
    if not partner_interval_s:
        least_s = max(least_s, UNANNOUNCED_S)
    return (explicit_s, least_s) if explicit_s < least_s - ROUNDED_S else None
