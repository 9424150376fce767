"""Two gateways, one role: decide when to take it, keep it and give it.

Pure: no clock, socket or thread here; time comes in as seconds of this gateway's monotonic
clock, which has nothing to do with the partner's.

The right to be active is a token with a number (see :class:`~havpn_core.pair.message.Content`).
Its owner is active, whatever its path, until the partner is alive and the better one; then it
first lets go of the role, sees that it is gone, and only then gives the token away, in a frame
that says so. The token can be had in three ways only: it was offered; the partner is silent on
all links, or has no ears for this gateway and either no token or no fitness, and nobody on the LAN
has the address; or both gateways live and neither has it, when the one with the higher priority
makes a new one. A token of the second way is void if the address is found in use before the role is
held. What is left are the faults that no protocol can exclude: after a partition or a sleep there
may be two owners, who find out with the first frame and settle it at once.

What follows from each event is in :mod:`~havpn_core.pair.table`; what happens is said here.
"""

from msgspec.structs import replace

from havpn_core.pair.content import (
    content_of,
    detail,
    explained,
    followed,
    here_of,
    lined,
    mode_of,
    reason_of,
    road_view,
    wanted_of,
    well,
)
from havpn_core.pair.lines.resting import over_s
from havpn_core.pair.message import Content, loses, tie, why_give
from havpn_core.pair.state import OWNING, Decision, Own, PairRules, PairState, Token
from havpn_core.pair.table import TABLE, Event
from havpn_core.rules.road.follow import may_claim, wakes
from havpn_core.rules.role import Role


def start(rules: PairRules, own: Own, now_s: float) -> PairState:
    """Start: what is held already is kept, in doubt; anything else needs listening first."""
    state = PairState(patience_s=now_s)
    patience_s = max(state.silence_s(rules), rules.start_s)
    state = replace(state, patience_s=now_s + patience_s)
    if own.held is Role.ACTIVE:
        state = _follow(state, Event.FOUND_ACTIVE, now_s)
    return step(rules, state, own, now_s)


def receive(
    rules: PairRules, state: PairState, own: Own, message: Content, now_s: float
) -> PairState:
    """Take in a message of the partner that is known to be new.

    The patience of the start ends with it: from now on the partner's silence counts.
    """
    unheard_s = None
    if not message.hears:
        unheard_s = now_s if state.unheard_s is None else state.unheard_s
    patience_s = min(state.patience_s, now_s)
    heard = replace(
        state, patience_s=patience_s, message=message, received_s=now_s, unheard_s=unheard_s
    )
    return step(rules, heard, own, now_s)


def wake_late(
    rules: PairRules, state: PairState, own: Own, late_s: float, now_s: float
) -> PairState:
    """Take in that this gateway did not run for ``late_s`` seconds.

    Its silence may have cost it the role, so an owner challenges the partner before it believes
    in its right; and what it did not hear meanwhile is not yet the partner's silence.
    """
    state = replace(state, patience_s=max(state.patience_s, now_s + rules.interval_s))
    if state.owner and late_s >= state.least_silence_s(rules) - rules.interval_s:
        state = _follow(state, Event.SLEPT, now_s)
    return step(rules, state, own, now_s)


def step(rules: PairRules, state: PairState, own: Own, now_s: float) -> PairState:
    """Bring a state up to date with this gateway's own facts and the time."""
    partner = state.living(rules, now_s)
    if partner is None:
        # Who lost the address while the partner is silent takes it as anybody does from silence.
        lost = state.owner and own.held is Role.STANDBY
        state = replace(state, unheard_s=None, seized=state.seized or lost)
    if state.unfit_until_s is not None and now_s >= state.unfit_until_s:
        state = replace(state, unfit_until_s=None)
    state = replace(state, lines=lined(rules, state, own, now_s))
    # A token that was just had may have to be given on at once.
    while (event := _event(rules, state, own, now_s)) and event in TABLE[state.token]:
        state = _follow(state, event, now_s, partner, detail(rules, state, own, event, now_s))
    if partner is not None:
        state = replace(state, term=max(state.term, partner.term))
    if own.held is Role.ACTIVE:
        state = replace(state, seized=False)
    state = replace(state, road=followed(rules, state, own, now_s))
    return explained(rules, _clocks(rules, state, own, now_s), own, now_s)


