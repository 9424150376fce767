"""Waiting for a condition, with a deadline and the name of what was waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from havpn_core.testing.lab.hosts.errors import NotInTime

T = TypeVar("T")

POLL_S = 0.02


def wait_for(predicate: Callable[[], T], timeout: float, what: str, poll: float = POLL_S) -> T:
    """Call the predicate until it gives a true value, and return that value.

    :param timeout: seconds; the predicate is called at least once.
    :param what: completes the sentence "waited 3 s for ...".
    :param poll: seconds between two calls; raise it for predicates that start processes.
    :raises NotInTime: the value was still false at the deadline.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = predicate()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise NotInTime(f"waited {timeout:g} s for {what}; last value: {found!r}")
        time.sleep(poll)
