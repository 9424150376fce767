"""Pure: what a responder says beside its replies: that it falls silent, stands by, or stays
on a road that is down.

A notice bears the head of the request that it follows, as a goodbye does, so that nobody off the
way can have made it. It moves nothing at the far end by itself.
"""

from typing import TypeVar

from havpn_core.echo.report import AWAY, NO_ROAD, STANDBY, notice
from havpn_core.echo.silence import ANNOUNCED_S, NOTICE_S

MOST = 256
"""Sources whose last notice is remembered, and addresses that heard of a silence."""

K = TypeVar("K")


class Notices:
    """When which source is to hear what."""

    def __init__(self) -> None:
        self.silent, self.standby, self.no_road = "", False, False
        self._announced: dict[str, float] = {}
        self._noted: dict[tuple[str, int], float] = {}

    def stand(self, silent: str, *, standby: bool, no_road: bool = False) -> None:
        """Take in how this gateway stands.

        :param silent: why the responder is silent; empty while it replies.
        :param standby: the role is seen to be standby.
        :param no_road: it serves though the road is down, for want of a better gateway.
        """
        if silent and not self.silent:
            self._announced.clear()
        self.silent, self.standby, self.no_road = silent, standby, no_road

    def instead(self, host: str, request: bytes, now_s: float) -> bytes:
        """Give what an address gets in place of a reply, while the responder is silent.

        The time runs for each from its own first request, however slowly it probes. What it gets
        has 4 bytes more than a short request, and for that second only.
        """
        if host not in self._announced:
            _keep(self._announced, host, now_s)
        return notice(AWAY, request) if now_s - self._announced[host] < ANNOUNCED_S else b""

    def beside(self, sender: tuple[str, int], request: bytes, now_s: float) -> bytes:
        """Give what a known source gets beside its reply."""
        kind = STANDBY if self.standby else NO_ROAD if self.no_road else b""
        if not kind or now_s - self._noted.get(sender, float("-inf")) < NOTICE_S:
            return b""
        _keep(self._noted, sender, now_s)
        return notice(kind, request)


def _keep(table: dict[K, float], key: K, now_s: float) -> None:
    """Put an entry last; the first one gives way."""
    table.pop(key, None)
    if len(table) >= MOST:
        del table[next(iter(table))]
    table[key] = now_s
