"""BFD between two gateways, RFC 5880, as keepalived and FRR run it; see :mod:`benchmarks.peers`.

Both ends are modelled, each with its own state, timers and jitter. What is assumed:

* A packet is lost where a probe would be, and each way is drawn for itself. A probe and its reply
  cross the line twice and a packet once: where chance loses alike both ways, a packet is
  really lost about half as often as a probe, so compare 10 % here with 20 % elsewhere.
* A packet takes no time, and all timers of the two ends begin at random.
* The sequence of polls that RFC 5880 section 6.8.3 demands before timers change takes no time.
* A changed state is sent with the next packet that was due anyway.
"""

import random

from benchmarks.peers import Ledger, Lost, Outcome

DOWN, INIT, UP = range(3)
SLOW_S = 1.0
"""RFC 5880 section 6.8.3: at least a second between packets while the session is not up."""


class End:
    """One end of the session.

    :param interval_s: what it wants between its packets while it is up.
    :param multiplier: intervals without a packet after which the other end calls it dead.
    """

    def __init__(self, interval_s: float, multiplier: int, chance: random.Random) -> None:
        self.interval_s = interval_s
        self.multiplier = multiplier
        self.state = UP
        self.next_s = chance.random() * interval_s
        self.dead_s = multiplier * interval_s
        self._random = chance.random

    def pace_s(self) -> float:
        """Say what it promises between packets now."""
        return self.interval_s if self.state == UP else SLOW_S

    def schedule(self) -> None:
        """Fix the next packet: up to a quarter early, section 6.8.7."""
        self.next_s += self.pace_s() * (1 - 0.25 * self._random())

    def hear(self, state: int, pace_s: float, at_s: float) -> None:
        """Take a packet in, section 6.8.6."""
        if self.state == UP:
            if state == DOWN:
                self.state = DOWN
        elif self.state == INIT:
            if state != DOWN:
                self.state = UP
        elif state == DOWN:
            self.state = INIT
        elif state == INIT:
            self.state = UP
        # Section 6.8.4: the slower of what it may receive and the other sends, times over.
        self.dead_s = at_s + self.multiplier * max(self.interval_s, pace_s)

    def expire(self, at_s: float) -> bool:
        """Go down if nothing came for the detection time; say whether it did."""
        if self.state == DOWN or at_s < self.dead_s:
            return False
        self.state = DOWN
        return True


def bfd(
    lost: Lost, hours: float, *, interval_s: float = 0.05, multiplier: int = 3, seed: int = 1
) -> Outcome:
    """Run a session and watch one of its ends.

    :param interval_s: seconds between packets of both ends while they are up.
    :param multiplier: detection time in intervals.
    :param seed: for the jitter.
    """
    ledger, chance = Ledger(hours), random.Random(seed)
    here, there = End(interval_s, multiplier, chance), End(interval_s, multiplier, chance)
    while True:
        sender, hearer = (here, there) if here.next_s <= there.next_s else (there, here)
        now_s = sender.next_s
        if now_s >= ledger.end_s:
            break
        if here.expire(now_s):
            ledger.turn(True, here.dead_s)
        there.expire(now_s)
        if not lost(now_s):
            hearer.hear(sender.state, sender.pace_s(), now_s)
            if hearer is here:
                ledger.turn(here.state != UP, now_s)
        sender.schedule()
    if here.expire(ledger.end_s):
        ledger.turn(True, here.dead_s)
    return ledger.close()
