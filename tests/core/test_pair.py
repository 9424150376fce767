"""The rules of a pair one by one; :mod:`tests.core.test_pair_world` puts two gateways together."""

import asyncio
from functools import partial
from itertools import combinations_with_replacement, product
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havpn_core.durations import Duration
from havpn_core.errors import CallFailed, ConfigError
from havpn_core.pair import session, token
from havpn_core.pair.beat import Beat
from havpn_core.pair.content import detail, why_leave
from havpn_core.pair.frames import VERDICTS, Authenticator
from havpn_core.pair.invariants import broken
from havpn_core.pair.lan import Scout
from havpn_core.pair.message import Content, Line, Mode, loses, tie, why_better, why_give
from havpn_core.pair.options import PairOptions
from havpn_core.pair.run import CHECKED, PairRun
from havpn_core.pair.scout import Findings, Reply, concluded, renewed
from havpn_core.pair.session import PairSession
from havpn_core.pair.state import Own, PairRules, Preempt, Token
from havpn_core.pair.table import TABLE, Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.stance import Stance
from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.road.state import RoadState, RoadView
from havpn_core.rules.role import Role
from tests.core.values import deliver, replace

RULES = PairRules(interval_s=1.0, dead_s=3.0, takeover_s=6.0, rest_s=8.0)


def test_an_address_in_use_is_left_alone_and_taken_once_it_is_free():
    rules = replace(RULES, check_s=RULES.interval_s)
    own = Own(node=2, priority=100, line=Line.UP, held=Role.STANDBY, in_use=None)
    state = token.start(rules, own, 0.0)
    early, late = rules.dead_s - rules.check_s, rules.dead_s + rules.interval_s

    def at(now_s, in_use):
        stepped = token.step(rules, state, replace(own, in_use=in_use), now_s)
        return token.decide(rules, stepped, own, now_s)

    assert not at(early - 0.01, None).suspect
    assert at(early, None).suspect, "checked before the partner counts as dead"
    assert at(0.0, None).wake_s == pytest.approx(early)
    assert at(late, None).wanted is not Role.ACTIVE, "not yet checked"
    assert at(late, True).wanted is not Role.ACTIVE
    assert at(late, True).suspect, "checked again"
    assert at(late, False).wanted is Role.ACTIVE
    assert at(late, False).suspect, "and on and on, until the role is held"
    taken = token.step(rules, state, replace(own, in_use=False), late)
    for held, in_use, where in (
        (Role.STANDBY, False, Token.OWNED),
        (Role.STANDBY, True, Token.ELSEWHERE),
        (Role.STANDBY, None, Token.ELSEWHERE),
        (None, False, Token.OWNED),
        (None, True, Token.ELSEWHERE),
        (None, None, Token.OWNED),
        (Role.ACTIVE, True, Token.OWNED),
        (Role.ACTIVE, None, Token.OWNED),
    ):
        looked = replace(own, held=held, in_use=in_use)
        after = token.step(rules, taken, looked, late)
        assert after.token is where, (held, in_use)
        holds_or_lost = held is Role.ACTIVE or where is Token.ELSEWHERE
        assert after.seized is not holds_or_lost
        assert after.term == taken.term == 1
        decision = token.decide(rules, after, looked, late)
        assert decision.suspect is (held is not Role.ACTIVE)
        held_now = token.step(rules, after, replace(own, held=Role.ACTIVE, in_use=None), late)
        assert not held_now.seized


# --- the table of the token ------------------------------------------------------------------

HAD = {
    "silence": ("owned", 1, "the partner is silent on all links"),
    "offer": ("owned", 0, "the partner handed the role over"),
    "orphaned": ("owned", 1, "neither gateway had the role"),
    "deaf": ("owned", 1, "neither gateway had the role, and the partner does not hear this one"),
    "cut off": (
        "owned",
        1,
        "the partner is unfit, does not hear this gateway and is not on the LAN",
    ),
}
LOST = {
    "slept": ("doubted", 0, ""),
    "outranked": ("elsewhere", 0, "both gateways were active, the partner stays"),
    "unheard": (
        "elsewhere",
        0,
        "both gateways were active, and the partner does not hear this one",
    ),
    "in use": ("elsewhere", 0, "the address is not known to be free"),
    "let go": ("offered", 1, "handed the role over"),
}


def test_the_table_is_what_the_design_says():
    found = {
        where.value: {e.value: (r.token.value, r.grows, r.reason) for e, r in rows.items()}
        for where, rows in TABLE.items()
    }
    assert found == {
        "elsewhere": {"found active": ("doubted", 0, "was active at the start"), **HAD},
        "offered": {"arrived": ("elsewhere", 0, ""), "used": ("offered", 1, ""), **HAD},
        "owned": LOST,
        "doubted": {"confirmed": ("owned", 0, ""), **LOST},
    }


def test_each_row_of_the_table_is_in_the_document():
    text = (Path(__file__).parents[2] / "docs" / "pair.md").read_text()
    for where, rows in TABLE.items():
        for event, row in rows.items():
            assert f"| {where.value} | {event.value} | {row.token.value} |" in text


MESSAGES = st.builds(
    Content,
    node=st.sampled_from([1, 3]),
    priority=st.sampled_from([100, 200]),
    line=st.sampled_from([None, *Line]),
    held=st.sampled_from([None, *Role]),
    term=st.integers(0, 5),
    owner=st.booleans(),
    **{n: st.booleans() for n in ("claim", "hears", "doubt", "maintenance", "forced", "paused")},
    unfit=st.booleans(),
    challenge=st.integers(0, 2),
    response=st.integers(0, 2),
)


# --- one gateway, its partner played by hand ---------------------------------------------------

OWN = Own(node=2, priority=150, line=Line.UP, held=Role.STANDBY)
THEIRS = Content(
    node=1, priority=100, line=Line.UP, held=Role.STANDBY, hears=True, interval_ms=1000
)
LATE = RULES.dead_s + 1
MINE, THEIR_MAC = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"


FLAGS = (
    "owner", "offer", "claim", "hears", "doubt", "maintenance", "forced", "paused", "unfit",
)  # fmt: skip


class One:
    """One gateway at work; every step is checked."""

    def __init__(self, own=OWN, rules=RULES, now=0.0):
        self.rules, self.own, self.now = rules, own, now
        self.state = token.start(rules, own, now)
        self._check(None)

    def _check(self, before):
        self.says = token.decide(self.rules, self.state, self.own, self.now)
        found = broken(self.rules, self.state, self.own, self.says, self.now, before=before)
        assert not found, (found, before, self.state)
        return self

    def at(self, now, **own):
        self.now, self.own, before = now, replace(self.own, **own), self.state
        self.state = token.step(self.rules, before, self.own, now)
        return self._check(before)

    def hear(self, content=THEIRS, now=None, **fields):
        self.now, before = self.now if now is None else now, self.state
        content = replace(content, **fields)
        self.state = token.receive(self.rules, before, self.own, content, self.now)
        return self._check(before)

    def wake(self, late, now):
        self.now, before = now, self.state
        self.state = token.wake_late(self.rules, before, self.own, late, now)
        return self._check(before)

    @property
    def mode(self):
        return self.says.content.mode

    @property
    def where(self):
        return self.state.token


def active(**fields):
    """Give an owner that holds the role, took it from silence, and hears its partner."""
    one = One().at(LATE)
    assert one.mode is Mode.TAKING
    one.at(LATE, held=Role.ACTIVE)
    return one.hear(term=1, **fields)


def standby(one=None, **fields):
    """Give a gateway beside an active partner."""
    return (one or One()).hear(**{"owner": True, "held": Role.ACTIVE, "term": 5, **fields})


def test_who_is_silent_is_dead_at_the_end_of_its_time_and_not_before():
    one = One().hear(owner=True, held=Role.ACTIVE, term=7, now=1.0)
    assert one.at(1.0 + RULES.dead_s - 0.01).where is Token.ELSEWHERE
    assert one.says.wake_s == pytest.approx(1.0 + RULES.dead_s)
    assert one.at(1.0 + RULES.dead_s).where is Token.OWNED
    assert one.state.term == 8, "a token of one's own making has a number never used"
    assert one.says.reason == "the partner is silent on all links"


def test_a_start_is_patient_for_the_time_of_death():
    one = One()
    assert (one.mode, one.says.wanted) == (Mode.LISTENING, Role.STANDBY)
    assert one.at(RULES.dead_s - 0.01).where is Token.ELSEWHERE
    assert one.at(RULES.dead_s).where is Token.OWNED
    busy = One(replace(OWN, held=None))
    assert busy.says.wanted is None, "what is not known is not touched while listening"
    assert busy.hear(owner=True).says.wanted is Role.STANDBY


def test_a_sleep_starts_the_patience_anew_but_never_shortens_it():
    one = One().wake(9.0, now=RULES.dead_s - 0.5)
    assert one.where is Token.ELSEWHERE
    assert one.at(RULES.dead_s - 0.5 + RULES.interval_s - 0.01).where is Token.ELSEWHERE
    assert one.at(RULES.dead_s - 0.5 + RULES.interval_s).where is Token.OWNED
    early = One().wake(9.0, now=0.5)
    assert early.at(0.5 + RULES.interval_s).where is Token.ELSEWHERE
    assert early.at(RULES.dead_s).where is Token.OWNED


@pytest.mark.parametrize(("less", "where"), [(0.0, Token.DOUBTED), (0.01, Token.OWNED)])
def test_only_a_sleep_in_which_the_partner_may_have_taken_over_is_a_doubt(less, where):
    one = active().wake(RULES.dead_s - RULES.interval_s - less, now=LATE + 5)
    assert one.where is where


def test_a_standby_that_slept_has_nothing_to_doubt():
    one = standby().wake(60.0, now=1.0)
    assert one.where is Token.ELSEWHERE
    assert one.state.challenge == 0


def test_the_number_of_an_orphan_s_new_token_was_never_used():
    one = One().hear(term=9)
    assert one.where is Token.OWNED
    assert one.state.term == 10
    assert one.says.reason == "neither gateway had the role"
    assert replace(one.says.content, node=0).owner


