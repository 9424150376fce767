"""Look on the LAN, through the actions that own addresses, for whoever has them.

The rules are in :mod:`~havpn_core.pair.scout`; this sends the requests and waits.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.pair.scout import Findings, Reply, concluded
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.protocols import AddressProbing

GRACE_S = 0.5

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Starts a task whose failure its owner notices."""


def spawn_loudly(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Start a task whose failure the loop's exception handler is given at once."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_report_failure)
    return task


def _report_failure(task: "asyncio.Task[None]") -> None:
    if task.cancelled() or (problem := task.exception()) is None:
        return
    task.get_loop().call_exception_handler(
        {"message": "a task of the pair failed", "exception": problem, "task": task}
    )


class Scout:
    """Looks while the partner is suspected.

    :param owners: gives the actions that own addresses, by name; one can be used if it has
        ``answered_by`` (see :class:`havpn_core.plugging.descriptors.SharedAddress`).
    :param report: called with a sentence when somebody replies.
    :param changed: called after each round.
    :param spawn: starts the task; its failure is for the owner of the pair to notice.
    """

    def __init__(
        self,
        owners: Callable[[], dict[str, Caller]],
        report: Callable[[str], None],
        changed: Callable[[], None],
        spawn: Spawn = spawn_loudly,
    ) -> None:
        self._owners, self._report, self._changed = owners, report, changed
        self._spawn = spawn
        self._task: asyncio.Task[None] | None = None
        self._findings = Findings()

    @property
    def in_use(self) -> bool | None:
        """Whether somebody has an address that must not be taken; ``None`` before a reply."""
        return self._findings.in_use if self._usable() else False

    def look(self, suspect: bool, window_s: float) -> None:
        """Begin when the partner is suspected, and end when it is not.

        :param window_s: how long to wait for replies in each round, in seconds.
        """
        if not suspect:
            self.close()
        elif (self._task is None or self._task.done()) and self._usable():
            self._task = self._spawn(self._look_for_ever(window_s))

    def close(self) -> None:
        """End, and forget what was found."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._findings = None, Findings()

    def _usable(self) -> dict[str, Caller]:
        found = self._owners()
        return {name: each for name, each in found.items() if each.able(AddressProbing)}

    async def _look_for_ever(self, window_s: float) -> None:
        while True:
            replies = await asyncio.gather(
                *(_request(name, each, window_s) for name, each in self._usable().items())
            )
            self._findings, said = concluded(self._findings, replies)
            for text in said:
                self._report(text)
            self._changed()
            await asyncio.sleep(self._findings.pause_s)


async def _request(name: str, caller: Caller, window_s: float) -> Reply:
    """Send the request of one action and wait; what cannot be sent says nothing."""
    try:
        who = await caller.answered_by(window_s, window_s + GRACE_S)
    except HavpnError:
        return Reply(name, None, caller.yields)
    return Reply(name, () if who is None else (who,), caller.yields)
