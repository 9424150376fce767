"""Tell a grey line from a good one: loss and latency over a sliding window.

Pure. The run rule of :mod:`havpn_core.rules.hysteresis` sees dead lines and never calls a sick one
sick; this rule does, with separate levels for worse and better, so that a line at the threshold
does not swing. It counts questions of the regular cadence only: a burst asks most while the
line is bad and would weigh that time more than the rest.
"""

from collections import deque
from dataclasses import dataclass

SLICES = 20
"""The window moves in so many steps."""


@dataclass(frozen=True, slots=True)
class WindowRules:
    """When a line is poor.

    :param span_s: length of the window in seconds.
    :param least: samples needed before anything is said.
    :param loss_down: share of loss from which the line is poor.
    :param loss_up: share of loss up to which it is good again.
    :param latency_down_s: mean latency in seconds from which it is poor; ``None``: never.
    :param latency_up_s: mean latency up to which it is good again.
    """

    span_s: float
    least: int
    loss_down: float
    loss_up: float
    latency_down_s: float | None = None
    latency_up_s: float | None = None


@dataclass(slots=True)
class _Slice:
    begins_s: float
    asked: int = 0
    lost: int = 0
    timed: int = 0
    latency_s: float = 0.0


class Window:
    """The last samples of one path, in slices of time."""

    __slots__ = ("_asked", "_latency_s", "_lost", "_rules", "_slices", "_timed", "poor")

    def __init__(self, rules: WindowRules) -> None:
        self._rules = rules
        self._slices: deque[_Slice] = deque()
        self.poor = False
        self._asked = self._lost = self._timed = 0
        self._latency_s = 0.0

    def add(self, now_s: float, *, lost: bool, latency_s: float | None, times: int = 1) -> None:
        """Take a sample in, or several alike of the same moment."""
        last = self._slices[-1] if self._slices else None
        if last is None or now_s - last.begins_s >= self._rules.span_s / SLICES:
            last = _Slice(now_s)
            self._slices.append(last)
            while self._slices[0].begins_s <= now_s - self._rules.span_s:
                self._drop(self._slices.popleft())
        last.asked += times
        self._asked += times
        if lost:
            last.lost += times
            self._lost += times
        elif latency_s is not None:
            last.timed += times
            last.latency_s += latency_s * times
            self._timed += times
            self._latency_s += latency_s * times
        self._judge()

    def _drop(self, old: _Slice) -> None:
        self._asked -= old.asked
        self._lost -= old.lost
        self._timed -= old.timed
        self._latency_s -= old.latency_s

    @property
    def span_s(self) -> float:
        """Length of the window in seconds."""
        return self._rules.span_s

    @property
    def asked(self) -> int:
        """Samples in the window."""
        return self._asked

    @property
    def loss(self) -> float | None:
        """Share of loss, once there are samples enough."""
        return self._lost / self._asked if self._asked >= self._rules.least else None

    @property
    def latency_s(self) -> float | None:
        """Mean latency in seconds, where any answer was timed."""
        return max(0.0, self._latency_s / self._timed) if self._timed else None

    def describe(self) -> str:
        """Say it in words, as ``loss 62 %, latency 12 ms over 60 s``."""
        loss, latency = self._lost / max(self._asked, 1), self.latency_s
        slow = f", latency {latency * 1000:.0f} ms" if latency is not None else ""
        return f"loss {loss:.0%}{slow} over {self._rules.span_s:g} s"

    def _judge(self) -> None:
        if self._asked < self._rules.least:
            return
        rules, loss, slow = self._rules, self._lost / self._asked, self.latency_s or 0.0
        if self.poor:
            calm = rules.latency_up_s is None or slow <= rules.latency_up_s
            self.poor = not (loss <= rules.loss_up and calm)
        else:
            lagging = rules.latency_down_s is not None and slow >= rules.latency_down_s
            self.poor = loss >= rules.loss_down or lagging
