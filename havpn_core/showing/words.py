"""Pure: times, shares and figures for people, whatever a plugin put where a figure belongs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def span(seconds: float) -> str:
    """Write a time in the two largest of its units, such as ``2 h 3 min`` or ``0.07 s``."""
    if not isfinite(seconds):
        return "ever"
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
    whole = round(seconds)
    for size, unit, small, less in (
        (DAY_S, "d", HOUR_S, "h"),
        (HOUR_S, "h", MINUTE_S, "min"),
        (MINUTE_S, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {less}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def share(part: float) -> str:
    """Write a share from 0 to 1 in per cent."""
    return f"{100 * part:.1f} %"


def number(facts: Mapping[str, Any], key: str) -> float | None:
    """Give a finite figure of a plugin's facts; ``None`` if it is none."""
    found = facts.get(key)
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    try:
        figure = float(found)
    except OverflowError:  # a whole number of any length
        return None
    return figure if isfinite(figure) else None


def text(facts: Mapping[str, Any], key: str) -> str:
    """Give a text of a plugin's facts; empty if it is none."""
    found = facts.get(key)
    return found if isinstance(found, str) else ""


def moment(stamp: str, more_s: float = 0.0) -> datetime | None:
    """Read a moment with its time zone, so many seconds later; ``None`` if it is none."""
    try:
        found = datetime.fromisoformat(stamp) + timedelta(seconds=more_s)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def at(when: datetime | None, now: datetime | None) -> str:
    """Write a moment in UTC; without the date where that is today's."""
    if when is None:
        return "an unknown time"
    today = now is not None and when.date() == now.date()
    return f"{when:%H:%M:%S} UTC" if today else f"{when:%Y-%m-%d %H:%M:%S} UTC"


def since(stamp: str, now: datetime | None) -> str:
    """Write since when something is so, and for how long; empty if that is not known."""
    when = moment(stamp)
    if when is None or now is None:
        return ""
    age_s = max(0.0, (now - when).total_seconds())
    return f"since {at(when, now)} ({span(age_s)})"


def until(left_s: float, now: datetime | None) -> str:
    """Write until when something is so."""
    end = None if now is None else now + timedelta(seconds=min(left_s, 1e9))
    return f"until {at(end, now)} ({span(left_s)} more)"


def one_line(said: str) -> str:
    """Give a text without line ends and control characters, which a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())