@pytest.mark.parametrize(
    ("own", "theirs", "made"),
    [
        ({}, {}, True),
        ({"node": 1, "priority": 100}, {"node": 2}, False),
        ({"node": 1, "priority": 101}, {"node": 2}, True),
        ({"node": 3, "priority": 99}, {"node": 2}, False),
        ({"node": 1, "priority": 101}, {"node": 2, "reads_2": False}, False),
        ({"node": 3, "priority": 99}, {"node": 2, "reads_2": False}, True),
        ({"node": 1, "priority": 150}, {"node": 1, "reads_2": False}, True),
        ({"node": 1, "priority": 100}, {"node": 1}, False),
        ({"node": 1, "priority": 99}, {"node": 1}, False),
        ({"node": 1, "priority": 101}, {"node": 1}, True),
        ({"node": 1, "priority": 100, "mac": MINE}, {"node": 1}, True),
        ({"node": 1, "priority": 100}, {"node": 1, "mac": MINE}, False),
        ({"node": 1, "priority": 100, "mac": MINE}, {"node": 1, "mac": THEIR_MAC}, True),
        ({"node": 1, "priority": 100, "mac": THEIR_MAC}, {"node": 1, "mac": MINE}, False),
        ({}, {"held": Role.ACTIVE}, False),
        ({"held": Role.ACTIVE}, {"held": Role.ACTIVE}, True),
        ({"held": Role.ACTIVE}, {}, True),
        ({}, {"offer": True, "term": 0}, False),
        ({}, {"owner": True}, False),
    ],
)
def test_an_orphan_is_adopted_by_one_only(own, theirs, made):
    one = One().at(0.0, **own)
    assert (one.hear(**theirs).state.term > 0) is made, "it may be given on at once"


def offered(**fields):
    """Give a gateway whose path died and that gave the token with the number 2."""
    one = active().at(LATE, line=Line.DOWN)
    assert one.mode is Mode.RELEASING
    one.at(LATE, held=Role.STANDBY)
    assert (one.where, one.mode, one.state.term) == (Token.OFFERED, Mode.OFFERING, 2)
    return one


def test_an_offer_waits_for_a_partner_that_does_not_know_of_it_yet():
    assert offered().hear(term=1).where is Token.OFFERED
    assert offered().hear(offer=True, term=1).where is Token.OFFERED
    assert offered().hear(owner=True, term=2).where is Token.ELSEWHERE


def test_of_two_offers_with_one_number_the_preferred_gateway_makes_a_new_token():
    one = offered().hear(offer=True, term=2)
    assert one.state.term == 4, "made with 3 and given on, for the partner is the better one"
    assert one.where is Token.OFFERED
    assert offered().at(LATE, priority=99).hear(offer=True, term=2).state.term == 2


@pytest.mark.parametrize(("term", "after"), [(1, 2), (2, 3), (3, 4)])
def test_an_offer_that_the_partner_takes_for_an_old_one_is_made_again(term, after):
    one = offered().hear(term=term)
    assert (one.where, one.state.term) == (Token.OFFERED, after)


@pytest.mark.parametrize(("term", "where"), [(4, "elsewhere"), (5, "elsewhere"), (6, "owned")])
def test_only_an_offer_with_a_new_number_is_taken(term, where):
    """By the smaller node, that makes no token of its own."""
    one = standby(One(replace(OWN, node=0)))
    assert one.hear(offer=True, term=term).where.value == where
    assert one.state.term == max(5, term)


def test_an_offer_is_taken_for_a_reason_and_given_on_for_another():
    one = standby(One(replace(OWN, node=0))).hear(offer=True, term=6, line=Line.DOWN)
    assert one.says.wanted is Role.ACTIVE
    assert one.says.reason == (
        "the partner handed the role over: path down on the partner, up here"
    )
    one = standby(One(replace(OWN, node=0))).hear(offer=True, term=6, forced=True)
    assert (one.where, one.state.term) == (Token.OFFERED, 7)
    assert one.says.reason == "handed the role over: forced to active on the partner"


# --- two owners --------------------------------------------------------------------------------


def test_of_two_owners_the_better_one_stays():
    assert active().hear(owner=True, term=3).where is Token.OWNED
    lost = active().hear(owner=True, held=Role.ACTIVE, priority=200)
    assert lost.where is Token.ELSEWHERE
    assert lost.mode is Mode.RELEASING
    assert lost.says.reason == "both gateways were active, the partner stays"
    assert lost.at(LATE, held=Role.STANDBY).mode is Mode.STANDBY


def test_the_better_of_two_owners_stays_whatever_reason_to_go_it_has():
    one = active().at(LATE, line=Line.DOWN)
    one = one.hear(owner=True, held=Role.ACTIVE, doubt=True, line=Line.UP)
    assert (one.where, one.says.wanted) == (Token.OWNED, Role.ACTIVE)


def test_an_owner_that_is_not_heard_yields_after_the_time_of_death():
    one = active()
    for step in range(3):
        one.hear(owner=True, held=Role.ACTIVE, hears=False, term=1, now=LATE + step)
        assert one.where is Token.OWNED, "better than the partner and not deaf for long yet"
    end = LATE + RULES.dead_s
    for held in (None, Role.STANDBY):
        one.hear(owner=True, held=held, hears=False, term=1, now=end - 0.01)
        assert one.at(end).where is Token.OWNED, "a partner without the role wins nothing"
        one.now = end - 0.01
    one.hear(owner=True, held=Role.ACTIVE, hears=False, term=1, now=end - 0.01)
    assert one.where is Token.OWNED
    assert one.says.wake_s == pytest.approx(end)
    one.at(end)
    assert one.where is Token.ELSEWHERE
    assert one.says.reason.endswith("does not hear this one")


def test_a_partner_that_hears_again_begins_a_new_time():
    one = active()
    for step in range(8):
        one.hear(owner=True, held=Role.ACTIVE, hears=step % 2 == 1, term=1, now=LATE + step)
    assert one.where is Token.OWNED


def test_a_dead_partner_is_not_deaf():
    one = active().hear(owner=True, hears=False, term=1)
    assert one.state.unheard_s == LATE
    assert one.at(LATE + RULES.dead_s).state.unheard_s is None
    assert one.where is Token.OWNED


def deaf(own=OWN, **fields):
    """Give a gateway with the lower priority whose partner has just begun to say it is deaf."""
    one = One(replace(own, priority=99)).hear(hears=True, **fields)
    return one.hear(hears=False, **fields)


@pytest.mark.parametrize(
    ("own", "theirs", "where"),
    [
        ({}, {}, Token.OWNED),
        ({"in_use": None}, {}, Token.ELSEWHERE),
        ({"in_use": True}, {}, Token.ELSEWHERE),
        ({}, {"owner": True}, Token.ELSEWHERE),
        ({}, {"held": Role.ACTIVE}, Token.ELSEWHERE),
        ({}, {"held": None}, Token.OWNED),
        ({}, {"hears": True}, Token.ELSEWHERE),
    ],
)
def test_what_neither_has_is_taken_from_a_partner_that_is_deaf_for_long(own, theirs, where):
    one = deaf()
    for step in range(1, 4):
        one.at(step - 0.01, **own)
        assert one.where is Token.ELSEWHERE
        one.hear(**{"hears": False} | theirs, now=float(step))
    assert one.where is where
    assert one.state.seized is (where is Token.OWNED)
    if where is Token.OWNED:
        assert one.says.reason == (
            "neither gateway had the role, and the partner does not hear this one"
        )
        assert one.state.term == 1
        assert one.at(3.0, in_use=None).where is Token.ELSEWHERE, "not known to be free"
        assert one.at(3.0, in_use=False).where is Token.OWNED
        assert one.at(3.0, held=Role.ACTIVE, in_use=True).where is Token.OWNED


def test_the_lan_is_checked_before_the_role_is_taken_from_a_deaf_partner():
    rules = replace(RULES, check_s=0.5)
    cases = ({}, True), ({"owner": True}, False), (HOLDS, False), (CUT_OFF, True)
    for fields, suspects in cases:
        one = One(replace(OWN, priority=99), rules=rules).hear(hears=False, **fields)
        one.hear(hears=False, now=2.0, **fields)
        assert not one.at(2.49).says.suspect
        assert one.says.wake_s == pytest.approx(2.5 if suspects else 3.0)
        assert one.at(2.5).says.suspect is suspects
    silent = One(rules=rules).hear(owner=True)
    assert silent.at(2.5).says.suspect


CUT_OFF = {"owner": True, "held": Role.ACTIVE, "fit": False}


@pytest.mark.parametrize(
    ("own", "theirs", "where"),
    [
        ({}, {}, Token.OWNED),
        ({"fit": True}, {}, Token.OWNED),
        ({"fit": False}, {}, Token.ELSEWHERE),
        ({"in_use": None}, {}, Token.ELSEWHERE),
        ({"in_use": True}, {}, Token.ELSEWHERE),
        ({}, {"hears": True}, Token.ELSEWHERE),
        ({}, {"fit": None}, Token.ELSEWHERE),
        ({}, {"fit": True}, Token.ELSEWHERE),
        ({}, {"held": None}, Token.OWNED),
    ],
)
def test_the_role_is_taken_from_an_unfit_partner_that_is_cut_off(own, theirs, where):
    """It would give it, if it heard of anybody who could have it."""
    one = deaf(**CUT_OFF)
    for step in range(1, 4):
        one.at(step - 0.01, **own)
        assert one.where is Token.ELSEWHERE
        one.hear(**{"hears": False} | CUT_OFF | theirs, now=float(step))
    assert one.where is where
    assert one.state.seized is (where is Token.OWNED)


def cut_off(**own):
    """Give a gateway that has just taken the right from a partner that is cut off."""
    one = deaf(**CUT_OFF)
    for step in range(1, 4):
        one.hear(hears=False, now=float(step), **CUT_OFF)
    assert one.where is Token.OWNED
    return one.at(3.0, **own)


def test_what_was_taken_from_a_partner_that_is_cut_off_is_kept_while_it_is():
    one = cut_off()
    assert (one.says.wanted, one.state.term) == (Role.ACTIVE, 1)
    assert cut_off(in_use=None).where is Token.ELSEWHERE, "not known to be free"
    assert cut_off(held=None, in_use=None).where is Token.OWNED
    assert cut_off(held=None, in_use=True).where is Token.ELSEWHERE
    one = cut_off(held=Role.ACTIVE, in_use=True)
    one.hear(hears=False, now=3.5, **CUT_OFF)
    assert (one.where, one.says.wanted) == (Token.OWNED, Role.ACTIVE)
    one.hear(hears=False, now=4.0, **CUT_OFF | {"fit": True})
    assert one.where is Token.ELSEWHERE, "it will never learn that there are two"


