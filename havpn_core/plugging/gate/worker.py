"""A thread of an instance's own, in which its plain methods run and may block."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

from havpn_core.errors import CallBusy, CallFailed
from havpn_core.plugging.wording import describe

Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Worker:
    """One daemon thread that runs one function at a time and can be given up on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Job | None]
        self._jobs = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._next: tuple[Callable[[float], Any], asyncio.Future[Any], float, float] | None = None
        self.busy = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self, within_s: float) -> None:
        """Wait until the thread is free, that many seconds at the most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()

    def run(self, function: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Start a function; must be called on the loop.

        :raises CallBusy: while an earlier function still runs.
        :raises CallFailed: if no thread can be started now; a later call tries again.
        """
        if self.busy:
            raise CallBusy("an earlier call has not come back yet")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._start(function, future)
        return future

    def run_in_turn(
        self, function: Callable[[float], Any], within_s: float
    ) -> "asyncio.Future[Any]":
        """Start a function once the thread is free; must be called on the loop.

        :param function: takes the seconds for which it has waited.
        :param within_s: seconds after which it is not started any more: the future then stays
            open until it is cancelled. One that was cancelled is not started either.
        :raises CallBusy: while another one waits already.
        :raises CallFailed: if no thread can be started now; a later call tries again.
        """
        if not self.busy:
            return self.run(lambda: function(0.0))
        if self._next is not None and not self._next[1].done():
            raise CallBusy("an earlier call still waits for its turn")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._next = (function, future, loop.time(), within_s)
        return future

    def stop(self) -> None:
        """End the thread once its function comes back; waits for nothing."""
        self._next = None
        self._jobs.put(None)

    def _start(self, function: Callable[[], Any], future: "asyncio.Future[Any]") -> None:
        if self._thread is None:
            loop = asyncio.get_running_loop()
            thread = threading.Thread(target=self._work, args=(loop,), name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                raise CallFailed("this process can start no more threads") from None
            self._thread = thread
        self.busy = True
        self._idle.clear()
        self._jobs.put((function, future))

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while job := self._jobs.get():
            function, future = job
            result, problem = None, None
            try:
                result = function()
            except BaseException as caught:  # a thread that ends in silence tests nothing
                # Here, not on the loop: reading an exception's text may take its time, too.
                problem = describe(caught)
            try:
                loop.call_soon_threadsafe(self._deliver, future, result, problem)
            except RuntimeError:
                return  # the loop is gone, and with it everybody who cared

    def _deliver(self, future: "asyncio.Future[Any]", result: Any, problem: str | None) -> None:
        self.busy = False
        self._start_next()
        if not self.busy:
            self._idle.set()
        if future.done():
            return
        if problem is not None:
            future.set_exception(CallFailed(problem))
        else:
            future.set_result(result)

    def _start_next(self) -> None:
        waiting, self._next = self._next, None
        if waiting is None:
            return
        function, future, since_s, within_s = waiting
        waited_s = asyncio.get_running_loop().time() - since_s
        if not future.done() and waited_s < within_s:
            self._start(lambda: function(waited_s), future)
