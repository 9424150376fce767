"""Watch one path: when to send, when a reply is late, and what to believe after it.

Pure, in the manner of a sans-I/O protocol: whoever owns the sockets and the clock (the daemon)
or chance (the simulator) reads :attr:`Watch.next_s` when to come back, sends what
:meth:`Watch.send` hands out, reports replies, and takes what changed by it from
:meth:`Watch.changes`. Both drive exactly this code.

A late reply is a FAIL, provisionally: it starts the burst. If it comes before the path is down,
the line is alive and the count starts over. What this host was late to send or hear is void.
"""

from collections import deque
from collections.abc import Container, Iterable, Sequence

from havpn_core.rules.cadence import NOBODY, Hurry, Turns, hasty_s, missed
from havpn_core.rules.damping import FlapMemory, Flaps
from havpn_core.rules.hysteresis import (
    Level,
    Outcome,
    PathState,
    Transition,
    Verdict,
    expire,
    lower,
    start,
    step,
    wanted_in_s,
)
from havpn_core.rules.lateness import RoundTrip
from havpn_core.rules.quality import Feeds, Window
from havpn_core.rules.refusal import Refusals
from havpn_core.rules.role import Assumption
from havpn_core.rules.settings import Settings, calm_of
from havpn_core.rules.target.record import Record
from havpn_core.rules.vote import Kinds, Sent, Standing


