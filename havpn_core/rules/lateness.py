"""Know from the round trips so far when a reply is late.

Pure. The smoothed mean and mean deviation of RFC 6298, with two departures for a purpose that is
not retransmission. Every reply counts, also one to a probe already given up: its nonce says
which probe it belongs to, so there is no ambiguity (Karn's rule does not apply). And the
deviation grows quickly but shrinks slowly, because one spike a second must stay in mind at forty
probes a second; Linux keeps the largest deviation of a window for the same reason.
"""

GAIN = 1 / 8  #: of the mean, RFC 6298 section 2.3
GROWTH = 1 / 4  #: of the deviation while it grows, RFC 6298 section 2.3
DECAY = 1 / 32  #: of the deviation while it shrinks


class RoundTrip:
    """The round-trip time of one probe.

    :param floor_s: the least that is allowed above the mean, in seconds.
    :param ceiling_s: the timeout: whatever the line did before, nothing is waited for longer.
    :param adaptive: ``False`` keeps to the ceiling.
    """

    __slots__ = ("_ceiling_s", "_floor_s", "adaptive", "deadline_s", "deviation_s", "mean_s")

    def __init__(self, floor_s: float, ceiling_s: float, *, adaptive: bool = True) -> None:
        self._floor_s, self._ceiling_s, self.adaptive = floor_s, ceiling_s, adaptive
        self.mean_s: float | None = None
        self.deviation_s = 0.0
        #: seconds after which a reply is late; the ceiling until the first reply.
        self.deadline_s = ceiling_s

    def take(self, latency_s: float) -> None:
        """Learn from one reply."""
        if self.mean_s is None:
            self.mean_s, self.deviation_s = latency_s, latency_s / 2
        else:
            error = latency_s - self.mean_s
            distance = abs(error)
            gain = GROWTH if distance > self.deviation_s else DECAY
            self.deviation_s += gain * (distance - self.deviation_s)
            self.mean_s += GAIN * error
        if self.adaptive:
            allowed = self.mean_s + max(self._floor_s, 4 * self.deviation_s)
            self.deadline_s = min(allowed, self._ceiling_s)

    def repeat(self, latency_s: float, times: int) -> None:
        """Learn from a run of equal replies; exact where they equal the mean, as in simulation."""
        if self.mean_s == latency_s and times > 1:
            self.deviation_s *= (1 - DECAY) ** (times - 1)
            times = 1
        for _ in range(min(times, 200)):
            self.take(latency_s)
