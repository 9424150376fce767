"""Turn a line's samples into a verdict, slow to believe good news and quick to believe bad.

Pure: no clock, socket or thread here; time comes in as an argument, in seconds of any
monotonic clock. ``fall`` and ``rise`` have the meaning that HAProxy and keepalived give them:
so many consecutive failures to ``down``, so many consecutive successes to ``up`` again.

Speed and calm come from the same idea: the first failure is confirmed by a burst. One lost
reply says little, ``fall`` of them in a row say much, and how long those take depends on how
closely the probes are sent, not of the interval: :func:`wanted_in_s` says when the next one is
wanted.

Two facts make up a state. The *level* is the last thing decided, up or down; it decides the
role and survives a restart. Whether the line is *known* says that samples still come: a path
that could not be tested for ``stale_s`` becomes ``unknown`` but keeps its level, so that
nothing is ever switched for lack of news.

A refusal by the far host itself is neither OK nor FAIL, neither ERROR nor silence: it proves the
line, and says nothing of who should listen behind it. What it does:

================  ================================================================
the path is       then
================  ================================================================
unknown           it stays unknown
up                it stays up, and does not grow stale
failing           it is up: FAILs in a row start over, a burst ends
down, recovering  it stays so: no step up, none back; FAILs in a row start over,
                  and it does not grow stale
================  ================================================================
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

EPSILON_S = 1e-9
"""Sums of times are not exact."""


class Outcome(Enum):
    """What one probe, or one vote of several, found out."""

    OK = "ok"
    FAIL = "fail"  #: no reply, refused on the way, unreachable, interface gone
    ERROR = "error"  #: could not test; never counts towards a switch
    #: the target's own host refused: the line carries, but nobody listens there. A sample says so
    #: by its flag ``refused``; its outcome is ``FAIL``.
    REFUSED = "refused"


class Verdict(Enum):
    """What is believed of a path."""

    UNKNOWN = "unknown"
    UP = "up"
    FAILING = "failing"  #: up, and the last samples failed
    DOWN = "down"
    RECOVERING = "recovering"  #: down, and the last samples succeeded


class Level(Enum):
    """The last decision about a path, which outlives a restart."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PathRules:
    """When a path changes its level.

    :param fall: consecutive FAILs to ``down``; at least 1.
    :param rise: OKs to ``up``; at least 1.
    :param stale_s: seconds without OK, FAIL or refusal after which the path is ``unknown``.
    :param interval_s: seconds from one probe to the next.
    :param confirm_s: seconds between probes while a failure is being confirmed; ``None`` for
        no burst.
    :param rise_loss: share of ``rise`` that may fail on the way up without starting over;
        from 0 (the first FAIL starts over) to below 1.
    :param floor_s: seconds from the first FAIL to the last, at least, to ``down``.
    """

    fall: int
    rise: int
    stale_s: float
    interval_s: float = 1.0
    confirm_s: float | None = None
    rise_loss: float = 0.0
    floor_s: float = 0.0

    def __post_init__(self) -> None:
        if self.fall < 1 or self.rise < 1:
            raise ValueError("fall and rise must be at least 1")
        if not 0 <= self.rise_loss < 1:
            raise ValueError("rise_loss must be from 0 to below 1")

    @property
    def gap(self) -> int:
        """Consecutive FAILs that start the way up over: a silence that is not tolerated."""
        return max(self.fall, 1 + int(self.floor_s / self.interval_s))


@dataclass(frozen=True, slots=True)
class PathState:
    """What is known of one path at one moment.

    :param streak: samples against the level (consecutive FAILs while up, OKs while down).
    :param since_s: when the verdict last changed.
    :param heard_s: when the last OK, FAIL or refusal came (or the state began).
    :param misses: FAILs tolerated since the recovery began.
    :param gap: consecutive FAILs at the end of the recovery so far.
    """

    level: Level
    known: bool
    streak: int
    since_s: float
    heard_s: float
    misses: int = 0
    gap: int = 0

    @property
    def verdict(self) -> Verdict:
        """The word for this state."""
        if not self.known:
            return Verdict.UNKNOWN
        if self.level is Level.UP:
            return Verdict.FAILING if self.streak else Verdict.UP
        return Verdict.RECOVERING if self.streak else Verdict.DOWN


class Transition(NamedTuple):
    """A change of verdict; it happened at ``after.since_s``."""

    before: PathState
    after: PathState