def test_who_is_unfit_too_does_not_outlast_a_partner_that_is_cut_off():
    assert cut_off(held=Role.ACTIVE, fit=False).where is Token.ELSEWHERE


def test_an_unfit_partner_that_hears_again_gives_way():
    one = cut_off(held=Role.ACTIVE)
    one.hear(hears=True, now=3.5, **CUT_OFF)
    assert (one.where, one.says.wanted) == (Token.OWNED, Role.ACTIVE)
    well = CUT_OFF | {"fit": True, "priority": 200}
    assert cut_off(held=Role.ACTIVE).hear(hears=True, now=3.5, **well).where is Token.ELSEWHERE


def test_an_offer_that_is_not_heard_is_taken_back():
    one = offered().hear(term=1, hears=False)
    one.hear(term=1, hears=False, now=LATE + RULES.dead_s - 0.01)
    assert one.where is Token.OFFERED
    one.at(LATE + RULES.dead_s)
    assert (one.where, one.says.wanted) == (Token.OWNED, Role.ACTIVE)


# --- doubt -------------------------------------------------------------------------------------


def restarted():
    """Give an owner that was started while it held the role, beside a standby."""
    one = One(replace(OWN, held=Role.ACTIVE))
    assert (one.mode, one.state.challenge) == (Mode.DOUBTING, 1)
    assert one.says.content.challenge == 1
    assert one.says.reason == "was active at the start"
    return one


def test_a_doubt_ends_with_the_response_to_this_challenge_only():
    one = restarted().hear()
    assert one.where is Token.DOUBTED
    one.hear(response=1, owner=True, priority=1, doubt=True)
    assert one.where is Token.DOUBTED, "an owner confirms nothing"
    one.hear(response=1)
    assert one.where is Token.OWNED
    assert one.mode is Mode.ACTIVE
    one.wake(60.0, now=5.0)
    assert one.hear(response=1, now=5.0).where is Token.DOUBTED
    assert one.hear(response=2).where is Token.OWNED


def test_who_doubts_and_holds_nothing_takes_nothing_before_it_is_sure():
    one = One().at(LATE).hear(term=1)
    assert (one.where, one.mode) == (Token.OWNED, Mode.TAKING)
    one.wake(60.0, now=LATE)
    assert (one.where, one.mode, one.says.wanted) == (Token.DOUBTED, Mode.DOUBTING, None)
    assert one.state.taking_s is None
    one.at(LATE, held=None)
    assert one.says.wanted is None
    one.hear(term=1, response=1)
    assert (one.where, one.says.wanted) == (Token.OWNED, Role.ACTIVE)
    leaving = One().at(LATE).at(LATE, line=DOWN).hear(term=1).wake(60.0, now=LATE)
    assert (leaving.where, leaving.says.wanted) == (Token.OFFERED, Role.STANDBY)


@pytest.mark.parametrize(("late", "where"), [(1.0, Token.OWNED), (5.0, Token.DOUBTED)])
def test_a_sleep_is_long_by_the_partner_s_interval_whatever_dead_is_configured(late, where):
    one = One(rules=replace(RULES, dead_s=20.0, explicit=True)).at(20.0)
    one.at(20.0, held=Role.ACTIVE).hear(term=1, interval_ms=2000)
    assert one.wake(late, now=21.0).where is where
    if late > 1:
        assert one.wake(4.99, now=21.0).where is Token.DOUBTED


def test_a_doubt_ends_when_the_partner_is_dead():
    one = restarted()
    assert one.at(RULES.dead_s - 0.01).where is Token.DOUBTED
    assert one.says.wake_s == pytest.approx(RULES.dead_s)
    assert one.at(RULES.dead_s).where is Token.OWNED
    assert one.state.term == 0, "the token is the old one"


def test_who_doubts_loses_against_who_does_not():
    assert restarted().hear(owner=True, held=Role.ACTIVE).where is Token.ELSEWHERE
    assert restarted().hear(owner=True, doubt=True).where is Token.DOUBTED
    paused = restarted().at(0.0, paused=True)
    assert paused.hear(owner=True, held=Role.ACTIVE).where is Token.DOUBTED


def test_challenges_go_round_within_a_byte():
    one = active()
    for number in range(1, 258):
        one.wake(60.0, now=LATE + number)
        assert one.says.content.challenge == number % 256


def test_a_gateway_that_just_started_says_nothing_of_itself_that_is_not_so():
    said = One(replace(OWN, held=None)).says.content
    announced = round(RULES.interval_s * 1000)
    assert said == Content(OWN.node, OWN.priority, line=OWN.line, interval_ms=announced)
    assert not any(getattr(Content(1, 1), name) for name in FLAGS)


def test_the_partner_s_challenge_is_responded_to():
    assert One().says.content.response == 0
    assert One().hear(challenge=77).says.content.response == 77


# --- reasons to go and to stay -----------------------------------------------------------------

DOWN, RECOVERING = Line.DOWN, Line.RECOVERING
ONE_NAME = "both nodes have one name, and the lower link-layer address is on the partner"
MISSING = "far responder missing for long here, path up on the partner"


@pytest.mark.parametrize(
    ("own", "theirs", "why"),
    [
        ({}, {}, ""),
        ({"line": DOWN}, {}, "path down here, up on the partner"),
        ({"line": RECOVERING}, {}, "path recovering here, up on the partner"),
        ({"line": DOWN}, {"line": RECOVERING}, "path down here, recovering on the partner"),
        ({"line": DOWN}, {"line": DOWN}, ""),
        ({"line": RECOVERING}, {"line": RECOVERING}, ""),
        ({"line": RECOVERING}, {"line": DOWN}, ""),
        ({"line": RECOVERING}, {"line": None}, ""),
        ({"refused": True}, {}, MISSING),
        ({"refused": True, "line": None}, {}, MISSING),
        ({"refused": True}, {"refused": True}, ""),
        ({"refused": True}, {"line": None}, ""),
        ({"refused": True}, {"line": RECOVERING}, ""),
        ({"refused": True}, {"line": DOWN}, ""),
        ({}, {"refused": True, "claim": True, "priority": 151}, ""),
        ({"refused": True}, {"refused": True, "claim": True, "priority": 151},
         "failback to the higher priority on the partner"),
        ({"refused": True, "line": DOWN}, {}, "path down here, up on the partner"),
        ({"refused": True, "line": RECOVERING}, {}, "path recovering here, up on the partner"),
        ({"line": DOWN}, {"refused": True}, "path down here, up on the partner"),
        ({"line": RECOVERING}, {"refused": True}, ""),
        ({"refused": True, "paused": True}, {}, ""),
        ({"refused": True}, {"hears": False}, ""),
        ({"line": DOWN}, {"hears": False}, ""),
        ({"maintenance": True}, {"hears": False}, ""),
        ({}, {"hears": False, "forced": True}, ""),
        ({"refused": True}, {"reads_2": False}, ""),
        ({"line": DOWN}, {"line": None}, ""),
        ({"line": None}, {}, ""),
        ({"line": DOWN, "paused": True}, {}, ""),
        ({"line": DOWN}, {"paused": True}, ""),
        ({"line": DOWN}, {"unfit": True}, ""),
        ({}, {"forced": True}, "forced to active on the partner"),
        ({}, {"forced": True, "line": None}, "forced to active on the partner"),
        ({}, {"forced": True, "maintenance": True}, "forced to active on the partner"),
        ({"forced": True, "line": DOWN, "maintenance": True}, {}, ""),
        ({"forced": True}, {"forced": True}, ""),
        ({"forced": True, "line": DOWN}, {"forced": True}, "path down here, up on the partner"),
        ({"maintenance": True}, {"line": None}, "in maintenance here"),
        ({"line": DOWN}, {"maintenance": True}, ""),
        ({"line": DOWN, "maintenance": True}, {"maintenance": True}, ""),
        ({}, {"claim": True, "priority": 151}, "failback to the higher priority on the partner"),
        ({}, {"claim": True, "priority": 150}, ""),
        ({}, {"claim": True, "priority": 149}, ""),
        ({}, {"priority": 151}, ""),
        ({}, {"off_road": True, "priority": 151}, ""),
        ({"line": DOWN}, {"off_road": True}, "path down here, up on the partner"),
        ({"line": DOWN}, {"off_road": True, "line": DOWN}, ""),
        ({"line": RECOVERING}, {"off_road": True}, ""),
        ({"refused": True}, {"off_road": True}, ""),
    ],
)  # fmt: skip
def test_a_holder_goes_for_these_reasons_only(own, theirs, why):
    one = One().at(LATE).at(LATE, held=Role.ACTIVE, **own).hear(term=1, **theirs)
    if why:
        assert (one.says.wanted, one.says.reason, one.mode) == (Role.STANDBY, why, Mode.RELEASING)
        one.at(LATE, held=None)
        assert one.where is Token.OWNED, "nothing is given before the role is gone"
        one.at(LATE, held=Role.STANDBY)
        assert one.where is Token.OFFERED
        assert one.says.reason == f"handed the role over: {why}", "the first cause stays"
    else:
        assert (one.says.wanted, one.mode) == (Role.ACTIVE, Mode.ACTIVE)
        assert one.says.reason == "the partner is silent on all links", "why it came here"


@pytest.mark.parametrize("slept", [False, True])
def test_who_lost_the_address_during_a_silence_takes_it_only_once_it_is_known_to_be_free(slept):
    one = active().at(LATE, held=Role.ACTIVE)
    if slept:
        one.wake(60.0, now=LATE + 60)
        assert one.where is Token.DOUBTED
    one.at(LATE + 61, held=Role.STANDBY, in_use=None)
    assert (one.where, one.says.wanted) == (Token.ELSEWHERE, Role.STANDBY)
    assert one.says.suspect
    one.at(LATE + 62, in_use=True)
    assert one.where is Token.ELSEWHERE
    one.at(LATE + 63, in_use=False)
    assert (one.where, one.says.wanted) == (Token.OWNED, Role.ACTIVE)
    one.at(LATE + 64, held=Role.ACTIVE, in_use=None)
    assert one.where is Token.OWNED


