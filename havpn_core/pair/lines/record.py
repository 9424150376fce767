"""What a line lost recently, from the probes of its cadence.

Pure: time comes in as seconds of the monotonic clock.

A burst sends most while the line is bad and would weigh that time more than the rest, so what it
sends does not count; nor does what is void, or refused. A dead line is the matter of its verdict:
what was known of it ends with its death, and its silence is not taken for loss.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.target.loss import Loss, worst
from havpn_core.rules.vote import Kinds, Sent

SPAN_S = 20.0
"""What counts is of the last 20 s,"""
PLENTY = 600
"""or so many samples, where these take longer: a line that lost none of them loses below 1 %,"""
LONGEST_S = 60.0
"""but for those that are older than this."""
ENOUGH = 200
"""Samples from which on something is said,"""
LEAST = 40
"""or so many, if they are of a whole :data:`SPAN_S`."""
FRESH_S = 3.0
"""How old the newest sample may be, where three intervals are no longer."""
NOTHING: Mapping[int, Loss | None] = MappingProxyType({})


class Record:
    """The losses of one line.

    :param interval_s: from one probe of the cadence to the next, in seconds.
    """

    __slots__ = (
        "_alive",
        "_found",
        "_lost",
        "_runs",
        "_samples",
        "_silent",
        "_squares",
        "interval_s",
    )

    def __init__(self, interval_s: float) -> None:
        #: it may change: a stream sends at the slower of two paces.
        self.interval_s = interval_s
        self._alive, self._silent = True, False
        self._clear()

    def _clear(self) -> None:
        self._samples: deque[tuple[float, bool]] = deque()
        self._runs: deque[int] = deque()
        self._lost = self._squares = 0
        self._found: Loss | None = None

    @property
    def fresh_s(self) -> float:
        """How old the newest sample may be, in seconds."""
        return max(FRESH_S, 3 * self.interval_s)

    def take(self, now_s: float, *, lost: bool, up: bool) -> None:
        """Take a sample in.

        :param up: whether the path is up with it.
        """
        if self._alive and not up:
            self._clear()
            self._silent = True
        self._alive = up
        self._silent = self._silent and lost
        if self._silent:
            return
        self._found = None
        self._add(now_s, lost=lost)
        self._forget(now_s)

    def _add(self, now_s: float, *, lost: bool) -> None:
        if lost:
            if not self._samples or not self._samples[-1][1]:
                self._runs.append(0)
            self._lost += 1
            self._squares += 2 * self._runs[-1] + 1
            self._runs[-1] += 1
        self._samples.append((now_s, lost))

    def _forget(self, now_s: float) -> None:
        samples = self._samples
        while samples[0][0] <= now_s - (SPAN_S if len(samples) > PLENTY else LONGEST_S):
            if samples.popleft()[1]:
                self._lost -= 1
                self._squares -= 2 * self._runs[0] - 1
                self._runs[0] -= 1
                if not self._runs[0]:
                    self._runs.popleft()

    def found(self, now_s: float) -> Loss | None:
        """Give what is known; ``None`` while that is too little, or old."""
        samples = self._samples
        if len(samples) < LEAST or now_s - samples[-1][0] > self.fresh_s:
            return None
        if len(samples) < ENOUGH and samples[-1][0] - samples[0][0] < SPAN_S:
            return None
        if self._found is None:
            share = self._lost / len(samples)
            self._found = Loss(share, len(samples), self._clump(share))
        known = self._found
        return Loss(known.share, known.samples, known.clump, max(0.0, now_s - samples[-1][0]))

    def _clump(self, share: float) -> float:
        """Give the mean run of losses in which a loss is, by what it is without any clumps."""
        if not self._lost:
            return 1.0
        return max(1.0, self._squares / self._lost * (1 - share) / (1 + share))


class Records:
    """The losses of one path, for each kind of its probes, in the order in which they were sent.

    A loss is known later than a reply to what was sent after it, and its neighbours matter.

    A path that is not polled has no cadence: what its probe reports is what was sent. Where a probe
    counts the losses itself, what it says goes for its kind: a round trip is lost on either way,
    and what one end alone sees says nothing to the other.

    :param kinds: the path's probes by what they watch.
    :param interval_s: as for :class:`Record`.
    """

    __slots__ = ("_each", "_open", "_positions")

    def __init__(self, kinds: Kinds, interval_s: float) -> None:
        self._positions = kinds.positions
        self._each = [Record(interval_s) for _ in kinds.positions]
        self._open: deque[Sent] = deque()

    def send(self, sent: Sent) -> Sent:
        """Note what is sent, and hand it on."""
        if sent.regular:
            self._open.append(sent)
        return sent

    def look(self, now_s: float, *, up: bool) -> None:
        """Take in what of it has ended by now.

        :param up: whether the path is up.
        """
        while self._open and None not in self._open[0].outcomes:
            ended = self._open.popleft()
            if ended.result is Outcome.ERROR:
                continue
            for record, outcome in zip(self._each, ended.by_kind, strict=True):
                if outcome in (Outcome.OK, Outcome.FAIL):
                    record.take(now_s, lost=outcome is Outcome.FAIL, up=up)

    def report(self, outcome: Outcome, lost: int, now_s: float, *, up: bool) -> None:
        """Take in what the only probe of a path that is not polled reports.

        :param lost: failures before it that were not reported when they came.
        """
        (record,) = self._each
        for _ in range(lost):
            record.take(now_s, lost=True, up=up)
        if outcome in (Outcome.OK, Outcome.FAIL):
            record.take(now_s, lost=outcome is Outcome.FAIL, up=up)

    def found(self, now_s: float, said: Mapping[int, Loss | None] = NOTHING) -> Loss | None:
        """Give what the worst kind loses; ``None`` unless it is known of all.

        :param said: what probes say of it themselves, by their positions.
        """
        return worst([self._of(number, now_s, said) for number in range(len(self._each))])

    def _of(self, kind: int, now_s: float, said: Mapping[int, Loss | None]) -> Loss | None:
        known = [loss for n in self._positions[kind] if (loss := said.get(n)) is not None]
        return worst([*known], best=True) if known else self._each[kind].found(now_s)


def of_paths(losses: Sequence[tuple[Loss | None, bool]], give_up_on: str) -> Loss | None:
    """Give what a gateway's paths lose: the worst of those that decide.

    :param losses: of each path, and whether it serves.
    :param give_up_on: ``any``: every path is needed; ``all``: one that serves is enough.
    """
    if give_up_on == "any":
        return worst([loss for loss, _ in losses])
    return worst([loss for loss, serves in losses if serves], best=True)
