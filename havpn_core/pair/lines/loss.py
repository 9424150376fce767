"""Whether another line loses clearly less than one's own, and how the status shows what is lost.

Pure: no clock, socket or thread here.

Both the losses and the samples count divided by their clump (:class:`Loss`), and those of the
partner's line, which may not have shown its clumps yet, at least by one's own.
"""

import msgspec

from havpn_core.rules.target.loss import Loss

MARGIN = 0.02
"""Share of loss that is worth a move at least, and that a way back may cost at most."""


class LossFacts(msgspec.Struct, frozen=True):
    """A loss as the status shows it; see there."""

    share: float
    at_least: float
    at_most: float
    samples: int
    age_s: float


def facts_of(loss: Loss | None) -> LossFacts | None:
    """Say what the status shows of a loss, if it is known."""
    if loss is None:
        return None
    share, least, most = (round(part, 4) for part in (loss.share, loss.low, loss.high))
    return LossFacts(share, least, most, loss.samples, round(loss.age_s, 3))


def clearly_better(own: Loss | None, partner: Loss | None) -> bool:
    """Whether the partner's line is worth a move: it loses less than half, and by two points.

    What is not known, or old, is no better than anything.
    """
    if own is None or partner is None:
        return False
    most, least = partner.high_in(own.clump), own.low
    return most < least / 2 and least - most >= MARGIN


def no_worse(own: Loss | None, partner: Loss | None, *, unknown: bool) -> bool:
    """Whether the role may come back to the line here.

    :param unknown: what to say while nothing is known of one of the lines.
    """
    if own is None or partner is None:
        return unknown
    return own.high <= partner.high + MARGIN


def words(worse: Loss | None, better: Loss | None, there: str, here: str) -> str:
    """Say by what one line is better than the other.

    :param there: where the worse one is, in words.
    :param here: where the better one is, in words.
    """
    if worse is None or better is None:
        return f"the line {there} lost more than the one {here}"
    most = better.high_in(worse.clump)
    return f"loses {percent(worse.share)} {there}, at most {percent(most)} {here}"


def percent(share: float) -> str:
    """Write a share for people, such as ``34 %`` or ``1.3 %``."""
    return f"{share * 100:.{0 if share >= 0.1 else 1}f} %"
