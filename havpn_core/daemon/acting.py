"""Carry the wanted role out: runs the effects that :mod:`havpn_core.rules.reconcile` asks for."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from havpn_core.config.instances import Instance
from havpn_core.daemon.state.memory import ActionMemory
from havpn_core.daemon.state.status import ActionStatus
from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.reconcile import (
    ActionState,
    Effect,
    Phase,
    Plan,
    abandon,
    begin,
    finish,
    hurry,
    insist,
    next_effect,
    observe,
    wake_s,
    want,
)
from havpn_core.rules.wish import Wish

LOOK_EVERY_S = 5.0
LOOK_DEADLINE_S = 15.0
BURST_S = 0.05
"""One look is enough for the network changes of this time."""
GRACE_S = 1.0
"""What an action may exceed its deadline by, to clean up after itself."""


class Acting:
    """The actions of this gateway at work.

    :param emit: takes every event.
    :param remember: writes the memory down; awaited before an effect begins, so that a run
        that is killed in the middle of it is understood by the next.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        remember: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self.moved: Callable[[], None] = lambda: None  #: called when a role came into force
        self._plan = Plan()
        self._held = False
        self._busy: Caller | None = None
        self._changes = 0
        self._free = asyncio.Event()
        self._emit, self._remember, self._clock = emit, remember, clock
        self._actions: dict[str, tuple[Instance, Caller]] = {}
        self._kick = asyncio.Event()
        self._network = asyncio.Event()

    @property
    def plan(self) -> Plan:
        """What is wanted and what is."""
        return self._plan

    @plan.setter
    def plan(self, plan: Plan) -> None:
        before, self._plan = self._plan, plan
        if plan.observed is not before.observed or plan.running is not before.running:
            self.moved()

    def install(
        self, actions: dict[str, tuple[Instance, Caller]], memories: dict[str, ActionMemory]
    ) -> None:
        """Use these actions; those at work before keep their state.

        A new instance under an old name begins with nothing but what it shows. A change that is
        under way comes to its end before another one begins, whatever is configured by then.
        """
        old = {action.name: action for action in self.plan.actions}
        states = []
        for name, (instance, caller) in actions.items():
            known = self._actions.get(name)
            if known is None:
                states.append(_recalled(name, instance, memories.get(name)))
            elif known[1] is caller:
                states.append(old[name])
            else:
                states.append(ActionState(name, getattr(instance.type, "owns", False)))
        running = self.plan.running
        self._actions = actions
        for name, (_, caller) in actions.items():
            caller.tell_conflicts(partial(self._tell_conflict, _short(name)))
        self.plan = Plan(tuple(states), self.plan.wanted, running)
        self._kick.set()

    @property
    def owners(self) -> dict[str, Caller]:
        """The actions that alone own what they hold."""
        owning = {action.name for action in self.plan.actions if action.owns}
        return {_short(n): caller for n, (_, caller) in self._actions.items() if n in owning}

    def _tell_conflict(self, name: str, rival: str) -> None:
        text = f"{rival} claims an address that this gateway holds"
        self._emit(Event("action", name, "", "conflict", text, "error"))

    def want(self, wish: Wish) -> None:
        """Change the wish."""
        self._held = wish.held
        self.plan = want(self.plan, wish.role)
        self._kick.set()

    def insist(self) -> None:
        """Carry the role out now, whatever somebody else made of it."""
        self.plan = insist(self.plan)
        self._kick.set()

    async def until_free(self, caller: Caller) -> None:
        """Wait until no change runs through this instance any more."""
        while self._busy is caller:
            self._free.clear()
            await self._free.wait()

    async def look(self) -> None:
        """Observe all actions once."""
        for name in list(self._actions):
            await self._look(name)

    async def look_for_ever(self) -> None:
        """Observe all actions now and then."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()
            self._kick.set()

    def network_changed(self) -> None:
        """Look soon at what owners hold: an address or a device came or went."""
        self._network.set()

    async def look_at_changes_for_ever(self) -> None:
        """Observe owners whenever the network changed."""
        while True:
            await self._network.wait()
            self._network.clear()
            for action in self.plan.actions:
                if action.owns:
                    await self._look(action.name)
            self.plan = hurry(self.plan, self._clock())
            self._kick.set()
            await asyncio.sleep(BURST_S)

    async def act_for_ever(self) -> None:
        """Run one effect after the other as long as there is something to do."""
        while True:
            effect = None if self._held else next_effect(self.plan, self._clock())
            if effect is not None:
                await self._carry_out(effect)
                continue
            due = wake_s(self.plan, self._clock())
            pause = None if due is None else max(0.0, due - self._clock())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._kick.wait()
            self._kick.clear()

    async def _look(self, name: str) -> None:
        if self.plan.running is not None and self.plan.running.action == name:
            return
        if name not in self._actions:
            return
        caller, changes = self._actions[name][1], self._changes
        try:
            role = await caller.observe(LOOK_DEADLINE_S)
        except HavpnError:
            role = None
        if self._now(name) is not caller or self._changes != changes:
            return  # reloaded away, or changed, meanwhile: it says nothing of what is now
        before = self.plan.get(name)
        self.plan = observe(self.plan, name, role, self._clock())
        self._report_look(before, self.plan.get(name))

    def _report_look(self, before: ActionState, after: ActionState) -> None:
        if after.foreign is not before.foreign:
            word = "overridden" if after.foreign else "followed again"
            shown = after.foreign.value if after.foreign else ""
            self._emit(Event("action", _short(after.name), "", word, shown, "warning"))
        elif after.failures > before.failures:
            self._emit(Event("action", _short(after.name), "", "failed", after.error, "error"))

    async def _carry_out(self, effect: Effect) -> None:
        instance, caller = self._actions[effect.action]
        self._busy = caller
        self._changes += 1
        self.plan = begin(self.plan, effect)
        try:
            await self._change(effect, instance, caller)
        finally:
            self._busy = None
            self._free.set()

    async def _change(self, effect: Effect, instance: Instance, caller: Caller) -> None:
        if not self.plan.get(effect.action).owns:
            # What an owner did before it was killed, it can see; it need not wait for the disk.
            await self._remember()
        self._emit(Event("action", _short(effect.action), "", f"applying {effect.role.value}"))
        error = None
        try:
            await caller.apply(effect.role, instance.deadline_s, instance.deadline_s + GRACE_S)
        except HavpnError as problem:
            error = str(problem)
        if self._now(effect.action) is not caller:
            # Reloaded away meanwhile: what it did says nothing of what has its name now.
            self.plan = abandon(self.plan)
            return
        self.plan = finish(self.plan, effect, error, self._clock())
        await self._look(effect.action)
        await self._remember()
        if self._now(effect.action) is caller:
            self._report_end(effect, error)

    def _now(self, name: str) -> Caller | None:
        """Give the instance that has this name now."""
        return self._actions[name][1] if name in self._actions else None

    def _report_end(self, effect: Effect, error: str | None) -> None:
        state = self.plan.get(effect.action)
        if error is None:
            self._emit(Event("action", _short(effect.action), "", effect.role.value))
            return
        pause = max(0.0, state.retry_s - self._clock())
        detail = f"{effect.role.value}: {error}; next try in {pause:.0f} s"
        self._emit(Event("action", _short(effect.action), "", "failed", detail, "error"))

    def memories(self) -> dict[str, ActionMemory]:
        """Give what the next run must know."""
        running = self.plan.running
        return {
            action.name: ActionMemory(
                done=action.done,
                running=running.role if running and running.action == action.name else None,
                foreign=action.foreign,
            )
            for action in self.plan.actions
        }

    def facts(self) -> dict[str, ActionStatus]:
        """Give its part of the status."""
        now = self._clock()
        return {
            _short(action.name): ActionStatus(
                type=self._actions[action.name][0].type.name,
                phase=self.plan.phase(action.name, now).value,
                observed=action.observed.value if action.observed else None,
                failures=action.failures,
                error=action.error or None,
                facts=self._actions[action.name][1].facts(),
            )
            for action in self.plan.actions
        }

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        if self.plan.running is not None:
            return False
        phases = (self.plan.phase(a.name, self._clock()) for a in self.plan.actions)
        return all(phase in (Phase.SETTLED, Phase.OVERRIDDEN) for phase in phases)


def _recalled(name: str, instance: Instance, memory: ActionMemory | None) -> ActionState:
    owns = getattr(instance.type, "owns", False)
    if memory is None or memory.running is not None:
        return ActionState(name, owns)
    return ActionState(
        name,
        owns,
        done=memory.done,
        proved=memory.done is not None,
        foreign=memory.foreign,
    )


def _short(name: str) -> str:
    return name.removeprefix("action.")
