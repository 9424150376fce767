"""Named sets of path options; any key written in the configuration overrides its profile."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from havpn_core.durations import Duration
from havpn_core.rules.cadence import detection_s, failback_s
from havpn_core.rules.target.frequency import Frequency

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
        "grey": "0%",
        "refused": "fail",
    },
    # Rides out what its line is known for, up to eight seconds of silence.
    "balanced": {
        "interval": "500ms",
        "timeout": "1s",
        "confirm": "50ms",
        "fall": 7,
        "false_switches": "1/100h",
        "ceiling": "8s",
        "rise": 120,
        "rise_loss": 0.15,
        "slack": "50ms",
        "window": "2m",
        "window_min": 240,
        "on_poor": "switch",
    },
    # As fast as the line's own loss allows; rides out no silence of a quarter of a second.
    "fast": {
        "interval": "25ms",
        "timeout": "300ms",
        "confirm": "5ms",
        "fall": 7,
        "false_switches": "1/100h",
        "ceiling": "250ms",
        "rise": 400,
        "rise_loss": 0.15,
        "slack": "15ms",
        "window": "30s",
        "window_min": 400,
        "on_poor": "switch",
    },
}

BY_HAND: dict[str, dict[str, Any]] = {
    # Rides out what a provider calls a hiccup: silence of less than about four seconds.
    "balanced": {"confirm": "250ms", "fall": 17, "window": "60s", "window_min": 60},
    # As fast as random loss allows: twelve replies missing in a row.
    "fast": {"fall": 12},
}
"""What a profile has without a target: where ``fall`` is written, and for a road."""


def with_profile(own: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options of a path with those of its profile.

    Who writes ``fall`` has chosen by hand: there is no target then, and no value made for one.

    :param own: what is written for the path.
    """
    name = own.get("profile", "balanced")
    known = isinstance(name, str) and name in PROFILES
    found = dict(PROFILES[name if known else "balanced"])
    if "fall" in own:
        found |= BY_HAND.get(name, {}) if known else {}
        found.pop("false_switches", None)
        own = {key: value for key, value in own.items() if key != "false_switches"}
    return {**found, **own}


def by_hand(options: "PathOptions") -> "PathOptions":
    """Give the options of a path without its target, with what its profile has in place of one."""
    if options.false_switches is None:
        return options
    profile, name = PROFILES[options.profile], options.profile
    return _exchanged(options, profile, BY_HAND.get(name, {}), {"false_switches": None})


def by_target(options: "PathOptions", target: Frequency) -> "PathOptions":
    """Give the options of a path with a target, and with what its profile has for one."""
    found: dict[str, Any] = {"false_switches": target}
    if options.false_switches is not None:
        return msgspec.structs.replace(options, **found)
    profile = PROFILES[options.profile]
    return _exchanged(options, {**profile, **BY_HAND.get(options.profile, {})}, profile, found)


_OF_A_TARGET: dict[str, Callable[[Any], Any]] = {
    "fall": int,
    "confirm": Duration.parse,
    "window": Duration.parse,
    "window_min": int,
}


def _exchanged(
    options: "PathOptions", old: Mapping[str, Any], new: Mapping[str, Any], changes: dict[str, Any]
) -> "PathOptions":
    """Replace what a profile set by what it has otherwise; what was configured stays."""
    for key, value in _OF_A_TARGET.items():
        if key in old and key in new and getattr(options, key) == value(old[key]):
            changes[key] = value(new[key])
    return msgspec.structs.replace(options, **changes)


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
