"""Pure: when to have the partner probe the road, when to leave the role for it, when to return.

A holder whose road fails while its line is well has the partner probe: its own probes then run. If
the road is well there, the holder hands the role over and is *off the road*: it claims nothing
back until a probe of the road has a reply again, or until a trial is due. A holder whose partner
is no better off stays. A reply counts for its own request alone.

What a firewall drops that forwards nothing, only probes from the far site can see. So a holder that
stays on a road that is down tells its far gateway, which is then *doubted*: what the probes of a
standby lose beside a doubted holder says nothing of the standby's road; and where the road is down
both ways, a doubted holder leaves even for a partner whose probes find nothing, for their replies
come back by the two holders.
"""

from msgspec.structs import replace

from havpn_core.rules.road.state import (
    NO_LOOK,
    NOTHING,
    Here,
    Look,
    Pace,
    RoadRules,
    RoadState,
    RoadView,
    There,
)

LEAVES = "hands over: road down here, well on the partner"
OFF = "off the road: stands by until the road is back, or a trial is due"


def follow(
    rules: RoadRules, state: RoadState, here: Here, there: There | None, now_s: float
) -> RoadState:
    """Bring the state up to date.

    :param there: ``None`` while the partner is silent.
    """
    if not here.probes:
        return NOTHING
    state = _requested(state, here, there, now_s)
    if here.owner:
        state = _owning(state, here, there)
        if here.active:
            return _holding(rules, state, here, there, now_s)
        return replace(_quiet(state), well_s=None)
    return _standing_by(rules, replace(_quiet(state), well_s=None), here, there, now_s)


def look(rules: RoadRules, state: RoadState, here: Here, now_s: float) -> Look:
    """Say how the probes of the road are to run."""
    if not here.probes:
        return NO_LOOK
    if here.active or (here.owner and here.active is None):
        return Look(Pace.FULL)
    if state.request_s is not None and now_s < state.request_s + rules.open_s:
        return Look(Pace.FULL, state.request)
    if here.owner or here.dead:
        return NO_LOOK
    if state.off:
        return Look(Pace.SLOW)
    return Look(Pace.FULL) if state.check_s is not None and not state.checked else NO_LOOK


def may_claim(state: RoadState, here: Here) -> bool:
    """Whether the road is no reason against taking the role back."""
    return not here.probes or (state.checked and not state.off)


def wakes(rules: RoadRules, state: RoadState) -> tuple[float | None, ...]:
    """Give the times at which something changes by itself, some of them past."""
    return (
        state.again_s,
        _after(state.well_s, rules.clear_s),
        _after(state.check_s, rules.check_s),
        _after(state.request_s, rules.open_s),
        _after(state.off_s, rules.trial_s(max(state.failures, 1))),
        _after(state.off_s, rules.least_s(state.failures, seen=state.seen)),
        _after(state.stuck_s, rules.stuck_s),
        _after(state.refuted_s, rules.follow_s),
    )


def view(
    rules: RoadRules, state: RoadState, here: Here, there: There | None, now_s: float
) -> RoadView:
    """Say what follows from a state that is up to date."""
    return RoadView(
        look(rules, state, here, now_s),
        stance(rules, state, here, there, now_s),
        off=state.off,
        trial_s=_after(state.off_s, rules.trial_s(max(state.failures, 1))),
        stuck=state.stuck_s is not None and now_s >= state.stuck_s + rules.stuck_s,
    )


def stance(
    rules: RoadRules, state: RoadState, here: Here, there: There | None, now_s: float
) -> str:
    """Say in words what is done about the road; empty while nothing is."""
    if state.off:
        return LEAVES if here.owner else OFF
    if not here.owner or not here.active or _found(here, Pace.FULL) is not False:
        return ""
    stays = (
        (here.forced, "forced to active by an operator"),
        (here.dead, "the path is down"),
        (there is None, "there is no partner"),
        (there is not None and not there.able, "the partner could not take the role"),
        (_refuted(rules, state, now_s), "the far site finds the road down on the partner"),
        (state.reply is False, "the road is down on the partner, too"),
        (state.silent, "nothing is known of the road on the partner"),
    )
    why = next((why for holds, why in stays if holds), "")
    return f"stays active: {why}" if why else "waits for what the partner finds of its road"


def _after(since_s: float | None, pause_s: float) -> float | None:
    return None if since_s is None else since_s + pause_s


def _refuted(rules: RoadRules, state: RoadState, now_s: float) -> bool:
    """Whether the far site knew better recently than the partner's probes that its road is down."""
    return state.refuted_s is not None and now_s < state.refuted_s + rules.follow_s


def _quiet(state: RoadState) -> RoadState:
    """Request nothing, and say nothing to the far site."""
    return replace(state, again_s=None, reply=None, silent=False, stuck_s=None)


def _stuck(state: RoadState, now_s: float) -> RoadState:
    return replace(state, stuck_s=now_s if state.stuck_s is None else state.stuck_s)


def _found(here: Here, pace: Pace) -> bool | None:
    """Give what our own look at this pace has found; what is for the partner says nothing here."""
    return here.road if here.look == Look(pace) else None


