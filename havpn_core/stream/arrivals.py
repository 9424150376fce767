"""Pure: when the next packet of a stream is late, by what the arrivals so far were like.

Each packet says when it was sent, and within which time the next one follows. From the arrivals
follows how long a packet is on its way, as the clocks of both ends show it: the offset between them
is in it, and does not matter. Mean and deviation are those of
:mod:`havpn_core.rules.lateness`: the deviation grows quickly and shrinks slowly.
"""

from havpn_core.rules.lateness import DECAY, GAIN, GROWTH

LEAST_MARGIN_S = 0.015
"""The least that a packet may be on its way above the mean: what a busy host's timer costs."""
MARGIN_SHARE = 1 / 4
"""The same as a share of the pace, where that is more."""
MOST_MARGIN_S = 0.5
DEVIATIONS = 4  #: RFC 6298 section 2.3


def least_margin_s(pace_s: float) -> float:
    """Give the least margin at a pace, in seconds."""
    return max(LEAST_MARGIN_S, pace_s * MARGIN_SHARE)


def detection_s(fall: int, pace_s: float) -> float:
    """Give the longest time in seconds from a silent cut of a calm line to the last failure.

    The cut comes just after an arrival: so many packets are missed, and the last one is late.
    """
    return fall * pace_s + least_margin_s(pace_s)


class Arrivals:
    """The arrivals of one run of the far end.

    :param sent_s: when the first packet was sent, by the far clock.
    :param arrived_s: when it arrived, by the own clock.
    """

    __slots__ = ("_mean_s", "_pace_s", "deviation_s", "due_s")

    def __init__(self, sent_s: float, arrived_s: float, pace_s: float) -> None:
        self._mean_s = arrived_s - sent_s
        self.deviation_s = 0.0
        self._pace_s = pace_s
        self.due_s = self._next(sent_s + self._mean_s)

    @property
    def margin_s(self) -> float:
        """What a packet may be on its way above the mean, in seconds."""
        least = least_margin_s(self._pace_s)
        return min(max(least, DEVIATIONS * self.deviation_s), MOST_MARGIN_S + least)

    def take(self, sent_s: float, arrived_s: float, pace_s: float) -> None:
        """Take the newest packet in.

        :param pace_s: seconds within which the next one follows.
        """
        error = arrived_s - sent_s - self._mean_s
        distance = abs(error)
        gain = GROWTH if distance > self.deviation_s else DECAY
        self.deviation_s += gain * (distance - self.deviation_s)
        self._mean_s += GAIN * error
        self._pace_s = pace_s
        self.due_s = self._next(sent_s + self._mean_s)

    def miss(self, pace_s: float | None = None) -> None:
        """Note that the packet that was due is late.

        :param pace_s: the pace from now on, if it is another one.
        """
        if pace_s is not None:
            self._pace_s = pace_s
        self.due_s += self._pace_s

    def wait(self, now_s: float) -> None:
        """Expect the next packet a whole pace from now: until now nobody could have heard."""
        self.due_s = self._next(now_s)

    def _next(self, base_s: float) -> float:
        return base_s + self._pace_s + self.margin_s
