"""The rules of other path monitors, as state machines of their documented constants.

Only the rule is modelled: what turns lost probes into "down" and back. What a program does
then (VRRP priorities, scripts, announcements) is left out, so "down" is the moment at which it
would act. All start up, with a good past. A probe sent at ``t`` gets its reply at ``t`` or, if
``lost(t)``, is known to be lost at ``t`` plus the timeout. Each rule takes ``lost``, which is
called with moments in seconds that never decrease, and the hours to run.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

Lost = Callable[[float], bool]


@dataclass(frozen=True)
class Outcome:
    """What a rule made of a line.

    :param switches: changes between up and down; a flap, down and up again, is two.
    :param down_share: share of the time spent down, from 0 to 1.
    """

    switches: int
    down_share: float


class Ledger:
    """Keeps the state and what it cost; moments never decrease."""

    def __init__(self, hours: float) -> None:
        self.end_s = hours * 3600
        self.down = False
        self._switches = 0
        self._since_s = 0.0
        self._down_s = 0.0

    def turn(self, down: bool, at_s: float) -> None:
        """Be up or down from that moment on; nothing after the end counts."""
        if down is self.down or at_s >= self.end_s:
            return
        if self.down:
            self._down_s += at_s - self._since_s
        self.down, self._since_s = down, at_s
        self._switches += 1

    def close(self) -> Outcome:
        """Add it up."""
        last_s = self.end_s - self._since_s if self.down else 0.0
        return Outcome(self._switches, (self._down_s + last_s) / self.end_s)


def keepalived_script(lost: Lost, hours: float, *, fall: int = 3, rise: int = 3) -> Outcome:
    """keepalived's ``vrrp_script`` with a ping every second, timeout 1 s: runs of results.

    :param fall: consecutive failures to down; the program's own default is 1.
    :param rise: consecutive successes to up; the program's own default is 1.
    """
    ledger, run = Ledger(hours), 0
    for number in range(int(ledger.end_s)):
        failed = lost(number)
        run = run + 1 if failed is not ledger.down else 0
        if run == (rise if ledger.down else fall):
            ledger.turn(failed, number + 1.0 if failed else number)
            run = 0
    return ledger.close()


def dpinger(lost: Lost, hours: float) -> Outcome:
    """dpinger as pfSense sets it: over 20 % lost of the last 60 s.

    A probe every 500 ms; without a reply it counts as lost after 2 s and until then as
    nothing. Once a second the share in whole percent is looked at; the alarm ends at the tenth
    look in a row that finds no more than 20 %.
    """
    ledger, held = Ledger(hours), 0
    lost_now = 0
    young: deque[bool] = deque([False] * 4)  # sent less than 2 s ago
    old: deque[bool] = deque([False] * 116)
    for second in range(int(ledger.end_s)):
        for half in (0.0, 0.5):
            young.append(lost(second + half))
            aged = young.popleft()
            old.append(aged)
            lost_now += aged - old.popleft()
        counted = 116 + young.count(False)
        if lost_now * 100 // counted > 20:
            held = 10
            ledger.turn(True, second + 1.0)
        elif held:
            held -= 1
            if not held:
                ledger.turn(False, second + 1.0)
    return ledger.close()


def lsm(lost: Lost, hours: float) -> Outcome:
    """LSM's defaults: a window and runs together, with a rule of its own for each way.

    A probe every second, timeout 1 s. Down at 15 lost of the last 100 or 7 in a row, up at
    no more than 5 lost and 10 replies in a row. It decides once a second, here half-way
    between two probes: the last one counts if its reply has come, else not yet.
    """
    ledger, window_lost, missing, received = Ledger(hours), 0, 0, 100
    window: deque[bool] = deque([False] * 100)
    waiting = False
    for second in range(int(ledger.end_s)):
        if waiting:  # the timeout of the probe before this one has passed
            window_lost += 1
            missing, received = missing + 1, 0
        window.append(waiting := lost(second))
        window_lost -= window.popleft()
        if not waiting:
            missing, received = 0, received + 1
        if not ledger.down and (window_lost >= 15 or missing >= 7):
            ledger.turn(True, second + 0.5)
        elif ledger.down and window_lost <= 5 and received >= 10:
            ledger.turn(False, second + 0.5)
    return ledger.close()
