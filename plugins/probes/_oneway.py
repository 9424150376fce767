"""Pure: loss on the way out and on the way back, from what the far responder has received.

Every request of a session has a sequence number, and every reply carries how many requests of
that session the far end had received by then. Between two replies, what was sent and not received
was lost on the way out; what was received and whose reply did not come, on the way back.
"""

from collections import deque

from havpn_core import EchoReport

SPAN = 200
"""Loss is given over so many requests."""

LEAST = 20
"""Requests needed before loss is given."""

OUTAGE = 5
"""Requests without a reply that make an outage worth an explanation."""


class OneWay:
    """The account of one session."""

    def __init__(self) -> None:
        self._reports: deque[EchoReport] = deque()
        self.last_outage: str | None = None

    def take(self, report: EchoReport) -> None:
        """Take one report in; after a restart of the far end the account starts over.

        :param report: of a responder of HA-VPN, so with an ``epoch`` above 0.
        """
        if self._reports:
            last = self._reports[-1]
            if report.epoch != last.epoch or report.received < last.received - SPAN:
                self._reports.clear()
            elif report.sequence < last.sequence:
                return  # overtaken on the way; the newer report has said more already
            else:
                self._explain(last, report)
        self._reports.append(report)
        while self._reports[0].sequence < report.sequence - SPAN:
            self._reports.popleft()

    def _explain(self, last: EchoReport, report: EchoReport) -> None:
        sent = report.sequence - last.sequence - 1
        if sent >= OUTAGE:
            received = report.received - last.received - 1
            self.last_outage = "way back" if 2 * received >= sent else "way out"

    @property
    def losses(self) -> tuple[float, float] | None:
        """Give the share lost on the way out and on the way back, once enough is known."""
        if not self._reports:
            return None
        first, last = self._reports[0], self._reports[-1]
        sent = last.sequence - first.sequence
        if sent < LEAST:
            return None
        received = min(max(last.received - first.received, 0), sent)
        replies = min(len(self._reports) - 1, received)
        back = 1 - replies / received if received else 0.0
        return 1 - received / sent, back
