"""The loss of the last moments, for a line that has just become another. Pure.

Four moving averages, of which the worst counts: the shortest reacts to the second loss in a
few probes, the longest bridges the time until the line's record knows. All probes take part, also
those of a burst; a run of losses does so once a reply ends it, for a cut that grows would
otherwise raise the number that it has to reach.
"""

GAINS = (1 / 5, 1 / 24, 1 / 96, 1 / 512)


class Lookback:
    """The last probes of one line."""

    __slots__ = ("_means",)

    def __init__(self) -> None:
        self._means = [0.0] * len(GAINS)

    def take(self, *, lost: bool, times: int = 1) -> None:
        """Take in some probes in a row that were all lost, or all had a reply."""
        goal = 1.0 if lost else 0.0
        self._means = [
            goal + (mean - goal) * (1 - gain) ** times
            for mean, gain in zip(self._means, GAINS, strict=True)
        ]

    @property
    def loss(self) -> float:
        """The share of loss recently, 0 to 1."""
        return max(self._means)
