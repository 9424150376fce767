"""The tasks of the daemon: each has a name, an owner that learns how it ended, and an end."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

END_S = 2.0
"""What tasks may take to end once they are cancelled."""
AGAIN_S = 0.1


class Tasks:
    """Runs coroutines and reports those that fail.

    :param failed: called once a task ended with an exception. A part of the daemon that dies in
        silence is a gateway that nobody watches, so that should end the daemon, loudly.
    """

    def __init__(self, log: logging.Logger, failed: Callable[[], None]) -> None:
        self._log, self._failed = log, failed
        self._running: dict[asyncio.Task[None], object] = {}

    def spawn(self, key: object, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task.

        :param key: what it is called; several may have one name.
        """
        task = asyncio.create_task(work)
        self._running[task] = key
        task.add_done_callback(self._ended)
        return task

    async def cancel(self, key: object) -> None:
        """Cancel the tasks of this name and wait for their end, :data:`END_S` at the most."""
        await self.end(lambda each: each == key)

    async def end(self, match: Callable[[object], bool] = lambda key: True) -> None:
        """Cancel the tasks whose names match, and wait for their end, :data:`END_S` at the most."""
        ending = self._matching(match)
        until = time.monotonic() + END_S
        while ending and time.monotonic() < until:
            for task in ending:
                task.cancel()
            # A library may swallow a cancellation that meets what it waited for: say it again.
            await _over(ending, AGAIN_S)
            ending = [task for task in ending if not task.done()]

    async def finish(self, match: Callable[[object], bool], timeout_s: float) -> None:
        """Wait for the tasks whose names match to end by themselves."""
        await _over(self._matching(match), timeout_s)

    def _matching(self, match: Callable[[object], bool]) -> "list[asyncio.Task[None]]":
        own = asyncio.current_task()
        return [task for task, key in self._running.items() if match(key) and task is not own]

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.pop(task, None)
        if task.cancelled() or (problem := task.exception()) is None:
            return
        self._log.critical("internal error, ending: %r", problem, exc_info=problem)
        self._failed()


async def _over(tasks: "list[asyncio.Task[None]]", timeout_s: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=timeout_s)


def is_closing(key: object) -> bool:
    """Whether a task of this name closes something that was at work."""
    return isinstance(key, tuple) and key[0] == "close"


def is_delivering(key: object) -> bool:
    """Whether a task of this name delivers events to a notifier."""
    return isinstance(key, tuple) and key[0] == "deliver"
