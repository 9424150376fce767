"""What one gateway of a pair says of itself now, and why: all that follows from a state at once.

Pure: no clock, socket or thread here.
"""

from msgspec.structs import replace

from havpn_core.pair.lines.loss import clearly_better, no_worse
from havpn_core.pair.lines.resting import LineState, kept
from havpn_core.pair.message import (
    Content,
    Line,
    Mode,
    carries,
    shaded,
    takes_road,
    why_better,
    why_give,
)
from havpn_core.pair.state import STARTED, Own, PairRules, PairState, Preempt, Token
from havpn_core.pair.table import SILENT, Event
from havpn_core.rules.road.follow import follow, view
from havpn_core.rules.road.state import Here, RoadState, RoadView, There
from havpn_core.rules.role import Role

STAYS = "there is no reason any more to hand the role over"
FOLLOWS = "the far site left this line for the other one"
IN_USE = "the address is still in use on the LAN"
UNCHECKED = "the LAN is first checked for the address"
STOPPED = "the partner stopped: a restart or an upgrade"


def _claims(rules: PairRules, state: PairState, now_s: float) -> bool:
    if state.well_s is None or rules.preempt is Preempt.MANUAL or state.unfit_until_s is not None:
        return False
    return rules.preempt is Preempt.AUTO or now_s - state.well_s >= rules.preempt_delay_s


def well(rules: PairRules, state: PairState, own: Own, now_s: float) -> bool:
    """Whether this gateway could take the role back from the living partner, who has it."""
    said, partner = content_of(rules, state, own, now_s), state.living(rules, now_s)
    if partner is None or (rules.lines.on and not _line_may_claim(state, said, partner)):
        return False
    fit = said.fit is not False and not said.maintenance and not said.paused
    sound = fit and said.line is Line.UP and said.refused <= partner.refused
    return sound and said.priority > partner.priority


def _line_may_claim(state: PairState, said: Content, partner: Content) -> bool:
    """Whether nothing that the lines lose is against a way back.

    What began on fair figures ends for clear ones only: those of two lines alike differ all the
    time.
    """
    if said.off_line:
        return False
    if state.well_s is not None:
        return not clearly_better(said.loss, partner.loss)
    if shaded(said, partner) and not partner.grey:
        return False
    return no_worse(said.loss, partner.loss, unknown=said.moved_age_s is None)


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
    said = content_of(rules, state, own, now_s)
    why = why_give(said, partner)
    followed = said.off_line and state.lines.followed
    return FOLLOWS if followed and why_give(replace(said, off_line=False), partner) != why else why


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
        maintenance=own.maintenance or _stands_aside(rules, state, own, now_s),
        forced=own.forced,
        paused=own.paused,
        unfit=state.unfit_until_s is not None,
        challenge=state.challenge,
        response=state.message.challenge if state.message is not None else 0,
        mac=own.mac,
        interval_ms=round(rules.interval_s * 1000),
        stopping=own.stopping,
        refused=own.refused and not _unaware(state),
        fit=None if _unaware(state) else own.fit,
        road=own.road,
        road_for=own.road_look.number,
        asks=state.road.asks,
        off_road=state.road.off and not _unaware(state),
        doubted=own.doubted and state.owner,
        hears_lan=own.hears_lan,
        off_line=state.lines.off and not _unaware(state),
        moved_age_s=state.lines.age_s(now_s),
        loss=own.loss,
        grey=own.grey and rules.lines.on and not _unaware(state),
        this_line=own.this_line,
        far=own.far,
        far_stance=own.far_stance,
    )


def _stands_aside(rules: PairRules, state: PairState, own: Own, now_s: float) -> bool:
    """Whether the partner was ordered to use its line, and nobody holds this gateway active.

    Its silence, as it restarts, is no reason to come back: the far site would come back, too. Nor
    is a restart of this gateway, before the partner is heard. It takes the role from a silent
    partner all the same, and serves as any other then.
    """
    partner = state.message
    ordered = own.aside if partner is None else partner.this_line
    if not ordered or own.forced:
        return False
    return not state.owner or state.living(rules, now_s) is not None


def _unaware(state: PairState) -> bool:
    """Whether the partner is known to read protocol 1 only.

    What its protocol cannot carry must not count here either: each would hold the other for
    better, and hand the role back and forth.
    """
    return state.message is not None and not state.message.reads_2


def here_of(state: PairState, own: Own) -> Here:
    """Say of this gateway what counts where its road is concerned."""
    return Here(
        probes=own.road_probes,
        owner=state.owner,
        active=None if own.held is None else own.held is Role.ACTIVE,
        road=own.road,
        look=own.road_look,
        dead=own.line is Line.DOWN,
        forced=own.forced,
        doubted=own.doubted,
    )


def there_of(rules: PairRules, state: PairState, own: Own, now_s: float) -> There | None:
    """Say of the partner what counts where the road is concerned; ``None`` if it is silent."""
    partner = state.living(rules, now_s)
    if partner is None:
        return None
    return There(
        takes_road(partner),
        owner=partner.owner,
        lesser=partner.priority < own.priority,
        asks=partner.asks,
        road=partner.road,
        number=partner.road_for,
        doubted=partner.doubted,
    )


def followed(rules: PairRules, state: PairState, own: Own, now_s: float) -> RoadState:
    """Give what is to be remembered of the road from now on."""
    there = there_of(rules, state, own, now_s)
    return follow(rules.road, state.road, here_of(state, own), there, now_s)


def lined(rules: PairRules, state: PairState, own: Own, now_s: float) -> LineState:
    """Give what is to be remembered of moves for loss from now on.

    Once an owner leaves for its line it goes, though the figures change by a hair while it lets
    the role go; it stays where anything weightier speaks for that.
    """
    partner = state.living(rules, now_s)
    said_s = None if partner is None else partner.moved_age_s
    lines = kept(rules.lines, state.lines, said_s, now_s)
    if not state.owner:
        return lines
    if partner is None or partner.owner:
        return lines.back
    if not lines.off and not (rules.lines.on and _is_worse(lines, own, partner)):
        return lines
    said = content_of(rules, state, own, now_s)
    if not (carries(said) and carries(partner)):
        return lines.back
    goes, stays = (why_give(replace(said, off_line=off), partner) for off in (True, False))
    if goes == stays:
        return lines.back
    followed = not clearly_better(own.loss, partner.loss)
    return lines if lines.off else LineState(now_s, off=True, followed=followed)


def _is_worse(lines: LineState, own: Own, partner: Content) -> bool:
    """Whether an owner's line is a reason to leave now, or the far site has left it.

    Both sites find the same, but not in the same moment, and the figures may change places
    between. So the later one follows, once: who has moved itself recently does not. A role that is
    just being changed is not left before that is done.
    """
    rests = lines.moved_s is not None or partner.moved_age_s is not None
    if rests or own.held is None:
        return False
    return own.far_left or clearly_better(own.loss, partner.loss)


def road_view(rules: PairRules, state: PairState, own: Own, now_s: float) -> RoadView:
    """Say what follows for the road."""
    there = there_of(rules, state, own, now_s)
    return view(rules.road, state.road, here_of(state, own), there, now_s)


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
