"""Fitness in a pair: who is to have the role, who goes, who stays, and in which words."""

from itertools import product

import pytest

from havpn_core.pair.content import content_of, there_of
from havpn_core.pair.invariants import broken
from havpn_core.pair.message import (
    Content,
    Line,
    Mode,
    loses,
    rank,
    takes_road,
    why_better,
    why_give,
)
from havpn_core.pair.state import Preempt, Token
from havpn_core.rules.role import Role
from tests.core.test_pair import LATE, OWN, RULES, One, active, standby
from tests.core.values import replace

DOWN, UP = Line.DOWN, Line.UP
UNFIT, FIT, UNKNOWN = {"fit": False}, {"fit": True}, {"fit": None}
HERE = "unfit here"
# What ranks below fitness, in its order: each is better than all that follow it together.
ORDER = (
    ("unfit", True, False),
    ("fit", False, True),
    ("forced", False, True),
    ("maintenance", True, False),
    ("line", DOWN, UP),
    ("priority", 1, 255),
    ("node", 1, 2),
)


def content(**fields):
    return Content(**{"node": 1, "priority": 100, "line": UP, "hears": True} | fields)


# --- the order ----------------------------------------


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_each_matter_goes_before_all_that_follow_it(place):
    """Could be taken, fit, forced, not in maintenance, line, priority, node."""
    name, worse, better = ORDER[place]
    one = content(**{name: better}, **{n: w for n, w, _ in ORDER[place + 1 :]})
    other = content(**{name: worse}, **{n: b for n, _, b in ORDER[place + 1 :]})
    assert rank(one) > rank(other)


def test_a_gateway_that_is_paused_goes_last_however_fit_it_is():
    assert rank(content(fit=False)) > rank(content(paused=True, fit=True, forced=True))


def test_unknown_fitness_counts_as_fit():
    assert rank(content(**UNKNOWN)) == rank(content(**FIT)) > rank(content(**UNFIT))


@pytest.mark.parametrize(
    ("worse", "better", "why"),
    [
        (UNFIT, FIT, HERE),
        (UNFIT, UNKNOWN, HERE),
        (UNFIT, {"line": DOWN, "maintenance": True}, HERE),
        (UNFIT | {"forced": True}, {}, HERE),
        (UNFIT | {"priority": 200}, {}, HERE),
        (UNFIT | {"unfit": True}, UNFIT, "the role could not be taken here"),
        (UNFIT | {"paused": True}, UNFIT, "paused here"),
        (UNFIT, UNFIT | {"forced": True}, "forced to active on the partner"),
        (UNFIT | {"maintenance": True}, UNFIT, "in maintenance here"),
        (UNFIT | {"line": DOWN}, UNFIT, "path down here, up on the partner"),
        (UNFIT, UNFIT | {"priority": 101}, "the higher priority is on the partner"),
        (FIT, UNFIT | {"priority": 200, "forced": True}, ""),
        (UNKNOWN, UNFIT | {"priority": 200}, ""),
        (UNKNOWN, FIT, ""),
        (UNFIT, UNFIT, ""),
    ],
)
def test_by_what_one_is_better(worse, better, why):
    assert why_better(content(**worse), content(**better)) == why


def test_the_words_say_where():
    said = why_better(content(fit=False), content(), there="on the partner", here="here")
    assert said == "unfit on the partner"


# --- going and staying ----------------------------------------


@pytest.mark.parametrize(
    ("own", "theirs", "why"),
    [
        (UNFIT, FIT, HERE),
        (UNFIT, UNKNOWN, HERE),
        (UNFIT, UNFIT, ""),
        (FIT, UNFIT, ""),
        (UNKNOWN, UNFIT, ""),
        (UNKNOWN, UNKNOWN, ""),
        # It cannot be given, or is not heard.
        (UNFIT, {"hears": False}, ""),
        (UNFIT, {"paused": True}, ""),
        (UNFIT, {"unfit": True}, ""),
        (UNFIT | {"paused": True}, {}, ""),
        # Fitness goes before everything else, in both directions.
        (UNFIT | {"forced": True}, {}, HERE),
        (UNFIT, {"maintenance": True}, HERE),
        (UNFIT, {"line": DOWN}, HERE),
        (UNFIT, {"line": None}, HERE),
        (UNFIT, {"off_road": True}, HERE),
        (UNFIT, {"refused": True}, HERE),
        ({}, UNFIT | {"forced": True}, ""),
        ({"maintenance": True}, UNFIT, ""),
        ({"line": DOWN}, UNFIT, ""),
        ({"line": Line.RECOVERING}, UNFIT, ""),
        ({"refused": True}, UNFIT, ""),
        ({}, UNFIT | {"claim": True, "priority": 200}, ""),
        # Where both are alike, the rest decides.
        (UNFIT, UNFIT | {"forced": True}, "forced to active on the partner"),
        (UNFIT | {"maintenance": True}, UNFIT, "in maintenance here"),
        (UNFIT | {"line": DOWN}, UNFIT, "path down here, up on the partner"),
        (UNFIT, UNFIT | {"claim": True, "priority": 200},
         "failback to the higher priority on the partner"),
        (FIT | {"line": DOWN}, UNKNOWN, "path down here, up on the partner"),
    ],
)  # fmt: skip
def test_why_a_holder_gives_the_role(own, theirs, why):
    assert why_give(content(held=Role.ACTIVE, **own), content(node=2, **theirs)) == why
    one = One().at(LATE).at(LATE, held=Role.ACTIVE, **own).hear(**{"term": 1} | theirs)
    if why:
        assert (one.says.wanted, one.says.reason, one.mode) == (Role.STANDBY, why, Mode.RELEASING)
        one.at(LATE, held=Role.STANDBY)
        assert one.where is Token.OFFERED
        assert one.says.reason == f"handed the role over: {why}"
    else:
        assert one.says.wanted is Role.ACTIVE


