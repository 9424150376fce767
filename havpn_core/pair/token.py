"""Two gateways, one role: decide when to take it, keep it and give it.

Pure: no clock, socket or thread here; time comes in as seconds of this gateway's monotonic
clock, which has nothing to do with the partner's.

The right to be active is a token with a number (see :class:`~havpn_core.pair.message.Content`).
Its owner is active, whatever its path, until the partner is alive and the better one; then it
first lets go of the role, sees that it is gone, and only then gives the token away, in a frame
that says so. The token can be had in three ways only: it was offered; the partner is silent on
all links; or both gateways live and neither has it, when the one with the larger node number
makes a new one. What is left are the faults that no protocol can exclude: after a partition
or a sleep there may be two owners, who find out with the first frame and settle it at once.
"""

from dataclasses import dataclass, replace
from enum import Enum

from havpn_core.pair.message import Content, Line, Mode, loses, why_give
from havpn_core.rules.role import Role


class Preempt(Enum):
    """Whether the gateway with the higher priority takes the role back when it is well."""

    AUTO = "auto"  #: at once
    DELAY = "delay"  #: after some time
    MANUAL = "manual"  #: never by itself


@dataclass(frozen=True, slots=True)
class Rules:
    """How this gateway plays its part; all times in seconds.

    :param interval_s: from one frame to the next.
    :param dead_s: silence after which the partner counts as dead.
    :param preempt_delay_s: how long this gateway must be well before it takes the role back.
    :param takeover_s: how long taking the role may last before the partner gets it back.
    :param ask_s: how long before the partner counts as dead it is suspected: time to ask the
        LAN whether it still has the address.
    :param rest_s: how long a gateway that could not take the role does not try again, as long
        as the partner can have it.
    """

    interval_s: float
    dead_s: float
    preempt: Preempt = Preempt.AUTO
    preempt_delay_s: float = 0.0
    takeover_s: float = 2.0
    rest_s: float = 30.0
    ask_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Own:
    """What this gateway knows of itself; the fields mean what they mean in ``Content``.

    ``held`` must be ``None`` while a change of the role is under way.

    :param answered: whether somebody still has the address although the partner is silent;
        ``None`` if nobody was asked yet. Matters only while the partner is suspected.
    """

    node: int
    priority: int
    line: Line | None = None
    held: Role | None = None
    maintenance: bool = False
    forced: bool = False
    paused: bool = False
    answered: bool | None = False


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered between two events.

    :param patience_s: nothing is taken for the partner's silence before this time.
    :param told: what the partner last said; :data:`None` if it never was heard.
    :param heard_s: when that was.
    :param doubt_s: since when this owner doubts its right.
    :param deaf_s: since when the partner has been saying that it does not hear us.
    :param taking_s: since when this owner has wanted the role without holding it.
    :param unfit_until_s: this gateway failed to take the role and rests until then.
    :param well_s: since when this gateway could take the role back.
    :param reason: why the right came here or went away, for people.
    """

    patience_s: float
    term: int = 0
    owner: bool = False
    offering: bool = False
    asks: int = 0
    told: Content | None = None
    heard_s: float | None = None
    doubt_s: float | None = None
    deaf_s: float | None = None
    taking_s: float | None = None
    unfit_until_s: float | None = None
    well_s: float | None = None
    reason: str = "started"


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a state.

    :param wanted: the role to have; ``None`` while nothing may be done.
    :param content: what to say in the next frame; a change of it should be said at once.
    :param wake_s: when something changes by itself; ``None`` if nothing does.
    :param reason: why it is so, for people.
    :param suspect: whether the LAN should be asked who has the address.
    """

    wanted: Role | None
    content: Content
    wake_s: float | None
    reason: str
    suspect: bool = False


def begin(rules: Rules, own: Own, now_s: float) -> State:
    """Start: what is held already is kept, in doubt; anything else needs listening first."""
    state = State(patience_s=now_s + rules.dead_s)
    if own.held is Role.ACTIVE:
        state = replace(state, owner=True, doubt_s=now_s, asks=1, reason="was active at the start")
    return step(rules, state, own, now_s)


def hear(rules: Rules, state: State, own: Own, told: Content, now_s: float) -> State:
    """Take in a frame of the partner that is known to be new."""
    if told.hears or told.node == own.node:
        deaf_s = None
    else:
        deaf_s = now_s if state.deaf_s is None else state.deaf_s
    return step(rules, replace(state, told=told, heard_s=now_s, deaf_s=deaf_s), own, now_s)


