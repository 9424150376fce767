"""Pure: what each way of a stream loses, as its receiver counts it, and the worse of both.

The receiver alone knows in which runs packets were lost, so each end counts the way to it and says
in its packets what that lost. So both ends know two numbers, the same two, from the same packets,
and agree on the worse one.

A packet that newer ones overtook was not lost, so what is missing counts a few packets later. What
this host was too late to read is no loss of the line, and what was known of a line ends with it.
"""

from collections import deque

from havpn_core.pair.lines.record import Record
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.target.loss import Loss, as_number, of_number, worst
from havpn_core.stream.loss import OneWay

OVERTAKEN = 8
"""So many newer packets may overtake one until it counts as lost."""
MOST_MISSING = 4096
"""More packets missing in a row say nothing more: that line was dead."""
REFRESH_S = 0.2
"""How long the same number is said, and accounted for at both ends, in seconds."""
DEAD = (Verdict.DOWN, Verdict.RECOVERING)


class Ways:
    """Both ways of one stream.

    :param pace_s: seconds from one packet to the next.
    """

    __slots__ = (
        "_far",
        "_far_s",
        "_newest",
        "_open",
        "_record",
        "_said",
        "_said_s",
        "_up",
        "_void",
        "inwards",
        "outwards",
    )

    def __init__(self, pace_s: float) -> None:
        #: shares of the last half minute, for the status.
        self.inwards, self.outwards = OneWay(), OneWay()
        self._record = Record(pace_s)
        #: whether each of the newest packets is missing.
        self._open: deque[bool] = deque()
        self._newest = self._said = self._far = 0
        self._said_s = self._far_s = float("-inf")
        self._up, self._void = True, False

    def restart(self) -> None:
        """Begin again to count, for another run of the far end."""
        self.inwards.restart()
        self.outwards.restart()
        self._open.clear()
        self._newest = 0

    def void(self) -> None:
        """Take in that this host was late: what is missing before the next packet says nothing."""
        self._void = True

    def arrived(self, sequence: int, received: int, far: int, now_s: float) -> None:
        """Take in the newest packet.

        :param received: how many came in this run, in all.
        :param far: what the far end says that the way to it loses; 0 if it says nothing.
        """
        self.inwards.take(sequence, received, now_s)
        self._far, self._far_s = far, now_s
        missing = sequence - self._newest - 1 if self._newest and not self._void else 0
        if self._void:
            self._open.clear()
        self._newest, self._void = sequence, False
        self._open.extend([True] * min(missing, MOST_MISSING))
        self._open.append(False)
        while len(self._open) > OVERTAKEN:
            self._record.take(now_s, lost=self._open.popleft(), up=self._up)

    def overtaken(self, sequence: int) -> None:
        """Take in that an older packet came after all."""
        behind = self._newest - sequence
        if 0 <= behind < len(self._open):
            self._open[-1 - behind] = False

    def believe(self, verdict: Verdict | None, pace_s: float) -> None:
        """Take in what this end believes of the line, and how far apart packets are."""
        up = verdict not in DEAD
        if self._up and not up:
            self._open.clear()  # what came before is not the end of its silence
        self._up = up
        self._record.interval_s = pace_s

    def said(self, now_s: float) -> int:
        """Give what the way to here loses, as a packet has it; 0 while that is not known."""
        if now_s - self._said_s >= REFRESH_S:
            self._said, self._said_s = as_number(self._record.found(now_s)) or 0, now_s
        return self._said

    def loss(self, now_s: float) -> Loss | None:
        """Give what the worse way loses; ``None`` unless it is known of both, and not old."""
        own, far = self.said(now_s), self._far
        ways = (own, now_s - self._said_s), (far, now_s - self._far_s)
        return worst([self._aged(number, since_s) for number, since_s in ways])

    def _aged(self, number: int, since_s: float) -> Loss | None:
        try:
            said = of_number(number)
        except ValueError:
            return None
        age_s = said.age_s + since_s
        fresh = age_s <= self._record.fresh_s
        return Loss(said.share, said.samples, said.clump, age_s) if fresh else None