@pytest.mark.parametrize(
    ("own", "theirs", "why"),
    [
        ({}, {}, ""),
        ({}, {"priority": 151}, "the higher priority is on the partner"),
        ({}, {"priority": 150, "node": 3},
         "the larger number of the node's name is on the partner"),
        ({}, {"priority": 150}, ""),
        ({"line": DOWN}, {"priority": 1}, "path down here, up on the partner"),
        ({"line": None}, {"priority": 1}, ""),
        ({"line": None}, {"priority": 151}, "the higher priority is on the partner"),
        ({"line": RECOVERING}, {"line": None}, "path recovering here, unknown on the partner"),
        ({"line": DOWN}, {"line": RECOVERING}, "path down here, recovering on the partner"),
        ({}, {"line": DOWN, "priority": 200}, ""),
        ({"maintenance": True, "line": DOWN}, {}, "in maintenance here"),
        ({}, {"maintenance": True, "priority": 200}, ""),
        ({"maintenance": True}, {"forced": True}, "forced to active on the partner"),
        ({"forced": True}, {"priority": 200}, ""),
        ({"paused": True}, {}, "paused here"),
        ({}, {"paused": True, "priority": 200, "forced": True}, ""),
        ({}, {"unfit": True, "priority": 200, "forced": True}, ""),
        ({"refused": True}, {"priority": 1}, MISSING),
        ({"refused": True, "line": None}, {"priority": 1}, MISSING),
        ({"line": None}, {"priority": 1, "refused": True}, ""),
        ({"line": RECOVERING}, {"priority": 1, "refused": True},
         "path recovering here, up on the partner"),
        ({"refused": True}, {"line": None, "priority": 200}, ""),
        ({}, {"refused": True, "priority": 200}, ""),
        ({}, {"hears": False, "priority": 200}, ""),
        ({"mac": THEIR_MAC}, {"priority": 150, "node": 2, "mac": MINE}, ONE_NAME),
        ({"mac": MINE}, {"priority": 150, "node": 2, "mac": THEIR_MAC}, ""),
        ({}, {"priority": 150, "node": 2, "mac": MINE}, ONE_NAME),
        ({"mac": MINE}, {"priority": 150, "node": 2}, ""),
        ({"mac": MINE}, {"priority": 150, "node": 2, "reads_2": False}, ONE_NAME),
        ({}, {"priority": 200, "off_road": True}, ""),
        ({"line": RECOVERING}, {"priority": 200, "off_road": True}, ""),
        ({"line": DOWN}, {"priority": 1, "off_road": True}, "path down here, up on the partner"),
        ({"line": DOWN}, {"priority": 1, "off_road": True, "line": DOWN}, ""),
    ],
)  # fmt: skip
def test_while_nobody_holds_the_role_the_better_one_is_to_have_it(own, theirs, why):
    one = One().at(LATE).at(LATE, held=Role.STANDBY, **own).hear(term=1, **theirs)
    assert one.says.wanted is (Role.STANDBY if why else Role.ACTIVE)
    assert one.where is (Token.OFFERED if why else Token.OWNED)
    if why:
        assert one.says.reason == f"handed the role over: {why}"


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ({"line": None}, {"priority": 200}),
        ({}, {"priority": 200}),
        ({"line": None}, {"line": None, "priority": 200}),
        ({"refused": True}, {"line": None, "priority": 200}),
    ],
)
def test_a_daemon_that_restarts_and_applies_the_role_once_more_hands_nothing_over(own, theirs):
    """It holds the address, its paths are not known yet, and the look comes after the change."""
    one = One(replace(OWN, held=Role.ACTIVE, **own)).hear(term=1, response=1, **theirs)
    assert one.at(0.1, held=None).says.wanted is Role.ACTIVE
    assert one.at(0.2, held=Role.ACTIVE).says.wanted is Role.ACTIVE
    assert one.where is Token.OWNED


def test_a_reason_to_go_that_is_over_before_the_role_is_gone_is_one_to_stay():
    one = active().at(LATE, line=DOWN)
    assert one.at(LATE, held=None).says.wanted is Role.STANDBY
    one.at(LATE, line=Line.UP)
    assert one.says.wanted is Role.ACTIVE
    assert one.says.reason == "there is no reason any more to hand the role over"
    assert one.at(LATE, held=Role.ACTIVE).mode is Mode.ACTIVE


def owners():
    """Give an owner of the right in every way that matters to a dispute."""
    fields = {
        "held": [None, *Role],
        "paused": [False, True],
        "doubt": [False, True],
        "priority": [100, 200],
        "node": [1, 2],
        "mac": [b"", MINE, THEIR_MAC],
        "reads_2": [False, True],
    }
    found = [dict(zip(fields, values, strict=True)) for values in product(*fields.values())]
    return [Content(**each, line=Line.UP, owner=True) for each in found]


def test_of_two_owners_exactly_one_loses_whatever_they_are():
    """But for two that nothing tells apart, and that both stay."""
    alike = ("held", "paused", "doubt", "priority", "node", "mac", "reads_2")
    every = owners()
    for one, other in combinations_with_replacement(every, 2):
        same = all(getattr(one, name) == getattr(other, name) for name in alike)
        if one.held is not Role.ACTIVE and other.held is not Role.ACTIVE:
            same = same or replace(one, held=None) == replace(other, held=None)
        assert loses(one, other) + loses(other, one) == (not same), (one, other)


HOLDS = {"held": Role.ACTIVE}


@pytest.mark.parametrize(
    ("stays", "goes"),
    [
        (HOLDS, {"held": None, "priority": 200}),
        (HOLDS, {"held": Role.STANDBY, "priority": 200, "forced": True}),
        (HOLDS | {"doubt": True}, {"held": None}),
        (HOLDS | {"line": Line.DOWN}, {"held": None, "line": Line.UP}),
        (HOLDS, {"held": Role.STANDBY, "paused": True}),
        (HOLDS | {"paused": True, "doubt": True}, HOLDS | {"priority": 200}),
        (HOLDS, HOLDS | {"doubt": True, "priority": 200}),
        (HOLDS | {"priority": 101}, HOLDS),
        ({"held": None, "priority": 101}, {"held": Role.STANDBY}),
        (HOLDS | {"node": 2}, HOLDS),
        (HOLDS | {"mac": MINE}, HOLDS | {"mac": THEIR_MAC}),
        (HOLDS | {"mac": THEIR_MAC}, HOLDS),
        (HOLDS | {"reads_2": False}, HOLDS | {"mac": MINE}),
        (HOLDS | {"line": Line.UP}, HOLDS | {"line": Line.UP, "refused": True, "priority": 200}),
        (HOLDS | {"line": Line.UP, "refused": True}, HOLDS | {"priority": 200}),
    ],
)
def test_who_stays_of_two_owners(stays, goes):
    one, other = (Content(**{"node": 1, "priority": 100} | each) for each in (stays, goes))
    assert loses(other, one)
    assert not loses(one, other)


# --- taking the role, and failing to -----------------------------------------------------------


def test_a_role_that_cannot_be_taken_goes_to_the_partner_and_the_taker_rests():
    one = One().at(LATE).hear(term=1)
    assert one.state.taking_s == LATE
    end = LATE + RULES.takeover_s
    one.hear(term=1, now=end - 0.01)
    assert (one.mode, one.state.unfit_until_s) == (Mode.TAKING, None)
    assert one.says.wake_s == pytest.approx(end)
    one.at(end)
    assert (one.where, one.state.term) == (Token.OFFERED, 2)
    assert one.says.content.unfit
    assert one.says.reason == "handed the role over: the role could not be taken here"
    assert one.state.unfit_until_s == pytest.approx(end + RULES.rest_s)
    one.hear(owner=True, held=Role.ACTIVE, term=2, now=end + RULES.rest_s - 0.01)
    assert one.says.content.unfit
    assert not one.says.content.claim, "well, but it rests"
    one.at(end + RULES.rest_s)
    assert not one.says.content.unfit
    assert one.says.content.claim


@pytest.mark.parametrize("fields", [{"unfit": True}, {"paused": True}])
def test_a_taker_whose_partner_cannot_have_the_role_goes_on_trying(fields):
    one = One().at(LATE).hear(term=1, **fields)
    one.hear(term=1, now=LATE + RULES.takeover_s + 9, **fields)
    assert (one.mode, one.state.unfit_until_s) == (Mode.TAKING, None)


def test_a_taker_alone_goes_on_trying_and_one_that_succeeds_is_fit():
    one = One().at(LATE).at(LATE + RULES.takeover_s + 9)
    assert (one.mode, one.state.unfit_until_s) == (Mode.TAKING, None)
    one = One().at(LATE).hear(term=1).hear(term=1, now=LATE + RULES.takeover_s)
    assert one.state.unfit_until_s is not None
    assert one.at(one.now, held=Role.ACTIVE).state.unfit_until_s is None


def test_the_rest_grows_with_each_failure_until_the_role_is_held():
    one, rests = One().at(LATE).hear(term=1), []
    for _ in range(9):
        end = one.now + RULES.takeover_s
        one.hear(term=one.state.term, now=end)
        assert one.state.unfit_until_s is not None
        rests.append(one.state.unfit_until_s - end)
        one.hear(term=one.state.term, now=end + rests[-1])
        one.hear(offer=True, term=one.state.term + 1)
        assert one.where is Token.OWNED
    assert rests == [8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 512.0, 512.0]
    assert one.state.failures == 9
    assert one.at(one.now, held=Role.ACTIVE).state.failures == 0


def test_a_taker_that_is_not_seen_to_be_without_the_role_gives_nothing():
    one = One(replace(OWN, held=None)).at(LATE).hear(term=1)
    one.hear(term=1, now=LATE + RULES.takeover_s)
    assert (one.where, one.says.wanted) == (Token.OWNED, Role.STANDBY)
    assert one.says.content.unfit
    assert one.state.taking_s is None


def test_who_is_paused_takes_nothing_and_fails_at_nothing():
    one = One(replace(OWN, paused=True)).at(LATE)
    assert (one.where, one.state.taking_s) == (Token.OWNED, None)


