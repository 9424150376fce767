"""Named sets of path options; any key written in the configuration overrides its profile."""

from typing import Any

PROFILES: dict[str, dict[str, Any]] = {
    # The published system: MAXFAIL=5 means that the sixth failure counts.
    "article": {"interval": "1s", "timeout": "1s", "fall": 6, "rise": 180, "initial": "up"},
    "balanced": {"interval": "500ms", "timeout": "1s", "fall": 4, "rise": 60},
    "fast": {"interval": "100ms", "timeout": "300ms", "fall": 3, "rise": 100},
}


def worst_detection_s(interval_s: float, timeout_s: float, fall: int) -> float:
    """Give the longest time in seconds from a silent cut to ``down``.

    The cut comes just after an answer: one interval to the first lost question, the others an
    interval apart, and the last one's timeout.
    """
    return fall * interval_s + timeout_s


def worst_failback_s(interval_s: float, timeout_s: float, rise: int) -> float:
    """Give the longest time in seconds from a heal that lasts to ``up``."""
    return rise * interval_s + timeout_s
