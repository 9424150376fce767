"""Call a plugin's methods so that nothing it does can hurt anybody else.

An ``async def`` runs on the loop, a plain ``def`` in a daemon thread of the instance's own. In
both cases the caller waits no longer than the deadline, whatever becomes of the call.
"""

import asyncio
import inspect
import queue
import threading
from collections.abc import Callable
from typing import Any

from havpn_core.blocking import Stepped, Steps
from havpn_core.errors import HavpnError
from havpn_core.redact import without_arguments


class CallFailed(HavpnError):
    """The plugin raised something; the message names it."""


class CallOverdue(HavpnError):
    """The call did not end within its deadline."""


class CallBusy(HavpnError):
    """An earlier call to a blocking method has not come back yet."""


class Worker:
    """One daemon thread that runs one function at a time and can be given up on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None]
        self._jobs = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.busy = False

    def run(self, function: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Start a function; must be called on the loop.

        :raises CallBusy: while an earlier function still runs.
        """
        if self.busy:
            raise CallBusy("an earlier call has not come back yet")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, args=(loop,), name=self._name, daemon=True
            )
            self._thread.start()
        self.busy = True
        self._jobs.put((function, future))
        return future

    def stop(self) -> None:
        """End the thread once its function comes back; waits for nothing."""
        self._jobs.put(None)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while job := self._jobs.get():
            function, future = job
            result, problem = None, None
            try:
                result = function()
            except BaseException as caught:  # a thread that ends in silence tests nothing
                problem = caught
            try:
                loop.call_soon_threadsafe(self._deliver, future, result, problem)
            except RuntimeError:
                return  # the loop is gone, and with it everybody who cared

    def _deliver(
        self, future: "asyncio.Future[Any]", result: Any, problem: BaseException | None
    ) -> None:
        self.busy = False
        if future.done():
            return
        if problem is not None:
            future.set_exception(CallFailed(describe(problem)))
        else:
            future.set_result(result)


class Caller:
    """Calls one plugin instance.

    :param instance: what the type's ``build`` made.
    :param name: the instance's name, for the thread.
    """

    def __init__(self, instance: Any, name: str) -> None:
        self.instance = instance
        self.worker = Worker(name)
        module = getattr(type(instance), "__module__", "")
        #: Our own are trusted: a starved machine makes anybody slow.
        self._steps = Steps(name, movable=not module.startswith("havpn_plugins."))
        #: the optional method of a probe that makes its next question take another way.
        self.renew: Callable[[], None] | None = self._optional("renew")

    def _optional(self, method: str) -> Callable[..., Any] | None:
        """Give a method that an instance need not have, contained."""
        function = getattr(self.instance, method, None)
        if not callable(function) or inspect.iscoroutinefunction(function):
            return None

        def contained(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except (Exception, SystemExit, KeyboardInterrupt):
                return None

        return contained

    def quietly(self, method: str, *arguments: Any) -> Any:
        """Call a plain, quick method that an instance need not have; its trouble is nobody's."""
        function = self._optional(method)
        return function(*arguments) if function else None

    def facts(self) -> dict[str, Any]:
        """Give what the instance has to say about itself for the status, if anything."""
        function = self._optional("facts")
        found = function() if function else None
        return found if isinstance(found, dict) else {}

    def begin(self, method: str, *arguments: Any) -> "asyncio.Future[Any]":
        """Start a call whose end the caller watches itself; it may cancel it.

        :raises CallBusy: if a blocking method still runs.
        """
        function = getattr(self.instance, method)
        if inspect.iscoroutinefunction(function):
            if self._steps.moved:
                return self.worker.run(lambda: asyncio.run(function(*arguments)))
            return asyncio.ensure_future(_contained(self._steps, function, arguments))
        return self.worker.run(lambda: function(*arguments))

    async def call(self, method: str, *arguments: Any, deadline_s: float) -> Any:
        """Call a method and give its result.

        :raises CallFailed: if it raised anything at all.
        :raises CallOverdue: if it is not done after ``deadline_s`` seconds; a coroutine is
            cancelled, a thread left alone with its call.
        :raises CallBusy: if a blocking method still runs.
        """
        running = self.begin(method, *arguments)
        try:
            await asyncio.wait((running,), timeout=deadline_s)
        finally:
            if not running.done():
                running.cancel()
        if not running.done() or running.cancelled():
            raise CallOverdue(f"{method} did not end within {deadline_s:g} s")
        return running.result()

    async def close(self, deadline_s: float = 2.0) -> str | None:
        """Close the instance; gives the reason if that went wrong."""
        try:
            await self.call("close", deadline_s=deadline_s)
        except HavpnError as problem:
            return str(problem)
        finally:
            self.worker.stop()
        return None


def describe(problem: BaseException) -> str:
    """Name an exception the way a log line should."""
    if isinstance(problem, HavpnError):
        return str(problem)
    text = " ".join((without_arguments(problem) or str(problem)).split())
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


async def _contained(steps: Steps, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return await Stepped(function(*arguments), steps)
    except asyncio.CancelledError as problem:
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            raise CallFailed(describe(problem)) from problem  # nobody but the plugin itself did it
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as problem:
        # asyncio would carry the last two through the loop and end the daemon.
        raise CallFailed(describe(problem)) from problem
