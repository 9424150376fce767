"""Two sessions of a pair exchange frames while their lines lose: who moves, when, and how often."""

import random
from itertools import pairwise

import pytest

from havpn_core.pair.frames import Authenticator
from havpn_core.pair.lines.resting import LineRules
from havpn_core.pair.message import Content, Line, rank, why_better, why_give
from havpn_core.pair.options import PairOptions
from havpn_core.pair.session import PairSession
from havpn_core.pair.state import Own, PairRules, Preempt
from havpn_core.rules.role import Role
from havpn_core.rules.target.loss import Loss
from tests.core.values import deliver, replace

ACTIVE, STANDBY = Role.ACTIVE, Role.STANDBY
UP, DOWN, RECOVERING = Line.UP, Line.DOWN, Line.RECOVERING
CLEAN, LOSSY, FAIR = Loss(0.0, 400), Loss(0.34, 400), Loss(0.01, 400)
RULES = PairRules(interval_s=1.0, dead_s=3.0, takeover_s=6.0)
REST_S = 600.0
LEFT = "handed the role over: loses 34 % here, at most 1.3 % on the partner"


class Both:
    """Gateway ``a``, which is preferred, and ``b`` under one clock of whole seconds.

    A frame arrives one interval after it was sent, and a role is changed within one.
    """

    def __init__(self, rules=RULES, *, old=(), **lines):
        self.now_s, self.runs, self.rules, self.old = 0.0, 0, rules, old
        self.facts = {"a": {"loss": CLEAN}, "b": {"loss": CLEAN}}
        self.held = dict.fromkeys("ab", STANDBY)
        self.on_the_way, self.moves, self.dead = [], [], ""
        self.session = {}
        for side in "ab":
            self.start(side)
        self.run(12)
        assert self.held == {"a": ACTIVE, "b": STANDBY}
        self.moves.clear()
        for side in ("b", "a"):  # so that no old figure is on the way
            self.facts[side]["loss"] = lines.get(side, CLEAN)
            self.run(2 if side == "b" else 0)

    def start(self, side):
        self.runs += 1
        keys = Authenticator((b"k" * 32,), self.runs, bytes([self.runs]) * 8)
        self.session[side] = PairSession(
            self.rules, keys, self.own(side), ("lan",), self.now_s, checked=True
        )

    def own(self, side):
        number, priority = (2, 150) if side == "a" else (1, 100)
        return Own(number, priority, **{"line": UP, "held": self.held[side]} | self.facts[side])

    def run(self, seconds):
        for _ in range(int(seconds)):
            self.now_s += 1.0
            arriving, self.on_the_way = self.on_the_way, []
            for side, frame in arriving:
                deliver(self.session[side], "lan", frame, self.now_s)
            for side in set("ab") - set(self.dead):
                self._step(side)
            assert sum(held is ACTIVE for held in self.held.values()) <= 1
        return self

    def _step(self, side):
        session = self.session[side]
        session.update(self.own(side), self.now_s)
        wanted = session.decision.wanted
        if wanted is not None and wanted is not self.held[side]:
            self.held[side] = wanted
            if wanted is ACTIVE:
                self.moves.append((self.now_s, side))
            session.update(self.own(side), self.now_s)
        assert not session.broken
        self.on_the_way.append(("b" if side == "a" else "a", session.frame()))

    def until(self, side, longest_s):
        """Run until a gateway is active; gives the seconds that it took."""
        for seconds in range(int(longest_s)):
            if self.held[side] is ACTIVE:
                return seconds
            self.run(1)
        raise AssertionError(f"{side} is not active within {longest_s} s")

    @property
    def movers(self):
        return "".join(side for _, side in self.moves)

    def said(self, side):
        return self.session[side].decision.content

    def reason(self, side):
        return self.session[side].decision.reason


def test_a_line_that_loses_clearly_more_is_left_once_and_the_reason_names_both_figures():
    both = Both(a=LOSSY)
    assert both.until("b", 12) <= 4
    both.run(4)
    assert both.reason("a") == LEFT
    assert both.reason("b") == (
        "the partner handed the role over: loses 34 % on the partner, at most 1.3 % here"
    )
    assert both.said("a").off_line
    assert not both.said("b").off_line
    both.run(3600.0)
    assert both.movers == "b", "the line is as bad as it was: nobody goes back"
    assert not both.said("a").off_line