def decide(rules: PairRules, state: PairState, own: Own, now_s: float) -> Decision:
    """Say what follows; ``state`` must be up to date."""
    said, wanted = content_of(rules, state, own, now_s), wanted_of(rules, state, own, now_s)
    content = replace(said, wanted=wanted, mode=mode_of(state, own, wanted))
    return Decision(
        wanted,
        content,
        _wake(rules, state, now_s),
        reason_of(rules, state, own, now_s),
        suspect=state.looks and now_s >= state.suspected_s(rules),
        dead_s=state.silence_s(rules),
        dead_raised=state.raised(rules),
        road=road_view(rules, state, own, now_s),
    )


def _follow(
    state: PairState, event: Event, now_s: float, partner: Content | None = None, why: str = ""
) -> PairState:
    """Go where the table says."""
    row = TABLE[state.token][event]
    doubts = row.token is Token.DOUBTED
    known = state.term if partner is None else max(state.term, partner.term)
    comes = row.token in OWNING and not state.owner
    return replace(
        state,
        lines=state.lines.back if comes else state.lines,
        token=row.token,
        term=known + row.grows,
        seized=event in (Event.SILENCE, Event.DEAF, Event.CUT_OFF)
        or (state.seized and row.token in OWNING),
        challenge=(state.challenge + doubts) % 256,
        doubt_s=now_s if doubts else None,
        reason=": ".join(filter(None, (row.reason, why))) if row.reason else state.reason,
    )


def _event(rules: PairRules, state: PairState, own: Own, now_s: float) -> Event | None:
    """Say what happens now, if anything; the table says whether it matters."""
    partner = state.living(rules, now_s)
    if partner is None:
        return _event_alone(rules, state, own, now_s)
    if state.owner:
        return _event_of_owner(rules, state, own, partner, now_s)
    return _event_of_standby(rules, state, own, partner, now_s)


def _event_of_standby(
    rules: PairRules, state: PairState, own: Own, partner: Content, now_s: float
) -> Event | None:
    if partner.owner:
        free = state.deaf(rules, now_s) and own.in_use is False
        return Event.CUT_OFF if free and _better_than_stranded(state, own) else Event.ARRIVED
    if partner.offer and partner.term > state.term:
        return Event.OFFER
    if _orphaned(state, own, partner):
        return Event.ORPHANED
    if state.deserted and state.deaf(rules, now_s) and own.in_use is False:
        return Event.DEAF
    if not partner.offer and partner.term >= state.term:
        return Event.USED
    return None


def _event_alone(rules: PairRules, state: PairState, own: Own, now_s: float) -> Event | None:
    if state.seized and _unsure(own):
        return Event.IN_USE
    if state.doubt_s is not None:
        return Event.CONFIRMED if now_s - state.doubt_s >= state.silence_s(rules) else None
    return Event.SILENCE if now_s >= state.patience_s and own.in_use is False else None


def _unsure(own: Own) -> bool:
    """Whether an address that is to be taken from silence is not known to be free any more.

    While the change is under way only somebody who replies counts: probes may be in its way.
    """
    if own.held is Role.STANDBY:
        return own.in_use is not False
    return own.held is None and own.in_use is True


