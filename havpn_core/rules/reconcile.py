"""Make what is match what is wanted: which effect to run next, and when to try again.

Pure: no clock, socket or thread here; time comes in as seconds of a monotonic clock. It works
on levels, not edges: at any moment it compares the wanted role with what each action shows,
and gives at most one effect. Actions take a role in the order of the configuration and
give it up in the reverse order.
"""

from dataclasses import dataclass, replace
from enum import Enum

from havpn_core.rules.role import Role

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Phase(Enum):
    """Where one action stands."""

    SETTLED = "settled"  #: shows the wanted role, or nothing is wanted of it yet
    PENDING = "pending"  #: waits for its turn
    APPLYING = "applying"
    RETRYING = "retrying"  #: failed, waits before the next try
    OVERRIDDEN = "overridden"  #: somebody changed the role behind our back; not fought


@dataclass(frozen=True, slots=True)
class ActionState:
    """What is known of one action.

    :param owns: a role changed behind its back is put right at once.
    :param begun: a role was carried out in this run. What an owner holds from before must be
        applied once more, as it has announcing and watching to do with it.
    :param observed: the role last seen, or ``None`` if it is not known.
    :param done: the role last carried out with success.
    :param proved: the role in ``done`` has been observed since.
    :param failures: failures in a row.
    :param retry_s: when it may be tried again.
    :param foreign: the role that somebody else gave it, while that is respected.
    """

    name: str
    owns: bool = False
    observed: Role | None = None
    done: Role | None = None
    proved: bool = False
    failures: int = 0
    retry_s: float = 0.0
    error: str = ""
    foreign: Role | None = None
    begun: bool = False

    def agrees(self, wanted: Role) -> bool:
        """Whether nothing needs to be done for ``wanted``."""
        applied = self.done if self.begun else None
        if self.owns and (applied is wanted.other or (applied is None and wanted is Role.ACTIVE)):
            return False
        if self.observed is not None:
            return self.observed is wanted
        return self.done is wanted


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to do: bring one action into a role."""

    action: str
    role: Role


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions of this gateway, the role that they should show, the effect under way.

    :param wanted: ``None`` as long as nothing may be done, as before the first verdict.
    """

    actions: tuple[ActionState, ...] = ()
    wanted: Role | None = None
    running: Effect | None = None

    def get(self, name: str) -> ActionState:
        """Give the state of one action."""
        return next(action for action in self.actions if action.name == name)

    def phase(self, name: str, now_s: float) -> Phase:
        """Give the word for where one action stands."""
        action = self.get(name)
        if self.running is not None and self.running.action == name:
            return Phase.APPLYING
        if action.foreign is not None:
            return Phase.OVERRIDDEN
        if self.wanted is None or action.agrees(self.wanted):
            return Phase.SETTLED
        return Phase.RETRYING if action.retry_s > now_s else Phase.PENDING

    @property
    def observed(self) -> Role | None:
        """The role in force as far as all actions agree on it."""
        roles = {action.observed or action.done for action in self.actions}
        return roles.pop() if len(roles) == 1 else None


def want(plan: Plan, role: Role | None) -> Plan:
    """Change the wish; a new wish ends overrides and starts every retry afresh."""
    if role is plan.wanted:
        return plan
    fresh = plan.actions
    if role is not None and plan.wanted is not None:
        fresh = tuple(replace(a, foreign=None, failures=0, retry_s=0.0) for a in fresh)
    return replace(plan, wanted=role, actions=fresh)


def insist(plan: Plan) -> Plan:
    """Forget overrides and pauses, as an operator asks to carry the role out now."""
    fresh = tuple(replace(a, foreign=None, failures=0, retry_s=0.0) for a in plan.actions)
    return replace(plan, actions=fresh)


def observe(plan: Plan, name: str, role: Role | None, now_s: float) -> Plan:
    """Take in what an action shows.

    A role that was carried out and seen, and now is another, was changed by somebody else. A
    role that was carried out and never seen did not take effect: that is a failure.
    """
    action = plan.get(name)
    if plan.running is not None and plan.running.action == name:
        return plan  # a look in the middle of a change proves nothing
    after = replace(action, observed=role)
    if role is None or action.done is None:
        pass
    elif role is action.done:
        after = replace(after, proved=True, foreign=None, failures=0, error="")
    elif not action.proved:
        error = f"reported success, but this gateway is still {role.value}"
        after = _failed(replace(after, done=None), error, now_s)
    elif not action.owns and plan.wanted is action.done:
        after = replace(after, foreign=role)
    return _with(plan, after)


def next_effect(plan: Plan, now_s: float) -> Effect | None:
    """Say what to do now, if anything.

    Taking a role stops at the first action that is not there yet, as what comes after may
    depend on it. Giving up goes on past one that fails: the rest must be let go all the same.
    """
    if plan.wanted is None or plan.running is not None:
        return None
    taking = plan.wanted is Role.ACTIVE
    for action in plan.actions if taking else reversed(plan.actions):
        if action.foreign is not None or action.agrees(plan.wanted):
            continue
        if action.retry_s <= now_s:
            return Effect(action.name, plan.wanted)
        if taking:
            return None
    return None


def hurry(plan: Plan, now_s: float) -> Plan:
    """Let owners that wait for a retry have it soon: what they need may have come back."""
    soon_s = now_s + FIRST_PAUSE_S
    actions = tuple(
        replace(a, retry_s=min(a.retry_s, soon_s)) if a.owns else a for a in plan.actions
    )
    return replace(plan, actions=actions)


def begin(plan: Plan, effect: Effect) -> Plan:
    """Note that an effect is under way."""
    return replace(plan, running=effect)


def finish(plan: Plan, effect: Effect, error: str | None, now_s: float) -> Plan:
    """Take in how an effect ended; ``error`` is ``None`` for success."""
    action = plan.get(effect.action)
    if error is None:
        after = replace(
            action,
            observed=effect.role,
            done=effect.role,
            proved=False,
            error="",
            retry_s=0.0,
            begun=True,
        )
    else:
        # What a failed change left behind is anybody's guess until it is looked at.
        after = _failed(replace(action, observed=None, done=None), error, now_s)
    return _with(replace(plan, running=None), after)


def abandon(plan: Plan) -> Plan:
    """Take in that the effect under way ended and its action is no longer the one that began it."""
    return replace(plan, running=None)


def wake_s(plan: Plan, now_s: float) -> float | None:
    """Say when to ask again for an effect, if nothing happens before."""
    if plan.wanted is None or plan.running is not None:
        return None
    waiting = [
        action.retry_s
        for action in plan.actions
        if action.retry_s > now_s and action.foreign is None and not action.agrees(plan.wanted)
    ]
    return min(waiting, default=None)


def _failed(action: ActionState, error: str, now_s: float) -> ActionState:
    pause = min(FIRST_PAUSE_S * 2.0**action.failures, LONGEST_PAUSE_S)
    return replace(action, failures=action.failures + 1, retry_s=now_s + pause, error=error)


def _with(plan: Plan, changed: ActionState) -> Plan:
    actions = tuple(changed if a.name == changed.name else a for a in plan.actions)
    return replace(plan, actions=actions)
