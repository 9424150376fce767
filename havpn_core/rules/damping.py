"""Remember flaps: a line that keeps dying has to stay well for longer before it is trusted.

Pure. The figure of merit of RFC 2439, in its own units: every fall of the line adds 1 to a
penalty that halves every half-life. While a fall lifts it above ``suppress``, the way back is
held until it has decayed to ``reuse``; ``max_hold_s`` caps the hold by capping the penalty.
"""

from dataclasses import dataclass
from math import log2


@dataclass(frozen=True, slots=True)
class Damping:
    """How long flaps are remembered.

    :param half_life_s: seconds in which the penalty halves.
    :param suppress: penalty above which the way back is held; below 1 the first fall would be.
    :param reuse: penalty at which the hold ends; below ``suppress``.
    :param max_hold_s: the longest hold in seconds.
    """

    half_life_s: float
    suppress: float
    reuse: float
    max_hold_s: float

    @property
    def ceiling(self) -> float:
        """The penalty that takes ``max_hold_s`` to decay to ``reuse``."""
        return float(self.reuse * 2 ** min(self.max_hold_s / self.half_life_s, 64))


@dataclass(frozen=True, slots=True)
class Flaps:
    """The memory of one path.

    :param penalty: as it was at ``at_s``.
    :param held_until_s: the path may not come up before this moment.
    """

    penalty: float = 0.0
    at_s: float = 0.0
    held_until_s: float = 0.0


def penalty(damping: Damping, flaps: Flaps, now_s: float) -> float:
    """Give the penalty now."""
    age = max(0.0, now_s - flaps.at_s)
    return float(flaps.penalty * 0.5 ** min(age / damping.half_life_s, 1000))


def fell(damping: Damping, flaps: Flaps, now_s: float) -> Flaps:
    """Take one fall of the line in."""
    return resume(damping, penalty(damping, flaps, now_s) + 1, now_s)


def resume(damping: Damping, figure: float, now_s: float) -> Flaps:
    """Give the memory with that penalty now, as after a fall or a restart."""
    figure = min(figure, max(damping.ceiling, 1.0))
    hold = 0.0
    if figure > damping.suppress:
        hold = min(damping.half_life_s * log2(figure / damping.reuse), damping.max_hold_s)
    return Flaps(figure, now_s, now_s + hold)
