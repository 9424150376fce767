"""Look at what the actions show, now and then and whenever the network changed.

An owner's look waits for nobody: what another action does in ``observe`` takes its time there.
"""

import asyncio
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from havpn_core.daemon.actions.roster import Roster, short
from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.effects.plan import ActionState, Lane
from havpn_core.rules.effects.reconcile import hurry, observe
from havpn_core.rules.role import Role

LOOK_EVERY_S = 5.0
LOOK_DEADLINE_S = 15.0
BURST_S = 0.05
"""One look is enough for the network changes of this time."""


class Looks:
    """Observes the actions of a roster."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._network = asyncio.Event()
        self._turns: WeakKeyDictionary[Caller, asyncio.Lock] = WeakKeyDictionary()

    async def at_those_that_decide(self) -> None:
        """Observe once the actions that say which role is in force."""
        await self._at(Lane.OWNERS if self._roster.plan.owners else Lane.OTHERS)

    async def at_the_rest(self) -> None:
        """Observe once the actions that :meth:`at_those_that_decide` leaves out."""
        if self._roster.plan.owners:
            await self._at(Lane.OTHERS)

    async def for_ever(self, lane: Lane) -> None:
        """Observe the actions of a lane now and then."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._at(lane)
            self._roster.kick()

    def network_changed(self) -> None:
        """Look soon at what owners hold: an address or a device came or went."""
        self._network.set()

    async def at_changes_for_ever(self) -> None:
        """Observe owners whenever the network changed."""
        while True:
            await self._network.wait()
            self._network.clear()
            await self._each(self._names(Lane.OWNERS), soon=True)
            await asyncio.sleep(BURST_S)

    async def _at(self, lane: Lane) -> None:
        """Observe a lane: owners all at once, the others one after the other as in the file."""
        if lane is Lane.OWNERS:
            await self._each(self._names(lane))
            return
        for name in self._names(lane):
            await self._one(name)

    def _names(self, lane: Lane) -> list[str]:
        return [action.name for action in self._roster.plan.actions if action.lane is lane]

    async def _each(self, names: Iterable[str], *, soon: bool = False) -> None:
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(self._one(name, soon=soon))

    async def _one(self, name: str, *, soon: bool = False) -> None:
        """Observe an action after a look at it that is under way: that is no sign of anything.

        :param soon: what it waits for may have come back.
        """
        caller = self._roster.now(name)
        if caller is None:
            return
        async with self._turns.setdefault(caller, asyncio.Lock()):
            await self.at(name)
        if soon:
            self._roster.plan = hurry(self._roster.plan, self._roster.clock())
            self._roster.kick()

    async def at(self, name: str) -> None:
        """Observe one action now, unless it is being changed."""
        roster = self._roster
        caller, changes = roster.now(name), roster.changes[name]
        if caller is None or roster.plan.changing(name):
            return
        role = await self.seen_by(caller)
        if roster.now(name) is not caller or roster.changes[name] != changes:
            return  # reloaded away, or changed, meanwhile: it says nothing of what is now
        before = roster.plan.get(name)
        roster.plan = observe(roster.plan, name, role, roster.clock())
        self.report(before, roster.plan.get(name))

    async def seen_by(self, caller: Caller) -> Role | None:
        """Give what an instance observes; ``None`` if it raises, or does not say it in time."""
        try:
            return await caller.observe(LOOK_DEADLINE_S)
        except HavpnError:
            return None

    def report(self, before: ActionState, after: ActionState) -> None:
        """Report what a look changed."""
        if after.foreign is not before.foreign:
            word = "overridden" if after.foreign else "followed again"
            shown = after.foreign.value if after.foreign else ""
            self._roster.emit(Event("action", short(after.name), "", word, shown, "warning"))
        elif after.failures > before.failures:
            self._roster.emit(
                Event("action", short(after.name), "", "failed", after.error, "error")
            )
