"""What must be true of a pair's state after each step; for tests and for a daemon under test.

Pure: no clock, socket or thread here.
"""

from havpn_core.pair.message import Content
from havpn_core.pair.state import Decision, Own, PairRules, PairState, Token
from havpn_core.rules.road.state import NOTHING
from havpn_core.rules.role import Role


def broken(
    rules: PairRules,
    state: PairState,
    own: Own,
    decision: Decision,
    now_s: float,
    *,
    before: PairState | None = None,
) -> list[str]:
    """Name the invariants that do not hold; none if all is well.

    :param decision: what :func:`~havpn_core.pair.token.decide` made of the state.
    :param now_s: when the state was brought up to date.
    :param before: the state of this gateway one step ago.
    """
    partner = state.living(rules, now_s)
    claims = _of_clocks(state, own, partner, now_s) | _of_decision(
        rules, state, own, decision, now_s
    )
    if before is not None:
        claims |= _of_step(before, state, own, partner)
    return [claim for claim, holds in claims.items() if not holds]


def _of_clocks(
    state: PairState, own: Own, partner: Content | None, now_s: float
) -> dict[str, bool]:
    """Compare what is remembered; each clock runs only while its reason lasts."""
    rival = partner is not None and partner.owner and not state.owner
    deaf = partner is not None and not partner.hears
    rests = state.unfit_until_s is not None
    return {
        "a doubt has a beginning, and nothing else has": (state.token is Token.DOUBTED)
        == (state.doubt_s is not None),
        "only an owner leaves": state.owner or not state.leaving,
        "only an owner seized the right": state.owner or not state.seized,
        "who holds the role has more than a seized right": own.held is not Role.ACTIVE
        or not state.seized,
        "a right that was seized is void while the address is in use": partner is not None
        or not state.seized
        or not own.in_use,
        "only an owner takes": state.owner or state.taking_s is None,
        "who holds the role does not take it": own.held is not Role.ACTIVE
        or state.taking_s is None,
        "who holds the role does not rest": own.held is not Role.ACTIVE or not rests,
        "only a standby beside an owner is well": rival or state.well_s is None,
        "only a living partner can say that it does not hear": deaf or state.unheard_s is None,
        "a message has a time": (state.message is None) == (state.received_s is None),
        "the number is not behind the partner's": partner is None or state.term >= partner.term,
        "the number is not negative": state.term >= 0,
        "a rest that is over is forgotten": state.unfit_until_s is None
        or state.unfit_until_s > now_s,
        "who holds the role has failed at nothing": own.held is not Role.ACTIVE
        or not state.failures,
        "who is off the road has failed on it": not state.road.off or state.road.failures > 0,
        "who left for its line moved the role": not state.lines.off
        or state.lines.moved_s is not None,
        "only probes of the road find out about it": own.road_probes or state.road == NOTHING,
        "a challenge fits a byte": 0 <= state.challenge <= 255,
        "nothing began in the future": _begun(state) <= now_s,
    }


def _begun(state: PairState) -> float:
    clocks = (state.received_s, state.doubt_s, state.unheard_s, state.taking_s, state.well_s)
    times = (*clocks, state.lines.moved_s)
    return max((time for time in times if time is not None), default=float("-inf"))


def _of_decision(
    rules: PairRules, state: PairState, own: Own, decision: Decision, now_s: float
) -> dict[str, bool]:
    """Compare what is decided and said with what is remembered."""
    said = decision.content
    announced_s = 0.0 if state.message is None else state.message.interval_ms / 1000
    return {
        "only an owner wants to be active": decision.wanted is not Role.ACTIVE or state.owner,
        "an owner wants a role, unless it doubts and holds none": decision.wanted is not None
        or not state.owner
        or (state.token is Token.DOUBTED and own.held is not Role.ACTIVE),
        "an owner offers nothing": not (said.owner and said.offer),
        "an owner claims nothing": not (said.owner and said.claim),
        "who is unfit claims nothing": not (said.fit is False and said.claim),
        "who left for its line claims nothing": not (said.off_line and said.claim),
        "who is off the road claims nothing": not (said.off_road and said.claim),
        "who requests the partner's road is active": not said.asks
        or (said.owner and said.held is Role.ACTIVE),
        "who requests the partner's road is not off it": not (said.asks and said.off_road),
        "only an owner doubts": said.owner or not said.doubt,
        "only an owner is doubted": said.owner or not said.doubted,
        "who leaves for the road tells the far site nothing": not (
            said.off_road and decision.road.stuck
        ),
        "what is said is what is": (said.owner, said.offer, said.held, said.wanted)
        == (state.owner, state.offering, own.held, decision.wanted),
        "an owner suspects nobody once it held the role": state.seized
        or not (state.owner and decision.suspect),
        "a death takes two lost frames": decision.dead_s >= 3 * max(rules.interval_s, announced_s),
        "a death is no sooner than configured": decision.dead_s >= rules.dead_s,
        "a waking is in the future": decision.wake_s is None or decision.wake_s > now_s,
        "a decision has a reason": bool(decision.reason),
    }


def _of_step(
    before: PairState, state: PairState, own: Own, partner: Content | None
) -> dict[str, bool]:
    """Compare with the state one step ago."""
    had, has = before.owner, state.owner
    took, gave = has and not had, had and state.offering
    return {
        "the number never falls": state.term >= before.term,
        "a token that is taken has a new number": state.term > before.term or not took,
        "a token that is given has a new number": state.term > before.term or not gave,
        "nothing is given before the role is gone": own.held is Role.STANDBY or not gave,
        "only an owner begins to doubt": had or state.token is not Token.DOUBTED,
        "a token is lost to a living partner only, but for a seized one": partner is not None
        or has
        or before.seized
        or own.held is Role.STANDBY
        or not had,
        "only silence and deafness seize": before.seized
        or not state.seized
        or (took and (partner is None or state.unheard_s is not None))
        or (had and partner is None and own.held is Role.STANDBY),
    }
