"""How a pair stands: the facts from which its troubles follow.

Pure: no clock, socket or thread here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