def wake_late(rules: Rules, state: State, own: Own, late_s: float, now_s: float) -> State:
    """Take in that this gateway did not run for ``late_s`` seconds.

    Its silence may have cost it the role, so an owner asks before it believes in its right;
    and what it did not hear meanwhile is not yet the partner's silence.
    """
    state = replace(state, patience_s=max(state.patience_s, now_s + rules.interval_s))
    if state.owner and late_s >= rules.dead_s - rules.interval_s:
        state = replace(state, doubt_s=now_s, asks=(state.asks + 1) % 256)
    return step(rules, state, own, now_s)


def step(rules: Rules, state: State, own: Own, now_s: float) -> State:
    """Bring a state up to date with this gateway's own facts and the time."""
    if state.unfit_until_s is not None and now_s >= state.unfit_until_s:
        state = replace(state, unfit_until_s=None)
    told = partner(rules, state, now_s)
    if told is None:
        state = _alone(rules, state, own, now_s)
    else:
        state = _together(rules, state, own, told, now_s)
    return _clocks(rules, state, own, now_s)


def decide(rules: Rules, state: State, own: Own, now_s: float) -> Decision:
    """Say what follows; ``state`` must be up to date."""
    content = _content(rules, state, own, now_s)
    suspect = not state.owner and now_s >= _suspected_s(rules, state)
    return Decision(content.wanted, content, _wake(rules, state, now_s), state.reason, suspect)


def partner(rules: Rules, state: State, now_s: float) -> Content | None:
    """Give what the living partner last said; ``None`` if it is silent."""
    if state.told is None or state.heard_s is None or now_s - state.heard_s >= rules.dead_s:
        return None
    return state.told


def _suspected_s(rules: Rules, state: State) -> float:
    """When the silence of the partner becomes suspicious."""
    dead_s = state.patience_s
    if state.heard_s is not None:
        dead_s = max(dead_s, state.heard_s + rules.dead_s)
    return dead_s - rules.ask_s


def _alone(rules: Rules, state: State, own: Own, now_s: float) -> State:
    state = replace(state, deaf_s=None, well_s=None)
    if not state.owner:
        if now_s < state.patience_s or own.answered is not False:
            return state
        return _become_owner(state, state.term + 1, "the partner is silent")
    if state.doubt_s is not None and now_s - state.doubt_s >= rules.dead_s:
        return replace(state, doubt_s=None)
    return state


def _together(rules: Rules, state: State, own: Own, told: Content, now_s: float) -> State:
    accepted = told.offer and told.term > state.term
    # An offer whose number the partner had already used is no news to it: offer again.
    stale = state.offering and not told.offer and not told.owner and told.term >= state.term
    state = replace(state, term=max(state.term, told.term) + stale)
    if state.owner:
        if told.owner:
            return _dispute(rules, state, own, told, now_s)
        if state.doubt_s is not None and told.answers == state.asks:
            state = replace(state, doubt_s=None)
        return _give(rules, state, own, told, now_s)
    if told.owner:
        return replace(state, offering=False)
    if accepted:
        state = _become_owner(state, told.term, "the partner gave the role")
        return _give(rules, state, own, told, now_s)
    if _orphaned(state, own, told):
        state = _become_owner(state, state.term + 1, "nobody had the role")
        return _give(rules, state, own, told, now_s)
    return state


def _orphaned(state: State, own: Own, told: Content) -> bool:
    """Whether nobody has the token and it is on this gateway to make a new one."""
    if own.node <= told.node or (state.offering != told.offer):
        return False
    if state.offering and state.term != told.term:
        return False  # the partner will take our offer as soon as it hears it
    # A partner that still shows the address must lose it first, unless we show it as well.
    return told.held is not Role.ACTIVE or own.held is Role.ACTIVE


def _dispute(rules: Rules, state: State, own: Own, told: Content, now_s: float) -> State:
    """Settle that there are two owners: one yields at once."""
    deaf = state.deaf_s is not None and now_s - state.deaf_s >= rules.dead_s
    if deaf or loses(_content(rules, state, own, now_s), told):
        reason = "the partner does not hear us" if deaf else "the partner is active, too"
        return replace(state, owner=False, offering=False, doubt_s=None, reason=reason)
    return state


