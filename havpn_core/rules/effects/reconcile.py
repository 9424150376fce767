"""Make what is match what is wanted: which effect to run next, and when to try again.

Pure: no clock, socket or thread here; time comes in as seconds of a monotonic clock. It works
on levels, not edges: at any moment it compares the wanted role with what each action shows,
and gives at most one effect a lane. Actions of a lane take a role in the order of the
configuration and give it up in the reverse order. The lanes are those of
:mod:`~havpn_core.rules.effects.plan`.
"""

from dataclasses import replace

from havpn_core.rules.effects.plan import ActionState, Effect, Lane, Plan
from havpn_core.rules.role import Role

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
HEAD_START_S = 0.5
"""How long the lane of the others leaves the host to an owner that has begun: a program that is
started, or a plugin that blocks the event loop, delays whoever shares them."""


def want(plan: Plan, role: Role | None) -> Plan:
    """Change the wish; a new wish ends overrides and starts every retry afresh."""
    if role is plan.wanted:
        return plan
    fresh = plan.actions
    if role is not None and plan.wanted is not None:
        fresh = tuple(_afresh(a) for a in fresh)
    return replace(plan, wanted=role, actions=fresh, prepared=False)


def insist(plan: Plan) -> Plan:
    """Forget overrides and pauses, as an operator orders to carry the role out now."""
    fresh = tuple(_afresh(a) for a in plan.actions)
    return replace(plan, actions=fresh)


def observe(plan: Plan, name: str, role: Role | None, now_s: float) -> Plan:
    """Take in what an action shows.

    A role that was carried out and seen, and now is another, was changed by somebody else. A
    role that was carried out and never seen did not take effect: that is a failure.
    """
    action = plan.get(name)
    if plan.changing(name):
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


def next_effect(plan: Plan, lane: Lane, now_s: float) -> Effect | None:
    """Say what a lane is to do now, if anything.

    Owners that are at it, or have something to do, are left alone for :data:`HEAD_START_S`.
    """
    if lane is Lane.OTHERS and _head_start(plan, now_s):
        return None
    return _due(plan, lane, now_s)


def _head_start(plan: Plan, now_s: float) -> bool:
    if plan.busy(Lane.OWNERS):
        return now_s < plan.owner_since_s + HEAD_START_S
    return _due(plan, Lane.OWNERS, now_s) is not None


def _due(plan: Plan, lane: Lane, now_s: float) -> Effect | None:
    """Say what a lane could do by itself.

    Taking a role stops at the first action that is not there yet, as what comes after may
    depend on it. Giving up goes on past one that fails: the rest must be let go all the same.
    """
    if plan.wanted is None or plan.busy(lane):
        return None
    taking = plan.wanted is Role.ACTIVE
    for action in plan.actions if taking else reversed(plan.actions):
        if action.lane is not lane or action.foreign is not None or action.agrees(plan.wanted):
            continue
        if action.retry_s <= now_s:
            return Effect(action.name, plan.wanted, lane)
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


def begin(plan: Plan, effect: Effect, now_s: float) -> Plan:
    """Note that an effect is under way."""
    since_s = now_s if effect.lane is Lane.OWNERS else plan.owner_since_s
    return replace(plan, running=(*plan.running, effect), owner_since_s=since_s)


def needs_preparing(plan: Plan, effect: Effect) -> bool:
    """Whether an effect is the first by which owners change to the wanted role."""
    return effect.lane is Lane.OWNERS and effect.role is plan.wanted and not plan.prepared


def prepared(plan: Plan, role: Role) -> Plan:
    """Note that all was prepared for a role as far as there was time."""
    return replace(plan, prepared=plan.prepared or plan.wanted is role)


def finish(plan: Plan, effect: Effect, error: str | None, now_s: float) -> Plan:
    """Take in how an effect ended; ``error`` is ``None`` for success.

    An owner's success counts once it has been observed.
    """
    action = plan.get(effect.action)
    if error is None:
        after = replace(
            action,
            observed=None if action.owns else effect.role,
            done=effect.role,
            proved=False,
            error="",
            retry_s=0.0,
            begun=True,
        )
    else:
        # What a failed change left behind is anybody's guess until it is looked at.
        after = _failed(replace(action, observed=None, done=None), error, now_s)
    return _with(abandon(plan, effect), after)


def abandon(plan: Plan, effect: Effect) -> Plan:
    """Take in that an effect is no longer under way, and nothing is concluded from it."""
    running = tuple(each for each in plan.running if each.lane is not effect.lane)
    return replace(plan, running=running)


def wake_s(plan: Plan, lane: Lane, now_s: float) -> float | None:
    """Say when to look again for a lane's effect, if nothing happens before."""
    if plan.wanted is None or plan.busy(lane):
        return None
    waiting = [
        action.retry_s
        for action in plan.actions
        if action.lane is lane
        and action.retry_s > now_s
        and action.foreign is None
        and not action.agrees(plan.wanted)
    ]
    starts_s = plan.owner_since_s + HEAD_START_S
    if plan.busy(Lane.OWNERS) and starts_s > now_s:
        waiting.append(starts_s)
    return min(waiting, default=None)


def _afresh(action: ActionState) -> ActionState:
    return replace(action, foreign=None, failures=0, retry_s=0.0, error="")


def _failed(action: ActionState, error: str, now_s: float) -> ActionState:
    pause = min(FIRST_PAUSE_S * 2.0**action.failures, LONGEST_PAUSE_S)
    return replace(action, failures=action.failures + 1, retry_s=now_s + pause, error=error)


def _with(plan: Plan, changed: ActionState) -> Plan:
    actions = tuple(changed if a.name == changed.name else a for a in plan.actions)
    return replace(plan, actions=actions)