# --- failback ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "theirs", "claims"),
    [
        ({}, {}, True),
        ({"line": DOWN}, {}, False),
        ({"line": RECOVERING}, {}, False),
        ({"line": None}, {}, False),
        ({"maintenance": True}, {}, False),
        ({"paused": True}, {}, False),
        ({}, {"priority": 150}, False),
        ({}, {"priority": 151}, False),
        ({}, {"owner": False}, False),
        ({"refused": True}, {}, False),
        ({"refused": True}, {"refused": True}, True),
        ({}, {"refused": True}, True),
        ({"refused": True}, {"reads_2": False}, True),
    ],
)
def test_only_the_preferred_gateway_that_is_well_claims_the_role(own, theirs, claims):
    one = standby(One(replace(OWN, node=0, **own)), **theirs)
    assert one.says.content.claim is claims


def test_a_failback_with_a_delay_waits_for_it_and_begins_anew_after_a_failure():
    rules = replace(RULES, preempt=Preempt.DELAY, preempt_delay_s=5.0)
    one = standby(One(rules=rules))
    assert not one.says.content.claim
    assert one.says.wake_s == pytest.approx(RULES.dead_s)
    for step in range(1, 5):
        assert not standby(one.at(float(step))).says.content.claim
    assert not standby(one.at(4.99)).says.content.claim
    assert one.says.wake_s == pytest.approx(5.0)
    assert standby(one.at(5.0)).says.content.claim
    one.at(5.0, line=DOWN).at(5.0, line=Line.UP)
    assert not one.says.content.claim
    at_once = replace(rules, preempt=Preempt.AUTO)
    assert standby(One(rules=at_once)).says.content.claim, "a delay is for the word delay only"
    manual = replace(rules, preempt=Preempt.MANUAL)
    one = standby(One(rules=manual))
    assert not standby(one.at(60.0)).says.content.claim


# --- what is said and when it changes ----------------------------------------------------------


def test_a_standby_says_why_it_is_one():
    assert One().says.reason == "just started, listens for the partner"
    assert standby().says.reason == "the partner has the role"
    low = One(replace(OWN, priority=99)).hear()
    assert low.says.reason == "neither gateway has the role yet"
    assert low.mode is Mode.STANDBY
    checked = standby(One(replace(OWN, in_use=None))).at(RULES.dead_s)
    assert checked.where is Token.ELSEWHERE
    assert checked.says.reason == (
        "the partner is silent on all links, but the LAN is first checked for the address"
    )
    assert checked.at(RULES.dead_s, in_use=True).says.reason == (
        "the partner is silent on all links, but the address is still in use on the LAN"
    )
    assert standby(checked).says.reason == "the partner has the role"


def test_a_partner_that_stopped_in_order_is_named():
    stopped = "the partner stopped: a restart or an upgrade"
    one = standby(stopping=True)
    assert one.says.reason == stopped
    one.at(RULES.dead_s, in_use=True)
    assert one.says.reason == f"{stopped}, but the address is still in use on the LAN"
    one.at(RULES.dead_s, in_use=False)
    assert one.says.reason == "the partner is silent on all links: it stopped in order"
    assert One(replace(OWN, stopping=True)).says.content.stopping


def test_what_is_said_says_who_is_heard():
    one = One()
    assert not one.says.content.hears
    assert one.hear(owner=True).says.content.hears
    assert one.at(RULES.dead_s - 0.01).says.content.hears
    assert not one.at(RULES.dead_s).says.content.hears


def test_an_owner_suspects_nobody_and_a_standby_only_at_the_end():
    rules = replace(RULES, check_s=0.5)
    one = standby(One(rules=rules))
    assert one.says.wake_s == pytest.approx(RULES.dead_s - 0.5)
    assert not one.at(RULES.dead_s - 0.51).says.suspect
    assert one.at(RULES.dead_s - 0.5).says.suspect
    assert one.says.wake_s == pytest.approx(RULES.dead_s)
    one.at(RULES.dead_s)
    assert (one.where, one.says.suspect) == (Token.OWNED, True)
    assert one.says.wake_s == pytest.approx(RULES.dead_s + RULES.takeover_s)
    one.at(RULES.dead_s, held=Role.ACTIVE)
    assert (one.where, one.says.suspect) == (Token.OWNED, False)


def test_the_suspicion_follows_the_last_frame_and_the_patience_after_a_sleep():
    rules = replace(RULES, check_s=0.5)
    one = One(rules=rules)
    one.now = 2.0
    standby(one)
    assert not one.at(4.49).says.suspect
    assert one.says.reason == "the partner has the role"
    assert one.at(4.5).says.suspect
    assert not one.wake(9.0, now=4.8).says.suspect
    assert not one.at(5.29).says.suspect
    assert one.says.reason == "just woke, listens for the partner", "silent, not dead"
    assert one.at(5.3).says.suspect


def test_a_rest_a_deafness_and_nothing_have_their_waking():
    one = active().hear(owner=True, hears=False, term=1, now=LATE + 1)
    one.hear(owner=True, hears=False, term=1, now=LATE + 2)
    assert one.says.wake_s == pytest.approx(LATE + 1 + RULES.dead_s)
    assert One().at(LATE, held=Role.ACTIVE).says.wake_s is None, "nothing changes by itself"
    rests = One().at(LATE).hear(term=1).hear(term=1, now=LATE + RULES.takeover_s)
    rests.at(LATE + 7 * RULES.takeover_s)
    alone = replace(rests.state, unfit_until_s=rests.now + 1, taking_s=None, token=Token.DOUBTED,
                    doubt_s=0.0)  # fmt: skip
    assert token.decide(RULES, alone, rests.own, rests.now).wake_s == rests.now + 1


# --- invariants --------------------------------------------------------------------------------

SOUND = standby()
OWNER = active()


@pytest.mark.parametrize(
    ("one", "fields", "claim"),
    [
        (OWNER, {"doubt_s": 0.0}, "a doubt has a beginning, and nothing else has"),
        (OWNER, {"token": Token.DOUBTED}, "a doubt has a beginning, and nothing else has"),
        (SOUND, {"leaving": True}, "only an owner leaves"),
        (SOUND, {"seized": True}, "only an owner seized the right"),
        (OWNER, {"seized": True}, "who holds the role has more than a seized right"),
        (OWNER, {"failures": 1}, "who holds the role has failed at nothing"),
        (OWNER, {"road": RoadState(off_s=1.0)}, "who is off the road has failed on it"),
        (OWNER, {"road": RoadState(failures=1)}, "only probes of the road find out about it"),
        (SOUND, {"taking_s": 0.0}, "only an owner takes"),
        (OWNER, {"taking_s": 0.0}, "who holds the role does not take it"),
        (OWNER, {"unfit_until_s": 99.0}, "who holds the role does not rest"),
        (OWNER, {"well_s": 0.0}, "only a standby beside an owner is well"),
        (One(), {"well_s": 0.0}, "only a standby beside an owner is well"),
        (SOUND, {"unheard_s": 0.0}, "only a living partner can say that it does not hear"),
        (One(), {"unheard_s": 0.0}, "only a living partner can say that it does not hear"),
        (SOUND, {"message": None}, "a message has a time"),
        (SOUND, {"received_s": None}, "a message has a time"),
        (SOUND, {"term": 4}, "the number is not behind the partner's"),
        (One(), {"term": -1}, "the number is not negative"),
        (SOUND, {"unfit_until_s": 0.0}, "a rest that is over is forgotten"),
        (SOUND, {"challenge": 256}, "a challenge fits a byte"),
        (SOUND, {"challenge": -1}, "a challenge fits a byte"),
        (SOUND, {"received_s": 0.1}, "nothing began in the future"),
        (SOUND, {"well_s": 0.1}, "nothing began in the future"),
    ],
)
def test_a_state_that_cannot_be_is_named(one, fields, claim):
    assert broken(one.rules, one.state, one.own, one.says, one.now) == []
    state = replace(one.state, **fields)
    assert claim in broken(one.rules, state, one.own, one.says, one.now)


@pytest.mark.parametrize(
    ("one", "decision", "said", "claim"),
    [
        (SOUND, {"wanted": Role.ACTIVE}, {}, "only an owner wants to be active"),
        (OWNER, {"wanted": None}, {}, "an owner wants a role, unless it doubts and holds none"),
        (OWNER, {}, {"offer": True}, "an owner offers nothing"),
        (OWNER, {}, {"claim": True}, "an owner claims nothing"),
        (SOUND, {}, {"claim": True, "off_road": True}, "who is off the road claims nothing"),
        (SOUND, {}, {"asks": 3}, "who requests the partner's road is active"),
        (OWNER, {}, {"asks": 3, "held": None}, "who requests the partner's road is active"),
        (SOUND, {}, {"asks": 3, "held": Role.ACTIVE}, "who requests the partner's road is active"),
        (OWNER, {}, {"asks": 3, "off_road": True}, "who requests the partner's road is not off it"),
        (SOUND, {}, {"doubt": True}, "only an owner doubts"),
        (SOUND, {}, {"doubted": True}, "only an owner is doubted"),
        (
            OWNER,
            {"road": RoadView(stuck=True)},
            {"off_road": True},
            "who leaves for the road tells the far site nothing",
        ),
        (OWNER, {}, {"owner": False}, "what is said is what is"),
        (SOUND, {}, {"offer": True}, "what is said is what is"),
        (SOUND, {}, {"held": Role.ACTIVE}, "what is said is what is"),
        (SOUND, {}, {"wanted": Role.ACTIVE}, "what is said is what is"),
        (OWNER, {"suspect": True}, {}, "an owner suspects nobody once it held the role"),
        (SOUND, {"wake_s": 0.0}, {}, "a waking is in the future"),
        (SOUND, {"reason": ""}, {}, "a decision has a reason"),
    ],
)
def test_a_decision_that_does_not_follow_is_named(one, decision, said, claim):
    says = replace(one.says, content=replace(one.says.content, **said), **decision)
    found = broken(one.rules, one.state, one.own, says, one.now)
    assert found[0] == claim
    assert set(found) <= {claim, "what is said is what is"}


def test_a_seized_right_to_an_address_in_use_is_named():
    one = One().at(LATE)
    used = replace(one.own, in_use=True)
    claim = ["a right that was seized is void while the address is in use"]
    assert broken(RULES, one.state, used, one.says, LATE) == claim
    unseized = replace(one.state, seized=False)
    assert broken(RULES, unseized, used, one.says, LATE) == [
        "an owner suspects nobody once it held the role"
    ]
    later = replace(RULES, dead_s=3.5)
    found = broken(later, one.state, one.own, one.says, LATE)
    assert found == ["a death is no sooner than configured"]
    sooner = replace(one.says, dead_s=2.99)
    assert "a death takes two lost frames" in broken(RULES, one.state, one.own, sooner, LATE)
    slow = standby(interval_ms=2000)
    hasty = replace(slow.says, dead_s=5.998)
    found = broken(RULES, slow.state, slow.own, hasty, slow.now)
    assert found == ["a death takes two lost frames"]


