"""The road, one rule at a time; :mod:`tests.core.test_road_world` puts two gateways together."""

import pytest

from havpn_core.pair.content import content_of, here_of, there_of
from havpn_core.pair.message import Content, Line, rank, takes_road, why_better, why_give
from havpn_core.pair.session import PairSession
from havpn_core.rules.road.follow import LEAVES, OFF, follow, look, may_claim, stance, view, wakes
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
from havpn_core.rules.road.verdict import joined
from havpn_core.rules.role import Role
from tests.core.test_pair import active, standby
from tests.core.values import replace

RULES = RoadRules()
HOLDER = Here(probes=True, owner=True, active=True, road=True, look=Look(Pace.FULL))
FAILED = replace(HOLDER, road=False)
STANDBY = Here(probes=True, active=False)
OFF_ROAD = replace(STANDBY, look=Look(Pace.SLOW))
CHECKS = replace(STANDBY, look=Look(Pace.FULL))
ABLE = There(able=True)
SERVING = There(able=True, owner=True)
FULL, SLOW = Look(Pace.FULL), Look(Pace.SLOW)


class Road:
    """One gateway's road on a clock."""

    def __init__(self, state=NOTHING, rules=RULES):
        self.state, self.rules, self.now = state, rules, 0.0

    def at(self, now, here, there=ABLE):
        self.now, self.here, self.there = now, here, there
        self.state = follow(self.rules, self.state, here, there, now)
        return self

    @property
    def look(self):
        return look(self.rules, self.state, self.here, self.now)

    @property
    def stance(self):
        return stance(self.rules, self.state, self.here, self.there, self.now)


def asking():
    return Road().at(0, HOLDER).at(1, FAILED)


def left(failures=1, at=10.0):
    """A standby that has left the role for the road."""
    return Road(RoadState(off_s=at, failures=failures, checked=True)).at(at, STANDBY, SERVING)


def test_the_times_are_these():
    assert RULES.trials_s == (60.0, 120.0, 240.0, 480.0, 900.0)
    assert (RULES.clear_s, RULES.open_s, RULES.retry_s, RULES.check_s) == (300, 10, 1, 10)
    assert (RULES.stuck_s, RULES.follow_s) == (1, 10)
    assert RULES.numbers == 255
    assert [RULES.trial_s(n) for n in (1, 2, 3, 4, 5, 6, 7)] == [60, 120, 240, 480, 900, 900, 900]
    assert [RULES.least_s(n, seen=False) for n in (0, 1, 2, 3, 6, 7)] == [0, 0, 60, 120, 900, 900]
    assert [RULES.least_s(n, seen=True) for n in (1, 8, 9, 10, 13)] == [0, 0, 60, 120, 900]
    assert (RULES.prompt, RULES.most) == (8, 13)


# --- asking the partner -------------------------------------------------------------------------


def test_a_holder_whose_road_is_well_or_not_known_asks_nothing():
    for road in (True, None):
        held = Road().at(0, replace(HOLDER, road=road))
        assert (held.state.asks, held.state.off, held.stance) == (0, False, "")
        assert held.look == FULL


def test_a_holder_whose_road_fails_asks_at_once():
    road = asking()
    assert (road.state.asks, road.state.requested) == (1, 1)
    assert road.stance == "waits for what the partner finds of its road"
    assert road.at(5, FAILED).state.asks == 1, "the same request stays open"


def test_the_reply_to_this_request_alone_counts():
    road = asking()
    for number in (0, 2, 255):
        road.at(1.1, FAILED, replace(ABLE, road=True, number=number))
        assert not road.state.off, number
    road.at(1.1, FAILED, replace(ABLE, road=None, number=1))
    assert not road.state.off, "not known there yet"
    road.at(1.2, FAILED, replace(ABLE, road=True, number=1))
    assert road.state.off
    assert (road.state.off_s, road.state.failures, road.state.asks) == (1.2, 1, 0)
    assert road.stance == LEAVES


