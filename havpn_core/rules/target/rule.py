"""The least number of lost probes and the least silence that keep a target. Pure.

The run rule is optimal for a silent cut (Lorden 1971, Moustakides 1986): with loss p, a chance for
a run every d seconds and L false switches a second, ``n = ceil(ln((1-p)/(L d)) / ln(1/p))``. Silent
spells of mean tau at rate b need a silence of ``tau ln(b/L)``. Half of the target is for spells,
and less than that for chance: a target is a limit, not a mean, and most spans of its length are to
pass without a false switch. There that costs a probe or two, and on a clean line none.

The bound below: 5 lost probes at an interval of 10 ms, whatever a clean line would allow. So much
it takes at any interval where a packet is lost on one way only: a line that suddenly loses 20 %
loses four more after the first with a chance of 0.2^4, or 0.2 %. A round trip is lost on both
ways, together 36 %, so that it takes 6: 0.36^5, or 0.6 %.
"""

import math
from dataclasses import dataclass

from havpn_core.rules.target.record import Record

ONE_WAY, ROUND_TRIP = 5, 6
"""The least number of lost probes in a row, where one goes one way, and where it comes back."""
SPELLS, CHANCE = 0.5, 0.05
"""Parts of the target, for either cause of false switches."""
MOST_LOSS = 0.6
"""More is not accounted for: a line that loses more keeps no target worth having."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a path is to keep to.

    :param per_s: false switches per second that are borne; above 0.
    :param least: the least number of lost probes in a row; 1 or more.
    :param ceiling_s: the longest silence that is waited for. Longer ones are outages: they are
        never tolerated, and nothing is learned of them.
    :param floor_s: the least silence.
    """

    per_s: float
    least: int
    ceiling_s: float
    floor_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How a path sends.

    :param interval_s: seconds from one regular probe to the next; above 0.
    :param spacing_s: the same in a burst, or the interval where there is none; above 0.
    :param overdue_s: seconds after which a reply is late.
    """

    interval_s: float
    spacing_s: float
    overdue_s: float

    def chances(self, loss: float) -> float:
        """Give how many probes a second may begin a run.

        The regular ones, and those that a burst sends before the first of them can reply.
        """
        bursts = self.spacing_s < self.interval_s
        ahead = self.overdue_s / self.spacing_s if bursts else 0.0
        return (1 + loss * ahead) / self.interval_s


@dataclass(frozen=True, slots=True)
class Limits:
    """When a path is given up.

    :param fall: lost probes in a row, at least.
    :param floor_s: seconds from the first of them to the last, at least.
    :param silence_s: seconds from the first lost probe until it is given up.
    :param loss: the share of loss that was accounted for.
    :param per_s: false switches per second that remain by what is known.
    :param kept: whether that is within the target.
    :param by_chance: more lost probes in a row than chance alone explains; 1 or more.
    """

    fall: int
    floor_s: float
    silence_s: float
    loss: float
    per_s: float
    kept: bool
    by_chance: int = 1


def run_length(loss: float, chances_per_s: float, per_s: float) -> int:
    """Give how many losses in a row come falsely with that rate or less often; 1 or more.

    :param loss: share of loss, 0 to below 1.
    :param chances_per_s: probes a second that may begin a run; above 0.
    :param per_s: false switches per second; above 0.
    """
    if loss <= 0:
        return 1
    ratio = (1 - loss) * chances_per_s / per_s
    if ratio <= 1:
        return 1
    return max(1, math.ceil(math.log(ratio) / -math.log(loss) - 1e-9))


def run_rate(fall: int, loss: float, chances_per_s: float) -> float:
    """Give how often per second so many losses in a row come where each probe is lost by chance."""
    return float((1 - loss) * loss**fall * chances_per_s)


def derive(target: Target, pace: Pace, record: Record, recent: float = 0.0) -> Limits:
    """Derive the least fall and the least silence that keep a target.

    :param recent: share of loss of the last moments, which counts where it is the higher one.
    """
    loss = min(max(record.loss_upper, recent), MOST_LOSS)
    fall = _fall(target, pace, loss)
    run_s = (fall - 1) * pace.spacing_s
    # From half of it on: what lasts as long as the path waits is given up, so that nothing
    # longer would be known at first.
    tail = record.tail(max(run_s / 2, target.floor_s))
    needed_s = max(target.floor_s, tail.silence_s(target.per_s * SPELLS) if tail.per_s else 0.0)
    floor_s = min(needed_s, target.ceiling_s)
    if floor_s <= run_s:
        floor_s = target.floor_s
    waits_s = max(run_s, floor_s)
    per_s = run_rate(fall, loss, pace.chances(loss)) + tail.rate(waits_s)
    kept = per_s <= target.per_s * (1 + 1e-9)
    by_chance = run_length(loss, pace.chances(loss), target.per_s * SPELLS)
    return Limits(fall, floor_s, waits_s + pace.overdue_s, loss, per_s, kept, by_chance)


def most_fall(target: Target, pace: Pace) -> int:
    """Give how many probes in a row a path may lose, at the most, before it is given up."""
    return _fall(target, pace, MOST_LOSS)


def _fall(target: Target, pace: Pace, loss: float) -> int:
    wanted = run_length(loss, pace.chances(loss), target.per_s * CHANCE)
    most = 1 + int(target.ceiling_s / pace.spacing_s + 1e-9)
    return max(target.least, min(wanted, most))
