"""The LAN of the address, through the actions that own it: who has it there, and frames over it.

The rules are in :mod:`~havpn_core.pair.scout` and :mod:`~havpn_core.pair.sending.broadcast`; this
sends and waits.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.pair.scout import Findings, Reply, concluded, renewed
from havpn_core.plugging.gate import presence
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.protocols import AddressProbing, LanPresence

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

    :param owners: gives the actions that own addresses, by name; one can be used if it is able
        to :class:`~havpn_core.plugging.protocols.LanPresence`, which tells the partner from a
        stranger, or :class:`~havpn_core.plugging.protocols.AddressProbing`.
    :param report: called with a sentence when somebody replies.
    :param changed: called after each round.
    :param spawn: starts the task; its failure is for the owner of the pair to notice.
    :param partner_mac: gives the partner's link-layer address, empty while that is not known.
    """

    def __init__(
        self,
        owners: Callable[[], dict[str, Caller]],
        report: Callable[[str], None],
        changed: Callable[[], None],
        spawn: Spawn = spawn_loudly,
        partner_mac: Callable[[], bytes] = bytes,
    ) -> None:
        self._owners, self._report, self._changed = owners, report, changed
        self._spawn, self._partner_mac = spawn, partner_mac
        self._task: asyncio.Task[None] | None = None
        self._findings = Findings()
        self._changes = 0
        self._again = asyncio.Event()

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

    def network_changed(self) -> None:
        """Begin again, at once: what was found is void, and so is the round under way."""
        self._findings = renewed(self._findings)
        self._changes += 1
        self._again.set()

    def close(self) -> None:
        """End, and forget what was found."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._findings = None, Findings()

    def _usable(self) -> dict[str, Caller]:
        found = self._owners()
        return {n: c for n, c in found.items() if c.able(LanPresence) or c.able(AddressProbing)}

    async def _look_for_ever(self, window_s: float) -> None:
        while True:
            self._again.clear()
            changes = self._changes
            replies = await asyncio.gather(
                *(_request(name, each, window_s) for name, each in self._usable().items())
            )
            if changes == self._changes:
                self._findings, said = concluded(self._findings, replies, self._partner_mac())
                for text in said:
                    self._report(text)
            self._changed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._findings.pause_s):
                    await self._again.wait()


async def _request(name: str, caller: Caller, window_s: float) -> Reply:
    """Send the probes of one action and wait; what cannot be sent says nothing."""
    limit_s = window_s + GRACE_S
    addressed = caller.able(LanPresence)
    try:
        if addressed:
            owners = await presence.owners_seen(caller, window_s, limit_s)
        else:
            who = await caller.answered_by(window_s, limit_s)
            owners = () if who is None else (who,)
    except HavpnError:
        return Reply(name, None, caller.yields)
    return Reply(name, owners, caller.yields, addressed=addressed)


class LanLink:
    """One more way to the partner: the LANs of all owned addresses.

    :param owners: as for :class:`Scout`; those are used that are able to
        :class:`~havpn_core.plugging.protocols.LanPresence`.
    :param received: takes each frame that comes, with its sender's link-layer address.
    """

    def __init__(
        self, owners: Callable[[], dict[str, Caller]], received: Callable[[bytes, bytes], None]
    ) -> None:
        self._owners, self._received = owners, received
        self._attended: list[Caller] = []
        self._addresses: dict[str, bytes] = {}
        #: the last known link-layer address of this gateway there; empty if there never was one.
        self.mac = b""

    @property
    def usable(self) -> bool:
        """Whether there is an action that is at home on a LAN."""
        return bool(self._attended)

    def attend(self) -> None:
        """Hear what comes through actions that are new."""
        now = {name: each for name, each in self._owners().items() if each.able(LanPresence)}
        for caller in now.values():
            if caller not in self._attended:
                presence.tell_broadcasts(caller, self._take)
        if [*now.values()] != self._attended:
            self._attended = [*now.values()]
            self.look()

    def look(self) -> tuple[bool, bool]:
        """Look at the carriers.

        :returns: whether any came or went, or was another one's, and whether any came.
        """
        before, self._addresses = self._addresses, {}
        for name, caller in self._owners().items():
            if caller in self._attended:
                self._addresses[name] = presence.lan_address(caller)
        known = [address for address in self._addresses.values() if address]
        self.mac = known[0] if known else self.mac
        came = any(a and a != before.get(n) for n, a in self._addresses.items())
        return self._addresses != before, came

    def send(self, content: bytes) -> None:
        """Send to everybody there."""
        for caller in self._attended:
            presence.broadcast(caller, content)

    def _take(self, sender: str, content: bytes) -> None:
        self._received(presence.mac_of(sender), content)
