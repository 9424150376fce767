"""Find a grey line: one that loses more than a share of its probes, but carries. Pure.

CUSUM (E. S. Page, Biometrika 41 (1954) 100), which is the quickest for a given rate of false alarms
(Moustakides 1986): each loss adds ``ln(p1/p0)``, each reply takes ``ln((1-p0)/(1-p1))``, and never
below 0. One chart looks for a line ten times as bad as the share allows, one for twice as bad;
their bound is so high that a line that loses just that share is called grey no more often than the
target. A third chart calls it good again. A grey line is only ranked below a good one.

The same charts find a line that has become slow: of its replies, instead of its probes, a share
comes later than a limit.
"""

import math
from typing import Any

QUICK, SLOW, GOOD = 10.0, 2.0, 0.5
"""How many times the share allowed each chart looks for."""
LARGEST, MOST = 0.3, 0.5
"""The largest share that may be allowed, and that a chart looks for."""
SLUGGISH = 0.1
"""Share of replies that may come later than the limit."""
ALIKE = 3
"""A longer row of losses is a silent spell, and counts as so many."""
CLEAR = math.log(1000.0)
"""Evidence for a line that is good again."""
CURIOUS = 1.5 * math.log(QUICK)
"""Evidence from which it is worth while to probe faster: two losses, soon after each other."""


class Share(float):
    """A share of loss from 0 to 0.3, written as ``"3%"`` or as a number."""

    @classmethod
    def parse(cls, value: Any) -> "Share":
        """Read what stands in a configuration file.

        :raises ValueError: if it is no share.
        """
        number, text = value, isinstance(value, str)
        if text and value.strip().endswith("%"):
            try:
                number = float(value.strip()[:-1]) / 100
            except ValueError:
                number = None
        if (
            isinstance(number, int | float)
            and not isinstance(number, bool)
            and 0 <= number <= LARGEST
        ):
            return cls(number)
        raise ValueError(f'{value!r} is no share: write "3%" or 0.03, from 0% to 30%')

    def __str__(self) -> str:
        return f"{self * 100:g}%"


class Chart:
    """One chart.

    :param usual: share of loss that it ignores, above 0 and below 1.
    :param sought: share that it looks for; above or below ``usual``.
    """

    __slots__ = ("_lost", "_replied", "evidence")

    def __init__(self, usual: float, sought: float) -> None:
        self._lost = math.log(sought / usual)
        self._replied = math.log((1 - sought) / (1 - usual))
        self.evidence = 0.0

    def take(self, *, lost: bool, times: int = 1) -> None:
        """Take in some probes in a row that were all lost, or all had a reply."""
        each = self._lost if lost else self._replied
        self.evidence = max(0.0, self.evidence + each * times)


class Grey:
    """Whether one line is grey.

    :param share: share of loss that is allowed; above 0, at most 0.3.
    :param chances: probes within the time in which one false alarm is borne; above 1.
    :ivar holds: it is grey.
    """

    __slots__ = ("_bound", "_charts", "_share", "holds", "words")

    def __init__(self, share: float, chances: float) -> None:
        self._share, self.holds = share, False
        #: why it is grey, when it is.
        self.words = f"loses more than {share * 100:g} % of its probes"
        self._bound = max(CLEAR, math.log(2 * chances))  # two charts look for it
        self._charts: list[Chart] = []
        self._begin()

    @property
    def curious(self) -> bool:
        """Whether more probes would soon decide it."""
        return not self.holds and self._charts[0].evidence >= CURIOUS

    def lost(self, times: int) -> None:
        """Take in a row of losses that is over."""
        self._take(lost=True, times=min(times, ALIKE))

    def replied(self, times: int = 1) -> None:
        """Take in some replies in a row."""
        self._take(lost=False, times=times)

    def _take(self, *, lost: bool, times: int) -> None:
        for chart in self._charts:
            chart.take(lost=lost, times=times)
        bound = CLEAR if self.holds else self._bound
        if any(chart.evidence >= bound for chart in self._charts):
            self.holds = not self.holds
            self._begin()

    def _begin(self) -> None:
        factors = (GOOD,) if self.holds else (QUICK, SLOW)
        self._charts = [Chart(self._share, min(factor * self._share, MOST)) for factor in factors]


class Lag(Grey):
    """Whether one line is slow.

    :param slow_s: a reply that takes longer is a slow one, in seconds.
    :param quick_s: the same while the line is slow; less than ``slow_s``.
    :param chances: as for :class:`Grey`.
    """

    __slots__ = ("_quick_s", "_slow_s")

    def __init__(self, slow_s: float, quick_s: float, chances: float) -> None:
        super().__init__(SLUGGISH, chances)
        self._slow_s, self._quick_s = slow_s, quick_s
        self.words = f"more than {SLUGGISH:.0%} of its replies take over {slow_s * 1000:g} ms"

    def timed(self, latency_s: float, times: int = 1) -> None:
        """Take in some replies in a row that took so long."""
        limit_s = self._quick_s if self.holds else self._slow_s
        self._take(lost=latency_s > limit_s, times=times)
