"""Remember flaps: a line that keeps dying has to stay well for longer before it is trusted.

Pure. The figure of merit of RFC 2439, in its own units: every fall of the line adds 1 to a
penalty that halves every half-life. While a fall lifts it above ``suppress``, the way back is
held until it has decayed to ``reuse``; ``max_hold_s`` caps the hold by capping the penalty.
"""

from dataclasses import dataclass
from math import log2

from havpn_core.rules.hysteresis import Outcome

EXCUSED_S = 10.0
"""For so many seconds at least a silence that the far end announced is no fault of the line."""


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


class FlapMemory:
    """The flaps of one path as they happen.

    Nothing before the first ``up`` since the start is a flap: the far gateway may still be
    booting, and a line that was never up has not fallen.

    :param damping: ``None`` remembers nothing.
    :param flaps: what is remembered of earlier ones.
    :param fall: consecutive failures that make a line dead.
    """

    __slots__ = ("_damping", "_excused_s", "_failed", "_fall", "_replied", "_was_up", "flaps")

    def __init__(self, damping: Damping | None, flaps: Flaps, fall: int) -> None:
        self._damping, self._fall = damping, fall
        self.flaps = flaps
        self._failed, self._replied = 0, False
        self._was_up = False
        self._excused_s = float("-inf")

    def excuse(self, now_s: float, detection_s: float) -> None:
        """Take in that the far end announces its silence: falls soon after are no flaps.

        :param detection_s: seconds that the path takes to be down after its line fell silent.
        """
        self._excused_s = now_s + max(EXCUSED_S, detection_s)

    def came_up(self) -> None:
        """Note that the path is ``up`` by a reply: from now on falls count."""
        self._was_up = True

    def fell(self, now_s: float) -> None:
        """Count a fall of the path."""
        self._failed, self._replied = 0, False
        self._count(now_s)

    def take(self, outcome: Outcome, now_s: float) -> None:
        """Take a sample of a path that is down: its line may come back and die once more.

        That counts, though the path was never called up meanwhile: RFC 2439 counts flaps of a
        suppressed route, too, or the hold could not grow.
        """
        if outcome is Outcome.OK:
            self._failed, self._replied = 0, True
        elif outcome is Outcome.REFUSED:
            self._failed = 0
        elif outcome is Outcome.FAIL:
            self._failed += 1
            if self._replied and self._failed >= self._fall:
                self._replied = False
                self._count(now_s)

    def penalty(self, now_s: float) -> float:
        """Give the penalty now."""
        return penalty(self._damping, self.flaps, now_s) if self._damping else 0.0

    def _count(self, now_s: float) -> None:
        if self._damping is not None and self._was_up and now_s > self._excused_s:
            self.flaps = fell(self._damping, self.flaps, now_s)
