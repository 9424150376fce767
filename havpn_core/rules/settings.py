"""All rules of one path in one value, and what learns of its line by them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from havpn_core.rules.cadence import Turns, pace_s
from havpn_core.rules.calm import Calm, Steady
from havpn_core.rules.damping import Damping
from havpn_core.rules.hysteresis import PathRules
from havpn_core.rules.lateness import RoundTrip
from havpn_core.rules.quality import WindowRules
from havpn_core.rules.target.grey import Grey, Lag
from havpn_core.rules.target.record import Record
from havpn_core.rules.target.rule import Pace, Target

UNSAID_PER_S, CEILING_S = 1 / 360_000, 8.0
"""What a path without a target is judged by: one false alarm in 100 h, spells up to 8 s."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All rules of one path.

    :param timeout_s: the longest that a reply is waited for.
    :param slack_s: the least that a reply may take above the mean round trip.
    :param adaptive: judge lateness by the round trips so far, not by the timeout alone.
    :param switch_when_poor: a poor line is put down; otherwise it is only reported.
    :param require: how many probes must be OK.
    :param grey: share of loss from which the line is grey; 0: it never is.
    :param target: what ``fall`` and the least silence follow from; ``None``: the rules stay.
    """

    rules: PathRules
    timeout_s: float
    slack_s: float = 0.015
    adaptive: bool = False
    window: WindowRules | None = None
    switch_when_poor: bool = False
    damping: Damping | None = None
    require: int = 1
    grey: float = 0.0
    target: Target | None = None


def calm_of(
    settings: Settings,
    record: Record | None,
    trips: Sequence[RoundTrip],
    turns: Turns,
    *,
    silent: bool,
) -> Steady:
    """Make what the settings require.

    :param record: what earlier runs learned of the line.
    :param trips: the round trips of the path's probes; they say when a reply is late.
    :param silent: whether the line is dead to begin with.
    """
    rules, timeout_s = settings.rules, settings.timeout_s

    def pace() -> Pace:
        spacing_s = min(rules.confirm_s or rules.interval_s, rules.interval_s)
        if turns.serial:
            spacing_s = max(spacing_s, pace_s(rules, timeout_s, mixed=turns.mixed))
        overdue = [trip.deadline_s for trip in trips]
        return Pace(rules.interval_s, spacing_s, max(overdue, default=timeout_s))

    if settings.target is None and not settings.grey:
        return Steady()
    target = settings.target or Target(UNSAID_PER_S, rules.fall, CEILING_S)
    grey, lag = _greys(settings, target)
    applies = settings.target is not None
    return Calm(target, record, pace, silent=silent, grey=grey, lag=lag, applies=applies)


def _greys(settings: Settings, target: Target) -> tuple[Grey | None, Lag | None]:
    """Make what finds a line grey, by its losses and by its latency."""
    if not settings.grey:
        return None, None
    chances, window = 1 / (target.per_s * settings.rules.interval_s), settings.window
    grey = Grey(settings.grey, chances)
    if window is None or window.latency_down_s is None or window.latency_up_s is None:
        return grey, None
    return grey, Lag(window.latency_down_s, window.latency_up_s, chances)
