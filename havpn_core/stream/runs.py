"""Pure: what is known of a stream, as samples that a counter of failures in a row can follow.

The longest of several runs is the stream's: packets that are late here, packets of ours that the
far end says are late there, packets that the way refuses, and packets by which the far end says
that it is not to be used. They do not add up: a line that loses one packet each way has lost no
two in a row of either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from havpn_core.rules.hysteresis import Outcome


@dataclass(frozen=True, slots=True)
class News:
    """One sample.

    :param lost: packets before it that never came and were not late: the next one was sooner.
    """

    outcome: Outcome
    lost: int = 0


_REPLIED, _MISSED = News(Outcome.OK), News(Outcome.FAIL)


class Runs:
    """The runs of one stream.

    :ivar late: packets of the far end that are late in a row.
    :ivar unheard: packets of ours that are late at the far end in a row.
    :ivar away: packets in a row by which the far end says that it is not to be used.
    :ivar unreachable: packets of ours that were refused on the way since the last arrival.
    """

    __slots__ = ("_news", "away", "late", "longest", "unheard", "unreachable")

    def __init__(self) -> None:
        self.late = self.unheard = self.away = self.unreachable = 0
        #: the longest, as it was handed out.
        self.longest = 0
        self._news: list[News] = []

    def arrived(self, unheard: int, lost: int, *, away: bool, steady: bool) -> None:
        """Take an arrival in.

        :param unheard: what the far end says of our packets.
        :param lost: as in :class:`News`.
        :param away: the far end says that it is not to be used.
        :param steady: it cannot say how many more are late.
        """
        self.late = self.unreachable = 0
        self.unheard, self.away = unheard, self.away + 1 if away else 0
        self._follow(lost, arrived=True, steady=steady)

    def missed(self) -> None:
        """Note that a packet of the far end is late."""
        self.late += 1
        self._follow()

    def refused_on_the_way(self) -> None:
        """Note that a packet of ours did not arrive."""
        self.unreachable += 1
        self._follow()

    def refused(self) -> None:
        """Note that the far host lives, and nobody listens there: no run goes on over that."""
        self.late = self.unheard = self.away = self.unreachable = self.longest = 0
        self._news.append(News(Outcome.REFUSED))

    def news(self) -> Sequence[News]:
        """Hand out what became known since the last call, in its order."""
        if not self._news:
            return ()
        found, self._news = self._news, []
        return found

    def _follow(self, lost: int = 0, *, arrived: bool = False, steady: bool = False) -> None:
        before = self.longest
        longest = self.longest = max(self.late, self.unheard, self.away, self.unreachable)
        if longest > before:
            self._fail(longest - before)
        elif longest < before or (arrived and not longest):
            self._news.append(News(Outcome.OK, lost) if lost else _REPLIED)
            self._fail(longest)
        elif steady:
            self._fail(1)

    def _fail(self, times: int) -> None:
        self._news += [_MISSED] * times
