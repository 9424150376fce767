"""Tell the way out from the way back, from what the far responder says it received.

Pure. Every question of a session has a sequence number, and every answer carries how many
questions of that session the far end had received by then. Between two answers, what was sent
and not received was lost on the way out; what was received and not answered here, on the way
back.
"""

from collections import deque
from dataclasses import dataclass

SPAN = 200
"""Loss is told over so many questions."""

LEAST = 20
"""Questions needed before loss is told."""

OUTAGE = 5
"""Questions without an answer that make an outage worth explaining."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one answer says.

    :param sequence: the question's number.
    :param received: questions of this session that the far end had received by then.
    :param epoch: differs after a restart of the far responder.
    """

    sequence: int
    received: int
    epoch: int


class OneWay:
    """The account of one session."""

    def __init__(self) -> None:
        self._answers: deque[Report] = deque()
        self.last_outage: str | None = None

    def take(self, report: Report) -> None:
        """Take one answer in; after a restart of the far end the account starts over."""
        if self._answers:
            last = self._answers[-1]
            if report.epoch != last.epoch or report.received < last.received - SPAN:
                self._answers.clear()
            elif report.sequence < last.sequence:
                return  # overtaken on the way; the newer answer has told more already
            else:
                self._explain(last, report)
        self._answers.append(report)
        while self._answers[0].sequence < report.sequence - SPAN:
            self._answers.popleft()

    def _explain(self, last: Report, report: Report) -> None:
        sent = report.sequence - last.sequence - 1
        if sent >= OUTAGE:
            received = report.received - last.received - 1
            self.last_outage = "way back" if 2 * received >= sent else "way out"

    @property
    def losses(self) -> tuple[float, float] | None:
        """Give the share lost on the way out and on the way back, once enough is known."""
        if not self._answers:
            return None
        first, last = self._answers[0], self._answers[-1]
        sent = last.sequence - first.sequence
        if sent < LEAST:
            return None
        received = min(max(last.received - first.received, 0), sent)
        answered = min(len(self._answers) - 1, received)
        back = 1 - answered / received if received else 0.0
        return 1 - received / sent, back
