"""What one gateway of a pair says of itself now, and why: all that follows from a state at once.

Pure: no clock, socket or thread here.
"""

from dataclasses import replace

from havpn_core.pair.message import Content, Mode, why_better, why_give
from havpn_core.pair.state import STARTED, Own, PairRules, PairState, Preempt, Token
from havpn_core.pair.table import SILENT, Event
from havpn_core.rules.role import Role

STAYS = "there is no reason any more to hand the role over"
IN_USE = "the address is still in use on the LAN"
UNCHECKED = "the LAN is first checked for the address"
STOPPED = "the partner stopped: a restart or an upgrade"


def _claims(rules: PairRules, state: PairState, now_s: float) -> bool:
    if state.well_s is None or rules.preempt is Preempt.MANUAL or state.unfit_until_s is not None:
        return False
    return rules.preempt is Preempt.AUTO or now_s - state.well_s >= rules.preempt_delay_s


def wanted_of(rules: PairRules, state: PairState, own: Own, now_s: float) -> Role | None:
    """Give the role to have; ``None`` while nothing may be done."""
    if not state.owner:
        return None if state.message is None and own.held is None else Role.STANDBY
    if why_leave(rules, state, own, now_s):
        return Role.STANDBY
    # Who doubts and holds nothing has nothing to keep, and takes nothing before it is sure.
    doubts = state.token is Token.DOUBTED and own.held is not Role.ACTIVE
    return None if doubts else Role.ACTIVE


def why_leave(rules: PairRules, state: PairState, own: Own, now_s: float) -> str:
    """Say why this gateway, owner of the token, should let go; empty if there is no reason."""
    partner = state.living(rules, now_s)
    if partner is None or partner.owner or not state.owner:
        return ""
    return why_give(content_of(rules, state, own, now_s), partner)


def content_of(rules: PairRules, state: PairState, own: Own, now_s: float) -> Content:
    """Say everything but the wish and the mode, which depend on the rest."""
    return Content(
        node=own.node,
        priority=own.priority,
        line=own.line,
        held=own.held,
        term=state.term,
        owner=state.owner,
        offer=state.offering,
        claim=_claims(rules, state, now_s),
        hears=state.living(rules, now_s) is not None,
        doubt=state.token is Token.DOUBTED,
        maintenance=own.maintenance,
        forced=own.forced,
        paused=own.paused,
        unfit=state.unfit_until_s is not None,
        challenge=state.challenge,
        response=state.message.challenge if state.message is not None else 0,
        mac=own.mac,
        interval_ms=round(rules.interval_s * 1000),
        stopping=own.stopping,
        refused=own.refused and not _unaware(state),
        fit=own.fit,
        road=own.road,
        loss=own.loss,
        loss_age_s=own.loss_age_s,
    )


def _unaware(state: PairState) -> bool:
    """Whether the partner is known to read protocol 1 only.

    What it cannot be told must not count here either: each would hold the other for better, and
    hand the role to and fro.
    """
    return state.message is not None and not state.message.reads_2


def mode_of(state: PairState, own: Own, wanted: Role | None) -> Mode:
    """Say in one word where this gateway stands."""
    active = own.held is Role.ACTIVE
    match state.token:
        case Token.OFFERED:
            return Mode.OFFERING
        case Token.ELSEWHERE if not active:
            return Mode.LISTENING if state.message is None else Mode.STANDBY
        case _ if wanted is Role.STANDBY or state.token is Token.ELSEWHERE:
            return Mode.RELEASING
        case Token.DOUBTED:
            return Mode.DOUBTING
        case _:
            return Mode.ACTIVE if active else Mode.TAKING


def explained(rules: PairRules, state: PairState, own: Own, now_s: float) -> PairState:
    """Note why this owner lets go of the role, or no longer does.

    The first reason is the cause: what is true besides once the role is being given up is not.
    """
    why = why_leave(rules, state, own, now_s)
    if why and not state.leaving:
        return replace(state, leaving=True, reason=why)
    if state.leaving and not why:
        return replace(state, leaving=False, reason=STAYS if state.owner else state.reason)
    return state


def detail(rules: PairRules, state: PairState, own: Own, event: Event, now_s: float) -> str:
    """Say what is behind an event of the table: why the role moves; empty where that is plain."""
    said = content_of(rules, state, own, now_s)
    match event, state.message:
        case Event.SILENCE, Content(stopping=True):
            return "it stopped in order"
        case Event.OFFER, Content() as partner:
            return why_better(partner, said, there="on the partner", here="here")
        case Event.LET_GO, Content() as partner:
            return state.reason if state.leaving else why_give(said, partner)
        case _:
            return ""


def reason_of(rules: PairRules, state: PairState, own: Own, now_s: float) -> str:
    """Say why the wanted role is wanted, a sentence for people."""
    partner = state.living(rules, now_s)
    if state.owner:
        return state.reason
    if now_s >= state.dead_s(rules):
        stopped = state.message is not None and state.message.stopping
        return f"{STOPPED if stopped else SILENT}, but {IN_USE if own.in_use else UNCHECKED}"
    if state.reason != STARTED:
        return state.reason
    if partner is None:
        return (
            f"{'just started' if state.message is None else 'just woke'}, listens for the partner"
        )
    if partner.stopping:
        return STOPPED
    return "the partner has the role" if partner.owner else "neither gateway has the role yet"
