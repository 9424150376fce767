"""Keep a distribution of the loop's own lateness, cheaply."""

from math import log2

PER_OCTAVE = 8
GENERATION_S = 60.0


class Timing:
    """How late the loop came back to what was due, over the last one to two minutes.

    Eight buckets an octave: a percentile is right to about 9 %.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self._buckets: dict[int, int] = {}
        self._older: dict[int, int] = {}
        self._most_s = self._most_before_s = 0.0
        self._turned_s = 0.0

    def add(self, late_s: float, now_s: float) -> None:
        """Count one tick."""
        self.ticks += 1
        if now_s - self._turned_s > GENERATION_S:
            self._older, self._buckets = self._buckets, {}
            self._most_before_s, self._most_s = self._most_s, 0.0
            self._turned_s = now_s
        bucket = int(log2(max(late_s, 1e-6) * 1e6) * PER_OCTAVE)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self._most_s = max(self._most_s, late_s)

    def percentile_s(self, share: float) -> float:
        """Give the lateness in seconds that this share of the ticks kept within."""
        merged = dict(self._older)
        for bucket, count in self._buckets.items():
            merged[bucket] = merged.get(bucket, 0) + count
        left = share * sum(merged.values())
        for bucket in sorted(merged):
            left -= merged[bucket]
            if left <= 0:
                bound = float(2 ** ((bucket + 1) / PER_OCTAVE) / 1e6)
                return min(bound, max(self._most_s, self._most_before_s))
        return 0.0

    def facts(self) -> dict[str, float]:
        """Give milliseconds for the status."""
        return {
            "p50": round(self.percentile_s(0.5) * 1000, 3),
            "p99": round(self.percentile_s(0.99) * 1000, 3),
            "max": round(max(self._most_s, self._most_before_s) * 1000, 3),
        }
