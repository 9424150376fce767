"""Make one sample out of the samples of a path's probes: k of n must be OK.

Pure: no clock, socket or thread here.
"""

from collections.abc import Iterable, Sequence

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

    def lost(self, require: int) -> Outcome | None:
        """Vote with what has not replied yet as a FAIL."""
        return vote([outcome or Outcome.FAIL for outcome in self.outcomes], require)


def vote(outcomes: Sequence[Outcome | None], require: int) -> Outcome | None:
    """Decide a round as early as it can be decided.

    A probe that could not test is neither for nor against: the round is a FAIL only if the
    probes that did test rule ``require`` OKs out, and an ERROR if the untested ones might have
    made the difference.

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
    return None if None in outcomes else Outcome.ERROR