def test_a_road_that_is_dead_there_too_keeps_the_holder_and_is_asked_about_again():
    road = asking().at(2, FAILED, replace(ABLE, road=False, number=1))
    assert (road.state.off, road.state.asks) == (False, 0)
    assert road.stance == "stays active: the road is down on the partner, too"
    road.at(2.99, FAILED, replace(ABLE, road=False, number=1))
    assert road.state.asks == 0
    road.at(3, FAILED, replace(ABLE, road=False, number=1))
    assert road.state.asks == 2
    road.at(3.1, FAILED, replace(ABLE, road=True, number=1))
    assert not road.state.off, "that was the reply to the request before"
    assert road.at(3.2, FAILED, replace(ABLE, road=True, number=2)).state.off


def test_a_request_without_a_reply_is_made_anew():
    road = asking().at(10.99, FAILED)
    assert road.state.asks == 1
    assert road.at(11, FAILED).state.asks == 2
    unknown = "stays active: nothing is known of the road on the partner"
    assert road.stance == unknown
    assert road.at(21, FAILED).stance == unknown
    road.at(22, FAILED, replace(ABLE, road=False, number=3))
    assert not road.state.silent
    assert road.at(23, FAILED).stance == "waits for what the partner finds of its road"
    assert not road.at(33, FAILED).at(34, HOLDER).state.silent


def test_the_numbers_go_round_and_none_is_0():
    road = Road(RoadState(requested=254)).at(0, FAILED)
    assert road.state.asks == 255
    assert road.at(10, FAILED).state.asks == 1


@pytest.mark.parametrize(
    ("here", "there", "why"),
    [
        ({}, None, "stays active: there is no partner"),
        ({}, There(), "stays active: the partner could not take the role"),
        ({"forced": True}, ABLE, "stays active: forced to active by an operator"),
        ({"dead": True}, ABLE, "stays active: the path is down"),
        ({"look": Look(Pace.FULL, 3)}, ABLE, ""),
    ],
)
def test_nobody_is_asked_where_nothing_could_come_of_it(here, there, why):
    road = asking().at(2, replace(FAILED, **here), there)
    assert (road.state.asks, road.state.off) == (0, False)
    assert road.stance == why


def test_a_road_that_is_back_closes_the_request():
    road = asking().at(2, HOLDER)
    assert (road.state.asks, road.stance) == (0, "")
    assert road.at(2.1, FAILED).state.asks == 2, "the next failure is a request at once"


def test_who_gives_the_role_up_for_another_reason_asks_no_more():
    road = asking().at(2, replace(FAILED, active=None))
    assert road.state.asks == 0
    assert road.stance == ""
    assert road.look == FULL, "while the role changes the probes go on"
    assert road.at(3, replace(FAILED, active=False)).look == NO_LOOK


def test_a_gateway_without_probes_of_the_road_knows_nothing_of_it():
    road = Road(RoadState(off_s=1.0, failures=2)).at(5, Here(owner=True, active=True, road=False))
    assert road.state == NOTHING
    assert road.look == NO_LOOK
    assert may_claim(NOTHING, Here())
    assert not may_claim(NOTHING, STANDBY)


# --- leaving ------------------------------------------------------------------------------------


def leaving():
    return asking().at(2, FAILED, replace(ABLE, road=True, number=1))


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({}, None),
        ({}, There(able=False, road=True, number=1)),
        ({"forced": True}, ABLE),
        ({"dead": True}, ABLE),
        ({"road": True}, ABLE),
    ],
)
def test_who_leaves_stays_where_the_reason_for_it_ends(here, there):
    assert leaving().at(2.1, FAILED).state.off
    assert not leaving().at(2.1, replace(FAILED, **here), there).state.off


def test_a_verdict_that_is_for_the_partner_says_nothing_about_leaving():
    assert leaving().at(2.1, replace(FAILED, road=True, look=Look(Pace.FULL, 4))).state.off
    assert leaving().at(2.1, replace(FAILED, road=True, active=False)).state.off


def test_failures_are_counted_up_to_the_longest_pause_and_forgotten_after_a_while():
    road = Road()
    for count in range(1, 16):
        now = count * 100.0
        road.at(now, HOLDER, ABLE)
        road.at(now + 1, FAILED, ABLE)
        road.at(now + 1, FAILED, replace(ABLE, road=True, number=road.state.requested))
        assert road.state.failures == min(count, 13)
    road.at(2000, HOLDER, None).at(2299.9, HOLDER, None)
    assert road.state.failures == 13
    road.at(2300, HOLDER, None)
    assert road.state.failures == 0
    assert road.state.well_s == 2000


