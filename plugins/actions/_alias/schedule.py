"""Pure: when to announce an address, to defend it and to report a rival, on a virtual clock."""

import math
from dataclasses import dataclass, field

BURST_S = (0.0, 0.05, 0.2, 1.0, 2.0, 4.0)
"""Moments of the first announcements, in seconds after the address was taken."""
LATE_S = 0.25
"""By what a moment may be missed. Who wakes later was frozen and may have lost the address."""
DEFEND_EVERY_S = 1.0
"""RFC 5227 2.4 (c) requires a limit; its 10 s would leave clients with the wrong gateway."""
FIRST_REPORTS = 3
REPORT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The announcements of one tenure.

    :param begun_s: when the address was taken.
    :param refresh_s: seconds between announcements after the burst; ``None``: no more.
    """

    begun_s: float
    refresh_s: float | None

    def next_s(self, after_s: float) -> float | None:
        """Give the first moment later than ``after_s``, if there is one."""
        for offset in BURST_S:
            if self.begun_s + offset > after_s:
                return self.begun_s + offset
        if self.refresh_s is None:
            return None
        first = self.begun_s + BURST_S[-1]
        number = max(1, math.floor((after_s - first) / self.refresh_s))
        while first + number * self.refresh_s <= after_s:
            number += 1
        return first + number * self.refresh_s


def is_late(due_s: float, now_s: float) -> bool:
    """Whether a moment was missed by so much that nothing may be done on its account."""
    return now_s - due_s > LATE_S


def defends(own: bytes, other: bytes) -> bool:
    """Say which of two owners speaks up: the one with the lower link-layer address.

    Both would make the clients' caches flap; neither would leave them with whoever spoke last.
    """
    return own < other


def defence_s(last_s: float | None, now_s: float) -> float:
    """Say when to defend: now, or when the limit allows it again."""
    return now_s if last_s is None else max(now_s, last_s + DEFEND_EVERY_S)


@dataclass(slots=True)
class Reports:
    """Which claims are reported to people: the first few, then one every 10 s, whoever claims.

    A claim is not authenticated, and whoever forges it can do so with ever new addresses.
    """

    _left: float = FIRST_REPORTS
    _at_s: float | None = None
    _known: dict[bytes, float] = field(default_factory=dict)
    #: claims since the last report that were not reported.
    untold: int = 0

    def due(self, mac: bytes, now_s: float) -> bool:
        """Whether a claim by this link-layer address is to be reported now."""
        if self._at_s is not None:
            self._left = min(FIRST_REPORTS, self._left + (now_s - self._at_s) / REPORT_EVERY_S)
        self._at_s = now_s
        since_s = self._known.get(mac)
        if self._left < 1 or (since_s is not None and now_s - since_s < REPORT_EVERY_S):
            self.untold += 1
            return False
        self._left -= 1
        self._known = {m: s for m, s in self._known.items() if now_s - s < REPORT_EVERY_S}
        self._known[mac] = now_s
        return True

    def told(self) -> int:
        """Give the claims that were not reported, and forget them."""
        untold, self.untold = self.untold, 0
        return untold
