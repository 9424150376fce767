"""Make one sample out of the samples of a path's probes: k of n must be OK.

Pure: no clock, socket or thread here.
"""

from collections.abc import Sequence

from havpn_core.rules.hysteresis import Outcome


def vote(outcomes: Sequence[Outcome | None], require: int) -> Outcome | None:
    """Decide a round as early as it can be decided.

    A probe that could not test is neither for nor against: the round is a FAIL only if the
    probes that did test rule ``require`` OKs out, and an ERROR if the untested ones might have
    made the difference.

    :param outcomes: one entry a probe; ``None`` where the answer is still awaited.
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
