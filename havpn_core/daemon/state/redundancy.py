"""Report that redundancy is lost or back, and keep it for the status."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from havpn_core.daemon.state.status import RedundancyStatus
from havpn_core.durations import rfc3339
from havpn_core.pair.health.redundancy import BACK, LOST, Both, Redundancy, causes
from havpn_core.plugging.descriptors import Event, EventKind, Severity


class RedundancyWatch:
    """Whether the other gateway could take over now.

    :param emit: takes the events.
    :param clock: monotonic seconds.
    """

    def __init__(self, emit: Callable[[Event], None], clock: Callable[[], float]) -> None:
        self._emit, self._clock = emit, clock
        self._found = Redundancy(clock())
        self._since = time.time()

    def update(self, both: Both) -> None:
        """Take in how both gateways are; at least once a second."""
        news = self._found.update(causes(both), self._clock())
        if news is None:
            return
        self._since = time.time()
        words = ("", LOST) if news.bad else (LOST, BACK)
        severity = Severity.WARNING if news.bad else Severity.INFO
        self._emit(Event(EventKind.REDUNDANCY, "", *words, news.text, severity))

    def status(self) -> RedundancyStatus:
        """Give its part of the status."""
        return RedundancyStatus(
            lost=self._found.lost,
            since=rfc3339(datetime.fromtimestamp(self._since, UTC)),
            causes=list(self._found.causes),
        )