def test_only_a_road_that_does_well_all_the_time_is_forgiven():
    for road in (False, None):
        one = Road(RoadState(failures=3)).at(0, HOLDER)
        one.at(299, replace(HOLDER, road=road)).at(300, HOLDER).at(599.9, HOLDER)
        assert one.state.failures == 3
    one = Road(RoadState(failures=3, well_s=0.0)).at(300, STANDBY)
    assert (one.state.failures, one.state.well_s) == (3, None)


# --- off the road -------------------------------------------------------------------------------


def test_who_is_off_the_road_looks_slowly_and_claims_nothing():
    road = left()
    assert road.look == SLOW
    assert road.stance == OFF
    assert not may_claim(road.state, STANDBY)
    assert view(RULES, road.state, STANDBY, SERVING, 10).trial_s == 70
    assert view(RULES, road.state, STANDBY, SERVING, 10).off
    assert view(RULES, NOTHING, STANDBY, SERVING, 10).trial_s is None


def test_a_reply_of_the_road_ends_it_at_once_the_first_time():
    road = left().at(11, replace(OFF_ROAD, road=True), SERVING)
    assert not road.state.off
    assert may_claim(road.state, STANDBY)
    assert road.look == NO_LOOK
    assert left().at(11, replace(OFF_ROAD, road=True, look=Look(Pace.FULL, 3)), SERVING).state.off
    assert left().at(11, replace(OFF_ROAD, road=False), SERVING).state.off


def test_a_road_that_failed_again_soon_must_wait_although_it_replies():
    for failures, least in ((2, 60), (3, 120), (6, 900)):
        road = left(failures).at(10 + least - 0.1, replace(OFF_ROAD, road=True), SERVING)
        assert road.state.off, failures
        assert not road.at(10 + least, replace(OFF_ROAD, road=True), SERVING).state.off


def test_a_road_that_was_seen_to_be_down_from_standby_is_back_with_its_reply():
    for failures, least in ((2, 0), (8, 0), (9, 60), (10, 120)):
        road = left(failures).at(11, replace(OFF_ROAD, road=False), SERVING)
        assert road.state.seen
        road.at(10 + max(least - 0.1, 2), replace(OFF_ROAD, road=True), SERVING)
        assert road.state.off is (least > 0), failures
        assert not road.at(10 + max(least, 2), replace(OFF_ROAD, road=True), SERVING).state.off
    stale = replace(STANDBY, road=False, look=FULL)
    assert not left(2).at(11, stale, SERVING).state.seen, "that was seen under the role"
    assert not leaving().state.seen


def test_without_a_reply_it_is_tried_after_longer_and_longer_pauses():
    for failures, pause in ((1, 60), (2, 120), (3, 240), (4, 480), (5, 900), (6, 900)):
        road = left(failures).at(10 + pause - 0.1, STANDBY, SERVING)
        assert road.state.off, failures
        road.at(10 + pause, STANDBY, SERVING)
        assert not road.state.off
        assert may_claim(road.state, STANDBY)
        assert road.state.failures == failures


@pytest.mark.parametrize("there", [None, There()])
def test_who_has_the_right_to_be_active_and_no_better_partner_is_on_the_road_again(there):
    road = left().at(11, replace(STANDBY, owner=True), there)
    assert not road.state.off
    assert left().at(11, STANDBY, there).state.off, "without the right it still stands by"


def test_a_line_that_is_down_decides_and_its_cut_is_no_failure_of_the_road():
    road = left(2).at(11, replace(STANDBY, dead=True), SERVING)
    assert (road.state.off, road.state.failures, road.state.checked) == (False, 1, False)
    assert road.at(12, replace(STANDBY, dead=True), SERVING).state.failures == 1
    assert road.look == NO_LOOK


# --- before the role is claimed -----------------------------------------------------------------


def test_a_standby_sees_its_road_before_it_claims_anything():
    road = Road().at(0, STANDBY, SERVING)
    assert road.look == FULL
    assert not may_claim(road.state, STANDBY)
    road.at(1, replace(CHECKS, road=True), SERVING)
    assert may_claim(road.state, STANDBY)
    assert road.look == NO_LOOK


