"""Pure: the share of packets that is lost one way, recently."""

from collections import deque

SPAN_S = 30.0
APART_S = 1.0
LEAST = 20
"""Packets sent before anything is said."""


class OneWay:
    """Counts of one direction, at moments a second apart, for the last half minute.

    What is said rests on differences, so that it does not matter where counting began.
    """

    __slots__ = ("_marks", "_newest")

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int, int]] = deque()
        self._newest = (0, 0)

    def take(self, sequence: int, received: int, now_s: float) -> None:
        """Take in that packets up to ``sequence`` were sent, of which so many came."""
        self._newest = (sequence, received)
        if not self._marks or now_s - self._marks[-1][0] >= APART_S:
            self._marks.append((now_s, sequence, received))
            while len(self._marks) > 2 and self._marks[1][0] <= now_s - SPAN_S:
                self._marks.popleft()

    def restart(self) -> None:
        """Begin again, for another run of the sender or of the receiver."""
        self._marks.clear()

    @property
    def sent(self) -> int:
        """How many packets the share is of."""
        return self._newest[0] - self._marks[0][1] if self._marks else 0

    @property
    def share(self) -> float | None:
        """Give the share lost, 0 to 1; ``None`` while too little is known."""
        sent = self.sent
        if sent < LEAST:
            return None
        return 1 - min(max(self._newest[1] - self._marks[0][2], 0), sent) / sent
