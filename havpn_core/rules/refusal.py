"""Since when the far host refuses, and what is to be said of it. Pure.

A host that refuses lives, and the line to it carries, but nobody listens there: its daemon
restarts, or is gone. The first takes a moment and is worth a note; the second lasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from havpn_core.rules.hysteresis import Outcome

NEWS_S = 1.0
"""A refusal for less is a mere restart."""
APART_S = 10.0
"""Least time from the report of one mere restart to that of the next."""


@dataclass(frozen=True, slots=True)
class News:
    """What is to be said.

    :param missing: nobody listens on the far host; ``False``: somebody does again.
    :param for_s: how long it has refused, in seconds.
    :param brief: it was over before there was anything to say, as a restart is.
    """

    missing: bool
    for_s: float
    brief: bool = False


class Refusals:
    """The refusals of one path's far host.

    A spell begins with a refusal and ends with a reply. It ends without one where the host is
    silent: after as many failures in a row as make a line dead, or after too long without any
    sample. What is to be said is said once: that somebody listens again needs a reply.

    :param fall: consecutive failures that make a line dead.
    :param stale_s: seconds without OK, FAIL or refusal after which nothing is known any more.
    """

    __slots__ = (
        "_failed",
        "_fall",
        "_heard_s",
        "_news",
        "_noted_s",
        "_told_s",
        "since_s",
        "stale_s",
    )

    def __init__(self, fall: int, stale_s: float) -> None:
        self._fall, self.stale_s = fall, stale_s
        #: when the spell began; ``None`` while the host does not refuse.
        self.since_s: float | None = None
        self._failed, self._heard_s = 0, 0.0
        self._told_s: float | None = None
        self._noted_s = float("-inf")
        self._news: list[News] = []

    def take(self, outcome: Outcome, now_s: float) -> None:
        """Take a sample of the path in."""
        if outcome is Outcome.OK:
            self._replied(now_s)
        elif outcome is Outcome.REFUSED:
            self._failed, self._heard_s = 0, now_s
            if self.since_s is None:
                self.since_s = now_s
        elif outcome is Outcome.FAIL:
            self._failed, self._heard_s = self._failed + 1, now_s
            if self._failed >= self._fall:
                self.since_s = None
        if self.since_s is not None:
            self.look(now_s)

    def look(self, now_s: float) -> None:
        """Notice that the host has refused for long, or that nothing is known of it any more."""
        if self.since_s is None:
            return
        if now_s - self._heard_s >= self.stale_s:
            self.since_s = None
        elif self._told_s is None and now_s - self.since_s >= NEWS_S:
            self._told_s = self.since_s
            self._news.append(News(True, now_s - self.since_s))

    def lasts(self, hold_s: float, now_s: float) -> bool:
        """Whether the host has refused for so many seconds."""
        return self.since_s is not None and now_s - self.since_s >= hold_s

    def news(self) -> Sequence[News]:
        """Hand out what is to be said since the last call."""
        if not self._news:
            return ()
        found, self._news = self._news, []
        return found

    def _replied(self, now_s: float) -> None:
        """End the spell."""
        since_s, told_s = self.since_s, self._told_s
        self.since_s, self._told_s = None, None
        if told_s is not None:
            self._news.append(News(False, now_s - told_s))
        elif since_s is not None and now_s - self._noted_s >= APART_S:
            self._noted_s = now_s
            for missing in (True, False):
                self._news.append(News(missing, now_s - since_s, brief=True))
