"""Pure: what the far end counts as late because this host was late to send it."""

OWN_LATE_S = 0.02
"""This host is late itself if it comes back later than this, and than a pace, after it was due."""
EXCUSE_S = 1.0
"""For how long, beside a round trip, the far end may still say what own lateness explains."""


def own_lateness(behind_s: float, pace_s: float) -> bool:
    """Whether this host was too late for silence to mean anything.

    :param behind_s: seconds by which it came too late.
    """
    return behind_s > max(OWN_LATE_S, pace_s)


class Excuse:
    """What own lateness explains."""

    __slots__ = ("_packets", "_until_s")

    def __init__(self) -> None:
        self._packets, self._until_s = 0, float("-inf")

    def look(self, behind_s: float, pace_s: float, until_s: float) -> None:
        """Note by how many seconds the next packet is late.

        :param until_s: when the far end last speaks of it, in seconds of the own clock.
        """
        if own_lateness(behind_s, pace_s):
            self._packets = max(self._packets, int(behind_s / pace_s) + 2)
            self._until_s = until_s + EXCUSE_S

    def left(self, late: int, now_s: float) -> int:
        """Give what is left of the far end's count."""
        if not late and now_s > self._until_s:
            self._packets = 0
        return max(0, late - self._packets)
