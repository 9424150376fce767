"""Learn from a path's samples how many losses, and how long a silence, it takes to give it up.

Pure. Feeds the line's record of :mod:`havpn_core.rules.target`, and gives the rules that keep the
target. They change between runs of failures alone: what is being confirmed keeps the number that it
has to reach. A path that watches several kinds counts what is lost of any of them, which errs on
the calm side.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from havpn_core.rules.hysteresis import Level, Outcome, PathRules, PathState
from havpn_core.rules.target.grey import Grey, Lag
from havpn_core.rules.target.haste import Haste
from havpn_core.rules.target.lookback import Lookback
from havpn_core.rules.target.record import Record
from havpn_core.rules.target.rule import Limits, Pace, Target, derive
from havpn_core.rules.target.silence import Silence
from havpn_core.rules.target.words import sentence
from havpn_core.rules.vote import Sent

MOVED = 0.1
"""A loss that changes by this share of itself changes the rules."""

Step = tuple[PathState, PathState]


class Steady:
    """A path whose rules stay as they are configured, and of which nothing is learned.

    :ivar beside_grey: the partner's line is grey, so that what this one loses matters.
    """

    beside_grey = False

    @property
    def curious(self) -> bool:
        """Whether more probes would soon decide if the line is grey."""
        return False

    @property
    def measuring(self) -> bool:
        """Whether, on a path that is down, a silence is under way that may be a spell."""
        return False

    @property
    def hasty(self) -> bool:
        """Whether this line, or the one beside it, has just become grey: compare them soon."""
        return False

    @property
    def is_grey(self) -> bool:
        """Whether the line loses more than it may, or is slow, but carries."""
        return False

    @property
    def grey_text(self) -> str:
        """Why the line is grey; empty while it is not."""
        return ""

    def applied(self, rules: PathRules) -> PathRules:
        """Give rules with what is derived in their place."""
        return rules

    def take(
        self, sent: Sent, outcome: Outcome, rules: PathRules, now_s: float, states: Step
    ) -> PathRules:
        """Take a sample in; gives the rules in force after it.

        :param states: that of the path before the sample, and that after it.
        """
        return rules

    def belated(self, rules: PathRules, now_s: float) -> PathRules:
        """Take in that a probe counted as lost has a reply; what it counted as stays."""
        return rules

    def missed(self, times: int) -> None:
        """Take in losses that nobody knew of before the next reply: they are no run."""

    def skip(self, times: int, latency_s: float, rules: PathRules, now_s: float) -> PathRules:
        """Take in a run of regular probes at once, all with a reply; for the simulator."""
        return rules

    def replied(self, latencies_s: Sequence[float], rules: PathRules, now_s: float) -> PathRules:
        """Take in regular probes in a row, all with a reply, while the path is up."""
        return rules

    def paced(self, rules: PathRules) -> PathRules:
        """Take in that the path sends at another pace; gives the rules for that."""
        return rules

    def cancel(self) -> None:
        """Learn nothing of the losses under way: they are this host's own."""


