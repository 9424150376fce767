"""Pure: how many replies a far end needs that probes as this end does.

A path sends a request each interval and, after a loss, up to ``fall`` of them in a burst; a probe
whose packets are large sends a small one along with each of them meanwhile. The budgets of
:mod:`~havpn_core.echo.sources` hold a burst as long as they fill faster than the interval empties
them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from havpn_core.echo.sources import NEW

BURST_S = 2.0
"""Seconds of ``rate`` that a source may spend at once."""
TOTAL_S = 1.0
"""Seconds of ``total_rate`` that all may spend at once."""
ROUNDED = 1e-6


@dataclass(frozen=True, slots=True)
class Pace:
    """How one probe sends.

    :param interval_s: seconds from one request to the next.
    :param confirm_s: the same in a burst.
    :param fall: requests of a burst.
    :param packets: of each request while requests are lost, the small ones counted, 1 or more.
    """

    interval_s: float
    confirm_s: float
    fall: int
    packets: int = 1

    @property
    def span_s(self) -> float:
        """Seconds from the first request of a burst to its last."""
        return (self.fall - 1) * self.confirm_s


def least_rate(paces: Sequence[Pace]) -> int:
    """Give the least ``rate`` that serves all probes of one address.

    Each is a source; before they are known, they share the budget of what is new.
    """
    alone = [need for one in paces for need in _needs([one], BURST_S)]
    together = [need / NEW for need in _needs(paces, BURST_S)]
    return math.ceil(max(alone + together) - ROUNDED)


def least_total(paces: Sequence[Pace]) -> int:
    """Give the least ``total_rate`` that serves the probes of all addresses."""
    return math.ceil(max(_needs(paces, TOTAL_S)) - ROUNDED)


def _needs(paces: Sequence[Pace], held_s: float) -> tuple[float, float]:
    """Give the rates that the interval and a burst need, if all lose a request at once.

    :param held_s: seconds of the rate that may be spent at once.
    """
    steady = sum(one.packets / one.interval_s for one in paces)
    burst = sum(one.packets * one.fall for one in paces) / (
        held_s + min(one.span_s for one in paces)
    )
    return steady, burst
