"""Pure: what a client noticed, from the outages that its pings show."""

from collections.abc import Iterable
from typing import Protocol

AT_THE_END_S = 0.44
"""How shortly before the end a reply must have come, or the client is not back."""


class Gap(Protocol):
    """Pings in a row without a reply; seconds of one clock."""

    @property
    def start(self) -> float:
        """When the first was sent."""

    @property
    def end(self) -> float:
        """When the first one with a reply after them was sent."""

    @property
    def seconds(self) -> float:
        """Its length."""


def longest(
    gaps: Iterable[Gap], since: float, until: float, *, rtt_s: float, lost_s: float
) -> float | None:
    """Give the longest gap that a fault made.

    :param since: when the fault was made; what was under way then may be lost to it.
    :param until: when the next thing was done.
    :param lost_s: one of more seconds than this that lasts at the end means that the client was
        not back.
    :returns: seconds; ``None`` if it was not back.
    """
    mine = [gap for gap in gaps if since - rtt_s - 0.05 <= gap.start < until]
    if any(gap.seconds > lost_s and gap.end > until - AT_THE_END_S - rtt_s for gap in mine):
        return None
    return max((gap.seconds for gap in mine), default=0.0)
