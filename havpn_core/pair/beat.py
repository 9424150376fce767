"""When the next frame is due: at fixed times, whatever the sending takes.

Pure: no clock here; time comes in as seconds of the monotonic clock.
"""


class Beat:
    """The cadence of the partner heartbeat.

    :param interval_s: from one frame to the next.
    :param now_s: when the first frame is due.
    """

    def __init__(self, interval_s: float, now_s: float) -> None:
        self._interval_s, self._due_s = interval_s, now_s

    def late_s(self, now_s: float) -> float:
        """Say by how much this gateway missed its time, in seconds; 0 if by no whole interval.

        The cadence begins again then: frames that were not sent are not made up for.
        """
        late_s = now_s - self._due_s
        if late_s <= self._interval_s:
            return 0.0
        self._due_s = now_s
        return late_s

    def due(self, now_s: float) -> bool:
        """Whether a frame is to be sent now; ``True`` once for each."""
        if now_s < self._due_s:
            return False
        self._due_s += self._interval_s
        return True

    def pause_s(self, wake_s: float | None, now_s: float) -> float:
        """Say how long there is nothing to do, in seconds.

        :param wake_s: when the pair changes by itself, if it does.
        """
        until_s = self._due_s if wake_s is None else min(self._due_s, wake_s)
        return max(0.0, until_s - now_s)
