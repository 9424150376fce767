"""Find out which plugin blocks the event loop, say so, and move it off the loop.

An ``async def`` that blocks (a ``time.sleep``, a synchronous library) stops everything else in the
daemon. Each step of such a call is timed, so the culprit is known by name when it comes back; a
thread looks for those that do not. A third-party instance that blocked three times, or once for
long, runs in a thread of its own from then on, with a loop of its own, where it delays only
itself. A loop that is blocked without end cannot be freed from within: the service manager's
watchdog ends it.

Only what a plugin does counts: the time that it computes, and the time that it waits in a call.
The time in which its thread could have run but had no core, or in which other threads of the
daemon computed and held the interpreter, is the host's (see :class:`Meter`).
"""

import asyncio
import contextlib
import logging
import os
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
DOUBT = 10
"""A thread that computes holds the interpreter, also while it gets no core itself, which nobody
counts for this one: so many times its computing may have passed."""
SUSPECT_STEPS = 1000
"""So many steps of a trusted instance are metered after a slow one."""

Mark = tuple[float, float, float, float]
"""Seconds waiting for a core, of the process's CPU, of the thread's CPU, and by the clock."""


class Meter:
    """How long a step really took one thread, by what the kernel counts of that thread."""

    def __init__(self) -> None:
        self._account: int | None = None

    def open(self) -> None:
        """Count for the calling thread from now on, with the time that it waits for a core."""
        self.close()
        with contextlib.suppress(OSError):
            file = f"/proc/self/task/{threading.get_native_id()}/schedstat"
            self._account = os.open(file, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Give the file up; marks go on without it."""
        if self._account is not None:
            os.close(self._account)
            self._account = None

    def mark(self) -> Mark:
        """Read all the clocks at the begin of a step, in the thread that is metered."""
        return self.held_up_s(), time.process_time(), time.thread_time(), time.monotonic()

    def held_up_s(self) -> float:
        """Give the seconds for which the thread was ready to run and had no core; any thread."""
        if self._account is None:
            return 0.0
        try:
            return int(os.pread(self._account, 80, 0).split()[1]) * 1e-9
        except (OSError, ValueError, IndexError):
            return 0.0

    def own_s(self, began: Mark) -> float:
        """Give the seconds since then that are the step's own: computing, or waiting in a call."""
        # In the reverse order, so that a thread that loses its core between two of the clocks
        # has a step that is too short, and not one too long.
        wall = time.monotonic() - began[3]
        computed = time.thread_time() - began[2]
        others = max(0.0, time.process_time() - began[1] - computed)
        return max(computed, wall - DOUBT * others - (self.held_up_s() - began[0]))


class LoopWatch:
    """Watches the steps that plugins make on one event loop; one a daemon.

    :param tell: takes an instance's name and a sentence on how it blocked; called on the loop.
    """

    def __init__(self, tell: Callable[[str, str], None] | None = None) -> None:
        self._tell = tell
        self.meter = Meter()
        #: whose step runs now, and since when; at most one entry
        self.now: list[tuple[str, float]] = []
        self._ended = threading.Event()

    def start(self) -> None:
        """Look for steps that do not end, too; call it on the loop."""
        self.meter.open()
        loop = threading.get_ident()
        with contextlib.suppress(RuntimeError):  # no thread for it: the loop's own steps are timed
            threading.Thread(target=self._look, args=(loop,), name="watch", daemon=True).start()

    def close(self) -> None:
        """End the looking; call it on the loop."""
        self._ended.set()
        self.meter.close()

    def tell(self, name: str, text: str) -> None:
        """Pass on that an instance blocked."""
        if self._tell is not None:
            with contextlib.suppress(Exception):
                self._tell(name, text)

    def _look(self, loop: int) -> None:
        seen: tuple[float, float, float] | None = None
        reported = 0.0
        while not self._ended.wait(LOOK_EVERY_S):
            with contextlib.suppress(IndexError):
                name, since = self.now[0]
                held_up = self.meter.held_up_s()
                if seen is None or seen[0] != since:
                    seen = (since, time.monotonic(), held_up)
                stuck = time.monotonic() - seen[1] - (held_up - seen[2])
                if since != reported and stuck > STUCK_S:
                    reported = since
                    # The loop cannot tell it any more; this thread's logging goes past it.
                    logging.getLogger("havpn").critical(
                        "plugin %s blocks the loop, nothing else runs: %s", name, _where(loop)
                    )


class Steps:
    """The steps of one instance.

    :param movable: whether it may be moved off the loop.
    :param trusted: metered only after a step that was slow, for whatever reason: what metering
        costs, an instance of our own need not pay.
    """

    def __init__(self, name: str, watch: LoopWatch, *, movable: bool, trusted: bool) -> None:
        self.name, self.watch, self.movable, self._trusted = name, watch, movable, trusted
        self.strikes = 0
        self.moved = False
        self.open = 0  #: calls under way on the loop
        self._metered = 0

    def begin(self) -> Mark | None:
        """Meter a step that begins; ``None`` if only the clock is read for it."""
        if self._trusted:
            if not self._metered:
                return None
            self._metered -= 1
        return self.watch.meter.mark()

    def end(self, mark: Mark | None) -> None:
        """Judge a step that took longer than :data:`LONGEST_STEP_S` by the clock."""
        if mark is None:
            self._metered = SUSPECT_STEPS
        elif (own := self.watch.meter.own_s(mark)) > LONGEST_STEP_S:
            self.took(own)

    def took(self, seconds: float) -> None:
        """Count a block of that length."""
        self.strikes += 1
        if self.strikes > ENOUGH_TOLD and not self.movable:
            return
        text = f"for {1000 * seconds:.0f} ms"
        if self.movable and (self.strikes >= STRIKES or seconds >= LONG_S) and not self.moved:
            self.moved = True
            text += f", block {self.strikes}: it runs in a thread of its own from now on"
        self.watch.tell(self.name, text)


class Stepped:
    """Awaits a coroutine, or what else an ``async`` function gave, and times each of its steps."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coroutine = coroutine if hasattr(coroutine, "send") else coroutine.__await__()
        self._steps = steps
        self.closing = False  #: whether a step was ended from without for good

    def __await__(self) -> Generator[Any, Any, Any]:
        """Pass everything on in both directions, such as ``yield from`` does (PEP 380)."""
        coroutine, steps, clock = self._coroutine, self._steps, time.monotonic
        running = steps.watch.now
        value: Any = None
        problem: BaseException | None = None
        while True:
            mark = steps.begin()
            began = clock()
            running[:] = [(steps.name, began)]
            try:
                given = coroutine.send(value) if problem is None else coroutine.throw(problem)
            except StopIteration as end:
                return end.value
            finally:
                running.clear()
                if clock() - began > LONGEST_STEP_S:
                    steps.end(mark)
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


def _where(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "nowhere"
