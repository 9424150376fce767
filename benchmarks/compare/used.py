"""Pure: which line each ping used, there and back, from what the providers saw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

Seen = tuple[int, float, str]
"""A ping's number, when it was seen (seconds), and by which provider."""


@dataclass(frozen=True)
class Used:
    """Lines by number of the ping.

    :param requests: of those that a provider got, whether or not it lost them.
    :param replies: the same on the way back.
    """

    requests: Mapping[int, str]
    replies: Mapping[int, str]

    def moves(self) -> tuple[int, int]:
        """Count changes of the line of requests, and of that of replies."""
        return _changes(self.requests), _changes(self.replies)

    def apart(self) -> tuple[int, int]:
        """Count pings that went there and back on different lines, and all seen both ways."""
        both = self.requests.keys() & self.replies.keys()
        return sum(self.requests[each] != self.replies[each] for each in both), len(both)


def used(requests: Iterable[Seen], replies: Iterable[Seen], since: float, until: float) -> Used:
    """Take the pings whose request was seen in a time, and the replies to pings of that time."""
    there = {number: line for number, at, line in requests if since <= at < until}
    back = {number: line for number, at, line in replies if since <= at < until}
    return Used(there, back)


def _changes(lines: Mapping[int, str]) -> int:
    in_order = [lines[number] for number in sorted(lines)]
    return sum(before != after for before, after in pairwise(in_order))
