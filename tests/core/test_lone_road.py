"""A gateway of a cluster leaves the role for its road, and tries it again: tables."""

import pytest

from havpn_core.rules.cluster.road import (
    NOTHING,
    OFF,
    TROUBLE,
    Here,
    LoneRoad,
    follow,
    look,
    trial_s,
)
from havpn_core.rules.road.state import NO_LOOK, USUAL, Look, Pace, RoadRules
from tests.core.values import replace

RULES = RoadRules(trials_s=(10.0, 20.0), clear_s=30.0, prompt=2)
FULL, SLOW = Look(Pace.FULL), Look(Pace.SLOW)
SERVES = Here(probes=True, active=True, road=True, look=FULL, up=True)
AWAY = Here(probes=True, active=False, withdrawn=True, look=SLOW, up=True)
OFF_AT_100 = LoneRoad(off_s=100.0, failures=1)


def after(state, here, now_s=100.0):
    return follow(RULES, state, here, now_s)


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ({"road": False}, True),
        ({"road": True}, False),
        ({"road": None}, False),
        ({"road": False, "up": False}, False),
        ({"road": False, "look": NO_LOOK}, False),
        ({"road": False, "look": SLOW}, False),
        ({"road": False, "active": False}, False),
        ({"road": False, "active": None}, False),
        ({"road": False, "probes": False}, False),
    ],
)
def test_what_is_wrong_with_a_road(change, bad):
    state = after(LoneRoad(bad=not bad), replace(SERVES, **change))
    assert state.bad is bad
    assert state.trouble == (TROUBLE if bad else "")
    assert state.stance == ""


def test_without_probes_nothing_is_known():
    assert after(OFF_AT_100, replace(AWAY, probes=False)) is NOTHING
    assert look(OFF_AT_100, replace(AWAY, probes=False)) == NO_LOOK
    assert look(NOTHING, replace(SERVES, probes=False)) == NO_LOOK


def test_one_that_withdraws_while_its_road_is_bad_is_off_the_road():
    state = after(LoneRoad(bad=True, well_s=1.0), replace(AWAY, active=True, look=FULL), 100.0)
    assert state == OFF_AT_100
    assert (state.trouble, state.stance) == (TROUBLE, OFF)
    assert after(LoneRoad(), AWAY) == LoneRoad(), "it withdrew for something else"


def test_failures_are_counted_to_the_last_that_makes_a_difference():
    gone = after(LoneRoad(bad=True, failures=RULES.most - 1), AWAY)
    assert gone.failures == RULES.most
    assert after(replace(gone, bad=True), AWAY).failures == RULES.most


@pytest.mark.parametrize(
    ("state", "here", "now_s", "back"),
    [
        # A reply brings the first one back at once, and a trial without one after 10 s.
        (OFF_AT_100, replace(AWAY, road=True), 100.0, True),
        (OFF_AT_100, replace(AWAY, road=False), 109.9, False),
        (OFF_AT_100, replace(AWAY, road=None), 109.9, False),
        (OFF_AT_100, replace(AWAY, road=None), 110.0, True),
        # What was found under the role says nothing of now.
        (OFF_AT_100, replace(AWAY, road=True, look=FULL), 100.0, False),
        # After the second failure a reply waits for as long, unless the road was seen to be down.
        (replace(OFF_AT_100, failures=2), replace(AWAY, road=True), 109.9, False),
        (replace(OFF_AT_100, failures=2), replace(AWAY, road=True), 110.0, True),
        (replace(OFF_AT_100, failures=2, seen=True), replace(AWAY, road=True), 100.0, True),
        (replace(OFF_AT_100, failures=2), replace(AWAY, road=None), 119.9, False),
        (replace(OFF_AT_100, failures=2), replace(AWAY, road=None), 120.0, True),
    ],
)
def test_when_it_may_return(state, here, now_s, back):
    found = after(state, here, now_s)
    assert (found.off_s is None) is back
    assert found.failures == state.failures
    assert bool(found.trouble) is not back
    if back:
        assert not found.seen


def test_what_is_seen_from_standby_is_remembered():
    assert after(OFF_AT_100, replace(AWAY, road=False)).seen
    assert not after(OFF_AT_100, replace(AWAY, road=None)).seen
    assert after(replace(OFF_AT_100, seen=True, failures=9), replace(AWAY, road=None)).seen


def test_a_line_that_is_down_decides_and_is_no_failure_of_the_road():
    state = after(OFF_AT_100, replace(AWAY, dead=True, road=False))
    assert state == LoneRoad(failures=0)
    assert look(OFF_AT_100, replace(AWAY, dead=True)) == NO_LOOK


def test_one_that_nobody_stands_in_for_is_on_the_road_again():
    back = after(replace(OFF_AT_100, seen=True), replace(SERVES, road=None))
    assert back == LoneRoad(failures=1)
    waits = after(OFF_AT_100, replace(SERVES, active=False, road=None, look=SLOW))
    assert waits == LoneRoad(failures=1)


def test_a_road_that_does_well_for_long_forgets_its_failures():
    state = after(LoneRoad(failures=2), SERVES, 100.0)
    assert (state.well_s, state.failures) == (100.0, 2)
    assert after(state, SERVES, 129.9).failures == 2
    assert after(state, SERVES, 130.0).failures == 0
    assert after(state, SERVES, 130.0).well_s == 100.0
    others = [{"road": None}, {"road": False}, {"active": False}, {"withdrawn": True}]
    for other in (replace(SERVES, **change) for change in others):
        assert after(state, other, 101.0).well_s is None


@pytest.mark.parametrize(
    ("state", "here", "expected"),
    [
        (NOTHING, SERVES, FULL),
        (NOTHING, replace(SERVES, active=None), NO_LOOK),
        (NOTHING, replace(SERVES, active=False), NO_LOOK),
        (NOTHING, AWAY, NO_LOOK),
        (OFF_AT_100, AWAY, SLOW),
        (OFF_AT_100, replace(AWAY, active=None), NO_LOOK),
        (OFF_AT_100, replace(AWAY, active=True), FULL),
    ],
)
def test_how_the_probes_run(state, here, expected):
    assert look(state, here) == expected


def test_when_a_trial_is_due():
    assert trial_s(RULES, NOTHING) is None
    assert trial_s(RULES, OFF_AT_100) == 110.0
    assert trial_s(USUAL, replace(OFF_AT_100, failures=9)) == 1000.0