def test_a_less_preferred_owner_leaves_its_line_too():
    both = Both()
    both.facts["a"]["line"] = DOWN
    both.until("b", 12)
    both.facts |= {"a": {"loss": LOSSY}, "b": {"loss": LOSSY}}
    both.run(20.0)
    assert both.movers == "ba", "alike: the failback is as ever"
    both = Both(a=LOSSY)
    both.run(700.0)
    both.facts |= {"a": {"loss": CLEAN}, "b": {"loss": LOSSY}}
    both.run(5.0)
    assert both.movers == "ba"
    assert both.said("b").off_line


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (LOSSY, LOSSY),
        (LOSSY, Loss(0.25, 400)),
        (LOSSY, None),
        (None, CLEAN),
        (FAIR, CLEAN),
        (CLEAN, LOSSY),
        (Loss(0.12, 800, 20.0), CLEAN),
    ],
)
def test_lines_that_are_alike_stale_or_unknown_change_nothing(a, b):
    both = Both(a=a, b=b)
    both.run(1300.0)
    assert both.movers == ""
    assert both.said("a").moved_age_s is None


def test_a_partner_whose_figures_stopped_is_not_fled_to():
    both = Both()
    both.facts["b"]["loss"] = None
    both.run(4)
    both.facts["a"]["loss"] = LOSSY
    both.run(60.0)
    assert both.movers == ""
    both.facts["b"]["loss"] = CLEAN
    assert both.until("b", 12) <= 5


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"line": RECOVERING}, {"line": RECOVERING}),
        ({}, {"line": RECOVERING}),
        ({}, {"line": None}),
        ({}, {"refused": True}),
        ({}, {"paused": True}),
        ({}, {"maintenance": True}),
        ({}, {"fit": False}),
        ({"forced": True}, {}),
        ({"paused": True}, {}),
    ],
)
def test_what_comes_before_the_line_holds_the_role(a, b):
    both = Both()
    both.facts["b"] |= b
    both.run(2)
    both.facts["a"] |= {"loss": LOSSY} | a
    both.run(30)
    assert both.movers == ""
    assert both.said("a").moved_age_s is None


def test_manual_preemption_does_not_forbid_the_move_and_forbids_the_way_back():
    both = Both(replace(RULES, preempt=Preempt.MANUAL), a=LOSSY)
    assert both.until("b", 12) <= 4
    both.facts["a"]["loss"] = CLEAN
    both.run(2000.0)
    assert both.movers == "b"


def test_it_can_be_switched_off():
    both = Both(replace(RULES, lines=LineRules(on=False)), a=LOSSY)
    both.run(1300.0)
    assert both.movers == ""
    both.facts["a"]["line"] = DOWN
    both.until("b", 12)
    both.facts["a"]["line"] = UP
    both.until("a", 12)
    assert PairOptions(priority=1, key_file="k").rules.lines == LineRules()
    assert not PairOptions(priority=1, key_file="k", better_line=False).rules.lines.on


def test_the_role_comes_back_after_the_rest_once_the_line_is_well():
    both = Both(a=LOSSY)
    both.until("b", 12)
    left_s = both.now_s
    both.facts["a"]["loss"] = CLEAN
    both.run(REST_S - 3.0)
    assert both.movers == "b"
    both.until("a", 20)
    assert both.now_s - left_s >= REST_S - 2.0
    both.run(100.0)
    assert both.movers == "ba"


def test_the_role_comes_back_only_to_a_line_that_is_well():
    both = Both(a=LOSSY)
    both.run(REST_S + 60.0)
    both.facts["a"]["loss"] = Loss(0.05, 400)
    both.run(60.0)
    assert both.movers == "b"
    both.facts["a"]["loss"] = FAIR
    both.until("a", 12)
    assert both.movers == "ba"


def test_a_way_back_that_is_near_is_not_begun_anew_for_figures_that_differ_by_chance():
    rules = replace(RULES, preempt=Preempt.DELAY, preempt_delay_s=60.0)
    both = Both(rules)
    both.facts["a"]["line"] = DOWN
    both.until("b", 12)
    both.facts |= {"a": {"loss": Loss(0.1, 400)}, "b": {"loss": Loss(0.1, 400)}}
    both.run(40.0)
    both.facts["a"]["loss"] = Loss(0.15, 400)
    assert both.until("a", 30.0) <= 25
    both = Both(rules)
    both.facts["a"]["line"] = DOWN
    both.until("b", 12)
    both.facts |= {"a": {"loss": Loss(0.1, 400)}, "b": {"loss": CLEAN}}
    both.run(300.0)
    assert both.movers == "b", "it is not begun on figures that are not fair"
    both.facts["a"]["loss"] = CLEAN
    both.run(40.0)
    both.facts["a"]["loss"] = LOSSY
    both.run(100.0)
    assert both.movers == "b", "and ended by clear ones"


