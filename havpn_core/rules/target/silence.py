"""The losses in a row that are under way on a line. Pure."""

WELL = 5
"""Replies in a row after which an outage is over: what is lost before them is a part of it.

So a stream whose far end does not yet hear this one again has no spell.
"""


class Silence:
    """A run of losses, from the first one to the reply that ends it.

    :param dead: whether the line is dead to begin with.
    :ivar losses: how many there are; 0 while there is no run.
    :ivar regular: how many of them were sent at the cadence.
    :ivar given_up: the path was given up for it, or is not to learn of it.
    """

    __slots__ = ("_began_s", "_last_s", "_unsettled", "given_up", "losses", "regular")

    def __init__(self, *, dead: bool) -> None:
        self.losses = self.regular = 0
        self.given_up, self._unsettled = dead, 0
        self._began_s, self._last_s = float("-inf"), 0.0

    def lost(self, sent_s: float, *, regular: bool) -> None:
        """Take in a loss.

        :param sent_s: when the probe was sent.
        """
        if not self.losses and self._began_s > float("-inf"):
            self._began_s = sent_s
        self._unsettled = WELL if self._unsettled else 0
        self.losses += 1
        self.regular += regular
        self._last_s = sent_s

    def so_far_s(self) -> float:
        """Give the seconds from the first loss to the last."""
        return self._last_s - self._began_s

    def length_s(self, replied_s: float | None = None) -> float:
        """Give how long it lasted, as far as that is known; infinity if its beginning is not.

        :param replied_s: when the probe was sent that had a reply; ``None``: the last lost one.
        """
        gap_s = 0.0 if replied_s is None else max(0.0, replied_s - self._last_s)
        return self.so_far_s() + gap_s / 2

    def over(self) -> None:
        """End the run."""
        self.losses = self.regular = 0

    def replied(self, times: int = 1) -> None:
        """Take in replies: what is lost from now on begins a run whose beginning is known."""
        self._unsettled = max(0, (WELL if self.given_up else self._unsettled) - times)
        self.given_up, self._began_s = False, 0.0

    @property
    def spell(self) -> bool:
        """Whether it may be a spell: no outage, and no part of one."""
        return not self.given_up and not self._unsettled

    def cancel(self) -> None:
        """Forget what is under way, and learn nothing before the next reply."""
        self.over()
        self.given_up, self._began_s = True, float("-inf")