def test_a_road_that_is_down_at_a_start_is_as_if_it_had_been_left():
    road = Road().at(0, STANDBY, SERVING).at(1, replace(CHECKS, road=False), SERVING)
    assert (road.state.off_s, road.state.failures, road.look) == (1, 1, SLOW)
    road = Road(RoadState(failures=3)).at(0, STANDBY, SERVING)
    assert road.at(1, replace(CHECKS, road=False), SERVING).state.failures == 3
    road = Road().at(0, STANDBY, SERVING)
    assert not road.at(1, replace(CHECKS, road=False), There(owner=True)).state.off


def test_who_could_claim_nothing_does_not_look():
    """It would say that it is off the road, where only the partner's way back is lost."""
    beside = replace(SERVING, lesser=False)
    road = Road().at(0, STANDBY, beside).at(1, replace(CHECKS, road=False), beside)
    assert (road.state.off, road.state.check_s, road.look) == (False, None, NO_LOOK)
    road = Road().at(0, STANDBY, SERVING).at(1, STANDBY, beside)
    assert (road.state.check_s, road.look) == (None, NO_LOOK)


def test_a_road_that_cannot_be_tested_delays_a_claim_for_so_long_only():
    road = Road().at(0, STANDBY, SERVING).at(9.9, STANDBY, SERVING)
    assert not may_claim(road.state, STANDBY)
    assert may_claim(road.at(10, STANDBY, SERVING).state, STANDBY)


def test_it_is_looked_at_only_beside_a_partner_that_has_the_role():
    for there in (None, ABLE):
        road = Road().at(0, STANDBY, SERVING).at(1, STANDBY, there)
        assert road.look == NO_LOOK
        assert road.state.check_s is None
    road = Road().at(0, STANDBY, SERVING).at(1, replace(STANDBY, active=None), SERVING)
    assert road.look == NO_LOOK


def test_who_has_the_right_needs_no_look_before():
    road = Road().at(0, STANDBY, SERVING).at(1, replace(STANDBY, owner=True), ABLE)
    assert (road.state.checked, road.state.check_s) == (True, None)


# --- what the two sites say to each other --------------------------------------------------------

BLAMED = replace(SERVING, doubted=True)
DOUBTED = replace(FAILED, doubted=True)


def tells(road):
    return view(road.rules, road.state, road.here, road.there, road.now).stuck


@pytest.mark.parametrize(
    ("here", "there", "says"),
    [
        ({}, None, True),
        ({}, There(), True),
        ({"forced": True}, There(), False),
        ({"dead": True}, There(), False),
        ({"active": None}, There(), False),
        ({"road": True}, There(), False),
        ({"road": None}, There(), False),
    ],
)
def test_a_holder_that_has_nobody_better_tells_the_far_site_after_a_while(here, there, says):
    road = Road().at(0, HOLDER).at(1, FAILED, there).at(1.9, FAILED, there)
    assert not tells(road)
    assert tells(road.at(2, replace(FAILED, **here), there)) is says
    assert tells(road.at(3, FAILED, there)) is says, "else the time begins anew"


def test_a_holder_whose_partner_is_no_better_off_tells_the_far_site_however_often_it_asks():
    road = asking().at(1.9, FAILED)
    assert road.state.stuck_s is None
    road.at(2, FAILED, replace(ABLE, road=False, number=1)).at(3, FAILED)
    assert road.state.asks == 2
    assert tells(road)
    road.at(3.1, FAILED, replace(ABLE, road=True, number=2))
    assert road.state.off
    assert not tells(road.at(5, FAILED))
    assert not tells(road.at(9, STANDBY, SERVING))


def test_who_gave_the_role_up_says_nothing_of_a_road_any_more():
    road = Road().at(0, FAILED, There())
    assert tells(road.at(1, FAILED, There()))
    assert not tells(road.at(1.1, STANDBY, SERVING))
    assert road.state.stuck_s is None