def _give(rules: Rules, state: State, own: Own, told: Content, now_s: float) -> State:
    """Give the token away if there is reason to, once the role is seen to be gone."""
    why = why_give(_content(rules, state, own, now_s), told)
    if not why or own.held is not Role.STANDBY:
        return state
    return replace(
        state,
        owner=False,
        offering=True,
        term=state.term + 1,
        doubt_s=None,
        reason=state.reason if state.reason.startswith("gives") else f"gave the role: {why}",
    )


def _become_owner(state: State, term: int, reason: str) -> State:
    return replace(
        state, owner=True, offering=False, term=term, well_s=None, taking_s=None, reason=reason
    )


def _clocks(rules: Rules, state: State, own: Own, now_s: float) -> State:
    """Start, stop and read the clocks that run while something lasts."""
    told = partner(rules, state, now_s)
    wanted = _wanted(rules, state, own, now_s)
    taking_s, unfit_s, well_s = None, state.unfit_until_s, None
    if state.owner and wanted is Role.ACTIVE and own.held is not Role.ACTIVE and not own.paused:
        taking_s = now_s if state.taking_s is None else state.taking_s
        able = told is not None and not told.unfit and not told.paused
        if able and now_s - taking_s >= rules.takeover_s:
            taking_s, unfit_s = None, now_s + rules.rest_s
    elif own.held is Role.ACTIVE:
        unfit_s = None
    if told is not None and told.owner and not state.owner and _well(own, told):
        well_s = now_s if state.well_s is None else state.well_s
    changed = replace(state, taking_s=taking_s, unfit_until_s=unfit_s, well_s=well_s)
    if unfit_s != state.unfit_until_s and unfit_s is not None and told is not None:
        return _give(rules, changed, own, told, now_s)
    return changed


def _well(own: Own, told: Content) -> bool:
    fit = own.line is Line.UP and not own.maintenance and not own.paused
    return fit and own.priority > told.priority


def _claims(rules: Rules, state: State, now_s: float) -> bool:
    if state.well_s is None or rules.preempt is Preempt.MANUAL or state.unfit_until_s is not None:
        return False
    return rules.preempt is Preempt.AUTO or now_s - state.well_s >= rules.preempt_delay_s


def _wanted(rules: Rules, state: State, own: Own, now_s: float) -> Role | None:
    told = partner(rules, state, now_s)
    if not state.owner:
        listening = state.told is None and not state.offering
        return None if listening and own.held is None else Role.STANDBY
    if told is None or told.owner or not why_give(_bare(rules, state, own, now_s), told):
        return Role.ACTIVE
    return Role.STANDBY


def _bare(rules: Rules, state: State, own: Own, now_s: float) -> Content:
    """Say everything but the wish, which depends on the rest."""
    return Content(
        node=own.node,
        priority=own.priority,
        line=own.line,
        held=own.held,
        term=state.term,
        owner=state.owner,
        offer=state.offering,
        claim=_claims(rules, state, now_s),
        hears=partner(rules, state, now_s) is not None,
        doubt=state.owner and state.doubt_s is not None,
        maintenance=own.maintenance,
        forced=own.forced,
        paused=own.paused,
        unfit=state.unfit_until_s is not None,
        asks=state.asks,
        answers=state.told.asks if state.told is not None else 0,
    )


def _content(rules: Rules, state: State, own: Own, now_s: float) -> Content:
    wanted = _wanted(rules, state, own, now_s)
    bare = _bare(rules, state, own, now_s)
    return replace(bare, wanted=wanted, mode=_mode(state, bare, wanted))


def _mode(state: State, bare: Content, wanted: Role | None) -> Mode:
    if bare.owner and wanted is Role.ACTIVE:
        if bare.doubt:
            return Mode.DOUBTING
        return Mode.ACTIVE if bare.held is Role.ACTIVE else Mode.TAKING
    if bare.offer:
        return Mode.OFFERING
    if bare.held is Role.ACTIVE or bare.owner:
        return Mode.RELEASING
    return Mode.LISTENING if state.told is None else Mode.STANDBY


def _wake(rules: Rules, state: State, now_s: float) -> float | None:
    times = [
        state.patience_s,
        None if state.owner else _suspected_s(rules, state),
        state.unfit_until_s,
        _after(state.heard_s, rules.dead_s),
        _after(state.doubt_s, rules.dead_s),
        _after(state.deaf_s, rules.dead_s),
        _after(state.taking_s, rules.takeover_s),
        _after(state.well_s, rules.preempt_delay_s),
    ]
    return min((t for t in times if t is not None and t > now_s), default=None)


def _after(since_s: float | None, pause_s: float) -> float | None:
    return None if since_s is None else since_s + pause_s