def test_an_owner_that_doubts_and_holds_the_role_wants_one():
    one = restarted()
    assert (one.where, one.own.held) == (Token.DOUBTED, Role.ACTIVE)
    says = replace(one.says, wanted=None, content=replace(one.says.content, wanted=None))
    assert broken(one.rules, one.state, one.own, says, one.now) == [
        "an owner wants a role, unless it doubts and holds none"
    ]


def test_what_is_plain_has_no_words():
    one = standby()
    assert why_leave(one.rules, one.state, one.own, one.now) == ""
    assert detail(one.rules, one.state, one.own, Event.ARRIVED, one.now) == ""


def test_what_tells_two_gateways_apart_has_words_and_nothing_else_has():
    one = Content(node=1, priority=100)
    assert one.interval_ms == 0, "not announced"
    assert why_better(one, one) == ""
    assert why_give(one, one) == "", "not heard"
    assert why_give(one, replace(one, hears=True)) == ""
    assert tie(1, 200, b"") > tie(2, 100, b"")
    assert tie(1, 200, b"", protocol_1=True) < tie(2, 100, b"", protocol_1=True)
    refused = replace(one, refused=True)
    said = why_better(refused, replace(refused, line=Line.UP))
    assert said == "path unknown here, up on the partner"


GONE = replace(offered().own)
SEIZED = replace(OWNER.state, seized=True)


@pytest.mark.parametrize(
    ("after", "before", "own", "claims"),
    [
        (OWNER.state, {}, OWNER.own, []),
        (OWNER.state, {"term": 2}, OWNER.own, ["the number never falls"]),
        (OWNER.state, {"token": Token.ELSEWHERE}, OWNER.own,
         ["a token that is taken has a new number"]),
        (OWNER.state, {"token": Token.ELSEWHERE, "term": 0}, OWNER.own, []),
        (offered().state, {"token": Token.OWNED}, GONE,
         ["a token that is given has a new number"]),
        (offered().state, {"token": Token.OWNED, "term": 1}, GONE, []),
        (offered().state, {"token": Token.OWNED, "term": 1}, replace(GONE, held=Role.ACTIVE),
         ["nothing is given before the role is gone"]),
        (offered().state, {"token": Token.OFFERED}, replace(GONE, held=Role.ACTIVE), []),
        (restarted().state, {}, OWNER.own, []),
        (restarted().state, {"token": Token.OFFERED, "term": -1}, OWNER.own,
         ["only an owner begins to doubt"]),
        (SOUND.state, {"token": Token.OWNED}, OWN, []),
        (One().state, {"token": Token.OWNED, "seized": True}, OWN, []),
        (SEIZED, {"seized": False}, replace(OWN, held=None), ["only silence and deafness seize"]),
        (SEIZED, {}, replace(OWN, held=None), []),
        (SEIZED, {"token": Token.ELSEWHERE, "term": 0, "seized": False}, replace(OWN, held=None),
         ["only silence and deafness seize"]),
        (replace(SEIZED, unheard_s=0.0, message=replace(THEIRS, hears=False)),
         {"token": Token.ELSEWHERE, "term": 0, "seized": False}, replace(OWN, held=None), []),
        (replace(SEIZED, message=None, received_s=None),
         {"token": Token.ELSEWHERE, "term": 0, "seized": False}, replace(OWN, held=None), []),
        (One().state, {"token": Token.OWNED}, OWN, []),
        (One().state, {"token": Token.OWNED}, replace(OWN, held=None),
         ["a token is lost to a living partner only, but for a seized one"]),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_is_named(after, before, own, claims):
    now = after.received_s or 0.0
    says = token.decide(RULES, after, own, now)
    found = broken(RULES, after, own, says, now, before=replace(after, **before))
    assert found == claims


OWNS = st.fixed_dictionaries(
    {},
    optional={
        "line": st.sampled_from([None, *Line]),
        "held": st.sampled_from([None, *Role]),
        "maintenance": st.booleans(),
        "forced": st.booleans(),
        "paused": st.booleans(),
        "in_use": st.sampled_from([None, False, True]),
    },
)
STEPS = st.one_of(
    st.tuples(st.just("hear"), MESSAGES),
    st.tuples(st.just("own"), OWNS),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.5, 1.0, 3.0, 6.0])),
    st.tuples(st.just("wake"), st.sampled_from([1.0, 2.0, 9.0])),
    st.tuples(st.just("obey"), st.none()),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([None, *Role]), st.lists(STEPS, max_size=40))
def test_whatever_a_partner_says_no_invariant_is_broken(held, steps):
    one = One(replace(OWN, held=held))
    for what, value in steps:
        if what == "hear":
            offer = value.response > 0 and not value.owner
            one.hear(value, offer=offer)
        elif what == "own":
            one.at(one.now, **value)
        elif what == "wait":
            one.at(one.now + value)
        elif what == "wake":
            one.wake(value, one.now + value)
        elif one.says.wanted is not None:
            one.at(one.now, held=one.says.wanted)


# --- the cadence of the frames -----------------------------------------------------------------


def test_frames_are_due_at_fixed_times_whatever_the_sending_takes():
    beat = Beat(0.5, 10.0)
    assert beat.due(10.0)
    assert not beat.due(10.0)
    assert not beat.due(10.49)
    assert beat.pause_s(None, 10.2) == pytest.approx(0.3)
    assert beat.pause_s(10.3, 10.2) == pytest.approx(0.1)
    assert beat.pause_s(99.0, 10.2) == pytest.approx(0.3)
    assert beat.pause_s(10.1, 10.2) == 0.0
    assert beat.late_s(10.9) == 0.0
    assert beat.due(10.9), (
        "late, but by less than an interval: the next is due at 11.0 all the same"
    )
    assert beat.pause_s(None, 10.9) == pytest.approx(0.1)


def test_a_missed_interval_is_lateness_and_the_cadence_begins_anew():
    beat = Beat(0.5, 10.0)
    assert beat.late_s(10.5) == 0.0
    assert beat.late_s(10.75) == pytest.approx(0.75)
    assert beat.late_s(10.75) == 0.0
    assert beat.due(10.75)
    assert beat.pause_s(None, 10.75) == pytest.approx(0.5), "nothing is made up for"


# --- what the replies on the LAN mean ------------------------------------------------------------


STRANGER, PARTNER_S = "02:00:00:00:00:09", THEIR_MAC.hex(":")
FREE = Findings(False, 3, 3)


@pytest.mark.parametrize(
    ("reply", "mac", "in_use", "said"),
    [
        (Reply("a", (), True), b"", None, ""),
        (Reply("a", None, True), b"", None, "a: the partner is silent, and the LAN cannot be probed"
         " for the address: not taken until it can"),
        (Reply("a", None, False), THEIR_MAC, None, "a: the partner is silent, and the LAN cannot be"
         " probed for the address: not taken until it can"),
        (Reply("a", ("x",), True), b"", True,
         "a: the partner is silent, yet x has the address: not taken"),
        (Reply("a", ("x",), True), THEIR_MAC, True,
         "a: the partner is silent, yet x has the address: not taken"),
        (Reply("a", ("x",), False), b"", None,
         "a: the partner is silent, yet x has the address: taken all the same"),
        (Reply("a", (STRANGER,), True, True), b"", True,
         f"a: the partner is silent, yet {STRANGER} has the address: not taken"),
        (Reply("a", (STRANGER,), True, True), THEIR_MAC, None,
         f"a: the partner is silent, yet {STRANGER} has the address: "
         "this is not the partner, which does not reply: taken all the same"),
        (Reply("a", (PARTNER_S,), True, True), THEIR_MAC, True,
         f"a: the partner is silent, yet {PARTNER_S} has the address: not taken"),
        (Reply("a", (STRANGER, PARTNER_S), True, True), THEIR_MAC, True,
         f"a: the partner is silent, yet {STRANGER} has the address: not taken"),
        (Reply("a", (PARTNER_S,), False, True), THEIR_MAC, None,
         f"a: the partner is silent, yet {PARTNER_S} has the address: taken all the same"),
    ],
)  # fmt: skip
def test_what_one_round_of_probes_says(reply, mac, in_use, said):
    found, sentences = concluded(Findings(), [reply], mac)
    assert found.in_use is in_use
    assert found.empty == (in_use is None and reply.owners is not None)
    assert [*sentences, ""][0] == said
    if in_use is None and reply.owners is not None:
        assert concluded(Findings(None, 2, 2), [reply], mac)[0].in_use is False


def test_the_address_is_free_after_three_empty_rounds_in_a_row():
    empty, one = Reply("a", (), True), Findings()
    found = []
    for reply in (empty, empty, Reply("a", None, True), empty, empty, Reply("a", ("x",), True),
                  empty, empty, empty, empty, Reply("b", None, True)):  # fmt: skip
        one, _ = concluded(one, [reply])
        found.append((one.in_use, one.empty))
    assert found == [
        (None, 1), (None, 2), (None, 0), (None, 1), (None, 2), (True, 0),
        (None, 1), (None, 2), (False, 3), (False, 3), (None, 0),
    ]  # fmt: skip
    anew = renewed(replace(FREE, reported=frozenset("x")))
    assert anew == Findings(reported=frozenset("x"))


def test_one_action_that_finds_somebody_is_enough_and_one_that_cannot_look_is_not_nobody():
    empty, lost, used = Reply("a", (), True), Reply("b", None, True), Reply("c", ("x",), True)
    assert concluded(FREE, [empty, lost])[0].in_use is None
    assert concluded(FREE, [empty, lost, used])[0].in_use is True
    assert concluded(FREE, [empty, empty])[0].in_use is False
    assert concluded(FREE, [])[0].in_use is False