def test_crossing_figures_move_the_role_once():
    """As the partner takes the role its line is the bad one: each holds the other for better."""
    both = Both(a=LOSSY)
    both.until("b", 12)
    both.facts |= {"a": {"loss": CLEAN}, "b": {"loss": LOSSY}}
    both.run(REST_S - 5.0)
    assert both.movers == "b"
    both.run(10.0)
    assert both.movers == "ba"
    both.run(REST_S)
    assert both.movers == "ba"


@pytest.mark.parametrize("seconds", range(1, 8))
def test_figures_that_change_places_at_any_moment_of_a_handover_move_the_role_once(seconds):
    both = Both(a=LOSSY)
    both.run(seconds)
    both.facts |= {"a": {"loss": CLEAN}, "b": {"loss": LOSSY}}
    both.run(60.0)
    assert len(both.moves) <= 1
    assert ACTIVE in both.held.values()


def test_figures_that_sway_while_the_role_is_let_go_do_not_call_it_back():
    both = Both(a=LOSSY)
    both.run(1)
    both.facts["a"]["loss"] = Loss(0.04, 400)
    both.run(30.0)
    assert both.movers == "b"


def test_a_line_that_alternates_moves_the_role_at_most_once_in_ten_minutes():
    both, turns = Both(), 0
    while both.now_s < 2 * 3600.0:
        turns += 1
        both.facts["a"]["loss"] = LOSSY if turns % 2 else CLEAN
        both.run(45.0)
    away = [at for at, side in both.moves if side == "b"]
    assert 6 <= len(away) <= 12
    assert min(second - first for first, second in pairwise(away)) >= REST_S - 1


def test_two_lines_that_alternate_move_the_role_at_most_once_in_ten_minutes():
    both, chance = Both(), random.Random(3)
    while both.now_s < 2 * 3600.0:
        both.facts["a"]["loss"], both.facts["b"]["loss"] = (
            chance.choice([CLEAN, LOSSY]),
            chance.choice([CLEAN, LOSSY]),
        )
        both.run(chance.choice([1.0, 20.0, 150.0]))
    pauses = [second[0] - first[0] for first, second in pairwise(both.moves)]
    assert len(pauses) > 5
    # A failback follows a rest, and the next move for loss may follow that.
    assert all(first + second >= REST_S - 2 for first, second in pairwise(pauses))


def test_a_dead_line_moves_the_role_at_once_while_it_rests():
    both = Both(a=LOSSY)
    both.until("b", 12)
    both.run(5.0)
    both.facts["b"]["line"] = DOWN
    assert both.until("a", 12) <= 4
    both.facts["b"]["line"] = UP
    both.run(500.0)
    assert both.movers == "ba", "its line is bad still, but it rests"
    both.run(100.0)
    assert both.movers == "bab"


def test_a_dead_partner_is_taken_over_from_while_it_rests():
    both = Both(a=LOSSY)
    both.until("b", 12)
    both.run(5.0)
    both.dead, both.held["b"] = "b", STANDBY
    assert both.until("a", 12) <= 5
    assert not both.said("a").off_line


@pytest.mark.parametrize("sides", ["a", "b", "ab"])
def test_a_restart_of_one_gateway_ends_no_rest(sides):
    both = Both(a=LOSSY)
    both.until("b", 12)
    both.run(5.0)
    for side in sides[:1]:
        both.start(side)
    both.run(5.0)
    for side in sides[1:]:
        both.start(side)
    both.facts |= {"a": {"loss": None}, "b": {"loss": LOSSY}}
    both.run(4)
    assert both.said("a").moved_age_s == pytest.approx(both.said("b").moved_age_s, abs=4.0)
    both.run(REST_S - 30.0)
    assert both.movers == "b", "of the one that restarted nothing is known: it does not come back"


def test_a_taker_that_fails_hands_the_role_back_and_nobody_tries_again():
    both = Both(a=LOSSY)
    both.facts["b"]["held"] = STANDBY
    both.run(200)
    assert both.said("a").owner
    assert both.said("a").held is ACTIVE
    assert not both.said("a").off_line
    assert both.said("a").moved_age_s > 180.0


def test_a_status_shows_both_lines_and_the_last_move():
    both = Both(a=LOSSY)
    both.run(10.0)
    facts = both.session["b"].facts(both.now_s)
    assert facts.loss.share == 0.0
    assert facts.partner.loss.share == 0.34
    assert facts.partner.loss.at_least == pytest.approx(0.288, abs=0.003)
    assert 5.0 < facts.moved_for_loss_s < 10.0
    assert both.session["a"].facts(both.now_s).partner.loss.at_most == pytest.approx(
        0.0134, abs=1e-3
    )
    assert both.session["a"].decision.wake_s <= both.now_s + REST_S


