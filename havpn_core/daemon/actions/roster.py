"""The actions that are configured, with what is known of each."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial

from havpn_core.config.instances import Instance
from havpn_core.daemon.state.memory import ActionMemory
from havpn_core.daemon.state.status import ActionStatus
from havpn_core.plugging.clusters import PartnerSeeing, Ranking
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.partners import advises
from havpn_core.plugging.protocols import Prepares
from havpn_core.rules.effects.plan import ActionState, Lane, Phase, Plan


class Roster:
    """The actions at work, and the plan for them.

    :param emit: takes every event.
    """

    def __init__(self, emit: Callable[[Event], None], clock: Callable[[], float]) -> None:
        self.emit, self.clock = emit, clock
        self.moved: Callable[[], None] = lambda: None  #: called when another role is in force
        self.claimed: Callable[[], None] = lambda: None  #: called when a rival claims an address
        self.actions: dict[str, tuple[Instance, Caller]] = {}
        self.changes: Counter[str] = Counter()  #: how many changes of each action have begun
        self.kicks = {lane: asyncio.Event() for lane in Lane}
        self._plan = Plan()
        self._preparing: list[str] = []

    @property
    def plan(self) -> Plan:
        """What is wanted and what is."""
        return self._plan

    @plan.setter
    def plan(self, plan: Plan) -> None:
        before, self._plan = self._plan, plan
        if plan.held is not before.held:
            self.moved()

    def kick(self) -> None:
        """Have every lane look for something to do."""
        for each in self.kicks.values():
            each.set()

    def install(
        self, actions: dict[str, tuple[Instance, Caller]], memories: dict[str, ActionMemory]
    ) -> None:
        """Use these actions; those at work before keep their state.

        A new instance under an old name begins with nothing but what it shows. A change that is
        under way comes to its end before another one of its lane begins, whatever is configured
        by then.
        """
        old = {action.name: action for action in self.plan.actions}
        states = []
        for name, (instance, caller) in actions.items():
            known = self.actions.get(name)
            if known is None:
                states.append(_recalled(name, instance, memories.get(name)))
            elif known[1] is caller:
                states.append(old[name])
            else:
                states.append(ActionState(name, _owns(instance)))
        self.actions = actions
        self._preparing = [n for n, (_, caller) in actions.items() if caller.able(Prepares)]
        for name, (_, caller) in actions.items():
            caller.tell_conflicts(partial(self._tell_conflict, short(name)))
        plan = self.plan
        self.plan = Plan(
            tuple(states), plan.wanted, plan.running, plan.owner_since_s, plan.prepared
        )
        self.kick()

    def _tell_conflict(self, name: str, rival: str) -> None:
        text = f"{rival} claims an address that this gateway holds"
        self.emit(Event("action", name, "", "conflict", text, "error"))
        self.claimed()

    def now(self, name: str) -> Caller | None:
        """Give the instance that has this name now."""
        return self.actions[name][1] if name in self.actions else None

    @property
    def owners(self) -> dict[str, Caller]:
        """The actions that alone own what they hold."""
        return {short(each.name): self.actions[each.name][1] for each in self.plan.owners}

    @property
    def seeing(self) -> list[Caller]:
        """The actions that can see whether another gateway serves."""
        return [each for _, each in self.actions.values() if each.able(PartnerSeeing)]

    @property
    def ranking(self) -> dict[str, Caller]:
        """The actions that pass on how good this gateway's lines are, by their short names."""
        return {short(n): each for n, (_, each) in self.actions.items() if each.able(Ranking)}

    @property
    def advised(self) -> bool:
        """Whether the role in force is one that a cluster manager may or may not follow."""
        others = [caller for _, caller in self.actions.values()]
        return not self.plan.owners and any(map(advises, others))

    @property
    def preparing(self) -> dict[str, Caller]:
        """The actions to prepare for a change of the owners'.

        Let alone is one that others gave a role, and one that is still at an earlier change.
        """
        free = {
            each.name
            for each in self.plan.actions
            if each.owns or (each.foreign is None and not self.plan.changing(each.name))
        }
        return {name: self.actions[name][1] for name in self._preparing if name in free}

    def memories(self) -> dict[str, ActionMemory]:
        """Give what the next run must know."""
        running = {(effect.action, effect.lane): effect.role for effect in self.plan.running}
        return {
            action.name: ActionMemory(
                done=action.done,
                running=running.get((action.name, action.lane)),
                foreign=action.foreign,
            )
            for action in self.plan.actions
        }

    def facts(self) -> dict[str, ActionStatus]:
        """Give its part of the status."""
        now_s = self.clock()
        return {short(each.name): self._facts(each, now_s) for each in self.plan.actions}

    def _facts(self, action: ActionState, now_s: float) -> ActionStatus:
        phase = self.plan.phase(action.name, now_s)
        waits = phase is Phase.RETRYING
        instance, caller = self.actions[action.name]
        return ActionStatus(
            type=instance.type.name,
            phase=phase.value,
            observed=action.observed.value if action.observed else None,
            failures=action.failures,
            error=self.plan.trouble(action.name, now_s) or None,
            retry_s=round(action.retry_s - now_s, 3) if waits else None,
            facts=caller.facts(),
        )

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        if self.plan.running:
            return False
        phases = (self.plan.phase(a.name, self.clock()) for a in self.plan.actions)
        return all(phase in (Phase.SETTLED, Phase.OVERRIDDEN) for phase in phases)


def short(name: str) -> str:
    """Give an action's name as events and the status have it."""
    return name.removeprefix("action.")


def _owns(instance: Instance) -> bool:
    return getattr(instance.type, "owns", False)


def _recalled(name: str, instance: Instance, memory: ActionMemory | None) -> ActionState:
    if memory is None or memory.running is not None:
        return ActionState(name, _owns(instance))
    return ActionState(
        name,
        _owns(instance),
        done=memory.done,
        proved=memory.done is not None,
        foreign=memory.foreign,
    )
