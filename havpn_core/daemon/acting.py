"""Carry the wanted role out: runs what :mod:`~havpn_core.rules.effects.reconcile` gives."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from havpn_core.config.instances import Instance
from havpn_core.daemon.actions.looks import Looks
from havpn_core.daemon.actions.roster import Roster, short
from havpn_core.daemon.state.events import APPLYING
from havpn_core.daemon.state.memory import ActionMemory
from havpn_core.daemon.state.status import ActionStatus
from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.effects.plan import Effect, Lane, Plan
from havpn_core.rules.effects.reconcile import (
    abandon,
    begin,
    finish,
    insist,
    needs_preparing,
    next_effect,
    observe,
    prepared,
    wake_s,
    want,
)
from havpn_core.rules.role import Role
from havpn_core.rules.wish import Wish

GRACE_S = 1.0
"""What an action may exceed its deadline by, to clean up after itself."""
PREPARE_S = 0.1
"""What all that prepares for a change of the addresses may take."""


class Acting:
    """The actions of this gateway at work.

    :param emit: takes every event.
    :param remember: writes the memory down; awaited before an effect of an action that owns
        nothing begins, so that a run that is killed in the middle of it is understood by the next.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        remember: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._roster = Roster(emit, clock)
        self._looks = Looks(self._roster)
        self._held = False
        self._busy: dict[Lane, Caller] = {}
        self._free = asyncio.Event()
        self._unwritten = asyncio.Event()
        self._emit, self._remember, self._clock = emit, remember, clock

    # --- what is wanted and what is ---------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """What is wanted and what is."""
        return self._roster.plan

    @property
    def owners(self) -> dict[str, Caller]:
        """The actions that alone own what they hold."""
        return self._roster.owners

    @property
    def seeing(self) -> list[Caller]:
        """The actions that can see whether another gateway serves."""
        return self._roster.seeing

    @property
    def ranking(self) -> dict[str, Caller]:
        """The actions that pass on how good this gateway's lines are."""
        return self._roster.ranking

    @property
    def advised(self) -> bool:
        """Whether the role in force is one that a cluster manager may or may not follow."""
        return self._roster.advised

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self._roster.settled

    def facts(self) -> dict[str, ActionStatus]:
        """Give its part of the status."""
        return self._roster.facts()

    def memories(self) -> dict[str, ActionMemory]:
        """Give what the next run must know."""
        return self._roster.memories()

    @property
    def moved(self) -> Callable[[], None]:
        """What is called when another role is in force."""
        return self._roster.moved

    @moved.setter
    def moved(self, moved: Callable[[], None]) -> None:
        self._roster.moved = moved

    def tell_claims(self, tell: Callable[[], None]) -> None:
        """Have it reported when a rival claims an address that is held here."""
        self._roster.claimed = tell

    def install(
        self, actions: dict[str, tuple[Instance, Caller]], memories: dict[str, ActionMemory]
    ) -> None:
        """Use these actions; see :meth:`Roster.install`."""
        self._roster.install(actions, memories)

    def want(self, wish: Wish) -> None:
        """Change the wish."""
        self._held = wish.held
        self._roster.plan = want(self.plan, wish.role)
        self._roster.kick()

    def insist(self) -> None:
        """Carry the role out now, whatever somebody else made of it."""
        self._roster.plan = insist(self.plan)
        self._roster.kick()

    async def until_free(self, caller: Caller) -> None:
        """Wait until no change runs through this instance any more."""
        while caller in self._busy.values():
            self._free.clear()
            await self._free.wait()

    # --- looking ----------------------------------------------------------------------------------

    async def look(self) -> None:
        """Observe once what says which role is in force."""
        await self._looks.at_those_that_decide()

    async def look_for_ever(self, lane: Lane) -> None:
        """Observe the actions of a lane now and then."""
        await self._looks.for_ever(lane)

    def network_changed(self) -> None:
        """Look soon at what owners hold: an address or a device came or went."""
        self._looks.network_changed()

    async def look_at_changes_for_ever(self) -> None:
        """Observe owners whenever the network changed."""
        await self._looks.at_changes_for_ever()

    # --- carrying out -----------------------------------------------------------------------------

    async def act_for_ever(self, lane: Lane) -> None:
        """Run one effect of a lane after the other as long as there is something to do."""
        if lane is Lane.OTHERS:
            await self._looks.at_the_rest()
        kick = self._roster.kicks[lane]
        while True:
            effect = None if self._held else next_effect(self.plan, lane, self._clock())
            if effect is not None:
                await self._carry_out(effect)
                continue
            due = wake_s(self.plan, lane, self._clock())
            pause = None if due is None else max(0.0, due - self._clock())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await kick.wait()
            kick.clear()

    async def remember_for_ever(self) -> None:
        """Write down what owners did, beside them: what they did, the next run can see, too."""
        while True:
            await self._unwritten.wait()
            self._unwritten.clear()
            await self._remember()

    async def _carry_out(self, effect: Effect) -> None:
        instance, caller = self._roster.actions[effect.action]
        self._busy[effect.lane] = caller
        self._roster.changes[effect.action] += 1
        self._roster.plan = begin(self.plan, effect, self._clock())
        self._roster.kick()
        try:
            if effect.lane is Lane.OWNERS:
                await self._change_owned(effect, instance, caller)
            else:
                await self._change_other(effect, instance, caller)
        finally:
            del self._busy[effect.lane]
            self._free.set()
            self._roster.kick()

    async def _change_owned(self, effect: Effect, instance: Instance, caller: Caller) -> None:
        """Change what an owner holds; it counts as soon as it is observed, and not before."""
        if needs_preparing(self.plan, effect):
            await self._prepare(effect.role)
            gone = self._held or self.plan.wanted is not effect.role
            if gone or self._roster.now(effect.action) is not caller:
                self._abandon(effect)
                return
        error = await self._apply(effect, instance, caller)
        seen = await self._looks.seen_by(caller)
        if self._roster.now(effect.action) is not caller:
            self._abandon(effect)
            return
        now = self._clock()
        done = finish(self.plan, effect, error, now)
        self._roster.plan = observe(done, effect.action, seen, now)
        self._looks.report(done.get(effect.action), self.plan.get(effect.action))
        self._report_end(effect, error)
        self._unwritten.set()

    async def _change_other(self, effect: Effect, instance: Instance, caller: Caller) -> None:
        await self._remember()
        error = await self._apply(effect, instance, caller)
        if self._roster.now(effect.action) is not caller:
            self._abandon(effect)
            return
        self._roster.plan = finish(self.plan, effect, error, self._clock())
        await self._looks.at(effect.action)
        await self._remember()
        if self._roster.now(effect.action) is caller:
            self._report_end(effect, error)

    def _abandon(self, effect: Effect) -> None:
        """End an effect that is not wanted any more, or whose action was reloaded away.

        It says nothing of what is there now.
        """
        self._roster.plan = abandon(self.plan, effect)

    async def _apply(self, effect: Effect, instance: Instance, caller: Caller) -> str | None:
        """Apply a role; gives why that failed."""
        self._emit(Event("action", short(effect.action), "", APPLYING + effect.role.value))
        try:
            await caller.apply(effect.role, instance.deadline_s, instance.deadline_s + GRACE_S)
        except HavpnError as problem:
            return str(problem)
        return None

    async def _prepare(self, role: Role) -> None:
        """Have everything prepared that can be prepared in time."""
        callers = self._roster.preparing
        problems = await asyncio.gather(*(_prepared(each, role) for each in callers.values()))
        self._roster.plan = prepared(self.plan, role)
        for name, problem in zip(callers, problems, strict=True):
            if problem is not None:
                text = f"prepare {role.value}: {problem}"
                self._emit(Event("action", short(name), "", "failed", text, "error"))

    def _report_end(self, effect: Effect, error: str | None) -> None:
        state = self.plan.get(effect.action)
        if error is not None:
            pause = max(0.0, state.retry_s - self._clock())
            detail = f"{effect.role.value}: {error}; next try in {pause:.0f} s"
            self._emit(Event("action", short(effect.action), "", "failed", detail, "error"))
        elif state.done is effect.role:  # else a look has shown, and reported, that it is not so
            unseen = effect.lane is Lane.OWNERS and state.observed is None
            more = ("reported, but not to be observed", "warning") if unseen else ("", "info")
            self._emit(Event("action", short(effect.action), "", effect.role.value, *more))


async def _prepared(caller: Caller, role: Role) -> str | None:
    """Have one action prepare; gives why that failed."""
    try:
        await caller.prepare(role, PREPARE_S)
    except HavpnError as problem:
        return str(problem)
    return None
