"""Pure: when a gateway of a cluster goes for its road, and when it tries the role again.

There is no partner that reports whether the road is well there: a gateway whose road fails while
its path is up goes if another is seen serving (:mod:`~havpn_core.rules.cluster.withdraw`), and
probes the road slowly from standby. It returns as one of a pair does: for a reply, or for a trial
after a pause that grows each time. Every time is in seconds of one's own clock.
"""

from dataclasses import dataclass, replace

from havpn_core.rules.road.state import NO_LOOK, Look, Pace, RoadRules

TROUBLE = "no host behind the far gateway replies, while the path is up"
OFF = "off the road: stands by until the road is back, or a trial is due"


@dataclass(frozen=True, slots=True)
class LoneRoad:
    """What is remembered.

    :param bad: the road fails, or failed when the role was given up.
    :param off_s: since when this gateway is withdrawn for the road.
    :param seen: its probes saw from standby, too, that the road is down.
    :param failures: how often it withdrew since its road last did well for long.
    :param well_s: since when the road does well under this gateway.
    """

    bad: bool = False
    off_s: float | None = None
    seen: bool = False
    failures: int = 0
    well_s: float | None = None

    @property
    def trouble(self) -> str:
        """Say why this gateway should go, or stay away; empty while it need not."""
        return TROUBLE if self.bad or self.off_s is not None else ""

    @property
    def stance(self) -> str:
        """Say what is done about the road; empty while nothing is."""
        return OFF if self.off_s is not None else ""


NOTHING = LoneRoad()


@dataclass(frozen=True, slots=True)
class Here:
    """What this gateway knows of itself.

    :param probes: it has probes of the road.
    :param active: the role is in force; ``None`` while it changes or is not known.
    :param withdrawn: it gives the role up, or has done so, as another serves.
    :param road: the verdict of that ``look``; ``None`` while there is none.
    :param up: its path is up and not failing, so that a failure is the road's own.
    :param dead: its path is down, which decides before the road does.
    """

    probes: bool = False
    active: bool | None = None
    withdrawn: bool = False
    road: bool | None = None
    look: Look = NO_LOOK
    up: bool = False
    dead: bool = False


def follow(rules: RoadRules, state: LoneRoad, here: Here, now_s: float) -> LoneRoad:
    """Bring the state up to date."""
    if not here.probes:
        return NOTHING
    if here.withdrawn:
        return _away(rules, state, here, now_s)
    state = replace(state, off_s=None, seen=False)
    if not here.active:
        return replace(state, bad=False, well_s=None)
    return _serving(rules, state, here, now_s)


def look(state: LoneRoad, here: Here) -> Look:
    """Say how the probes of the road are to run."""
    if not here.probes:
        return NO_LOOK
    if state.off_s is not None and here.active is False:
        return NO_LOOK if here.dead else Look(Pace.SLOW)
    return Look(Pace.FULL) if here.active else NO_LOOK


def trial_s(rules: RoadRules, state: LoneRoad) -> float | None:
    """Say when the role is tried again; ``None`` if this gateway is not off the road."""
    return None if state.off_s is None else state.off_s + rules.trial_s(state.failures)


def _serving(rules: RoadRules, state: LoneRoad, here: Here, now_s: float) -> LoneRoad:
    found = here.road if here.look == Look(Pace.FULL) else None
    if not found:
        # A cut of the line may be seen by the probes of the road first.
        return replace(state, bad=found is False and here.up, well_s=None)
    well_s = now_s if state.well_s is None else state.well_s
    failures = 0 if now_s >= well_s + rules.clear_s else state.failures
    return replace(state, bad=False, well_s=well_s, failures=failures)


def _away(rules: RoadRules, state: LoneRoad, here: Here, now_s: float) -> LoneRoad:
    state = replace(state, well_s=None)
    if state.bad:
        failures = min(state.failures + 1, rules.most)
        return replace(state, bad=False, off_s=now_s, seen=False, failures=failures)
    if state.off_s is None:
        return state
    if here.dead:
        return replace(state, off_s=None, failures=state.failures - 1)
    found = here.road if here.look == Look(Pace.SLOW) else None
    seen = state.seen or found is False
    back = found and now_s >= state.off_s + rules.least_s(state.failures, seen=seen)
    if back or now_s >= state.off_s + rules.trial_s(state.failures):
        return replace(state, off_s=None, seen=False)
    return replace(state, seen=seen)