def content(**fields):
    return Content(**{"node": 1, "priority": 100, "line": UP, "hears": True} | fields)


def test_who_left_for_its_line_ranks_below_the_path_and_above_the_priority():
    left = content(off_line=True, priority=200, loss=LOSSY)
    assert rank(left) < rank(content())
    assert rank(left) > rank(content(line=RECOVERING))
    assert rank(left) > rank(content(refused=True))
    assert why_better(left, content(loss=CLEAN)) == "loses 34 % here, at most 1.3 % on the partner"
    assert why_better(left, content()) == "the line here lost more than the one on the partner"


def test_the_line_comes_before_a_failback_and_after_everything_else():
    own = content(off_line=True, owner=True, held=ACTIVE, loss=LOSSY)
    other = content(priority=200, claim=True, loss=CLEAN)
    lossy = "loses 34 % here, at most 1.3 % on the partner"
    failback = "failback to the higher priority on the partner"
    for fields, why in (
        ({}, lossy),
        ({"off_line": False}, failback),
        ({"line": RECOVERING}, "path recovering here, up on the partner"),
        ({"line": None}, failback),
        ({"off_road": True}, "road down here, well on the partner"),
        ({"maintenance": True}, "in maintenance here"),
        ({"forced": True}, ""),
    ):
        assert why_give(replace(own, **fields), other) == why, fields
    for fields, why in (
        ({"line": RECOVERING}, failback),
        ({"refused": True}, ""),
        ({"off_road": True}, failback),
        ({"fit": False}, ""),
        ({"hears": False}, ""),
    ):
        found = why_give(replace(own, fit=True), replace(other, **fields))
        assert found == (failback if why == failback else why), fields


# --- grey --------------------------------------------------------------------------------------


def test_a_grey_line_ranks_below_a_good_one_and_above_all_else_while_loss_cannot_be_compared():
    grey, good = content(grey=True, priority=200), content()
    assert rank(grey, good) < rank(good, grey)
    assert why_better(grey, good) == "line grey here, good on the partner"
    for lesser in (RECOVERING, DOWN, None):
        other = content(line=lesser)
        assert rank(grey, other) > rank(other, grey)
    other = content(refused=True)
    assert rank(grey, other) > rank(other, grey)
    both = content(grey=True)
    assert rank(grey, both) > rank(both, grey), "alike: the priority"
    known = replace(grey, loss=FAIR), replace(good, loss=CLEAN)
    assert rank(*known) > rank(*known[::-1]), "what both lose decides, and is alike"
    assert rank(known[0], good) < rank(good, known[0]), "of one line alone it says nothing"
    old = replace(good, reads_2=False)
    assert rank(grey, old) > rank(old, grey), "protocol 1 cannot say it"


def test_a_holder_never_leaves_for_grey_alone():
    both = Both()
    both.facts |= {"a": {"loss": None, "grey": True}, "b": {"loss": None}}
    both.run(1300.0)
    assert both.movers == ""
    assert both.said("a").grey


def test_two_grey_lines_stop_neither_gateway():
    both = Both()
    both.facts |= {side: {"loss": None, "grey": True} for side in "ab"}
    both.run(30.0)
    both.facts["a"]["line"] = DOWN
    both.until("b", 12)
    both.facts["a"]["line"] = UP
    both.until("a", 12)


def test_a_gateway_whose_line_is_grey_does_not_claim_the_role_back_from_a_good_one():
    both = Both()
    both.facts["a"]["line"] = DOWN
    both.until("b", 12)
    both.facts |= {"a": {"loss": None, "grey": True}, "b": {"loss": None}}
    both.run(300.0)
    assert both.movers == "b"
    both.facts["b"]["grey"] = True
    assert both.until("a", 12) <= 6, "alike"
    both = Both(replace(RULES, lines=LineRules(on=False)))
    both.facts["a"]["line"] = DOWN
    both.until("b", 12)
    both.facts |= {"a": {"loss": None, "grey": True}, "b": {"loss": None}}
    assert both.until("a", 12) <= 6, "as it is without better_line"
    assert not both.said("a").grey


# --- both sites --------------------------------------------------------------------------------


FOLLOWED = "handed the role over: the far site left this line for the other one"