def test_a_road_that_is_down_both_ways_is_left_though_the_partner_finds_nothing():
    road = asking().at(2, DOUBTED)
    assert not road.state.off, "the partner has not replied yet"
    assert not road.at(2, replace(HOLDER, doubted=True)).state.off
    road = asking().at(2, DOUBTED, replace(ABLE, road=False, number=1))
    assert road.state.off
    assert (road.state.failures, road.state.asks, road.state.looked) == (1, 0, False)
    assert not asking().at(2, DOUBTED, There(road=False, number=1)).state.off, "it could not"
    road = Road(RoadState(refuted_s=-50.0)).at(0, DOUBTED)
    road.at(2, DOUBTED, replace(ABLE, road=False, number=1))
    assert not road.state.off, "the partner was doubted, too"
    assert road.at(3, DOUBTED).at(3, DOUBTED, replace(ABLE, road=True, number=2)).state.off


def test_a_look_that_found_nothing_says_nothing_beside_a_doubted_partner():
    road = Road().at(0, STANDBY, SERVING).at(1, replace(CHECKS, road=False), BLAMED)
    assert (road.state.off, road.state.checked, road.state.check_s) == (False, True, None)
    assert may_claim(road.state, STANDBY)
    road = Road().at(0, STANDBY, SERVING).at(1, replace(CHECKS, road=False), SERVING)
    assert (road.state.off, road.state.looked) == (True, True)
    assert road.at(2, OFF_ROAD, replace(BLAMED, owner=False)).state.off
    assert road.at(2, OFF_ROAD, SERVING).state.off
    assert not road.at(3, OFF_ROAD, BLAMED).state.off
    assert (road.state.checked, road.state.refuted_s, road.look) == (True, 3, NO_LOOK)


def test_who_left_the_role_waits_for_a_trial_beside_a_doubted_partner_too():
    road = left().at(11, replace(OFF_ROAD, road=False), BLAMED)
    assert (road.state.off, road.state.refuted_s) == (True, 11)
    assert road.at(69.9, replace(OFF_ROAD, road=False), BLAMED).state.off
    assert not road.at(70, replace(OFF_ROAD, road=False), BLAMED).state.off
    assert left().at(11, replace(STANDBY, dead=True), BLAMED).state.refuted_s is None


def test_who_takes_the_role_from_a_doubted_partner_asks_it_once_the_far_site_had_time():
    road = Road().at(0, STANDBY, BLAMED).at(1, FAILED)
    assert (road.state.asks, tells(road)) == (0, False)
    assert road.stance == "stays active: the far site finds the road down on the partner"
    assert tells(road.at(2, FAILED))
    assert road.at(9.9, FAILED).state.asks == 0
    assert road.at(10, FAILED).state.asks == 1
    road = Road().at(0, STANDBY, BLAMED).at(1, HOLDER)
    assert road.state.refuted_s is None, "it was right"
    assert road.at(2, FAILED).state.asks == 1
    road = Road().at(0, STANDBY, BLAMED).at(1, replace(HOLDER, road=None))
    assert road.state.refuted_s == 0


# --- for the partner ----------------------------------------------------------------------------


def test_the_partner_s_request_is_probed_for_while_it_is_open():
    road = Road(RoadState(checked=True)).at(5, STANDBY, replace(SERVING, asks=7))
    assert road.look == Look(Pace.FULL, 7)
    road.at(14.9, STANDBY, replace(SERVING, asks=7))
    assert road.look == Look(Pace.FULL, 7)
    road.at(15, STANDBY, replace(SERVING, asks=7))
    assert road.look == NO_LOOK, "for a bounded time"
    road.at(16, STANDBY, replace(SERVING, asks=8))
    assert road.look == Look(Pace.FULL, 8)
    assert road.at(17, STANDBY, SERVING).look == NO_LOOK
    road.at(18, STANDBY, replace(SERVING, asks=8))
    assert road.look == Look(Pace.FULL, 8), "requested anew"
    assert road.at(19, STANDBY, None).look == NO_LOOK


def test_a_request_goes_before_a_look_of_our_own_and_a_holder_grants_none():
    road = left().at(11, STANDBY, replace(SERVING, asks=3))
    assert road.look == Look(Pace.FULL, 3)
    road = Road().at(0, HOLDER, replace(ABLE, asks=3))
    assert (road.look, road.state.request) == (FULL, 0)


