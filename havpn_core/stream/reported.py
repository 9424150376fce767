"""Pure: watch a path some of whose probes report by themselves what arrives, and what does not.

A path whose only probe does so is not polled: each report is a sample. Beside others, or in a
path that watches several things, rounds go on at the path's interval: in each the probe has what
it reported last, and the rounds make the successes, as they hold for all that the path watches. But
a failure need not wait for a round where the probe alone decides what it watches: it counts at the
moment at which it is reported, and not once more in a round.

Replies on a path that is up and stays so are taken in together, for :data:`FOLD_S` at the most: no
verdict waits for them, and anything else that is reported finds them taken in.

What was reported too long ago says nothing any more: a probe that fell silent itself is no line
that carries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from havpn_core.rules.hysteresis import Level, Outcome, PathState, Verdict, lower, step
from havpn_core.rules.settings import Settings
from havpn_core.rules.target.rule import ONE_WAY
from havpn_core.rules.vote import Kinds, Sent
from havpn_core.rules.watch import Watch
from havpn_core.stream.arrivals import least_margin_s

MANY = 2**31
LOOK_S = 1.0
"""Seconds from one look to the next whether a path that is not polled has grown stale."""
FOLD_S = 0.1
"""Seconds for which replies are taken in together."""


def reported(settings: Settings, pace_s: float) -> Settings:
    """Give the settings of a path that is not polled: what arrives goes one way, without a burst.

    :param pace_s: seconds within which arrivals follow each other.
    """
    rules = replace(settings.rules, interval_s=pace_s, confirm_s=None)
    if (target := settings.target) is not None:
        target = replace(target, least=min(target.least, ONE_WAY))
    # Nothing is waited for but the next arrival.
    return replace(settings, rules=rules, target=target, timeout_s=pace_s, adaptive=False)


class ReportedWatch(Watch):
    """One path with such probes.

    :param reporting: their positions.
    :param more: as for :class:`~havpn_core.rules.watch.Watch`.
    """

    def __init__(
        self,
        settings: Settings,
        probes: int,
        level: Level,
        now_s: float,
        *,
        reporting: Iterable[int],
        watches: Sequence[str] = (),
        **more: Any,
    ) -> None:
        super().__init__(settings, probes, level, now_s, watches=watches, **more)
        self.reporting = frozenset(reporting)
        self._only = probes == 1 and bool(self.reporting)
        for trip in self.trips if self._only else ():
            trip.deadline_s = least_margin_s(self.rules.interval_s)  # what makes an arrival late
        self._look_s = self.cadence_s + LOOK_S  # many paths look one after the other
        self._last: dict[int, tuple[Outcome, float]] = {}
        #: the state of a path that is up by a reply, as long as nothing else happens.
        self._steady: PathState | None = None
        self._latencies_s: list[float] = []
        self._held_s = self._newest_s = now_s
        kinds = Kinds.of(watches or ("line",) * probes)
        #: for each position its kind, and how many probes this has.
        self._kind = {
            position: (number, len(positions))
            for number, positions in enumerate(kinds.positions)
            for position in positions
        }

    @property
    def send_s(self) -> float:
        """When the next round is due; never where there is nobody to poll."""
        return float("inf") if self._only else super().send_s

    @property
    def next_s(self) -> float:
        """When to come back."""
        return self._look_s if self._only else super().next_s

    def take_turns(self, serial: Iterable[int]) -> None:
        """Say which probes run in a thread; one that reports is not waited for."""
        super().take_turns(n for n in serial if n not in self.reporting)

    def wake(self, now_s: float) -> None:
        """Notice own lateness and a path gone stale."""
        if not self._only:
            super().wake(now_s)
            return
        self._look_s = now_s + LOOK_S
        self._fold()
        self.expire(now_s)

    def block(self, now_s: float, blocked: bool) -> None:
        """Put the path down for a fault of this host, at once and for as long as it lasts."""
        self._fold()
        super().block(now_s, blocked)

    def send(self, now_s: float) -> Sent:
        """Give what is to be sent, in which probes that report have what they reported last."""
        sent = super().send(now_s)
        result = None
        for position in self.reporting:
            outcome = self._standing(position, now_s)
            result = sent.take(position, outcome, self.settings.require)
        if None not in sent.outcomes:  # else a reply is awaited, or its deadline
            sent.result = result
            self._settle(now_s)
        return sent

    def report(
        self,
        position: int,
        outcome: Outcome,
        lost: int = 0,
        *,
        now_s: float,
        latency_s: float | None = None,
    ) -> bool:
        """Take what a probe reports.

        :param lost: failures before it that were not reported when they came.
        :returns: whether anything may be another now.
        """
        self._last[position] = outcome, now_s
        if self.state is self._steady:
            if outcome is Outcome.OK and not lost and latency_s is not None:
                return self._hold(latency_s, now_s)
            self._fold()
        if lost and self._alone(position):
            self._take_lost(position, min(lost, self.rules.fall), now_s)
        if self._only or (outcome is Outcome.FAIL and self._alone(position)):
            self._count(position, outcome, now_s, latency_s)
        elif outcome is not Outcome.ERROR and self._kind[position][1] == 1:
            self._note_of(position, outcome, now_s, latency_s)
        well = self._only and outcome is Outcome.OK and self.state.verdict is Verdict.UP
        self._steady = self.state if well and not self.assumed else None
        return True

    def _hold(self, latency_s: float, now_s: float) -> bool:
        """Keep a reply on a path that is up; gives whether it is taken in, with those before."""
        if not self._latencies_s:
            self._held_s = now_s
        self._latencies_s.append(latency_s)
        self._newest_s = now_s
        if now_s - self._held_s < FOLD_S:
            return False
        self._fold()
        return True

    def _fold(self) -> None:
        """Take in the replies that were kept, as :meth:`_settle` does with one."""
        latencies_s, now_s, state = self._latencies_s, self._newest_s, self.state
        if not latencies_s or state is not self._steady:
            return
        self._latencies_s, times = [], len(latencies_s)
        self.state = self._steady = replace(state, heard_s=now_s)
        self._note(Outcome.OK, now_s)
        self.rules = self.calm.replied(latencies_s, self.rules, now_s)
        if self.feed is not None:
            self.feed.window.add(now_s, lost=False, latency_s=sum(latencies_s) / times, times=times)
            if self.poor:
                self._take(lower(self.state, now_s), now_s)

    def alike(self, until_s: float) -> int:
        """Give how many arrivals in a row change no verdict, all of them before that moment."""
        state, rise = self.state, self.rules.rise
        if state.level is Level.UP:
            return 0 if state.streak or not state.known else MANY
        if not state.streak:
            return 0
        return MANY if until_s < self.memory.flaps.held_until_s else rise - 1 - state.streak

    def arrived(self, times: int, apart_s: float, latency_s: float, now_s: float) -> None:
        """Take many reports at once, all OK, which are no more than :meth:`alike` gives.

        For the simulator; of a path that is not polled. Exact where latencies are alike.

        :param apart_s: seconds from one to the next; the last one comes at ``now_s``.
        """
        if self.feed is not None:
            first_s = now_s - max(0, times - 1) * apart_s - latency_s
            self.feed.replied(first_s, apart_s, times, latency_s)
        self._last[0] = Outcome.OK, now_s
        self._note(Outcome.OK, now_s)
        rules = self.calm.skip(times, latency_s, self.rules, now_s)
        streak = 0
        if self.state.level is Level.UP:
            self.rules = rules
        else:
            self.memory.take(Outcome.OK, now_s)
            streak = min(self.state.streak + times, self.rules.rise)
        self.state = replace(self.state, heard_s=now_s, streak=streak, gap=0)

    def _settle(self, now_s: float) -> None:
        """Take in what is decided; what failed meanwhile is not well for a round sent before."""
        failing = [n for n in self.reporting if self._failing(n)]
        for sent in self.pending if failing else ():
            if sent.result is None:
                break
            for position in failing:
                if sent.outcomes[position] is Outcome.OK:
                    sent.by_kind = self._by_kind(position, None, sent.by_kind)
                    sent.result = Outcome.ERROR if sent.result is Outcome.OK else sent.result
        super()._settle(now_s)

    def _failing(self, position: int) -> bool:
        last = self._last.get(position)
        return last is not None and last[0] is Outcome.FAIL and self._alone(position)

    def _alone(self, position: int) -> bool:
        """Whether a failure of this probe is one of what it watches, whatever others say."""
        return self._kind[position][1] - 1 < self.settings.require

    def _standing(self, position: int, now_s: float) -> Outcome:
        """Give what a probe has in a round."""
        outcome, at_s = self._last.get(position, (Outcome.ERROR, now_s))
        old = now_s - at_s >= self.rules.stale_s
        return Outcome.ERROR if old or self._failing(position) else outcome

    def _by_kind(
        self, position: int, outcome: Outcome | None, others: Sequence[Outcome | None] = ()
    ) -> tuple[Outcome | None, ...]:
        """Give an outcome for what this probe watches, beside those of the others."""
        found = list(others) or [None] * len(self.standing.each)
        found[self._kind[position][0]] = outcome
        return tuple(found)

    def _count(
        self, position: int, outcome: Outcome, now_s: float, latency_s: float | None
    ) -> None:
        """Take a sample in now, whatever rounds before it are open."""
        sent = Sent(now_s, len(self.trips), regular=True)
        sent.by_kind, sent.result = self._by_kind(position, outcome), outcome
        sent.latency_s = latency_s
        self.pending.appendleft(sent)
        self._settle(now_s)

    def _note_of(
        self, position: int, outcome: Outcome, now_s: float, latency_s: float | None
    ) -> None:
        """End a run of failures; the successes themselves are those of the rounds."""
        kinds = self._by_kind(position, outcome)
        self.standing.take(kinds, self.state)
        if self.feed is not None:
            self.feed.take(kinds, now_s, regular=True, latency_s=latency_s)
        worst = self.standing.worst
        if self.state.level is Level.UP and self.state.streak and worst and not worst.run:
            self._take(step(self.rules, self.state, outcome, now_s, worst=worst), now_s)

    def _take_lost(self, position: int, lost: int, now_s: float) -> None:
        """Take failures in that a success ended before they were known: they are loss.

        They make no run, as that ended, and on the way up they are misses as any other.
        """
        if self.state.level is Level.DOWN:
            for _ in range(min(lost, max(1, self.rules.fall - 1))):
                self._count(position, Outcome.FAIL, now_s, None)
            return
        if self._only:  # else the rounds are what is learned of
            self.calm.missed(lost)
        if self.feed is not None:
            kinds = self._by_kind(position, Outcome.FAIL)
            for _ in range(lost):
                self.feed.take(kinds, now_s, regular=True, latency_s=None)