class Watch:
    """One path.

    :param probes: how many probes it has.
    :param assumed: the level is an assumption; see :class:`~havpn_core.rules.role.Assumption`.
    :param flaps: what is remembered of earlier flaps.
    :param record: what is remembered of the line, where the settings have a target.
    :param offset_s: seconds from ``now_s`` to the first probe.
    :param watches: what each probe watches; all the same if not given.
    """

    def __init__(
        self,
        settings: Settings,
        probes: int,
        level: Level,
        now_s: float,
        *,
        known: bool = False,
        assumed: bool = False,
        flaps: Flaps | None = None,
        record: Record | None = None,
        offset_s: float = 0.0,
        watches: Sequence[str] = (),
    ) -> None:
        self.settings, self.rules = settings, settings.rules
        self.state = start(level, now_s, known=known)
        self.memory = FlapMemory(settings.damping, flaps or Flaps(), self.rules.fall)
        self.kinds = kinds = Kinds.of(watches or ("line",) * probes)
        self.standing = Standing(kinds)
        window, silent = settings.window, level is Level.DOWN
        self.feed = Feeds(window, kinds.names, silent=silent) if window else None
        slack_s, timeout_s, adaptive = settings.slack_s, settings.timeout_s, settings.adaptive
        self.trips = [RoundTrip(slack_s, timeout_s, adaptive=adaptive) for _ in range(probes)]
        self.void_rounds = 0
        self.turns = Turns(probes)
        #: what was sent and has not counted yet, in that order
        self.pending: deque[Sent] = deque()
        #: the next moment of the cadence
        self.cadence_s = now_s + offset_s
        self.blocked = False
        self._hurry = Hurry()
        self._sent_s = self.cadence_s
        self._untested = False
        self._changes: list[Transition] = []
        self.refusals = Refusals(self.rules.fall, self.rules.stale_s)
        self._assumption = Assumption(self.rules, holds=assumed)
        self.calm = calm_of(settings, record, self.trips, self.turns, silent=silent)
        self.rules = self.calm.applied(self.rules)

    @property
    def send_s(self) -> float:
        """When the next probe is due; infinity while it has to wait for a call to end."""
        serial = self.turns.serial
        if serial and self.turns.held_back:
            return float("inf")
        due = min(self.cadence_s, self._hurry.due_s)
        curious = self.calm.measuring if self.state.level is Level.DOWN else self.calm.curious
        if (self.state.streak or curious) and not self._untested:
            wanted = wanted_in_s(self.rules, self.state, len(self.pending), curious=curious)
            due = min(due, self._sent_s + wanted)
        return max(due, self.turns.freed_s) if serial else due

    @property
    def deadline_s(self) -> float | None:
        """When the oldest reply awaited becomes late."""
        if not self.pending:
            return None
        sent = self.pending[0]
        waits = [t.deadline_s for t, o in zip(self.trips, sent.outcomes, strict=True) if not o]
        return sent.sent_s + max(waits, default=0.0)

    @property
    def next_s(self) -> float:
        """When to come back."""
        deadline = self.deadline_s
        return self.send_s if deadline is None else min(self.send_s, deadline)

    def take_turns(self, serial: Iterable[int]) -> None:
        """Say which probes run in a thread from now on, by their positions."""
        self.turns.serial = frozenset(serial)
        self.rules = self.turns.patient(self.settings.rules, self.settings.timeout_s)
        self.refusals.stale_s = self.rules.stale_s
        self.rules = self.calm.paced(self.rules)

    def wake(self, now_s: float) -> None:
        """Notice own lateness and a path gone stale; call it first whenever coming back."""
        interval = self.rules.interval_s
        if now_s - self.next_s > max(interval, self.settings.slack_s):
            self.void(now_s)
            self.void_rounds += (slept := missed(self.cadence_s, now_s, interval))
            self.cadence_s += slept * interval
        self.expire(now_s)

    def expire(self, now_s: float) -> None:
        """Notice that nothing was heard for too long, or that the far host still refuses."""
        self._take(expire(self.rules, self.state, now_s), now_s)
        self.refusals.look(now_s)

    def void(self, now_s: float) -> None:
        """Disbelieve all silence so far: this host could not have heard."""
        self.void_rounds += len(self.pending)
        for sent in self.pending:
            sent.result = sent.result or Outcome.ERROR
        self._settle(now_s)

    def block(self, now_s: float, blocked: bool) -> None:
        """Put the path down for a fault of this host, at once and for as long as it lasts."""
        self.blocked = blocked
        self.calm.cancel()
        if blocked and self.state.level is Level.UP:
            self._take(lower(self.state, now_s), now_s)

    def hurry(self, now_s: float) -> None:
        """Send the next probe now, once in an interval and unless down; the cadence stays."""
        if self.state.level is Level.UP:
            self._hurry.ask(now_s)

    def send(self, now_s: float) -> Sent:
        """Give what is to be sent; call it when :attr:`send_s` has come."""
        regular = now_s >= self.cadence_s
        if regular:
            self.cadence_s += hasty_s(self.rules) if self.calm.hasty else self.rules.interval_s
        self._hurry.sent(regular=regular)
        sent = Sent(now_s, len(self.trips), regular=regular, kinds=self.kinds)
        sent.measures = not regular and self.state.level is Level.DOWN and self.calm.measuring
        if self.turns.serial:
            sent.leave_out(self.turns.left_out)
            sent.serial = self.turns.sent()
        self._sent_s = now_s
        self.pending.append(sent)
        return sent

    def reply(
        self,
        sent: Sent,
        position: int,
        outcome: Outcome,
        *,
        now_s: float,
        latency_s: float | None = None,
    ) -> None:
        """Take what one probe found out, or that it was given up; once for each that was sent."""
        if latency_s is not None:
            self.trips[position].take(latency_s)
            sent.latency_s = max(latency_s, sent.latency_s or 0.0)
        if position in sent.serial and self.turns.ended(now_s) and not self.turns.mixed:
            # Moments that were held back meanwhile do not pile up: one of them is left.
            interval = self.rules.interval_s
            self.cadence_s += missed(self.cadence_s, now_s, interval) * interval
        before = sent.by_kind
        result = sent.take(position, outcome, self.settings.require)
        if sent.settled:
            found = self.standing.correct(before, sent.by_kind)
            if self.feed is not None:
                self.feed.take(found, now_s, regular=sent.regular, latency_s=latency_s)
        if sent.result is None:
            if result is not None:
                sent.result = result
                self._settle(now_s)
        elif result in (Outcome.OK, Outcome.REFUSED):
            self._belated(result, now_s)

    def _belated(self, result: Outcome, now_s: float) -> None:
        """Take a reply or refusal that was counted as lost, which it stays: the line carries."""
        if self.state.level is Level.UP and self.state.streak:
            self._take(step(self.rules, self.state, result, now_s), now_s)
            self._note(result, now_s)
            self.rules = self.calm.belated(self.rules, now_s)

    def judge(self, now_s: float, refusing: Container[int] = NOBODY) -> None:
        """Count replies that are late; read the sockets before this.

        :param refusing: positions of probes whose target refuses: their silence is a refusal.
        """
        deadline = self.deadline_s
        while deadline is not None and deadline <= now_s:
            late = self.pending[0]
            late.result = late.lost(self.settings.require, refusing)
            self._settle(now_s)
            deadline = self.deadline_s

    def changes(self) -> Sequence[Transition]:
        """Hand out the changes of verdict since the last call, in their order."""
        found, self._changes = self._changes, []
        return found

    @property
    def window(self) -> Window | None:
        """Loss and latency recently, where they are judged."""
        return None if self.feed is None else self.feed.window

    @property
    def poor(self) -> bool:
        """Whether the line is down, or must go down, for being poor."""
        return self.settings.switch_when_poor and self.feed is not None and self.feed.poor

    @property
    def assumed(self) -> bool:
        """Whether the level is nothing but what was assumed at the beginning."""
        return self._assumption.holds

    @property
    def idle(self) -> bool:
        """Whether :meth:`skip` may be called; for the simulator."""
        resting = not (self.state.streak or self.calm.curious or self.calm.hasty)
        return not self.pending and self.state.level is Level.UP and resting

    def skip(self, times: int, latency_s: float) -> None:
        """Take a run of regular probes at once, all with a reply; exact if those are alike."""
        interval = self.rules.interval_s
        for trip in self.trips:
            trip.repeat(latency_s, times)
        if self.feed is not None:
            self.feed.replied(self.cadence_s, interval, times, latency_s)
        self.cadence_s += times * interval
        self._sent_s = heard = self.cadence_s - interval
        self._note(Outcome.OK, heard)
        self.rules = self.calm.skip(times, latency_s, self.rules, heard)
        self.state = PathState(Level.UP, True, 0, self.state.since_s, heard)

    def _settle(self, now_s: float) -> None:
        """Take in what is decided, in the order in which it was sent."""
        while self.pending and (outcome := self.pending[0].result) is not None:
            settled = self.pending.popleft()
            settled.settled, kinds = True, settled.by_kind
            self._untested = outcome is Outcome.ERROR
            if settled.measures:  # how long a spell lasts is nothing to a path that is down
                both = self.state, self.state
                self.rules = self.calm.take(settled, outcome, self.rules, now_s, both)
                continue
            self.standing.take(kinds, self.state)
            if self.feed is not None:
                self.feed.take(kinds, now_s, regular=settled.regular, latency_s=settled.latency_s)
                if self.poor and self.state.level is Level.UP:
                    self._take(lower(self.state, now_s), now_s)
            if self.state.level is Level.DOWN:
                self.memory.take(outcome, now_s)
            held = now_s < self.memory.flaps.held_until_s or self.blocked or self.poor
            rules, state, worst = self.rules, self.state, self.standing.worst
            self._take(step(rules, state, outcome, now_s, may_rise=not held, worst=worst), now_s)
            self._note(outcome, now_s)
            self.rules = self.calm.take(settled, outcome, rules, now_s, (state, self.state))

    def _note(self, outcome: Outcome, now_s: float) -> None:
        """Remember what a sample says beside the verdict."""
        if outcome is Outcome.OK and self.state.verdict is Verdict.UP:
            self.memory.came_up()
        self.refusals.take(outcome, now_s)
        self._assumption.take(outcome, self.state.verdict)

    def _take(self, after: PathState, now_s: float) -> None:
        before, self.state = self.state, after
        if after is before:
            return
        if before.level is Level.UP and after.level is Level.DOWN:
            self.memory.fell(now_s)
            if self.feed is not None and not self.poor:
                self.feed.died()
        if after.verdict is not before.verdict:
            self._changes.append(Transition(before, after))
