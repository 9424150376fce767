"""Let a plugin call into the core at any time, from any thread, with anything."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

MOST_WAITING = 64
"""Calls from other threads that may wait for the loop; further ones are dropped."""

T = TypeVar("T")


class Inlet(Generic[T]):
    """A function to hand to a plugin; it never raises. Made on the loop that it leads to.

    :param accept: makes a value of known type of whatever it is called with; never raises.
    :param take: takes the value, on the loop.
    """

    def __init__(self, accept: Callable[[Any], T], take: Callable[[T], None]) -> None:
        self._accept, self._take = accept, take
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: deque[T] = deque()

    def __call__(self, given: Any = None, *more: Any, **others: Any) -> None:
        """Take a value; from another thread, soon."""
        value = self._accept(given)
        if threading.get_ident() == self._thread:
            self._take(value)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(value)
            try:
                self._loop.call_soon_threadsafe(self._pass_on)
            except RuntimeError:  # the loop has ended, and with it everybody who cared
                self._waiting.clear()

    def _pass_on(self) -> None:
        if self._waiting:
            self._take(self._waiting.popleft())
