"""Decide which role this gateway should have.

Pure: no clock, socket or thread here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from havpn_core.rules.hysteresis import Level, Outcome, PathRules, Verdict


class Role(Enum):
    """What this gateway is to the shared address."""

    ACTIVE = "active"  #: holds it, or lets its cluster manager hold it here
    STANDBY = "standby"

    @property
    def other(self) -> "Role":
        """The opposite role."""
        return Role.STANDBY if self is Role.ACTIVE else Role.ACTIVE


@dataclass(frozen=True, slots=True)
class PathView:
    """What the election needs to know of one path.

    :param known: samples come; ``False`` while the path's verdict is ``unknown``.
    :param heard: it was known at some time since the start; until then its level is only a
        memory, on which nothing is done.
    :param recovering: it is down, but replies have been coming for a little while.
    :param release_unknown: the operator chose ``on_unknown = "release"`` for it.
    :param refused_since_s: since when its far host refuses, in seconds of the monotonic clock;
        ``None`` if it does not.
    :param refused_long: it has refused for longer than ``refused_hold``.
    :param assumed: its level is an assumption still; see :class:`Assumption`.
    """

    level: Level
    known: bool
    heard: bool
    release_unknown: bool = False
    recovering: bool = False
    refused_since_s: float | None = None
    refused_long: bool = False
    assumed: bool = False

    @property
    def serves(self) -> bool:
        """Whether the path speaks for keeping the shared address here."""
        return serves(self.level, known=self.known, release_unknown=self.release_unknown)


def serves(level: Level, *, known: bool, release_unknown: bool) -> bool:
    """Whether a path speaks for keeping the shared address here; see :class:`PathView`."""
    return level is Level.UP and (known or not release_unknown)


class Assumption:
    """Whether the level at which a path began is nothing but an assumption.

    It is one until the path is up by a reply, has failed as often in a row as it takes to be
    down, or has brought more samples than both could take, so that it ends on any line. A level
    that was remembered is none.

    :param holds: whether it is one to begin with.
    """

    __slots__ = ("_failed", "_fall", "_left")

    def __init__(self, rules: PathRules, *, holds: bool) -> None:
        self._fall, self._failed = rules.fall, 0
        self._left = 2 * (rules.fall + rules.rise) if holds else 0

    @property
    def holds(self) -> bool:
        """Whether it is one still."""
        return self._left > 0

    def take(self, outcome: Outcome, verdict: Verdict) -> None:
        """Take a sample in, and the verdict after it."""
        if outcome is Outcome.ERROR:
            return
        self._failed = self._failed + 1 if outcome is Outcome.FAIL else 0
        if outcome is Outcome.REFUSED:
            return
        ended = verdict is Verdict.UP or self._failed >= self._fall
        self._left = 0 if ended else max(self._left - 1, 0)


def wanted_role(paths: Sequence[PathView], *, give_up_on: str = "any") -> Role | None:
    """Say which role the paths of this gateway call for.

    :param give_up_on: ``any``: one dead path is reason enough to step back, as every path is
        needed; ``all``: this gateway is of use as long as one path serves.
    :returns: ``None`` while it depends on a path of which nothing was heard yet.
    """
    best = _fit([path.serves or not path.heard for path in paths], give_up_on)
    worst = _fit([path.serves and path.heard for path in paths], give_up_on)
    if best is not worst:
        return None
    return Role.ACTIVE if best else Role.STANDBY


def may_serve(paths: Sequence[PathView], *, give_up_on: str = "any") -> bool:
    """Say whether this gateway is better than none: each path it needs gets replies at least."""
    return _fit([path.serves or path.recovering for path in paths], give_up_on)


def far_refused(paths: Sequence[PathView], *, give_up_on: str = "any") -> bool:
    """Say whether the far end is of no use through this gateway, for its host refuses for long.

    It moves nothing by itself: a partner whose paths are up and not refused is better.
    """
    return not _fit([not path.refused_long for path in paths], give_up_on)


def starting_level(
    remembered: Level | None, expected: Role | None, observed: Role | None, *, busy: bool
) -> Level:
    """Choose the level at which a path starts, so that a restart changes nothing by itself.

    :param remembered: the path's level in the state file, if it was there.
    :param expected: the role that was last carried out according to the state file.
    :param observed: the role that the actions show now; ``None`` if it is not known.
    :param busy: an effect was under way when the last run ended; what is observed may then be
        its half-done work, so that the memory is the better witness.
    """
    if remembered is None:
        return Level.DOWN if observed is Role.STANDBY else Level.UP
    if busy or observed is None or observed is expected:
        return remembered
    # Somebody, most often the boot, made this gateway active while it was meant to stand by.
    # That is adopted; a line that is still dead says so within `fall` samples.
    return Level.UP if observed is Role.ACTIVE else remembered


def _fit(serving: list[bool], give_up_on: str) -> bool:
    return all(serving) if give_up_on == "any" else any(serving) or not serving
