"""When the next probe is due, when a call is given up, and what is void for this host's lateness.

Pure: times are seconds of any monotonic clock. Moments are fixed beforehand, an interval apart,
however long a reply takes; the daemon and the recorder take them from here, and so does what
``havpn check`` promises.

A probe whose ``check`` runs on the loop may have several probes under way. One whose ``check``
runs in a thread takes one at a time (:class:`Turns`): while it is under way a moment that comes
is held back. Its end is the reply, or the moment at which it is given up; what is sent after
that waits for the thread, and counts as any other. So a thread that never comes back is a FAIL
each time that a call is given up.
"""

from dataclasses import replace

from havpn_core.rules.hysteresis import PathRules

GRACE_S = 0.05
"""What a probe may exceed its timeout by before the core counts it as lost in its place."""

HASTE_S = 0.05
"""The least time from one regular probe to the next that nobody configured."""

NOBODY: frozenset[int] = frozenset()


def hasty_s(rules: PathRules) -> float:
    """Give the seconds from one probe to the next while a line has just become grey.

    So a pair soon knows what it loses, and which of its lines is better: a tenth of the interval,
    but no less than bursts have, and no more than 20 probes a second.
    """
    if rules.confirm_s is None:
        return rules.interval_s
    return min(rules.interval_s, max(rules.confirm_s, rules.interval_s / 10, HASTE_S))


def given_up_s(sent_s: float, timeout_s: float) -> float:
    """Give the moment at which a call that has not ended is counted as lost."""
    return sent_s + timeout_s + GRACE_S


def void(timeout_s: float, took_s: float) -> bool:
    """Whether a FAIL says nothing of the line, for this host came back to it too late.

    :param took_s: seconds from sending to the moment at which the FAIL was noticed.
    """
    return took_s > timeout_s + GRACE_S + max(GRACE_S, timeout_s / 4)


def missed(due_s: float, now_s: float, interval_s: float) -> int:
    """How many whole intervals have passed since a moment was due; 0 if it is still to come."""
    return max(0, int((now_s - due_s) / interval_s))


class Turns:
    """Which of a path's probes may be sent now.

    Those that run in a thread are sent together: probes that vote on one sample must be sent at
    one moment, or no sample would ever hear them all.

    :param probes: how many probes the path has.
    :ivar serial: the positions of those that run in a thread.
    :ivar freed_s: when the last one under way ended.
    """

    __slots__ = ("_probes", "_under_way", "freed_s", "serial")

    def __init__(self, probes: int) -> None:
        self._probes = probes
        self._under_way = 0
        self.serial = NOBODY
        self.freed_s = float("-inf")

    @property
    def mixed(self) -> bool:
        """Whether the path has probes that may overlap, too."""
        return len(self.serial) < self._probes

    @property
    def held_back(self) -> bool:
        """Whether nothing at all may be sent before a call has ended."""
        return self._under_way > 0 and not self.mixed

    @property
    def left_out(self) -> frozenset[int]:
        """The positions that what is sent now leaves out."""
        return self.serial if self._under_way else NOBODY

    def sent(self) -> frozenset[int]:
        """Note that all others are sent; gives those whose end must be noted."""
        if self._under_way:
            return NOBODY
        self._under_way = len(self.serial)
        return self.serial

    def ended(self, now_s: float) -> bool:
        """Note that one has replied or was given up; gives whether it was the last awaited."""
        self._under_way -= 1
        if self._under_way:
            return False
        self.freed_s = now_s
        return True

    def patient(self, rules: PathRules, timeout_s: float) -> PathRules:
        """Give the rules for this pace: a probe that is waited for is no lack of news."""
        if not self.serial:
            return rules
        pace = pace_s(rules, timeout_s, mixed=self.mixed)
        return replace(rules, stale_s=max(rules.stale_s, 2 * pace))


def pace_s(rules: PathRules, timeout_s: float, *, mixed: bool) -> float:
    """Give the longest time from one sample with a serial probe to the next.

    :param mixed: whether the path has probes that may overlap, too: their cadence is kept, and
        the serial ones wait for the next moment of it.
    """
    longest = timeout_s + GRACE_S
    return longest + rules.interval_s if mixed else max(rules.interval_s, longest)


def detection_s(
    rules: PathRules,
    timeout_s: float,
    deadline_s: float | None = None,
    *,
    serial: int = 0,
    overlapping: int = 1,
) -> float:
    """Give the longest time in seconds from a silent cut to ``down``.

    The cut comes just after a reply: one interval to the first probe that is lost, which passes
    its deadline; what ``fall`` still lacks is sent in a burst, and the last of it passes its
    deadline, too. Where a probe runs in a thread, each that is lost keeps it until it is given
    up; in a mixed path one that was sent before the cut may do so first.

    :param deadline_s: seconds after which a reply is late; the timeout if not given.
    :param serial: how many probes run in a thread.
    :param overlapping: how many do not.
    """
    late, interval, fall = (
        timeout_s if deadline_s is None else deadline_s,
        rules.interval_s,
        rules.fall,
    )
    confirm = rules.confirm_s
    burst = confirm is not None and confirm < interval
    if serial:
        mixed = overlapping > 0
        pace = pace_s(rules, timeout_s, mixed=mixed)
        if burst and not mixed:
            pace = max(confirm or 0.0, timeout_s + GRACE_S)
        floor_s = rules.floor_s + pace if rules.floor_s else 0.0
        return interval + max((fall - 1) * pace, floor_s) + mixed * pace + late
    lacking = fall - 1 - int(late / interval)
    if confirm is None or not burst or lacking <= 0:
        floor_s = rules.floor_s + 2 * interval if rules.floor_s else 0.0
        return max(fall * interval, floor_s) + late
    floor_s = rules.floor_s + max(late, confirm) if rules.floor_s else 0.0
    return interval + late + max((lacking - 1) * confirm + late, floor_s)


def failback_s(
    rules: PathRules, timeout_s: float, *, serial: int = 0, overlapping: int = 1
) -> float:
    """Give the longest time in seconds from a heal that lasts to ``up``, flaps left aside."""
    pace = pace_s(rules, timeout_s, mixed=overlapping > 0) if serial else rules.interval_s
    return rules.rise * pace + timeout_s


class Hurry:
    """A probe that is due before the cadence because somebody knows of a change.

    One in an interval: a plugin that calls without end must not send without end.

    :ivar due_s: when it is due; infinity while none is.
    """

    __slots__ = ("_may", "due_s")

    def __init__(self) -> None:
        self.due_s, self._may = float("inf"), True

    def ask(self, now_s: float) -> None:
        """Have one sent now, unless there was one since the last regular probe."""
        if self._may:
            self._may, self.due_s = False, now_s

    def sent(self, *, regular: bool) -> None:
        """Take in that a probe is sent.

        :param regular: by the cadence.
        """
        self._may, self.due_s = self._may or regular, float("inf")
