"""Pure: a state that turns bad at once and good only once it has been good for some time.

A port that flaps would otherwise move the role with every flap, so each loss that comes soon
after the one before it doubles the time, up to a limit.
"""

FIRST_S = 0.5
"""How long a state must have been good again after its first loss."""
MOST_S = 8.0
"""The longest such time."""
CALM_S = 60.0
"""A loss this long after the one before it counts as a first one again."""


class Hold:
    """One state.

    It begins good: what was never seen bad is not held.
    """

    def __init__(self) -> None:
        self._bad = False
        self._lost_s: float | None = None
        self._hold_s = 0.0
        #: when the state counts as good again; ``None`` while it is bad, or counts as good.
        self.until_s: float | None = None

    def take(self, good: bool, now_s: float) -> bool:
        """Take the state in; gives whether it counts as good.

        :param now_s: seconds of the monotonic clock.
        """
        if not good:
            if not self._bad:
                self._lose(now_s)
            self.until_s = None
            return False
        if self._bad:
            self._bad, self.until_s = False, now_s + self._hold_s
        if self.until_s is not None and now_s < self.until_s:
            return False
        self.until_s = None
        return True

    def _lose(self, now_s: float) -> None:
        soon = self._lost_s is not None and now_s - self._lost_s < CALM_S
        self._hold_s = min(2 * self._hold_s, MOST_S) if soon else FIRST_S
        self._bad, self._lost_s = True, now_s