def test_whoever_replies_is_reported_once_and_no_more_than_eight_are():
    first, said = concluded(Findings(), [Reply("b", ("x",), True), Reply("c", ("y",), False)])
    assert said == [
        "b: the partner is silent, yet x has the address: not taken",
        "c: the partner is silent, yet y has the address: taken all the same",
    ]
    again, said = concluded(first, [Reply("b", ("x",), True), Reply("b", (), True)])
    assert said == []
    assert again.reported == {"x", "y"}
    crowd = Reply("b", tuple(f"02:00:00:00:01:{n:02x}" for n in range(99)), True, True)
    full, said = concluded(again, [crowd])
    assert (len(full.reported), len(said)) == (8, 6)
    assert concluded(full, [Reply("b", ("z",), True)])[1] == []


def test_the_three_rounds_follow_one_another_and_then_the_pauses_grow_to_a_limit():
    empty, used = Reply("a", (), True), Reply("a", ("x",), True)

    def pauses(reply, rounds, one=None):
        one, found = one or Findings(), []
        for _ in range(rounds):
            one, _ = concluded(one, [reply])
            found.append(one.pause_s)
        return found

    assert Findings().pause_s == 0.0
    assert pauses(empty, 6) == [0.0, 0.0, 0.4, 0.8, 1.0, 1.0]
    assert pauses(used, 6) == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert pauses(used, 3000)[-1] == 1.0
    assert pauses(empty, 3, Findings(True, 0, 40)) == [0.0, 0.0, 1.0]


# --- the session: token, frames and links together -----------------------------------------------


def sessions(**fields):
    """Give two sessions with one key that know each other."""
    made = [
        PairSession(
            RULES,
            Authenticator((b"k" * 32,), 1, bytes([number]) * 8),
            replace(OWN, node=number, priority=100 + number, **fields),
            ("lan", "cable"),
            0.0,
            checked=True,
        )
        for number in (1, 2)
    ]
    for _ in range(2):
        for one, other in (made, made[::-1]):
            deliver(other, "lan", one.frame(), 0.5)
    return made


def test_a_session_decides_from_what_the_links_bring():
    low, high = sessions()
    assert high.decision.wanted is Role.ACTIVE
    high.update(replace(high.own, held=Role.ACTIVE), 1.0)
    assert high.urgent
    deliver(low, "cable", high.frame(), 1.0)
    assert not high.urgent
    assert low.decision.reason == "the partner has the role"
    assert low.decision.content.mode is Mode.STANDBY
    high.update(replace(high.own, line=DOWN), 1.1)
    assert high.decision.wanted is Role.STANDBY
    low.late(9.0, 4.5)
    assert low.decision.wanted is Role.STANDBY, "slept through the silence"
    low.update(low.own, 6.0)
    assert low.decision.wanted is Role.ACTIVE
    assert low.broken == high.broken == []


def test_a_line_alone_is_no_news_to_send_at_once():
    _, high = sessions()
    assert not high.urgent
    high.update(replace(high.own, held=Role.ACTIVE), 0.5)
    assert high.urgent
    high.frame()
    assert not high.urgent
    high.update(replace(high.own, line=None), 0.5)
    assert not high.urgent
    high.update(replace(high.own, paused=True), 0.5)
    assert high.urgent


def test_a_link_that_brings_the_second_copy_is_alive_and_one_with_noise_is_not():
    low, high = sessions()
    high.links["lan"].frames = 0
    frame = low.frame()
    deliver(high, "lan", frame, 1.0)
    deliver(high, "cable", frame, 1.25)
    deliver(high, "cable", b"noise", 2.0)
    deliver(high, "elsewhere", low.frame(), 2.0)
    facts = msgspec.to_builtins(high.facts(2.0))
    assert facts["links"] == {
        "lan": {"alive": True, "heard_s": 1.0, "frames": 1, "verdicts": {"greeting": 1, "good": 2}},
        "cable": {
            "alive": True,
            "heard_s": 0.75,
            "frames": 1,
            "verdicts": {"duplicate": 1, "version": 1},
        },
    }
    dead = high.facts(1.25 + RULES.dead_s)
    assert not dead.links["cable"]["alive"]
    assert high.facts(1.24 + RULES.dead_s).links["cable"]["alive"]


def test_a_session_gives_what_the_partner_said_last_and_whether_it_lives():
    low, _ = sessions(mac=MINE)
    assert low.partner.priority == 102
    assert low.living(3.49) == low.partner
    assert low.living(3.5) is None
    assert low.counts["good"] == 2
    fresh_one = PairSession(RULES, Authenticator((b"k" * 32,), 1, bytes(8)), OWN, ("lan",), 0.0)
    assert fresh_one.partner is None
    assert fresh_one.living(0.0) is None


def test_frames_are_counted_by_link_and_by_what_was_made_of_them():
    low, high = sessions()
    before = low.facts(1.0).links["lan"]["verdicts"]
    frame = high.frame()
    for link in ("lan", "cable", "lan"):
        low.judge(link, frame, 1.0)
    low.judge("cable", frame[:-1] + bytes([frame[-1] ^ 1]), 1.0)
    low.judge("unknown", frame, 1.0)
    found = low.facts(1.0).links
    good, twice = before["good"] + 1, before.get("duplicate", 0) + 1
    assert found["lan"]["verdicts"] == before | {"good": good, "duplicate": twice}
    assert found["cable"]["verdicts"] == {"duplicate": 1, "mac": 1}
    assert found["cable"]["frames"] == 1, "only those that are believed"
    totals = low.facts(1.0).frames
    assert totals["mac"] == 1 and totals["good"] == good


def test_a_slower_partner_makes_death_later_and_a_dead_that_is_too_short_is_raised():
    short = replace(RULES, dead_s=2.0, explicit=True)
    for rules, announced, dead, raised in (
        (RULES, 0, 3.0, False),
        (RULES, 1000, 3.0, False),
        (RULES, 999, 3.0, False),
        (RULES, 2000, 6.0, False),
        (short, 1000, 3.0, True),
        (replace(short, dead_s=3.0), 1000, 3.0, False),
        (replace(short, explicit=False), 1000, 3.0, False),
        (replace(short, dead_s=7.0), 2000, 7.0, False),
        (replace(short, interval_s=0.2, dead_s=0.6), 200, 0.6, False),
        (replace(short, interval_s=0.2, dead_s=0.5999), 200, 0.6, True),
        (replace(short, interval_s=0.05, dead_s=0.1), 0, 0.6, True),
        (replace(short, interval_s=0.05, dead_s=0.1), 50, 0.15, True),
        (replace(short, interval_s=0.05, dead_s=0.1), 200, 0.6, True),
        (replace(RULES, interval_s=0.3, dead_s=0.9), 0, 0.9, False),
        (replace(RULES, interval_s=0.05, dead_s=0.15), 0, 0.6, False),
        (replace(RULES, interval_s=0.05, dead_s=0.15), 20, 0.15, False),
    ):
        one = One(rules=rules).hear(interval_ms=announced, owner=True, held=Role.ACTIVE)
        found = one.says.dead_s, one.says.dead_raised
        assert found == (pytest.approx(dead), raised), (rules, announced)
        assert one.at(dead - 0.001).says.content.hears
        one.at(dead + 0.001)
        assert not one.says.content.hears
        assert one.where is Token.OWNED


def test_the_status_has_its_keys_for_ever():
    low, high = sessions()
    high.update(replace(high.own, held=Role.ACTIVE), 0.5)
    deliver(low, "lan", high.frame(), 0.5)
    facts = msgspec.to_builtins(low.facts(1.0))
    assert facts.pop("frames") == dict.fromkeys(VERDICTS, 0) | {"good": 3}
    assert facts == {
        "state": "standby",
        "wanted": "standby",
        "reason": "the partner has the role",
        "priority": 101,
        "partner": {
            "state": "active", "role": "active", "path": "up", "priority": 102,
            "maintenance": False, "stopping": False, "loss": None, "wanted": "active",
            "hears": True, "fit": None, "failed": False, "forced": False, "paused": False,
            "refused": False, "road": None, "grey": False, "far": None, "name": None,
        },
        "heard_s": 0.5,
        "in_use": None,
        "loss": None,
        "moved_for_loss_s": None,
        "dead_s": 3.0,
        "dead_raised": False,
        "links": {
            "lan": {"alive": True, "heard_s": 0.5, "frames": 3, "verdicts": {"good": 3}},
            "cable": {"alive": False, "heard_s": None, "frames": 0, "verdicts": {}},
        },
        "troubles": [],
    }  # fmt: skip
    assert low.facts(0.5 + RULES.dead_s).partner is None
    fresh_one = PairSession(
        RULES, Authenticator((b"k" * 32,), 1, bytes(8)), Own(1, 1), ("lan",), 0.0
    )
    assert msgspec.to_builtins(fresh_one.facts(0.0))["wanted"] is None
    assert msgspec.to_builtins(fresh_one.facts(0.0))["state"] == "listening"


def test_how_the_far_gateway_stands_is_passed_on_and_is_no_news():
    low, high = sessions()
    deliver(low, "lan", high.frame(), 0.5)
    high.update(replace(high.own, far_stance=Stance(Role.STANDBY, True, verdict=Verdict.UP)), 0.6)
    assert not high.urgent
    deliver(low, "lan", high.frame(), 0.7)
    assert msgspec.to_builtins(low.facts(0.7))["partner"]["far"] == {
        "role": "standby", "fit": True, "maintenance": False, "paused": False, "verdict": "up",
        "name": None,
    }  # fmt: skip


def test_two_that_have_the_role_are_rivals():
    low, high = sessions()
    assert not high.rival
    high.update(replace(high.own, held=Role.ACTIVE), 0.5)
    assert not high.rival
    deliver(low, "lan", high.frame(), 0.5)
    assert not low.rival
    low.update(replace(low.own, held=Role.ACTIVE), 0.5)
    assert low.rival
    deliver(high, "lan", low.frame(), 0.5)
    assert high.rival


def test_a_broken_invariant_is_kept_for_whoever_looks(monkeypatch):
    low, _ = sessions()
    monkeypatch.setattr(session, "broken", lambda *_, **__: ["up is down"])
    low.update(low.own, 0.6)
    assert low.broken == ["up is down"]
    unchecked = PairSession(RULES, Authenticator((b"k" * 32,), 1, bytes(8)), OWN, ("lan",), 0.0)
    unchecked.update(OWN, 0.1)
    assert unchecked.broken == []


# --- at work, with links of its own --------------------------------------------------------------


