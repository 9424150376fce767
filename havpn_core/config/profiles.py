"""Named sets of path options; any key written in the configuration overrides its profile."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from havpn_core.config.options import PathOptions

PROFILES: dict[str, dict[str, Any]] = {
    # The published system: MAXFAIL=5 means that the sixth failure counts. Nothing that it did
    # not have takes part in its decisions.
    "article": {
        "interval": "1s",
        "timeout": "1s",
        "fall": 6,
        "rise": 180,
        "initial": "up",
        "lateness": "fixed",
        "damping": False,
    },
    # Rides out what a provider calls a hiccup: silence of less than about four seconds.
    "balanced": {
        "interval": "500ms",
        "timeout": "1s",
        "confirm": "250ms",
        "fall": 17,
        "rise": 120,
        "rise_loss": 0.15,
        "slack": "50ms",
        "window": "60s",
        "window_min": 60,
        "on_poor": "switch",
    },
    # As fast as random loss allows: twelve questions unanswered in a row.
    "fast": {
        "interval": "25ms",
        "timeout": "300ms",
        "confirm": "5ms",
        "fall": 12,
        "rise": 400,
        "rise_loss": 0.15,
        "slack": "15ms",
        "window": "30s",
        "window_min": 400,
        "on_poor": "switch",
    },
}


def worst_detection_s(options: "PathOptions", overdue_s: float) -> float:
    """Give the longest time in seconds from a silent cut to ``down``.

    The cut comes just after an answer: one interval to the first lost question, which then
    becomes overdue; what ``fall`` still lacks is asked in a burst, and its last one becomes
    overdue, too.

    :param overdue_s: what makes an answer overdue; the timeout at the most.
    """
    interval = float(options.interval)
    if options.confirm is None or options.confirm >= options.interval:
        return options.fall * interval + overdue_s
    lacking = options.fall - 1 - int(overdue_s / interval)
    if lacking <= 0:
        return options.fall * interval + overdue_s
    return interval + overdue_s + (lacking - 1) * float(options.confirm) + overdue_s


def worst_failback_s(options: "PathOptions") -> float:
    """Give the longest time in seconds from a heal that lasts to ``up``, flaps left aside."""
    return options.rise * float(options.interval) + float(options.timeout)
