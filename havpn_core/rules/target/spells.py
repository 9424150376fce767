"""The silent spells of a line that ended: how long, and how often. Pure.

A histogram of lengths in steps that grow by a factor, from which old spells fade. The tail beyond
a length is taken for exponential: for spells of mean length tau that come with rate b, a path
that waits ``tau ln(b/L)`` gives up falsely with rate L.
"""

import math
from dataclasses import dataclass

from havpn_core.rules.target.bounds import poisson_upper

FIRST_S, GROWTH, BINS = 0.001, math.sqrt(2.0), 34
"""Bins from a millisecond to two minutes; the first and the last hold what is beyond, too."""
FADED = 0.02
"""A spell that counts for less is forgotten."""
FEW = 2.5
"""Less than three spells recently are none that a line is known for."""
OUTAGES = 4.0
"""Where so many times more are given up than end by themselves, these are outages,"""
MANY = 150.0
"""but not if there are so many of them recently."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Spells that last longer than ``beyond_s``.

    :param per_s: how often they come, at the most, by what was seen; 0 if none was seen.
    :param mean_s: by how much they are longer on the mean, at the most; above 0.
    """

    beyond_s: float
    per_s: float
    mean_s: float

    def rate(self, silence_s: float) -> float:
        """Give how often per second a spell lasts at least that long."""
        over_s = max(0.0, silence_s - self.beyond_s)
        return self.per_s * math.exp(-over_s / self.mean_s)

    def silence_s(self, per_s: float) -> float:
        """Give the least silence in seconds that spells outlast with that rate, or less often."""
        if self.per_s <= per_s:
            return self.beyond_s
        return self.beyond_s + self.mean_s * math.log(self.per_s / per_s)


class Spells:
    """The spells of one line.

    :ivar counts: for each bin how many, faded; so ``sums_s``, their lengths.
    """

    __slots__ = ("counts", "sums_s")

    def __init__(self) -> None:
        self.counts, self.sums_s = [0.0] * BINS, [0.0] * BINS

    def add(self, length_s: float) -> None:
        """Take in a spell that ended.

        :param length_s: 0 or more.
        """
        place = bin_of(length_s)
        self.counts[place] += 1
        self.sums_s[place] += length_s

    def fade(self, share: float) -> None:
        """Let all that was seen so far count for that share of what it does now, 0 to 1."""
        for place, count in enumerate(self.counts):
            if count:
                faint = count * share < FADED
                self.counts[place] = 0.0 if faint else count * share
                self.sums_s[place] = 0.0 if faint else self.sums_s[place] * share

    @property
    def longest_s(self) -> float:
        """The mean length in the last bin that holds any; 0 if none does."""
        held = [place for place, count in enumerate(self.counts) if count]
        return self.sums_s[held[-1]] / self.counts[held[-1]] if held else 0.0

    def beyond(self, least_s: float) -> tuple[float, float]:
        """Give how many are longer than that, and by how many seconds in all."""
        number, excess_s = 0.0, 0.0
        for count, sum_s in zip(self.counts, self.sums_s, strict=True):
            if count and sum_s > least_s * count:
                number += count
                excess_s += sum_s - least_s * count
        return number, excess_s


def tail_of(ended: Spells, given_up: Spells, beyond_s: float, watched_s: float) -> Tail:
    """Fit the tail: the mean excess, which is the likeliest mean, and a deviation more.

    Silences for which a path was given up may be the outages that it is there to notice. They are
    spells to tolerate where others of the line end by themselves, or where they are very many.

    :param ended: spells that ended while the path was up.
    :param given_up: those for which it was given up, and which ended soon.
    :param beyond_s: shorter spells play no part.
    :param watched_s: seconds in which the spells were seen, faded like them; above 0.
    """
    number, excess_s = ended.beyond(beyond_s)
    more, more_s = given_up.beyond(beyond_s)
    known = number >= FEW and more <= OUTAGES * number
    if not known and more < MANY:
        return Tail(beyond_s, 0.0, FIRST_S)
    number += more
    mean_s = (excess_s + more_s) / number * (1 + 1 / math.sqrt(number))
    return Tail(beyond_s, poisson_upper(number) / watched_s, max(mean_s, FIRST_S))


def bin_of(length_s: float) -> int:
    """Give the bin of a length in seconds."""
    if length_s <= FIRST_S:
        return 0
    return min(BINS - 1, 1 + int(math.log(length_s / FIRST_S) / math.log(GROWTH)))
