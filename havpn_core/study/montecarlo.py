"""Drive a path's rules over a lossy line on a virtual clock, hours in seconds."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from havpn_core.config.options import PathOptions
from havpn_core.rules.hysteresis import Level, Outcome, State
from havpn_core.rules.watch import Round, Watch

WARM_S = 3.0
"""How long a line is watched, at least, before it is cut."""

GIVE_UP_S = 600.0


class Line(Protocol):
    """A lossy line; see :mod:`havpn_core.study.loss`.

    One that has ``gap()`` (answered questions before the next lost one) is asked that instead,
    and one that has ``quiet_until(at_s)`` (nothing is lost before) is spared most questions.
    """

    def lost(self, at_s: float) -> bool:
        """Whether a question asked then goes unanswered; times never decrease."""


class _Asked:
    """Asks the line about each question."""

    def __init__(self, line: Any) -> None:
        self.lost: Callable[[float], bool] = line.lost
        self._quiet_until: Callable[[float], float] | None = getattr(line, "quiet_until", None)

    def quiet(self, at_s: float, interval_s: float) -> float:
        """How many questions from then on are answered for sure."""
        if self._quiet_until is None:
            return 0
        quiet_s: float = self._quiet_until(at_s) - at_s
        return quiet_s / interval_s

    def leapt(self, times: int) -> None:
        """Note that so many were not asked one by one."""


class _Counted:
    """Draws how many are answered before the next lost one, instead of one die for each."""

    def __init__(self, line: Any) -> None:
        self._gap: Callable[[], int] = line.gap
        self._left: int = self._gap()

    def lost(self, at_s: float) -> bool:
        """Whether the next question is lost."""
        if self._left:
            self._left -= 1
            return False
        self._left = self._gap()
        return True

    def quiet(self, at_s: float, interval_s: float) -> float:
        """How many questions from then on are answered for sure."""
        return self._left

    def leapt(self, times: int) -> None:
        """Note that so many were not asked one by one."""
        self._left -= times


@dataclass(frozen=True)
class Summary:
    """What came of it.

    :param switches: changes of the wanted role; a fall and the way back are two.
    :param backup_share: share of the time on the backup although the line was not cut.
    :param detection_s: seconds from cut to decision, one for each cut.
    """

    hours: float
    switches: int
    backup_share: float
    detection_s: list[float] = field(default_factory=list)

    def percentile_s(self, share: float) -> float | None:
        """Give the detection time that this share of the cuts kept within (nearest rank)."""
        if not self.detection_s:
            return None
        ranked = sorted(self.detection_s)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


class Course:
    """One path and one line.

    :param rtt_s: round-trip time of every answer.
    """

    def __init__(
        self, options: PathOptions, line: Line, rtt_s: float, began_s: float = 0.0
    ) -> None:
        self.watch = Watch(options.settings, 1, Level.UP, began_s, changed=self._noted, known=True)
        self.switches = 0
        self.down_s = 0.0
        self.fell_s: float | None = None
        self._rtt_s, self._now_s = rtt_s, began_s
        self._answers: deque[tuple[float, Round]] = deque()
        self._line: _Asked | _Counted = _Counted(line) if hasattr(line, "gap") else _Asked(line)

    def _noted(self, before: State, after: State) -> None:
        if before.level is after.level:
            return
        self.switches += 1
        if after.level is Level.DOWN:
            self.fell_s = self._now_s
        elif self.fell_s is not None:
            self.down_s += self._now_s - self.fell_s
            self.fell_s = None

    def run(self, until_s: float, cut_s: float = float("inf")) -> None:
        """Go on until a moment; from ``cut_s`` on nothing is answered."""
        watch, answers, lost, rtt = self.watch, self._answers, self._line.lost, self._rtt_s
        late_after = watch.settings.timeout_s
        ok = Outcome.OK
        while True:
            if not answers and watch.idle:
                self._leap(min(until_s, cut_s))
            ask_s, overdue_s = watch.ask_s, watch.overdue_s
            now = ask_s if overdue_s is None or ask_s < overdue_s else overdue_s
            if answers and answers[0][0] <= now:
                now = answers[0][0]
                if now > until_s:
                    break
                self._now_s = now
                watch.answer(answers.popleft()[1], 0, ok, now_s=now, latency_s=rtt)
                continue
            if now > until_s:
                break
            self._now_s = now
            if overdue_s is not None and overdue_s <= now:
                watch.judge(now)
            else:
                asked = watch.ask(now)
                if not lost(now) and now + rtt < cut_s and rtt <= late_after:
                    answers.append((now + rtt, asked))
        self._now_s = until_s

    def _leap(self, until_s: float) -> None:
        """Pass over regular questions that are all answered anyway."""
        interval, ask_s = self.watch.rules.interval_s, self.watch.ask_s
        quiet = self._line.quiet(ask_s, interval)
        times = int(min(quiet, (until_s - self._rtt_s - ask_s) / interval)) - 1
        if times > 0:
            self.watch.skip(times, self._rtt_s)
            self._line.leapt(times)


def summarise(
    options: PathOptions,
    line: Line,
    *,
    hours: float,
    rtt_s: float = 0.001,
    seed: int = 1,
    cuts: int = 200,
) -> Summary:
    """Let a path live on a line for hours, then cut it again and again at random phases."""
    course = Course(options, line, rtt_s)
    end = hours * 3600
    course.run(end)
    if course.fell_s is not None:
        course.down_s += end - course.fell_s
    dice = random.Random(seed)
    detection = []
    for _ in range(cuts):
        cut = end + WARM_S + dice.uniform(0, max(2.0, 4 * float(options.interval)))
        found, end = _cut(options, line, rtt_s, end, cut)
        if found is not None:
            detection.append(found)
    share = course.down_s / (hours * 3600) if hours else 0.0
    return Summary(hours, course.switches, share, detection)


def _cut(
    options: PathOptions, line: Line, rtt_s: float, began_s: float, cut_s: float
) -> tuple[float | None, float]:
    """Cut once; gives the detection time and the moment until which the line was used.

    A path that was down already when the cut came has nothing to detect.
    """
    course = Course(options, line, rtt_s, began_s)
    course.run(cut_s, cut_s)
    if course.watch.state.level is Level.DOWN:
        return None, cut_s
    until = cut_s
    while course.fell_s is None and until < cut_s + GIVE_UP_S:
        until += 0.5
        course.run(until, cut_s)
    return (None if course.fell_s is None else course.fell_s - cut_s), until
