"""Pure: a histogram of durations whose buckets double from 50 microseconds."""

from bisect import bisect_left
from typing import Any

LEAST_S = 0.00005
BOUNDS_S = tuple(LEAST_S * 2**n for n in range(20))
"""The upper bounds, in seconds: 50 us to 26 s; what is longer comes into one more bucket."""


class Histogram:
    """Counts durations; it is on the path of every reply, so adding is a few hundred nanoseconds.

    :ivar counts: how many fell into each bucket alone, the last one for what is over all bounds.
    :ivar sum_s: the sum of all, in seconds.
    """

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration; a bound itself belongs to its bucket."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def facts(self) -> dict[str, Any] | None:
        """Give the counts up to the last one that is not 0, and the sum; ``None`` if all are 0."""
        used = next((n for n in range(len(self.counts), 0, -1) if self.counts[n - 1]), 0)
        return {"sum_s": round(self.sum_s, 6), "counts": self.counts[:used]} if used else None


def cumulated(counts: list[int]) -> list[tuple[str, float]]:
    """Give Prometheus' buckets, each with all below it: the bound as text, and the count.

    :param counts: as :meth:`Histogram.facts` has them.
    """
    found, total = [], 0
    for n, bound in enumerate((*BOUNDS_S, float("inf"))):
        total += counts[n] if n < len(counts) else 0
        found.append((f"{bound:.6g}" if n < len(BOUNDS_S) else "+Inf", float(total)))
    return found
