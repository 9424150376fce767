"""Named sets of path options; any key written in the configuration overrides its profile."""

from typing import TYPE_CHECKING, Any

from havpn_core.rules.cadence import detection_s, failback_s

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
        "refused": "fail",
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
    # As fast as random loss allows: twelve replies missing in a row.
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


def worst_detection_s(
    options: "PathOptions", deadline_s: float, *, serial: int = 0, overlapping: int = 1
) -> float:
    """Give the longest time in seconds from a silent cut to ``down``.

    :param deadline_s: what makes a reply late; the timeout at the most.
    :param serial: how many of the path's probes run in a thread, one call at a time.
    :param overlapping: how many do not.
    """
    timeout = float(options.timeout)
    return detection_s(
        options.settings.rules, timeout, deadline_s, serial=serial, overlapping=overlapping
    )


def worst_failback_s(options: "PathOptions", *, serial: int = 0, overlapping: int = 1) -> float:
    """Give the longest time in seconds from a heal that lasts to ``up``, flaps left aside."""
    timeout = float(options.timeout)
    return failback_s(options.settings.rules, timeout, serial=serial, overlapping=overlapping)
