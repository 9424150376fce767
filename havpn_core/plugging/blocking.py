"""Find out which plugin blocks the event loop, say so, and move it off the loop.

An ``async def`` that blocks (a ``time.sleep``, a synchronous library) stops everything else in the
daemon. Each step of such a call is timed, so the culprit is known by name when it comes back; a
thread looks for those that do not. A third-party instance that blocked three times, or once for
long, runs in a thread of its own from then on, with a loop of its own, where it delays only
itself. A loop that is blocked for ever cannot be freed from within: the service manager's
watchdog ends it.
"""

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from havpn_core.plugging.wording import shown

LONGEST_STEP_S = 0.02
"""A longer step on the loop is a block: below the interval of the fastest profile."""
STRIKES = 3
LONG_S = 0.25
"""One block of this length is enough to be moved."""
LOOK_EVERY_S = 0.5
STUCK_S = 1.0
ENOUGH_TOLD = 5

_now: list[tuple[str, float]] = []
"""Whose step runs now, and since when; at most one entry."""
_tell: list[Callable[[str, str], None]] = []
_watching = False


class Steps:
    """The steps of one instance.

    :param movable: whether it may be moved off the loop.
    """

    def __init__(self, name: str, *, movable: bool) -> None:
        self.name, self.movable = name, movable
        self.strikes = 0
        self.moved = False
        self.open = 0  #: calls under way on the loop

    def took(self, seconds: float) -> None:
        """Judge a step that is over."""
        self.strikes += 1
        if self.strikes > ENOUGH_TOLD and not self.movable:
            return
        text = f"for {1000 * seconds:.0f} ms"
        if self.movable and (self.strikes >= STRIKES or seconds >= LONG_S) and not self.moved:
            self.moved = True
            text += f", block {self.strikes}: it runs in a thread of its own from now on"
        for tell in _tell:
            with contextlib.suppress(Exception):
                tell(self.name, text)


class Stepped:
    """Awaits a coroutine, or what else an ``async`` function gave, and times each of its steps."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coroutine = coroutine if hasattr(coroutine, "send") else coroutine.__await__()
        self._steps = steps
        self.closing = False  #: whether a step was ended from without for good

    def __await__(self) -> Generator[Any, Any, Any]:
        """Pass everything on in both directions, as ``yield from`` does (PEP 380)."""
        coroutine, steps, clock = self._coroutine, self._steps, time.monotonic
        value: Any = None
        problem: BaseException | None = None
        while True:
            began = clock()
            _now[:] = [(steps.name, began)]
            try:
                given = coroutine.send(value) if problem is None else coroutine.throw(problem)
            except StopIteration as end:
                return end.value
            finally:
                _now.clear()
                if (spent := clock() - began) > LONGEST_STEP_S:
                    steps.took(spent)
            value = problem = None
            # asyncio looks into what it is given here, outside of what contains the plugin.
            odd = given is not None and not issubclass(type(given), asyncio.Future)
            try:
                value = yield None if odd else given
                problem = (
                    RuntimeError(f"awaits {shown(given)}, which is no future") if odd else None
                )
            except BaseException as caught:
                problem = caught
                self.closing = isinstance(caught, GeneratorExit)


def watch(tell: Callable[[str, str], None]) -> None:
    """Tell of blocks from now on, and look for those that do not end.

    :param tell: takes an instance's name and a sentence; called on the loop.
    """
    global _watching  # noqa: PLW0603 - one thread a process, as there is one loop
    _tell[:] = [tell]
    if not _watching:
        _watching = True
        loop = threading.get_ident()
        threading.Thread(target=_look_for_ever, args=(loop,), name="watch", daemon=True).start()


def _look_for_ever(loop: int) -> None:
    told = 0.0
    while True:
        time.sleep(LOOK_EVERY_S)
        with contextlib.suppress(IndexError):
            name, since = _now[0]
            if since != told and time.monotonic() - since > STUCK_S:
                told = since
                # The loop cannot tell it any more; this thread's logging goes past it.
                logging.getLogger("havpn").critical(
                    "plugin %s blocks the loop, nothing else runs: %s", name, _where(loop)
                )


def _where(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "nowhere"
