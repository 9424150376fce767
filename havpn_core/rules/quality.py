"""Tell a grey line from a good one: loss and latency over a sliding window.

Pure. The run rule of :mod:`havpn_core.rules.hysteresis` sees dead lines and never finds a lossy
one; this rule does, with separate levels for worse and better, so that a line at the threshold does
not swing. It counts probes of the regular cadence only: a burst sends most while the line is bad
and would weigh that time more than the rest.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from havpn_core.rules.hysteresis import Outcome

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
    samples: int = 0
    lost: int = 0
    timed: int = 0
    latency_s: float = 0.0


class Window:
    """The last samples of one path, in slices of time.

    :param kind: what the probes watch, where a path watches several things.
    """

    __slots__ = ("_latency_s", "_lost", "_rules", "_samples", "_slices", "_timed", "kind", "poor")

    def __init__(self, rules: WindowRules, kind: str = "") -> None:
        self._rules, self.kind = rules, kind
        self._slices: deque[_Slice] = deque()
        self.poor = False
        self._samples = self._lost = self._timed = 0
        self._latency_s = 0.0

    def add(self, now_s: float, *, lost: bool, latency_s: float | None, times: int = 1) -> None:
        """Take a sample in, or several alike of the same moment."""
        last = self._slices[-1] if self._slices else None
        if last is None or now_s - last.begins_s >= self._rules.span_s / SLICES:
            last = _Slice(now_s)
            self._slices.append(last)
            while self._slices[0].begins_s <= now_s - self._rules.span_s:
                self._drop(self._slices.popleft())
        last.samples += times
        self._samples += times
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
        self._samples -= old.samples
        self._lost -= old.lost
        self._timed -= old.timed
        self._latency_s -= old.latency_s

    @property
    def span_s(self) -> float:
        """Length of the window in seconds."""
        return self._rules.span_s

    @property
    def samples(self) -> int:
        """Samples in the window."""
        return self._samples

    @property
    def loss(self) -> float | None:
        """Share of loss, once there are samples enough."""
        return self._lost / self._samples if self._samples >= self._rules.least else None

    @property
    def latency_s(self) -> float | None:
        """Mean latency in seconds, where any reply was timed."""
        return max(0.0, self._latency_s / self._timed) if self._timed else None

    def describe(self) -> str:
        """Say it in words, such as ``loss 62 %, latency 12 ms over 60 s``."""
        loss, latency = self._lost / max(self._samples, 1), self.latency_s
        slow = f", latency {latency * 1000:.0f} ms" if latency is not None else ""
        whose = f"{self.kind}: " if self.kind else ""
        return f"{whose}loss {loss:.0%}{slow} over {self._rules.span_s:g} s"

    def _judge(self) -> None:
        if self._samples < self._rules.least:
            return
        rules, loss, slow = self._rules, self._lost / self._samples, self.latency_s or 0.0
        if self.poor:
            calm = rules.latency_up_s is None or slow <= rules.latency_up_s
            self.poor = not (loss <= rules.loss_up and calm)
        else:
            lagging = rules.latency_down_s is not None and slow >= rules.latency_down_s
            self.poor = loss >= rules.loss_down or lagging


class Feed:
    """What of a path's samples its window takes in.

    A run of failures is loss once a reply ends it; a dead line's silence is not.

    :param silent: whether the line is dead to begin with.
    """

    __slots__ = ("run", "silent", "window")

    def __init__(self, rules: WindowRules, *, silent: bool, kind: str = "") -> None:
        self.window = Window(rules, kind)
        self.silent, self.run = silent, 0

    def take(
        self, outcome: Outcome, now_s: float, *, regular: bool, latency_s: float | None
    ) -> None:
        """Take a sample in; a refusal is no loss, and has no latency that a reply would have.

        :param regular: sent at the cadence, not only to confirm.
        """
        if outcome in (Outcome.ERROR, Outcome.REFUSED):
            return
        if outcome is Outcome.FAIL:
            self.run += regular and not self.silent
            return
        self.silent = False
        if self.run:
            self.window.add(now_s, lost=True, latency_s=None, times=self.run)
            self.run = 0
        if regular:
            self.window.add(now_s, lost=False, latency_s=latency_s)

    def replied(self, first_s: float, interval_s: float, times: int, latency_s: float) -> None:
        """Take a run of regular probes in at once, all with a reply; for the simulator."""
        chunk = max(1, int(self.window.span_s / SLICES / interval_s))
        for done in range(0, times, chunk):
            at = first_s + done * interval_s + latency_s
            some = min(chunk, times - done)
            self.window.add(at, lost=False, latency_s=latency_s, times=some)

    def died(self) -> None:
        """Note that the line went silent."""
        self.silent, self.run = True, 0


class Feeds:
    """The windows of a path, one for each kind of its probes.

    Two kinds that lose each a share lose nearly twice that between them, and still neither is
    sicker than its share says.

    :param kinds: what the probes of each kind watch.
    :param silent: whether the line is dead to begin with.
    """

    __slots__ = ("each",)

    def __init__(self, rules: WindowRules, kinds: Sequence[str], *, silent: bool) -> None:
        several = len(kinds) > 1
        self.each = [Feed(rules, silent=silent, kind=kind if several else "") for kind in kinds]

    def take(
        self,
        outcomes: Sequence[Outcome | None],
        now_s: float,
        *,
        regular: bool,
        latency_s: float | None,
    ) -> None:
        """Take in what was decided of each kind; ``None``: nothing."""
        for feed, outcome in zip(self.each, outcomes, strict=True):
            if outcome is not None:
                feed.take(outcome, now_s, regular=regular, latency_s=latency_s)

    def replied(self, first_s: float, interval_s: float, times: int, latency_s: float) -> None:
        """Take a run of regular probes in at once, all with a reply; for the simulator."""
        for feed in self.each:
            feed.replied(first_s, interval_s, times, latency_s)

    def died(self) -> None:
        """Note that the path went silent."""
        for feed in self.each:
            feed.died()

    @property
    def poor(self) -> bool:
        """Whether any kind is poor."""
        return any(feed.window.poor for feed in self.each)

    @property
    def window(self) -> Window:
        """The window of the kind that does worst: a poor one, then the one that loses most."""
        windows = [feed.window for feed in self.each]
        return max(windows, key=lambda window: (window.poor, window.loss or 0.0))
