"""How high a share or a rate may be, given what was counted. Pure."""

import math

CONFIDENCE_Z = 1.645
"""Of the normal distribution: 95 %, one-sided."""


def wilson(lost: float, probes: float, z: float) -> float:
    """Give a bound of a share, E. B. Wilson, JASA 22 (1927) 209.

    It exists where nothing was lost, and is cheap enough for each sample.

    :param lost: how many were lost; may be a fraction, for old ones count less.
    :param probes: of how many, not less than ``lost``; above 0.
    :param z: of the normal distribution, one-sided: above 0 the upper bound, below it the lower.
    :returns: from 0 to 1, on that side of ``lost / probes``.
    """
    square = z * z
    spread = math.sqrt(lost * (1 - lost / probes) + square / 4)
    # What no loss leaves of the arithmetic is less than nothing by a hair.
    return min(1.0, max(0.0, lost + square / 2 + z * spread) / (probes + square))


def wilson_upper(lost: float, probes: float) -> float:
    """Give the upper bound at :data:`CONFIDENCE_Z`; 1 where there were no probes."""
    return wilson(lost, probes, CONFIDENCE_Z) if probes > 0 else 1.0


def poisson_upper(events: float) -> float:
    """Give how many events may be expected where so many were counted: one deviation more.

    :param events: counted; may be a fraction.
    """
    return events + math.sqrt(events)