class Calm(Steady):
    """One path's past, and what follows from it.

    :param record: what earlier runs learned; begins with the prior if not given.
    :param pace: gives how the path sends now.
    :param silent: whether the line is dead to begin with.
    :param grey: whether the line is grey; ``None``: nobody wants to know.
    :param lag: whether it is slow; ``None``: no latency is configured.
    :param applies: the rules follow; otherwise it is only learned.
    """

    def __init__(
        self,
        target: Target,
        record: Record | None,
        pace: Callable[[], Pace],
        *,
        silent: bool,
        grey: Grey | None = None,
        lag: Lag | None = None,
        applies: bool = True,
    ) -> None:
        self.grey, self.lag, self.applies = grey, lag, applies
        self.target, self.record, self._pace = target, record or Record(), pace
        self._lookback, self._silence, self._haste = Lookback(), Silence(dead=silent), Haste()
        self._used = pace()
        self._known = self.record.loss_upper
        self.limits: Limits = derive(target, self._used, self.record)

    @property
    def curious(self) -> bool:
        """Whether more probes would soon decide if the line is grey."""
        return self.applies and self.grey is not None and self.grey.curious

    @property
    def measuring(self) -> bool:
        """Whether, on a path that is down, a silence is under way that may be a spell."""
        silence = self._silence
        known = self.applies and silence.losses > 0 and silence.spell
        return known and silence.so_far_s() < self.target.ceiling_s

    @property
    def hasty(self) -> bool:
        """Whether this line, or the one beside it, has just become grey: compare them soon."""
        return self._haste.on

    @property
    def is_grey(self) -> bool:
        """Whether the line loses more than it may, or is slow, but carries."""
        return any(one is not None and one.holds for one in (self.grey, self.lag))

    @property
    def grey_text(self) -> str:
        """Why the line is grey; empty while it is not."""
        found = (one.words for one in (self.grey, self.lag) if one is not None and one.holds)
        return "; ".join(found)

    def applied(self, rules: PathRules) -> PathRules:
        """Give rules with what is derived in their place."""
        fall, floor_s = self.limits.fall, self.limits.floor_s
        if not self.applies or (rules.fall == fall and rules.floor_s == floor_s):
            return rules
        return replace(rules, fall=fall, floor_s=floor_s)

    def take(
        self, sent: Sent, outcome: Outcome, rules: PathRules, now_s: float, states: Step
    ) -> PathRules:
        """Take a sample in; gives the rules in force after it."""
        before, after = states
        if outcome is Outcome.ERROR:
            return rules
        if outcome is Outcome.FAIL:
            self._silence.lost(sent.sent_s, regular=sent.regular)
            if before.level is Level.UP and after.level is Level.DOWN:
                self._silence.given_up = True
            return rules
        if ended := self._silence.losses > 0:
            self._end(sent.sent_s)
        self._silence.replied()
        self._lookback.take(lost=False)
        if self.grey is not None:
            self.grey.replied()
        if sent.regular:
            self.record.count(1, 0, self._used.interval_s)
        if sent.latency_s is not None:
            self._trip(sent.latency_s)
        carries = self.applies and after.level is Level.UP
        grey = carries and self.grey is not None and self.grey.holds
        self._haste.look(now_s, grey=grey, beside=carries and self.beside_grey)
        self._look(now_s, ended=ended)
        idle = after.level is Level.DOWN or not after.streak
        return self.applied(rules) if idle else rules

    def belated(self, rules: PathRules, now_s: float) -> PathRules:
        """Take in that a probe counted as lost has a reply; what it counted as stays."""
        if self._silence.losses:
            self._end()
            self._look(now_s, ended=True)
        return self.applied(rules)

    def missed(self, times: int) -> None:
        """Take in losses that nobody knew of before the next reply: they are no run."""
        self._lookback.take(lost=True, times=times)
        if self.grey is not None:
            self.grey.lost(times)
        self.record.count(times, times, times * self._used.interval_s)

    def skip(self, times: int, latency_s: float, rules: PathRules, now_s: float) -> PathRules:
        """Take in a run of regular probes at once, all with a reply; for the simulator."""
        self._trip(latency_s, times)
        return self._replied(times, rules, now_s)

    def replied(self, latencies_s: Sequence[float], rules: PathRules, now_s: float) -> PathRules:
        """Take in regular probes in a row, all with a reply, while the path is up."""
        for latency_s in latencies_s:
            self._trip(latency_s)
        return self._replied(len(latencies_s), rules, now_s)

    def _trip(self, latency_s: float, times: int = 1) -> None:
        self.record.trip(latency_s, times)
        if self.lag is not None:
            self.lag.timed(latency_s, times)

    def _replied(self, times: int, rules: PathRules, now_s: float) -> PathRules:
        self._silence.replied(times)
        self._lookback.take(lost=False, times=times)
        if self.grey is not None:
            self.grey.replied(times)
        self.record.count(times, 0, times * self._used.interval_s)
        self._look(now_s, ended=False)
        return self.applied(rules)

    def paced(self, rules: PathRules) -> PathRules:
        """Take in that the path sends at another pace; gives the rules for that."""
        self._derive()
        return self.applied(rules)

    @property
    def now(self) -> Limits:
        """What is derived, with the silence that the round trips of this moment make."""
        pace, limits = self._pace(), self.limits
        waits_s = max((limits.fall - 1) * pace.spacing_s, limits.floor_s)
        return replace(limits, silence_s=waits_s + pace.overdue_s)

    @property
    def least(self) -> Limits:
        """What is derived of the record alone: the last moments can only require more."""
        return derive(self.target, self._used, self.record)

    def text(self) -> str:
        """Say in one line when the path is given up, and why."""
        return sentence(self.now, self.record, self.target)

    def cancel(self) -> None:
        """Learn nothing of the losses under way: they are this host's own."""
        self._silence.cancel()

    def _end(self, replied_s: float | None = None) -> None:
        """Take in that a run of losses is over.

        :param replied_s: when the probe was sent that had a reply.
        """
        length_s = self._silence.length_s(replied_s)
        if length_s <= self.target.ceiling_s:
            if self._silence.spell:
                self._rode_out(length_s)
            elif self._silence.given_up and length_s > 0:
                self.record.give_up(length_s)
        self._silence.over()

    def _rode_out(self, length_s: float) -> None:
        """Take in losses of that many seconds that did not put the path down."""
        losses, regular = self._silence.losses, self._silence.regular
        self._lookback.take(lost=True, times=losses)
        if self.grey is not None:
            self.grey.lost(losses)
        # What chance explains is no spell, and a spell says nothing of what chance loses.
        spell = losses >= self.limits.by_chance and length_s > self.target.floor_s
        if spell:
            self.record.spell(length_s)
        lost = 0 if spell else regular
        self.record.count(lost, lost, regular * self._used.interval_s)

    def _look(self, now_s: float, *, ended: bool) -> None:
        """Derive again where anything changed."""
        if self.record.age(now_s) or ended:
            self._known = self.record.loss_upper
            self._derive()
            return
        loss, used = max(self._known, self._lookback.loss), self.limits.loss
        if abs(loss - used) > MOVED * used:
            self._derive()

    def _derive(self) -> None:
        self._used = self._pace()
        self.limits = derive(self.target, self._used, self.record, self._lookback.loss)