class Sites:
    """Two pairs that face each other: ``a`` of both is at line 1, ``b`` at line 2.

    What the far gateway of a line says arrives a second later.
    """

    def __init__(self, rules=(RULES, RULES), late_s=0):
        self.pairs = [Both(each) for each in rules]
        self.pairs[1].run(late_s)

    def lines(self, *sites, **losses):
        for site in sites or (0, 1):
            for side, loss in losses.items():
                self.pairs[site].facts[side]["loss"] = loss

    def run(self, seconds, *, works=(0, 1)):
        for _ in range(int(seconds)):
            said = [{side: pair.session[side].left for side in "ab"} for pair in self.pairs]
            for site in works:
                for side in "ab":
                    self.pairs[site].facts[side]["far_left"] = said[1 - site][side]
                self.pairs[site].run(1)
        return self

    @property
    def movers(self):
        return tuple(pair.movers for pair in self.pairs)


def test_both_sites_leave_a_bad_line_once_each_and_end_on_the_same_one():
    sites = Sites()
    sites.lines(a=LOSSY)
    assert sites.run(3600).movers == ("b", "b")


@pytest.mark.parametrize("seconds", range(9))
def test_moves_that_cross_end_on_one_line(seconds):
    """The figures change places after one site has seen them, and before the other has."""
    sites = Sites()
    sites.lines(0, a=LOSSY)
    sites.run(seconds)
    sites.lines(a=CLEAN, b=LOSSY)
    sites.run(60)
    assert sites.movers in (("b", "b"), ("", "")), "nobody alone"
    sites.run(REST_S - 70)
    assert sites.movers in (("b", "b"), ("", "")), "nor to and fro"


def test_the_later_site_follows_whatever_it_has_seen_and_says_why():
    sites = Sites()
    sites.lines(0, a=LOSSY)
    sites.run(12)
    assert sites.movers == ("b", "b")
    assert sites.pairs[1].reason("a") == FOLLOWED
    assert sites.pairs[0].reason("a") == LEFT


def test_who_moved_itself_of_late_does_not_follow():
    sites = Sites()
    sites.lines(a=LOSSY)
    sites.run(30)
    sites.pairs[1].facts["a"]["far_left"] = True
    sites.pairs[1].facts["b"]["far_left"] = True
    sites.pairs[1].run(60)
    assert sites.movers == ("b", "b")


@pytest.mark.parametrize(
    "fields", [{"line": DOWN}, {"line": RECOVERING}, {"refused": True}, {"fit": False}]
)
def test_a_line_is_left_for_the_far_site_only_while_the_partner_could_carry(fields):
    sites = Sites()
    sites.pairs[1].facts["b"] |= fields
    sites.pairs[1].run(3)
    sites.lines(0, a=LOSSY)
    assert sites.run(60).movers == ("b", "")


def test_a_far_site_that_has_left_long_ago_takes_nobody_along():
    sites = Sites()
    sites.lines(0, a=LOSSY)
    sites.run(15, works=(0,))
    assert not sites.pairs[0].session["a"].left
    assert sites.run(60).movers == ("b", "")


@pytest.mark.parametrize("manual", [(0,), (1,), (0, 1)])
def test_manual_preemption_at_a_site_forbids_its_way_back_alone(manual):
    stays = replace(RULES, preempt=Preempt.MANUAL)
    sites = Sites([stays if site in manual else RULES for site in (0, 1)], late_s=4)
    sites.lines(a=LOSSY)
    assert sites.run(30).movers == ("b", "b")
    sites.lines(a=CLEAN)
    sites.run(REST_S + 60)
    assert sites.movers == tuple("b" if site in manual else "ba" for site in (0, 1))


def test_a_partner_whose_figures_are_stale_at_one_site_lets_that_site_follow():
    sites = Sites()
    sites.lines(1, b=None)
    sites.run(4)
    sites.lines(a=LOSSY)
    assert sites.run(600).movers == ("b", "b")
    sites = Sites()
    sites.lines(b=None)
    sites.run(4)
    sites.lines(a=LOSSY)
    assert sites.run(600).movers == ("", ""), "stale at both: nobody moves"


def test_a_site_without_better_line_does_not_follow():
    sites = Sites((RULES, replace(RULES, lines=LineRules(on=False))))
    sites.lines(a=LOSSY)
    assert sites.run(60).movers == ("b", "")


def test_sites_come_back_together_after_the_rest():
    sites = Sites(late_s=3)
    sites.lines(a=LOSSY)
    sites.run(60)
    sites.lines(a=CLEAN)
    assert sites.run(2 * REST_S).movers == ("ba", "ba")
