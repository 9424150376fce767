"""How long more is to be known soon of a line that has just become grey. Pure."""

HASTY_S = 30.0
"""For so long it is probed more often."""


class Haste:
    """Looks for how long a line has been grey.

    :ivar on: whether it became grey a moment ago.
    """

    __slots__ = ("_since_s", "on")

    def __init__(self) -> None:
        self._since_s, self.on = float("inf"), False

    def look(self, now_s: float, *, grey: bool) -> None:
        """Take in whether it is grey now, and carries."""
        self._since_s = min(self._since_s, now_s) if grey else float("inf")
        self.on = grey and now_s < self._since_s + HASTY_S
