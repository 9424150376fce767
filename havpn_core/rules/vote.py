"""Make one sample out of the samples of a path's probes: of each kind k of n must be OK.

Pure: no clock, socket or thread here. A kind is all probes of a path that watch the same: the
line, or the tunnel. Each kind is voted on alone, and its FAILs in a row are counted alone: a packet
lost on the line and the next one lost in the tunnel are no two failures in a row of either, so a
path that watches both is as calm as one that watches the worse of them.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from havpn_core.rules.cadence import NOBODY
from havpn_core.rules.hysteresis import Outcome, PathState, Worst


@dataclass(frozen=True, slots=True)
class Kinds:
    """The probes of a path by what they watch.

    :param names: what is watched, in the order of the first probe of each.
    :param positions: for each of them the positions of its probes.
    """

    names: tuple[str, ...]
    positions: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, watches: Sequence[str]) -> "Kinds":
        """Sort the probes of a path.

        :param watches: what each probe watches, by its position.
        """
        names = tuple(dict.fromkeys(watches))
        return cls(
            names,
            tuple(tuple(n for n, each in enumerate(watches) if each == name) for name in names),
        )

    def short(self, require: int) -> Iterator[tuple[str, int]]:
        """Give each kind that has fewer probes than must be OK, and how many it has."""
        for name, positions in zip(self.names, self.positions, strict=True):
            if len(positions) < require:
                yield name, len(positions)


class Sent:
    """What was sent to the probes of a path at one moment.

    :param regular: sent at the cadence, not only to confirm.
    :param kinds: which of the probes watch what; all the same if not given.
    :ivar serial: the positions whose end others wait for.
    :ivar by_kind: what it counted as for each kind; ``None``: not decided yet.
    :ivar result: what it counted as; one too late counted as FAIL, a void one as ERROR.
    :ivar settled: the path has taken it in.
    :ivar measures: it only shows how long a silence lasts.
    """

    __slots__ = (
        "_kinds",
        "by_kind",
        "latency_s",
        "measures",
        "outcomes",
        "regular",
        "result",
        "sent_s",
        "serial",
        "settled",
    )

    def __init__(
        self, sent_s: float, probes: int, *, regular: bool, kinds: Kinds | None = None
    ) -> None:
        self.sent_s, self.regular, self.serial = sent_s, regular, NOBODY
        self.outcomes: list[Outcome | None] = [None] * probes
        self._kinds = kinds if kinds is not None and len(kinds.names) > 1 else None
        self.by_kind: tuple[Outcome | None, ...] = (None,) * (len(kinds.names) if kinds else 1)
        self.result: Outcome | None = None
        self.latency_s: float | None = None
        self.settled = self.measures = False

    def leave_out(self, positions: Iterable[int]) -> None:
        """Send nothing to these, for their turn has not come: neither for nor against."""
        for position in positions:
            self.outcomes[position] = Outcome.ERROR

    def take(self, position: int, outcome: Outcome, require: int) -> Outcome | None:
        """Take what one probe found out, and vote."""
        self.outcomes[position] = outcome
        return self._vote(self.outcomes, require)

    def lost(self, require: int, refusing: Container[int] = NOBODY) -> Outcome | None:
        """Vote with what has not replied yet as a FAIL.

        :param refusing: positions of probes whose target refuses: their silence is a refusal.
        """
        silent = [
            outcome or (Outcome.REFUSED if position in refusing else Outcome.FAIL)
            for position, outcome in enumerate(self.outcomes)
        ]
        return self._vote(silent, require)

    def _vote(self, outcomes: Sequence[Outcome | None], require: int) -> Outcome | None:
        """Vote on each kind; what was decided of a kind and is open again stays decided."""
        if self._kinds is None:
            found = [vote(outcomes, require)]
        else:
            found = [
                vote([outcomes[n] for n in positions], require)
                for positions in self._kinds.positions
            ]
        self.by_kind = tuple(new or old for new, old in zip(found, self.by_kind, strict=True))
        return combine(found)


def vote(outcomes: Sequence[Outcome | None], require: int) -> Outcome | None:
    """Decide a round as early as it can be decided.

    A probe that could not test, or whose target refused, is neither for nor against: the round
    is a FAIL only if the FAILs alone rule ``require`` OKs out. Where those probes might have made
    the difference, a refusal wins over an ERROR, for it proves the line:

    ========  =======================  ===========
    require   outcomes                 the round
    ========  =======================  ===========
    1         OK, REFUSED              OK
    1         FAIL, REFUSED            REFUSED
    1         ERROR, REFUSED           REFUSED
    2         OK, REFUSED              REFUSED
    2         FAIL, REFUSED            FAIL
    2         OK, FAIL, REFUSED        REFUSED
    2         FAIL, FAIL, REFUSED      FAIL
    1         REFUSED, awaited         open
    ========  =======================  ===========

    :param outcomes: one entry a probe; ``None`` where the reply is still awaited.
    :param require: how many must be OK, from 1 to the number of probes.
    :returns: ``None`` while the round is still open.
    """
    ok = sum(outcome is Outcome.OK for outcome in outcomes)
    if ok >= require:
        return Outcome.OK
    failed = sum(outcome is Outcome.FAIL for outcome in outcomes)
    if len(outcomes) - failed < require:
        return Outcome.FAIL
    if None in outcomes:
        return None
    return Outcome.REFUSED if Outcome.REFUSED in outcomes else Outcome.ERROR


def combine(kinds: Sequence[Outcome | None]) -> Outcome | None:
    """Make one sample out of those of all kinds that a path watches; each must be OK.

    The first of these that any kind has:

    ===========  ==================================================================
    any kind is  because
    ===========  ==================================================================
    FAIL         the road needs each of them: no other kind can make up for it
    open         it may become a FAIL yet
    REFUSED      its host lives, and nothing is known of what it refuses: hold
    ERROR        nothing is known of this kind
    OK           all of them are
    ===========  ==================================================================

    :param kinds: one entry a kind; ``None`` where it is still open.
    :returns: ``None`` while the sample is still open.
    """
    if Outcome.FAIL in kinds:
        return Outcome.FAIL
    if None in kinds:
        return None
    return next((each for each in (Outcome.REFUSED, Outcome.ERROR) if each in kinds), Outcome.OK)


@dataclass(slots=True)
class Kind:
    """How one kind does.

    :param outcome: of its last vote; ``None``: none yet.
    :param run: its FAILs in a row.
    :param misses: its FAILs since the recovery of the path began.
    """

    name: str
    outcome: Outcome | None = None
    run: int = 0
    misses: int = 0

    def take(self, outcome: Outcome) -> None:
        """Take a vote in; what could not be tested ends no row of FAILs and begins none."""
        self.outcome = outcome
        if outcome is Outcome.FAIL:
            self.run += 1
            self.misses += 1
        elif outcome is not Outcome.ERROR:
            self.run = 0


class Standing:
    """How all kinds of a path do."""

    __slots__ = ("each",)

    def __init__(self, kinds: Kinds) -> None:
        self.each = tuple(Kind(name) for name in kinds.names)

    def take(self, outcomes: Sequence[Outcome | None], state: PathState) -> None:
        """Take in what was decided of each kind at one moment; ``None``: nothing yet.

        :param state: that of the path before.
        """
        for kind, outcome in zip(self.each, outcomes, strict=True):
            if not state.misses:
                kind.misses = 0
            if outcome is not None:
                kind.take(outcome)

    def correct(
        self, before: Sequence[Outcome | None], after: Sequence[Outcome | None]
    ) -> list[Outcome | None]:
        """Take in what became known of a moment that was taken in before.

        :returns: of each kind what was not known at all; ``None`` where something was.
        """
        found: list[Outcome | None] = []
        for kind, old, new in zip(self.each, before, after, strict=True):
            if new is not None and new is not old:
                kind.take(new)
            found.append(new if old is None else None)
        return found

    @property
    def worst(self) -> Worst | None:
        """What bounds the path's own counts; ``None`` where there is one kind, for they are its."""
        if len(self.each) == 1:
            return None
        return Worst(max(kind.run for kind in self.each), max(kind.misses for kind in self.each))
