"""When the streams of one loop are due: the soonest first, whatever their number."""

import heapq
import itertools
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """One moment for each of many; times in seconds of one clock.

    An entry that a sooner one has replaced stays in the heap until its own moment, and counts no
    more.
    """

    __slots__ = ("_heap", "_order", "_planned")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._planned: dict[T, float] = {}
        self._order = itertools.count()

    @property
    def soonest_s(self) -> float:
        """The first moment; infinity if there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def plan(self, member: T, due_s: float) -> bool:
        """Note when one is due; gives whether that is sooner than planned, or it counts not."""
        if due_s >= self._planned.get(member, float("inf")):
            return False
        self._planned[member] = due_s
        heapq.heappush(self._heap, (due_s, next(self._order), member))
        return True

    def take(self, now_s: float) -> list[T]:
        """Take out who is due by then; nothing is planned for these before :meth:`forget`."""
        found = []
        while self._heap and self._heap[0][0] <= now_s:
            due_s, _, member = heapq.heappop(self._heap)
            if self._planned.get(member) == due_s:
                self._planned[member] = float("-inf")
                found.append(member)
        return found

    def forget(self, member: T) -> None:
        """Plan nothing for one any more, until it is planned for again."""
        self._planned.pop(member, None)
