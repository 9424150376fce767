"""Make one sample out of the samples of a path's probes: k of n must be OK.

Pure: no clock, socket or thread here.
"""

from collections.abc import Container, Iterable, Sequence

from havpn_core.rules.cadence import NOBODY
from havpn_core.rules.hysteresis import Outcome


class Sent:
    """What was sent to the probes of a path at one moment.

    :param regular: sent at the cadence, not only to confirm.
    :ivar serial: the positions whose end others wait for.
    :ivar result: what it counted as; one too late counted as FAIL, a void one as ERROR.
    """

    __slots__ = ("latency_s", "outcomes", "regular", "result", "sent_s", "serial")

    def __init__(self, sent_s: float, probes: int, *, regular: bool) -> None:
        self.sent_s, self.regular, self.serial = sent_s, regular, NOBODY
        self.outcomes: list[Outcome | None] = [None] * probes
        self.result: Outcome | None = None
        self.latency_s: float | None = None

    def leave_out(self, positions: Iterable[int]) -> None:
        """Send nothing to these, for their turn has not come: neither for nor against."""
        for position in positions:
            self.outcomes[position] = Outcome.ERROR

    def take(self, position: int, outcome: Outcome, require: int) -> Outcome | None:
        """Take what one probe found out, and vote."""
        self.outcomes[position] = outcome
        return vote(self.outcomes, require)

    def lost(self, require: int, refusing: Container[int] = NOBODY) -> Outcome | None:
        """Vote with what has not replied yet as a FAIL.

        :param refusing: positions of probes whose target refuses: their silence is a refusal.
        """
        silent = [
            outcome or (Outcome.REFUSED if position in refusing else Outcome.FAIL)
            for position, outcome in enumerate(self.outcomes)
        ]
        return vote(silent, require)


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
