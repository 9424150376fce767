"""Turn a line's samples into a verdict, slow to believe good news and quick to believe bad.

Pure: no clock, socket or thread here; time comes in as an argument, in seconds of any
monotonic clock. ``fall`` and ``rise`` have the meaning that HAProxy and keepalived give them:
so many consecutive failures to ``down``, so many consecutive successes to ``up`` again.

Two facts make up a state. The *level* is the last thing decided, up or down; it decides the
role and survives a restart. Whether the line is *known* says that samples still come: a path
that could not be tested for ``stale_s`` becomes ``unknown`` but keeps its level, so that
nothing is ever switched for lack of news.
"""

from dataclasses import dataclass, replace
from enum import Enum


class Outcome(Enum):
    """What one probe, or one vote of several, found out."""

    OK = "ok"
    FAIL = "fail"  #: did not answer, refused, unreachable, interface gone
    ERROR = "error"  #: could not test; never counts towards a switch


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
class Rules:
    """When a path changes its level.

    :param fall: consecutive FAILs to ``down``; at least 1.
    :param rise: consecutive OKs to ``up``; at least 1.
    :param stale_s: seconds without OK or FAIL after which the path is ``unknown``.
    """

    fall: int
    rise: int
    stale_s: float

    def __post_init__(self) -> None:
        if self.fall < 1 or self.rise < 1:
            raise ValueError("fall and rise must be at least 1")


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one path at one moment.

    :param streak: consecutive samples against the level (FAILs while up, OKs while down).
    :param since_s: when the verdict last changed.
    :param heard_s: when the last OK or FAIL came (or the state began).
    """

    level: Level
    known: bool
    streak: int
    since_s: float
    heard_s: float

    @property
    def verdict(self) -> Verdict:
        """The word for this state."""
        if not self.known:
            return Verdict.UNKNOWN
        if self.level is Level.UP:
            return Verdict.FAILING if self.streak else Verdict.UP
        return Verdict.RECOVERING if self.streak else Verdict.DOWN


def begin(level: Level, now_s: float, *, known: bool = False) -> State:
    """Start a path at a level, usually one that was remembered or observed."""
    return State(level=level, known=known, streak=0, since_s=now_s, heard_s=now_s)


def step(rules: Rules, state: State, outcome: Outcome, now_s: float) -> State:
    """Take one sample in and give the state after it."""
    if outcome is Outcome.ERROR:
        return expire(rules, state, now_s)
    against = (outcome is Outcome.FAIL) == (state.level is Level.UP)
    streak = state.streak + 1 if against else 0
    level = state.level
    if streak >= (rules.fall if level is Level.UP else rules.rise):
        level = Level.DOWN if level is Level.UP else Level.UP
        streak = 0
    after = State(level, known=True, streak=streak, since_s=state.since_s, heard_s=now_s)
    return _dated(state, after, now_s)


def expire(rules: Rules, state: State, now_s: float) -> State:
    """Make the path ``unknown`` if nothing was heard for too long; its streak is forgotten."""
    if not state.known or now_s - state.heard_s < rules.stale_s:
        return state
    return _dated(state, replace(state, known=False, streak=0), now_s)


def _dated(before: State, after: State, now_s: float) -> State:
    """Note the time if the verdict changed."""
    return replace(after, since_s=now_s) if after.verdict is not before.verdict else after
