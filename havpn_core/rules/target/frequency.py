"""How often something may happen, as the configuration writes it. Pure."""

import re
from typing import Any

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)?\s*(s|m|h|d)\s*\Z")
LEAST_S, MOST_S = 60.0, 1e9
"""Between one false switch a minute and one in thirty years."""


class Frequency(float):
    """Events per second, above 0, written as ``"1/100h"``, ``"0.5/h"`` or ``"1/30d"``.

    :ivar text: as it was written.
    """

    text: str

    def __new__(cls, per_s: float, text: str = "") -> "Frequency":
        """Make one of a number, and what it is called."""
        made = super().__new__(cls, per_s)
        made.text = text or f"1/{1 / per_s / 3600:g}h"
        return made

    @classmethod
    def parse(cls, value: Any) -> "Frequency":
        """Read what stands in a configuration file.

        :raises ValueError: if it is no frequency from once in 1e9 seconds to once a minute.
        """
        match = _TEXT.match(value) if isinstance(value, str) else None
        times, span = (float(match[1]), float(match[2] or 1)) if match else (0.0, 0.0)
        if match is None or not times or not span:
            raise ValueError(
                f'{value!r} is no frequency: write "1/100h" for one in a hundred hours, "0.5/h" or '
                '"1/30d"'
            )
        every_s = span * _UNITS_S[match[3]] / times
        if not LEAST_S <= every_s <= MOST_S:
            raise ValueError(
                f"{value!r} is once in {every_s:g} s: write one from once in {LEAST_S:g} s to once "
                f"in {MOST_S:g} s"
            )
        return cls(1 / every_s, value.strip())

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type["Frequency"], tuple[float, str]]:
        return Frequency, (float(self), self.text)