def _event_of_owner(
    rules: PairRules, state: PairState, own: Own, partner: Content, now_s: float
) -> Event | None:
    deaf = state.deaf(rules, now_s)
    if partner.owner:
        if _better_than_stranded(state, own):
            return Event.IN_USE if state.seized and _unsure(own) else None
        if deaf and partner.held is Role.ACTIVE:
            return Event.UNHEARD  # it will never learn that there are two
        return Event.OUTRANKED if loses(content_of(rules, state, own, now_s), partner) else None
    if state.seized and deaf and _unsure(own):
        return Event.IN_USE
    if state.token is Token.DOUBTED and partner.response == state.challenge:
        return Event.CONFIRMED
    return Event.LET_GO if _may_give(rules, state, own, partner, now_s) else None


def _better_than_stranded(state: PairState, own: Own) -> bool:
    """Whether the partner would give this gateway the role if it only heard it."""
    return state.stranded and own.fit is not False


def _may_give(rules: PairRules, state: PairState, own: Own, partner: Content, now_s: float) -> bool:
    """Whether there is a reason to give the token away, and the role is seen to be gone."""
    return own.held is Role.STANDBY and bool(
        why_give(content_of(rules, state, own, now_s), partner)
    )


def _orphaned(state: PairState, own: Own, partner: Content) -> bool:
    """Whether nobody has the token and it is on this gateway to make a new one."""
    old = not partner.reads_2
    mine = tie(own.node, own.priority, own.mac, protocol_1=old)
    if mine <= tie(partner.node, partner.priority, partner.mac, protocol_1=old):
        return False
    if state.offering != partner.offer:
        return False
    if state.offering and state.term != partner.term:
        return False  # the partner will take our offer as soon as it hears it
    # A partner that still shows the address must lose it first, unless we show it as well.
    return partner.held is not Role.ACTIVE or own.held is Role.ACTIVE


def _clocks(rules: PairRules, state: PairState, own: Own, now_s: float) -> PairState:
    """Start, stop and read the clocks that run while something lasts."""
    partner = state.living(rules, now_s)
    taking_s, unfit_s, well_s = None, state.unfit_until_s, None
    if own.held is Role.ACTIVE:
        unfit_s = None
        state = replace(state, failures=0)
    elif wanted_of(rules, state, own, now_s) is Role.ACTIVE and not own.paused:
        taking_s = now_s if state.taking_s is None else state.taking_s
    rival = partner is not None and partner.owner and not state.owner
    free = rival and may_claim(state.road, here_of(state, own))
    if free and well(rules, state, own, now_s):
        well_s = now_s if state.well_s is None else state.well_s
    state = replace(state, taking_s=taking_s, unfit_until_s=unfit_s, well_s=well_s)
    failed = taking_s is not None and now_s - taking_s >= rules.takeover_s
    if failed and partner is not None and not partner.unfit and not partner.paused:
        return _rest(rules, state, own, partner, now_s)
    return state


def _rest(
    rules: PairRules, state: PairState, own: Own, partner: Content, now_s: float
) -> PairState:
    """Give the role that could not be taken to the partner, who can have it."""
    until_s = now_s + state.rest_s(rules)
    state = replace(state, taking_s=None, unfit_until_s=until_s, failures=state.failures + 1)
    if _may_give(rules, state, own, partner, now_s):
        why = detail(rules, state, own, Event.LET_GO, now_s)
        return _follow(state, Event.LET_GO, now_s, partner, why)
    return state


def _wake(rules: PairRules, state: PairState, now_s: float) -> float | None:
    silence_s = state.silence_s(rules)
    times = [
        state.patience_s,
        state.suspected_s(rules) if state.looks else None,
        state.unfit_until_s,
        _after(state.received_s, silence_s),
        _after(state.doubt_s, silence_s),
        _after(state.unheard_s, silence_s),
        _after(state.taking_s, rules.takeover_s),
        _after(state.well_s, rules.preempt_delay_s),
        over_s(rules.lines, state.lines),
        *wakes(rules.road, state.road),
    ]
    return min((t for t in times if t is not None and t > now_s), default=None)


def _after(since_s: float | None, pause_s: float) -> float | None:
    return None if since_s is None else since_s + pause_s