def test_every_time_at_which_something_happens_is_a_waking():
    assert wakes(RULES, NOTHING) == (None,) * 8
    assert wakes(RULES, RoadState(again_s=1.0))[0] == 1
    assert wakes(RULES, RoadState(well_s=1.0))[1] == 301
    assert wakes(RULES, RoadState(check_s=1.0))[2] == 11
    assert wakes(RULES, RoadState(request_s=1.0))[3] == 11
    assert wakes(RULES, RoadState(off_s=1.0, failures=2))[4:6] == (121, 61)
    assert wakes(RULES, RoadState(off_s=1.0))[4:6] == (61, 1)
    assert wakes(RULES, RoadState(stuck_s=1.0))[6] == 2
    assert wakes(RULES, RoadState(refuted_s=1.0))[7] == 11


@pytest.mark.parametrize(
    ("roads", "any_of", "all_of"),
    [
        ([], None, None),
        ([True], True, True),
        ([False], False, False),
        ([None], None, None),
        ([True, False], False, True),
        ([True, None], None, True),
        ([False, None], False, None),
        ([False, False], False, False),
        ([True, True], True, True),
    ],
)
def test_several_roads_are_one(roads, any_of, all_of):
    assert joined(roads, give_up_on="any") is any_of
    assert joined(roads, give_up_on="all") is all_of


# --- what the pair makes of it --------------------------------------------------------------------


def said(node=1, **fields):
    given = {"line": Line.UP, "held": Role.STANDBY, "hears": True} | fields
    return Content(node=node, priority=100, **given)


def test_only_a_doubted_owner_says_so_and_each_side_takes_it_for_what_it_is():
    for one, says in ((active(), True), (standby(), False)):
        own = replace(one.own, doubted=True)
        assert content_of(one.rules, one.state, own, one.now).doubted is says
        assert not content_of(one.rules, one.state, one.own, one.now).doubted
        assert here_of(one.state, own).doubted
        assert not here_of(one.state, one.own).doubted
    for doubted in (False, True):
        beside = standby(doubted=doubted)
        there = there_of(beside.rules, beside.state, beside.own, beside.now)
        assert there.doubted is doubted


def test_a_session_tells_that_it_is_stuck():
    for stuck in (False, True):
        session = object.__new__(PairSession)
        session.decision = replace(active().says, road=RoadView(stuck=stuck))
        assert session.stuck is stuck


@pytest.mark.parametrize(
    ("fields", "able"),
    [
        ({}, True),
        ({"line": Line.RECOVERING}, True),
        ({"fit": True}, True),
        ({"line": Line.DOWN}, False),
        ({"line": None}, False),
        ({"fit": False}, False),
        ({"unfit": True}, False),
        ({"paused": True}, False),
        ({"maintenance": True}, False),
        ({"off_road": True}, False),
        ({"hears": False}, False),
        ({"reads_2": False}, False),
    ],
)
def test_who_could_take_the_role_of_a_gateway_whose_road_is_down(fields, able):
    assert takes_road(said(2, **fields)) is able
    holder = said(held=Role.ACTIVE, off_road=True)
    why = "road down here, well on the partner"
    found = why_give(holder, said(2, **fields))
    if able:
        assert found == why
    else:
        assert found != why
    assert why_give(replace(holder, off_road=False), said(2)) == ""


def test_a_gateway_off_the_road_ranks_between_one_that_recovers_and_one_that_is_down():
    recovering = said(1, line=Line.RECOVERING)
    off, down = said(3, off_road=True), said(4, line=Line.DOWN)
    assert rank(recovering) > rank(off) > rank(down)
    assert rank(said(1, line=None)) > rank(recovering)
    assert rank(said(1, refused=True)) > rank(said(3, line=None))
    assert rank(said(1)) > rank(said(3, refused=True))
    assert rank(said(4, line=Line.DOWN, off_road=True)) == rank(down)
    assert why_better(off, said(1)) == "road down here, well on the partner"
    assert why_better(down, off) == "path down here, up on the partner"
    assert why_better(replace(down, off_road=True), said(5)) == "path down here, up on the partner"
    assert why_better(off, said(5, off_road=True)).startswith("the larger number")
