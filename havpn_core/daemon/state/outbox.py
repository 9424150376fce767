"""Pure: which events a notifier gets next and when, and how long one that failed is kept."""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

E = TypeVar("E")

MOST = 256
"""Events that wait for one notifier; the oldest gives way when there are more."""
FIRST_S, LONGEST_S = 1.0, 60.0
"""The pause after a first attempt that failed doubles with each further one, up to the second."""
LONGEST_AFTER_S = 300.0
"""Seconds for which a service may forbid the next attempt."""


@dataclass(frozen=True, slots=True)
class Waiting(Generic[E]):
    """An event, and when it came, in seconds of a monotonic clock."""

    event: E
    since_s: float


class Outbox(Generic[E]):
    """The events that wait for one notifier.

    :param together: give all that wait at once, and not one at a time.
    :param gather_s: seconds for which events that follow a first one are gathered.
    :param retry_s: seconds for which an event is kept that was not delivered; 0: it is not.
    """

    def __init__(
        self, *, together: bool = False, gather_s: float = 0.0, retry_s: float = 0.0
    ) -> None:
        self.dropped = 0  #: events that gave way to later ones
        self._together = together
        self._gather_s = gather_s if together else 0.0
        self._retry_s = retry_s
        self._waiting: deque[Waiting[E]] = deque()
        self._failures = 0
        self._failed_s = 0.0
        self._forbidden_s = 0.0

    def __len__(self) -> int:
        """Give how many events wait."""
        return len(self._waiting)

    def put(self, event: E, now_s: float) -> None:
        """Add an event."""
        if len(self._waiting) == MOST:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(Waiting(event, now_s))

    def due_s(self, now_s: float) -> float | None:
        """Give the seconds until the next attempt, 0 for now; ``None`` while nothing waits.

        After a failure an event that came since is a reason to try at once, as it often says that
        a line is back; but not within a second of the failure, or earlier than the service allows.
        """
        if not self._waiting:
            return None
        if not self._failures:
            at_s = self._waiting[0].since_s + self._gather_s
        elif self._waiting[-1].since_s > self._failed_s:
            at_s = max(self._failed_s + FIRST_S, self._forbidden_s)
        else:
            pause_s = min(FIRST_S * 2.0 ** min(self._failures - 1, 10), LONGEST_S)
            at_s = max(self._failed_s + pause_s, self._forbidden_s)
        return max(0.0, at_s - now_s)

    def take(self) -> tuple[Waiting[E], ...]:
        """Take what the next attempt is to deliver, oldest first."""
        if not self._together:
            return (self._waiting.popleft(),) if self._waiting else ()
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken

    def settled(self) -> None:
        """Note that an attempt was the last one: it delivered, or what it had never will be."""
        self._failures = 0

    def again(self, taken: tuple[Waiting[E], ...], now_s: float, after_s: float = 0.0) -> int:
        """Put back what an attempt did not deliver; gives how many events are too old and go.

        :param after_s: seconds for which the service forbids another attempt.
        """
        if not self._retry_s:
            return len(taken)
        self._failures += 1
        self._failed_s = now_s
        self._forbidden_s = now_s + min(after_s, LONGEST_AFTER_S)
        kept = [each for each in taken if now_s - each.since_s < self._retry_s]
        room = MOST - len(self._waiting)
        excess = max(0, len(kept) - room)
        self.dropped += excess
        self._waiting.extendleft(reversed(kept[excess:]))
        return len(taken) - len(kept)
