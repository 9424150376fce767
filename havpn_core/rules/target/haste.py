"""How long more is to be known soon of a line: it or the one beside it just became grey. Pure.

What two lines lose is compared by bounds, and those of the good one need probes, too: of a line
that lost none of 120 no more is sure than that it loses less than 4 %.
"""

HASTY_S = 30.0
"""For so long it is probed more often."""
NEVER = float("inf")


class Haste:
    """Looks for how long a line, and the one beside it, have been grey.

    :ivar on: whether either became grey a moment ago.
    """

    __slots__ = ("_beside_s", "_since_s", "on")

    def __init__(self) -> None:
        self._since_s, self._beside_s, self.on = NEVER, NEVER, False

    def look(self, now_s: float, *, grey: bool, beside: bool = False) -> None:
        """Take in whether the line is grey now, and carries; ``beside``: that another one is."""
        self._since_s = min(self._since_s, now_s) if grey else NEVER
        self._beside_s = min(self._beside_s, now_s) if beside else NEVER
        begins = self._since_s, self._beside_s
        self.on = any(since_s <= now_s < since_s + HASTY_S for since_s in begins)