def test_no_two_gateways_hand_the_role_to_each_other():
    """Whatever they are at, but for a claim, which an owner does not make."""
    fields = {
        "fit": (None, True, False),
        "forced": (False, True),
        "maintenance": (False, True),
        "line": (None, UP, Line.RECOVERING, DOWN),
        "refused": (False, True),
    }
    every = [
        content(held=Role.ACTIVE, **dict(zip(fields, values, strict=True)))
        for values in product(*fields.values())
    ]
    for one, other in product(every, repeat=2):
        assert not (why_give(one, other) and why_give(other, one)), (one, other)


def test_a_holder_that_is_fit_again_before_the_role_is_gone_stays():
    one = active().at(LATE, fit=False)
    assert (one.says.wanted, one.says.content.fit) == (Role.STANDBY, False)
    one.at(LATE, held=None).at(LATE, fit=True)
    assert one.says.wanted is Role.ACTIVE
    assert one.says.reason == "there is no reason any more to hand the role over"


def test_an_unfit_gateway_alone_takes_the_role_some_router_is_better_than_none():
    one = One(replace(OWN, fit=False)).at(LATE)
    assert one.says.wanted is Role.ACTIVE
    assert one.at(LATE, held=Role.ACTIVE).mode is Mode.ACTIVE


@pytest.mark.parametrize(("fit", "where"), [(False, Token.OFFERED), (None, Token.OWNED)])
def test_where_nobody_holds_the_role_yet_a_fit_one_is_to_have_it(fit, where):
    one = One().at(LATE).at(LATE, held=Role.STANDBY, fit=fit).hear(term=1)
    assert one.where is where


def test_of_two_owners_the_fit_one_stays():
    fit = content(owner=True, held=Role.ACTIVE)
    unfit = content(owner=True, held=Role.ACTIVE, fit=False, priority=200, node=2)
    assert loses(unfit, fit)
    assert not loses(fit, unfit)
    nothing = replace(fit, held=None)
    assert loses(nothing, unfit), "who holds it stays, whatever the other would be better at"


# --- failback ----------------------------------------


@pytest.mark.parametrize(("fit", "claims"), [(True, True), (None, True), (False, False)])
def test_a_gateway_that_is_unfit_claims_nothing(fit, claims):
    one = standby(One(replace(OWN, fit=fit)))
    assert one.says.content.claim is claims
    assert (one.state.well_s is not None) is claims


def test_a_failback_with_a_delay_begins_when_it_is_fit():
    rules = replace(RULES, preempt=Preempt.DELAY, preempt_delay_s=5.0)
    one = standby(One(replace(OWN, fit=False), rules=rules))
    standby(one.at(2.0, fit=True))
    for moment in (4.0, 6.0, 6.9):
        assert not standby(one.at(moment)).says.content.claim
    assert standby(one.at(7.0)).says.content.claim
    assert not one.at(7.0, fit=False).says.content.claim


# --- a partner that reads protocol 1 only ----------------------------------------


def test_a_partner_that_cannot_be_told_is_not_left_for_fitness():
    """It would not know why, and hand the role back."""
    one = active(reads_2=False).at(LATE, fit=False)
    assert one.says.content.fit is None
    assert one.says.wanted is Role.ACTIVE
    beside = standby(One(replace(OWN, fit=False)), reads_2=False)
    assert beside.says.content.fit is None
    assert beside.says.content.claim
    knows = standby(One(replace(OWN, fit=False)))
    assert knows.says.content.fit is False


def test_before_a_partner_is_heard_everything_is_said():
    one = One(replace(OWN, fit=False))
    assert one.state.message is None
    assert content_of(one.rules, one.state, one.own, one.now).fit is False


# --- the road, and what must hold ----------------------------------------


@pytest.mark.parametrize(("fit", "able"), [(True, True), (None, True), (False, False)])
def test_the_role_is_not_left_for_the_road_to_one_that_is_unfit(fit, able):
    assert takes_road(content(fit=fit)) is able
    one = active(fit=fit)
    assert there_of(one.rules, one.state, one.own, one.now).able is able


def test_an_unfit_gateway_that_claims_is_named():
    one = standby()
    claim = "who is unfit claims nothing"
    for fit, found in ((False, [claim]), (None, []), (True, [])):
        said = replace(one.says.content, fit=fit, claim=True)
        assert broken(one.rules, one.state, one.own, replace(one.says, content=said), one.now) == (
            found
        )
    said = replace(one.says.content, fit=False, claim=False)
    assert broken(one.rules, one.state, one.own, replace(one.says, content=said), one.now) == []
