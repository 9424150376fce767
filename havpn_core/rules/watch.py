"""Watch one path: when to ask, when an answer is overdue, and what to believe after it.

Pure, in the manner of a sans-I/O protocol: whoever owns the sockets and the clock (the daemon)
or the dice (the simulator) asks :attr:`Watch.next_s` when to come back, asks the questions that
:meth:`Watch.ask` hands out and reports answers. Both drive exactly this code.

An overdue answer is a FAIL, provisionally: it starts the burst. If it comes after all, before
the path is down, the line has shown to be alive and the count starts over. Questions of a time
in which this host itself was late are void.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from havpn_core.rules.damping import Damping, Flaps, fell, penalty
from havpn_core.rules.hysteresis import (
    Level,
    Outcome,
    Rules,
    State,
    begin,
    expire,
    lower,
    step,
    wanted_in_s,
)
from havpn_core.rules.lateness import RoundTrip
from havpn_core.rules.quality import SLICES, Window, WindowRules
from havpn_core.rules.vote import vote


@dataclass(frozen=True, slots=True)
class Settings:
    """All rules of one path.

    :param timeout_s: the longest that an answer is waited for.
    :param slack_s: the least that an answer may take above the mean round trip.
    :param adaptive: judge lateness by the round trips so far, not by the timeout alone.
    :param switch_when_poor: a poor line is put down; otherwise it is only reported.
    :param require: how many probes must be OK.
    """

    rules: Rules
    timeout_s: float
    slack_s: float = 0.015
    adaptive: bool = False
    window: WindowRules | None = None
    switch_when_poor: bool = False
    damping: Damping | None = None
    require: int = 1


class Round:
    """One question to all probes of the path.

    :ivar regular: asked at the cadence, not only to confirm.
    :ivar result: what it counted as; an overdue round counted as FAIL, a void one as ERROR.
    """

    __slots__ = ("asked_s", "latency_s", "outcomes", "regular", "result")

    def __init__(self, asked_s: float, probes: int, *, regular: bool) -> None:
        self.asked_s = asked_s
        self.outcomes: list[Outcome | None] = [None] * probes
        self.regular = regular
        self.result: Outcome | None = None
        self.latency_s: float | None = None


class Watch:
    """One path.

    :param probes: how many probes it has.
    :param changed: called with the states before and after when the verdict changed.
    :param flaps: what is remembered of earlier flaps.
    :param offset_s: seconds from ``now_s`` to the first question.
    """

    def __init__(
        self,
        settings: Settings,
        probes: int,
        level: Level,
        now_s: float,
        *,
        changed: Callable[[State, State], None] = lambda before, after: None,
        known: bool = False,
        flaps: Flaps | None = None,
        offset_s: float = 0.0,
    ) -> None:
        self.settings, self.rules = settings, settings.rules
        self.state = begin(level, now_s, known=known)
        self.flaps = flaps or Flaps()
        self.window = Window(settings.window) if settings.window else None
        self.trips = [
            RoundTrip(settings.slack_s, settings.timeout_s, adaptive=settings.adaptive)
            for _ in range(probes)
        ]
        self.void_rounds = 0
        self._changed = changed
        self._rounds: deque[Round] = deque()
        self._cadence_s = self._asked_s = now_s + offset_s
        self._untested = self._blocked = False
        # A run of failures is loss once an answer ends it; a dead line's silence is not.
        self._silent, self._run = level is Level.DOWN, 0
        self._unanswered, self._answered = 0, False

    # --- when ---------------------------------------------------------------------------------

    @property
    def ask_s(self) -> float:
        """When the next question is due."""
        if self._untested:
            return self._cadence_s
        wanted = self._asked_s + wanted_in_s(self.rules, self.state, len(self._rounds))
        return min(self._cadence_s, wanted) if self.state.streak else self._cadence_s

    @property
    def overdue_s(self) -> float | None:
        """When the oldest answer awaited becomes overdue."""
        if not self._rounds:
            return None
        oldest = self._rounds[0]
        allowed = [t.overdue_s for t, o in zip(self.trips, oldest.outcomes, strict=True) if not o]
        return oldest.asked_s + max(allowed, default=0.0)

    @property
    def next_s(self) -> float:
        """When to come back."""
        overdue = self.overdue_s
        return self.ask_s if overdue is None else min(self.ask_s, overdue)

    @property
    def heard(self) -> bool:
        """Whether samples came lately."""
        return self.state.known

    # --- what happens -------------------------------------------------------------------------

    def wake(self, now_s: float) -> None:
        """Notice own lateness and a path gone stale; call it first whenever coming back."""
        interval = self.rules.interval_s
        if now_s - self.next_s > max(interval, self.settings.slack_s):
            self.void(now_s)
            missed = max(0, int((now_s - self._cadence_s) / interval))
            self._cadence_s += missed * interval
            self.void_rounds += missed
        self.expire(now_s)

    def expire(self, now_s: float) -> None:
        """Notice that nothing was heard for too long."""
        self._take(expire(self.rules, self.state, now_s), now_s)

    def void(self, now_s: float) -> None:
        """Disbelieve all silence so far: this host could not have heard."""
        self.void_rounds += len(self._rounds)
        for asked in self._rounds:
            asked.result = asked.result or Outcome.ERROR
        self._settle(now_s)

    def block(self, now_s: float, blocked: bool) -> None:
        """Put the path down for a fault of this host, at once and for as long as it lasts."""
        self._blocked = blocked
        if blocked and self.state.level is Level.UP:
            self._take(lower(self.state, now_s), now_s)

    def ask(self, now_s: float) -> Round:
        """Begin a round; call it when :attr:`ask_s` has come."""
        regular = now_s >= self._cadence_s
        if regular:
            self._cadence_s += self.rules.interval_s
        asked = Round(now_s, len(self.trips), regular=regular)
        self._asked_s = now_s
        self._rounds.append(asked)
        return asked

    def answer(
        self,
        asked: Round,
        position: int,
        outcome: Outcome,
        *,
        now_s: float,
        latency_s: float | None = None,
    ) -> None:
        """Take what one probe found out."""
        if latency_s is not None:
            self.trips[position].take(latency_s)
            asked.latency_s = max(latency_s, asked.latency_s or 0.0)
        asked.outcomes[position] = outcome
        result = vote(asked.outcomes, self.settings.require)
        if asked.result is None:
            if result is not None:
                asked.result = result
                self._settle(now_s)
        elif result is Outcome.OK and self.state.level is Level.UP and self.state.streak:
            # Belated, yet an answer: the line carries. What it has been counted as stays.
            self._take(step(self.rules, self.state, Outcome.OK, now_s), now_s)

    def judge(self, now_s: float) -> None:
        """Count answers that are overdue; read the sockets before this."""
        overdue = self.overdue_s
        while overdue is not None and overdue <= now_s:
            late = self._rounds[0]
            awaited = [outcome or Outcome.FAIL for outcome in late.outcomes]
            late.result = vote(awaited, self.settings.require)
            self._settle(now_s)
            overdue = self.overdue_s

    def skip(self, times: int, latency_s: float) -> None:
        """Take a run of regular questions at once, all answered; for the simulator.

        The path must be up with nothing pending. Exact where all latencies are equal.
        """
        interval = self.rules.interval_s
        for trip in self.trips:
            trip.repeat(latency_s, times)
        if self.window is not None:
            chunk = max(1, int(self.window.span_s / SLICES / interval))
            done = 0
            while done < times:
                some = min(chunk, times - done)
                at = self._cadence_s + done * interval + latency_s
                self.window.add(at, lost=False, latency_s=latency_s, times=some)
                done += some
        self._cadence_s += times * interval
        heard = self._cadence_s - interval
        self._asked_s = heard
        self.state = State(Level.UP, True, 0, self.state.since_s, heard)

    @property
    def idle(self) -> bool:
        """Whether :meth:`skip` may be called."""
        return not self._rounds and self.state.level is Level.UP and not self.state.streak

    def penalty(self, now_s: float) -> float:
        """Give the flap penalty now."""
        damping = self.settings.damping
        return penalty(damping, self.flaps, now_s) if damping else 0.0

    # --- inside -------------------------------------------------------------------------------

    def _settle(self, now_s: float) -> None:
        """Take finished rounds in, in the order in which they were asked."""
        while self._rounds and (outcome := self._rounds[0].result) is not None:
            settled = self._rounds.popleft()
            self._untested = outcome is Outcome.ERROR
            self._weigh(settled, outcome, now_s)
            if self.state.level is Level.DOWN:
                self._note_relapse(outcome, now_s)
            held = now_s < self.flaps.held_until_s or self._poor or self._blocked
            self._take(step(self.rules, self.state, outcome, now_s, may_rise=not held), now_s)

    def _note_relapse(self, outcome: Outcome, now_s: float) -> None:
        """Count a line that answered and died again, though it was never called up meanwhile.

        RFC 2439 counts flaps of a suppressed route, too: else the hold could not grow.
        """
        if outcome is Outcome.OK:
            self._unanswered, self._answered = 0, True
        elif outcome is Outcome.FAIL:
            self._unanswered += 1
            if self._answered and self._unanswered >= self.rules.fall:
                self._answered = False
                self._flapped(now_s)

    def _flapped(self, now_s: float) -> None:
        if self.settings.damping is not None:
            self.flaps = fell(self.settings.damping, self.flaps, now_s)

    @property
    def _poor(self) -> bool:
        return self.settings.switch_when_poor and self.window is not None and self.window.poor

    def _weigh(self, settled: Round, outcome: Outcome, now_s: float) -> None:
        """Let the window see a round; a poor line may have to go down for it."""
        if outcome is Outcome.ERROR or self.window is None:
            return
        if outcome is Outcome.FAIL:
            self._run += settled.regular and not self._silent
            return
        self._silent = False
        if self._run:
            self.window.add(now_s, lost=True, latency_s=None, times=self._run)
            self._run = 0
        if settled.regular:
            self.window.add(now_s, lost=False, latency_s=settled.latency_s)
        if self._poor and self.state.level is Level.UP:
            self._take(lower(self.state, now_s), now_s)

    def _take(self, after: State, now_s: float) -> None:
        before, self.state = self.state, after
        if after is before:
            return
        if before.level is Level.UP and after.level is Level.DOWN:
            self._flapped(now_s)
            self._unanswered, self._answered = 0, False
            if not self._poor:
                self._silent, self._run = True, 0
        if after.verdict is not before.verdict:
            self._changed(before, after)