class Wire:
    """A link that keeps what is sent, and gives ``wanted`` frames a chance to come."""

    def __init__(self):
        self.frames, self.closed, self.received = [], False, None
        self.arrived = asyncio.Event()

    def send(self, frame):
        self.frames.append(frame)
        self.arrived.set()

    def close(self):
        self.closed = True


def built(wire, received):
    wire.received = received
    return Caller(wire, "wire")


class Address:
    """An action that owns an address, and whoever replies for it on the LAN."""

    yields = True

    def __init__(self, who=None):
        self.who, self.announced = who, 0

    async def answered_by(self, timeout_s):
        return self.who

    def announce(self):
        self.announced += 1


OPTIONS = PairOptions(priority=100, key_file="k", interval=Duration(0.02), dead=Duration(0.08))


def pair_at_work(links, owners=dict, clock=None, **fields):
    """Give a run of the pair whose role follows every wish at once, and what it said."""
    said, held = [], {"held": Role.STANDBY}

    def changed():
        held["held"] = run.wanted
        asyncio.get_running_loop().call_soon(run.refresh)

    run = PairRun(
        OPTIONS,
        Authenticator((b"k" * 32,), 1, b"nonce 01"),
        lambda: Own(1, 100, **held),
        changed,
        clock or asyncio.get_running_loop().time,
        links=links,
        owners=owners,
        report=said.append,
        **fields,
    )
    return run, said


def test_a_run_sends_over_every_link_and_takes_the_role_of_a_silent_partner():
    async def go():
        wires = Wire(), Wire()
        run, _ = pair_at_work({f"w{n}": partial(built, wire) for n, wire in enumerate(wires)})
        run.connect()
        work = asyncio.create_task(run.run())
        while run.session.decision.content.mode is not Mode.ACTIVE:
            await wires[0].arrived.wait()
            wires[0].arrived.clear()
        assert run.reason == "the partner is silent on all links"
        assert wires[0].frames == wires[1].frames
        assert len(wires[0].frames) >= 3
        assert set(run.facts()["links"]) == {"w0", "w1"}
        before = sum(run.facts()["frames"].values())
        wires[0].received(b"noise")
        run.close()
        wires[0].received(b"noise")
        assert sum(run.facts()["frames"].values()) == before + 1
        assert all(wire.closed for wire in wires)
        work.cancel()

    asyncio.run(asyncio.wait_for(go(), 30))


@pytest.mark.parametrize("first", ["a frame", "a look at the actions"])
def test_a_sleep_counts_before_whatever_is_noticed_first_after_it(first):
    async def go():
        wire, slept = Wire(), [0.0]
        time = asyncio.get_running_loop().time
        run, _ = pair_at_work({"w": partial(built, wire)}, clock=lambda: time() + slept[0])
        run.connect()
        work = asyncio.create_task(run.run())
        while run.session.decision.content.mode is not Mode.ACTIVE:
            await wire.arrived.wait()
            wire.arrived.clear()
        assert not run.session.decision.content.doubt
        slept[0] = 60.0
        if first == "a frame":
            partner = Authenticator((b"k" * 32,), 1, b"nonce 02")
            partner.judge(wire.frames[-1])
            wire.received(partner.sign(Content(2, 50)))
            assert run.session.counts["good"] == 1
        else:
            run.refresh()
        assert run.session.decision.content.doubt
        run.close()
        work.cancel()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_links_that_cannot_be_built_are_all_named_and_the_others_closed():
    def bad(received):
        raise CallFailed("no such device")

    async def go():
        wire = Wire()
        run, _ = pair_at_work({"a": bad, "b": partial(built, wire), "c": bad})
        with pytest.raises(ConfigError) as refused:
            run.connect()
        assert refused.value.problems == [
            "pair.link.a: no such device", "pair.link.c: no such device",
        ]  # fmt: skip
        assert wire.closed

    asyncio.run(go())


def test_an_address_in_use_is_reported_and_taken_once_it_is_free():
    async def go():
        wire, address = Wire(), Address("02:00:00:00:00:09")
        run, said = pair_at_work(
            {"w": partial(built, wire)}, lambda: {"vip": Caller(address, "vip")}
        )
        run.connect()
        work = asyncio.create_task(run.run())
        while "in use on the LAN" not in run.reason:
            await wire.arrived.wait()
            wire.arrived.clear()
        assert said == [
            "vip: the partner is silent, yet 02:00:00:00:00:09 has the address: not taken"
        ]
        assert run.wanted is Role.STANDBY
        address.who = None
        while run.wanted is not Role.ACTIVE:
            await wire.arrived.wait()
            wire.arrived.clear()
        work.cancel()
        run.close()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_the_address_is_announced_again_once_a_rival_is_gone():
    async def go():
        wire, address = Wire(), Address()
        run, _ = pair_at_work({"w": partial(built, wire)}, lambda: {"vip": Caller(address, "vip")})
        run._facts = lambda: Own(2, 100, Line.UP, Role.ACTIVE)
        run.connect()
        rival = Authenticator((b"k" * 32,), 1, b"nonce 02")
        run._send(news=True)
        rival.judge(wire.frames[-1])
        wire.received(rival.sign(THEIRS))
        rival.judge(wire.frames[-1])
        counts = []
        for held in (Role.STANDBY, Role.ACTIVE, Role.ACTIVE, Role.STANDBY, Role.STANDBY):
            wire.received(rival.sign(replace(THEIRS, held=held, owner=True, priority=1)))
            counts.append(address.announced)
        assert counts == [0, 0, 0, 1, 1]
        run.close()

    asyncio.run(go())


def test_a_task_of_the_scout_that_fails_is_noticed_and_begun_again():
    async def go():
        problems, looks = [], []

        def owners():
            looks.append(1)
            if len(looks) == 3:
                raise RuntimeError("internal")
            return {"vip": Caller(Address(), "vip")}

        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: problems.append(context["exception"])
        )
        found = asyncio.Event()
        scout = Scout(owners, print, found.set)
        assert scout.in_use is None
        scout.look(True, 0.01)
        while not problems:
            await asyncio.sleep(0)
        assert [str(each) for each in problems] == ["internal"]
        scout.look(True, 0.01)
        while scout.in_use is None:
            await found.wait()
            found.clear()
        assert scout.in_use is False
        scout.look(False, 0.01)
        assert scout.in_use is None
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(problems) == 1, "an end that was asked for is no failure"

    asyncio.run(asyncio.wait_for(go(), 30))


def test_an_address_that_is_taken_all_the_same_is_reported_and_not_in_use():
    async def go():
        address, found, said = Address("02:00:00:00:00:09"), asyncio.Event(), []
        address.yields = False
        scout = Scout(lambda: {"vip": Caller(address, "vip")}, said.append, found.set)
        scout.look(True, 0.01)
        while scout.in_use is None:
            await found.wait()
            found.clear()
        assert scout.in_use is False
        assert said[0].endswith("has the address: taken all the same")
        scout.close()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_the_owner_may_start_the_tasks_itself_and_there_is_one_at_a_time():
    async def go():
        started = []

        def spawn(work):
            started.append(asyncio.get_running_loop().create_task(work))
            return started[-1]

        scout = Scout(lambda: {"vip": Caller(Address(), "vip")}, print, lambda: None, spawn)
        scout.look(True, 0.01)
        scout.look(True, 0.01)
        assert len(started) == 1
        scout.close()
        await asyncio.wait(started)
        assert started[0].cancelled()
        nothing = Scout(lambda: {"file": Caller(object(), "file")}, print, lambda: None, spawn)
        nothing.look(True, 0.01)
        assert (len(started), nothing.in_use) == (1, False)

    asyncio.run(asyncio.wait_for(go(), 30))


def test_a_run_that_is_checked_ends_loudly_when_an_invariant_is_broken(monkeypatch):
    async def go():
        run, _ = pair_at_work({})
        run.session.broken.append("up is down")
        with pytest.raises(AssertionError, match="the pair: up is down"):
            await run.run()

    monkeypatch.setenv(CHECKED, "1")
    asyncio.run(asyncio.wait_for(go(), 30))


@pytest.mark.parametrize(("value", "checked"), [("1", True), ("0", False), (None, False)])
def test_a_run_is_checked_only_when_the_environment_says_so(monkeypatch, value, checked):
    monkeypatch.delenv(CHECKED, raising=False)
    if value is not None:
        monkeypatch.setenv(CHECKED, value)

    async def go():
        run, _ = pair_at_work({})
        monkeypatch.setattr(session, "broken", lambda *_, **__: ["up is down"])
        run.refresh()
        assert bool(run.session.broken) is checked

    asyncio.run(go())


# --- options -------------------------------------------------------------------------------------


def options(**fields):
    return msgspec.convert({"priority": 1, "key_file": "k", **fields}, PairOptions, dec_hook=dec)


def dec(kind, value):
    return kind.parse(value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"interval": "19ms"}, "interval: write 20ms to 10s"),
        ({"interval": "10.1s"}, "interval: write 20ms to 10s"),
        ({"interval": "1s", "dead": "1.9s"}, "two intervals or more"),
        ({"priority": 0}, "priority"),
        ({"priority": 256}, "priority"),
        ({"key_file": ""}, "key_file"),
    ],
)
def test_times_that_cannot_work_are_refused(fields, said):
    with pytest.raises(msgspec.ValidationError, match=said):
        options(**fields)


def test_the_rules_follow_from_the_options():
    assert (options(priority=255).priority, options(priority=1).interval) == (255, 0.05)
    found = options(interval="20ms").rules
    assert (found.interval_s, found.dead_s) == (0.02, pytest.approx(0.06))
    assert found.check_s == pytest.approx(0.025), "three rounds of probes, begun a little earlier"
    assert options(interval="20ms").check_s == pytest.approx(0.02 / 3)
    assert options(interval="10s").check_s == pytest.approx(0.2 / 3)
    assert (found.preempt, found.preempt_delay_s) == (Preempt.AUTO, 0.0)
    assert (found.takeover_s, found.rest_s) == (2.0, 30.0)
    slow = options(interval="10s", dead="20s", preempt="delay").rules
    assert (slow.dead_s, slow.check_s, slow.preempt_delay_s) == (20.0, pytest.approx(0.205), 60.0)
    assert (found.explicit, slow.explicit) == (False, True)
    assert (found.unannounced_s, found.start_s) == (0.6, 3.0)
    assert options(preempt="manual", preempt_delay="5s").rules.preempt_delay_s == 0.0