class Worst(NamedTuple):
    """The counts of the worst of several kinds of probes, which bound those of the path.

    :param run: FAILs in a row.
    :param misses: FAILs since the recovery began.
    """

    run: int
    misses: int


def start(level: Level, now_s: float, *, known: bool = False) -> PathState:
    """Start a path at a level, usually one that was remembered or observed."""
    return PathState(level=level, known=known, streak=0, since_s=now_s, heard_s=now_s)


def step(
    rules: PathRules,
    state: PathState,
    outcome: Outcome,
    now_s: float,
    *,
    may_rise: bool = True,
    worst: Worst | None = None,
) -> PathState:
    """Take one sample in and give the state after it.

    :param may_rise: ``False`` holds the path at ``recovering`` however well it does.
    :param worst: where the sample is that of several kinds: FAILs of different kinds do not add up.
    """
    if outcome is Outcome.ERROR:
        return expire(rules, state, now_s)
    if outcome is Outcome.REFUSED:
        return _refused(state, now_s)
    failed = outcome is Outcome.FAIL
    if state.level is Level.UP:
        streak = state.streak + 1 if failed else 0
        if worst is not None:
            streak = min(streak, worst.run)
        if streak >= rules.fall and _lasts(rules, state, now_s):
            after = PathState(Level.DOWN, True, 0, state.since_s, now_s)
        else:
            streak = min(streak, max(rules.fall - 1, 1))
            after = PathState(Level.UP, True, streak, state.since_s, now_s)
    elif failed:
        after = _missed(rules, state, now_s, worst)
    elif state.streak + 1 >= rules.rise and may_rise:
        after = PathState(Level.UP, True, 0, state.since_s, now_s)
    else:
        streak = min(state.streak + 1, rules.rise)
        after = PathState(Level.DOWN, True, streak, state.since_s, now_s, state.misses)
    return _dated(state, after, now_s)


def _lasts(rules: PathRules, state: PathState, now_s: float) -> bool:
    """Whether the silence is as long as it must be."""
    began_s = state.since_s if state.verdict is Verdict.FAILING else now_s
    return now_s - began_s >= rules.floor_s - EPSILON_S


def _refused(state: PathState, now_s: float) -> PathState:
    """Take a refusal by the far host, as the table above says."""
    if not state.known:
        return state
    streak = 0 if state.level is Level.UP else state.streak
    return _dated(state, replace(state, streak=streak, heard_s=now_s, gap=0), now_s)


def _missed(rules: PathRules, state: PathState, now_s: float, worst: Worst | None) -> PathState:
    """Take a FAIL while down: tolerate it, or start the recovery over."""
    misses, gap = state.misses + 1, state.gap + 1
    if worst is not None:
        misses, gap = min(misses, worst.misses), min(gap, worst.run)
    if not state.streak or misses > int(rules.rise_loss * rules.rise) or gap >= rules.gap:
        return PathState(Level.DOWN, True, 0, state.since_s, now_s)
    return PathState(Level.DOWN, True, state.streak, state.since_s, now_s, misses, gap)


def wanted_in_s(
    rules: PathRules, state: PathState, pending: int, *, curious: bool = False
) -> float:
    """Say how many seconds after the last probe the next one is wanted.

    :param pending: probes sent that have neither a reply nor passed their deadline. A burst
        sends no more than what ``fall`` still lacks: they are being waited for already.
    :param curious: more probes would soon decide whether the line is grey or, where the path is
        down, show how long its line is silent.
    """
    confirming = curious
    if state.level is Level.UP:
        confirming = (state.streak > 0 or curious) and state.streak + pending < rules.fall
    if rules.confirm_s is not None and confirming:
        return min(rules.confirm_s, rules.interval_s)
    return rules.interval_s


def expire(rules: PathRules, state: PathState, now_s: float) -> PathState:
    """Make the path ``unknown`` if nothing was heard for too long; its streak is forgotten."""
    if not state.known or now_s - state.heard_s < rules.stale_s:
        return state
    return _dated(state, replace(state, known=False, streak=0, misses=0, gap=0), now_s)


def lower(state: PathState, now_s: float) -> PathState:
    """Put the path down for another reason than its run of failures."""
    return _dated(state, PathState(Level.DOWN, True, 0, state.since_s, state.heard_s), now_s)


def _dated(before: PathState, after: PathState, now_s: float) -> PathState:
    """Note the time if the verdict changed."""
    if after.verdict is before.verdict:
        return after
    return PathState(
        after.level, after.known, after.streak, now_s, after.heard_s, after.misses, after.gap
    )