def _requested(state: RoadState, here: Here, there: There | None, now_s: float) -> RoadState:
    """Note the partner's request; one that stays open for too long is not probed for any more."""
    asks = 0 if there is None or here.owner else there.asks
    if asks == state.request:
        return state
    return replace(state, request=asks, request_s=now_s if asks else None)


def _owning(state: RoadState, here: Here, there: There | None) -> RoadState:
    """Stay on the road where nobody better could have the role: a router is better than none."""
    state = replace(state, checked=True, check_s=None)
    stays = there is None or not there.able or here.forced or here.dead
    return (
        replace(state, off_s=None) if stays or (here.active and _found(here, Pace.FULL)) else state
    )


def _holding(
    rules: RoadRules, state: RoadState, here: Here, there: There | None, now_s: float
) -> RoadState:
    if _found(here, Pace.FULL) is not False:
        return _serving(rules, _quiet(state), here, now_s)
    state = replace(state, well_s=None)
    if state.off or here.forced or here.dead:
        return _quiet(state)
    if there is None or not there.able or _refuted(rules, state, now_s):
        return _stuck(replace(state, again_s=None, reply=None, silent=False), now_s)
    return _asking(rules, state, here, there, now_s)


def _serving(rules: RoadRules, state: RoadState, here: Here, now_s: float) -> RoadState:
    """Forget failures once the road has done well for long."""
    if not _found(here, Pace.FULL):
        return replace(state, well_s=None)
    well_s = now_s if state.well_s is None else state.well_s
    failures = 0 if now_s >= well_s + rules.clear_s else state.failures
    return replace(state, well_s=well_s, failures=failures, refuted_s=None)


def _asking(
    rules: RoadRules, state: RoadState, here: Here, there: There, now_s: float
) -> RoadState:
    """Have the partner probe, and again later; leave once it says that the road is well there."""
    if state.asks and there.number == state.requested and there.road is not None:
        # Down both ways: both holders drop what they forward, the partner's replies among it. But
        # the role does not go where the far site found the road down since it last did well here.
        if there.road or (here.doubted and state.refuted_s is None):
            return _left(rules, _quiet(state), now_s)
        again_s = now_s + rules.retry_s
        return _stuck(replace(state, reply=False, silent=False, again_s=again_s), now_s)
    if state.again_s is None or now_s >= state.again_s:
        number = state.requested % rules.numbers + 1
        silent = state.again_s is not None and state.reply is None
        again_s = now_s + rules.open_s
        return replace(state, requested=number, reply=None, silent=silent, again_s=again_s)
    return state


def _left(rules: RoadRules, state: RoadState, now_s: float) -> RoadState:
    failures = min(state.failures + 1, rules.most)
    return replace(state, off_s=now_s, seen=False, looked=False, failures=failures)


def _standing_by(
    rules: RoadRules, state: RoadState, here: Here, there: There | None, now_s: float
) -> RoadState:
    if here.dead:
        # The line decides, and a cut of it may be seen by the probes of the road first.
        failures = state.failures - state.off
        return replace(state, off_s=None, failures=failures, checked=False, check_s=None)
    if there is not None and there.owner and there.doubted:
        # What this standby's probes have lost, they may have lost on the way back through the
        # partner. Who left the role saw it from there, too, and waits for a trial.
        state = replace(state, refuted_s=now_s)
        if not state.off or state.looked:
            return replace(state, off_s=None, checked=True, check_s=None)
    if state.off_s is not None:
        return _off(rules, state, here, state.off_s, now_s)
    if state.checked or here.active is not False:
        return replace(state, check_s=None)
    # Who claims nothing has nothing to see first: a reply that is lost on the partner's way back
    # says nothing of this road, and to be off it would make the far site leave it, too.
    if there is None or not there.owner or not there.lesser:
        return replace(state, check_s=None)
    return _checking(rules, state, here, there, now_s)


def _off(rules: RoadRules, state: RoadState, here: Here, off_s: float, now_s: float) -> RoadState:
    """Return for a reply of the road, or for a trial."""
    found = _found(here, Pace.SLOW)
    state = replace(state, seen=state.seen or found is False)
    tried = now_s >= off_s + rules.trial_s(state.failures)
    back = found and now_s >= off_s + rules.least_s(state.failures, seen=state.seen)
    return replace(state, off_s=None, checked=True) if tried or back else state


def _checking(
    rules: RoadRules, state: RoadState, here: Here, there: There, now_s: float
) -> RoadState:
    """Look at the road before the role is claimed: it may be what it was left for."""
    check_s = state.check_s if state.check_s is not None else now_s
    state = replace(state, check_s=check_s)
    found = _found(here, Pace.FULL)
    if found is False and there.able:
        failures = max(state.failures, 1)
        state = replace(state, off_s=now_s, seen=True, looked=True, check_s=None)
        return replace(state, failures=failures)
    if found or now_s >= check_s + rules.check_s:
        return replace(state, checked=True, check_s=None)
    return state
