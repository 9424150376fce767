"""Pure: durations as the configuration writes them, and moments as files and commands do."""

import re
from datetime import UTC, datetime
from typing import Any

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*\Z")


class Duration(float):
    """A positive length of time in seconds.

    In a plugin's options it is written as ``"50ms"``, ``"1.5s"``, ``"3m"``, ``"1h"``, ``"1d"``
    or a number of seconds.
    """

    @classmethod
    def parse(cls, value: Any) -> "Duration":
        """Read what stands in a configuration file.

        :raises ValueError: if it is no positive duration.
        """
        seconds: float | None = None
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                seconds = float(value)
            except OverflowError:  # a file may hold a whole number of any length
                raise ValueError("a number of that size is no duration") from None
        elif isinstance(value, str) and (match := _TEXT.match(value)):
            seconds = round(float(match[1]) * _UNITS[match[2]], 9)
        if seconds is None or not 0 < seconds < float("inf"):
            raise ValueError(
                f'{value!r} is no duration: write "50ms", "1.5s", "3m" or a number of seconds '
                "greater than 0"
            )
        return cls(seconds)

    def __str__(self) -> str:
        if self < 1:
            return f"{self * 1000:g}ms"
        for unit, size in (("d", 86400.0), ("h", 3600.0), ("m", 60.0)):
            if self >= size and self % size == 0:
                return f"{self / size:g}{unit}"
        return f"{float(self):g}s"


def rfc3339(moment: datetime) -> str:
    """Write a moment in UTC with milliseconds, such as ``2026-01-01T00:00:00.000Z``.

    :param moment: with a time zone; without one it counts as this host's local time.
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
