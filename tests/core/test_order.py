"""An order that both sites use one line: what is against it, who stands by, what is seen of it."""

import json
import socket
import threading

import msgspec
import pytest

from havpn_core.cli.ending import perform
from havpn_core.cli.manual import switch
from havpn_core.daemon.lines.ordering import NO_PAIR, lines_of, order, pair_facts, side_of
from havpn_core.daemon.state.force import Force
from havpn_core.daemon.state.memory import Memory, decode
from havpn_core.echo.far import FarRole
from havpn_core.pair.lines.order import LINES, Side, far_moved, site_moved, why_not
from havpn_core.pair.message import Content, Line
from havpn_core.pair.wire.tags import join, split
from havpn_core.rules.role import Role
from tests.core.test_better_line import DOWN, Both
from tests.core.values import replace

ACTIVE, STANDBY = Role.ACTIVE, Role.STANDBY
FINE = Side()


@pytest.mark.parametrize("here", [False, True])
def test_nothing_is_against_a_line_whose_gateway_is_well(here):
    assert why_not(FINE, FINE, here=here) == ""


@pytest.mark.parametrize(
    ("to", "other", "here", "text"),
    [
        (Side(paused=True), FINE, True, "this gateway is paused"),
        (Side(paused=True), FINE, False, "the partner is paused"),
        (FINE, Side(paused=True), True, "the partner is paused, and lets go of nothing"),
        (FINE, Side(forced=True), True, "the partner is forced to active; end that there first"),
        (FINE, Side(orders=True), True, "the partner was ordered to use its own line; end"),
        (Side(maintenance=True), FINE, False, "the partner is in maintenance; end that there"),
        (Side(unfit=True), FINE, False, "the partner is unfit"),
        (Side(carries=False), FINE, False, "the path of the partner is not up"),
        (Side(carries=False), FINE, True, "the path of this gateway is not up"),
        (Side(hears=False), FINE, False, "the partner does not hear this gateway"),
        (FINE, Side(knows=False), True, "the partner runs an older release"),
    ],
)  # fmt: skip
def test_what_is_against_a_line_is_said_with_its_remedy(to, other, here, text):
    assert why_not(to, other, here=here).startswith(text)


def test_an_order_of_ones_own_is_replaced_and_no_obstacle():
    assert why_not(Side(forced=True, maintenance=True), FINE, here=True) == ""
    assert why_not(FINE, Side(forced=True, orders=True), here=False) == ""
    follows = Side(maintenance=True)
    assert why_not(follows, Side(orders=True), here=False) == "", "it stands by for that order"
    assert why_not(FINE, Side(maintenance=True), here=True) == ""
    assert why_not(FINE, Side(knows=False), here=False) == "", "it stands by here alone"


def test_a_site_has_moved_once_both_gateways_are_seen_to_have():
    assert site_moved(Side(ACTIVE), Side(STANDBY))
    for to, other in ((ACTIVE, None), (None, STANDBY), (STANDBY, ACTIVE), (ACTIVE, ACTIVE)):
        assert not site_moved(Side(to), Side(other))


@pytest.mark.parametrize(
    ("to", "other", "moved"),
    [
        (None, None, None), (ACTIVE, None, True), (None, STANDBY, True), (ACTIVE, STANDBY, True),
        (STANDBY, None, False), (None, ACTIVE, False), (STANDBY, STANDBY, False),
        (ACTIVE, ACTIVE, False), (STANDBY, ACTIVE, False),
    ],
)  # fmt: skip
def test_the_far_site_has_moved_where_nothing_heard_is_against_it(to, other, moved):
    assert far_moved(Side(far=to), Side(far=other)) is moved


def test_the_silence_of_a_far_gateway_that_never_said_that_it_stands_by_says_nothing():
    far = FarRole()
    assert far.look(stands_by=False, up=True) is None
    assert far.look(stands_by=True, up=True) is STANDBY
    assert far.look(stands_by=True, up=False) is STANDBY
    assert far.look(stands_by=False, up=False) is None
    assert far.look(stands_by=False, up=True) is ACTIVE


# --- two sessions ---------------------------------------------------------------------------------


def ordered(side, *, yes=True):
    """Force a gateway of ``Both`` so that both sites use its line."""
    return {"forced": yes, "this_line": yes, "line": Line.UP}


def test_who_is_ordered_to_its_line_has_the_role_and_its_partner_stands_by_until_the_end_of_it():
    both = Both()
    both.facts["b"] |= ordered("b")
    assert both.until("b", 12) <= 4
    both.run(30)
    assert both.movers == "b"
    assert both.session["a"].maintenance
    assert not both.session["b"].maintenance
    assert both.reason("a") == "handed the role over: forced to active on the partner"
    both.facts["b"] |= ordered("b", yes=False)
    assert both.until("a", 12) <= 5
    assert not both.session["a"].maintenance
    assert both.movers == "ba"


def test_an_order_keeps_the_role_where_it_is_and_has_the_partner_stand_by():
    both = Both()
    both.facts["a"] |= ordered("a")
    both.run(4)
    assert both.movers == ""
    assert both.session["b"].maintenance


def test_the_order_of_a_dead_partner_or_of_one_that_is_unfit_holds_nobody_back():
    both = Both()
    both.facts["b"] |= ordered("b")
    both.until("b", 12)
    both.run(3)
    both.facts["b"]["fit"] = False
    assert both.until("a", 12) <= 5
    both = Both()
    both.facts["b"] |= ordered("b")
    both.until("b", 12)
    both.dead, both.held["b"] = "b", STANDBY
    assert both.until("a", 12) <= 6
    assert not both.session["a"].maintenance


def test_the_order_of_a_partner_that_restarts_goes_on():
    both = Both()
    both.facts["b"] |= ordered("b")
    both.until("b", 12)
    both.run(3)
    both.facts["a"]["in_use"] = True  # its address outlives the daemon
    both.dead = "b"
    both.run(8)
    assert both.said("a").hears is False
    assert both.session["a"].maintenance
    both.dead = ""
    both.start("b")
    both.run(8)
    assert both.movers == "b"
    assert both.session["a"].maintenance


def test_who_stands_by_for_an_order_goes_on_with_that_after_a_restart_until_the_partner_speaks():
    both = Both()
    both.facts["b"] |= ordered("b")
    both.until("b", 12)
    both.run(3)
    assert both.session["a"].aside
    both.facts["a"]["aside"] = True
    both.start("a")
    assert both.session["a"].aside, "nothing was heard of the partner yet"
    both.facts["b"] |= ordered("b", yes=False)
    assert both.until("a", 20) <= 8
    assert not both.session["a"].aside
    both.facts["a"]["maintenance"] = True
    both.run(1)
    assert not both.session["a"].aside, "that is an order of its own"


def test_a_gateway_that_an_operator_holds_active_does_not_stand_by():
    both = Both()
    both.facts["a"] |= {"forced": True}
    both.facts["b"] |= ordered("b")
    both.run(6)
    assert both.movers == ""
    assert not both.session["a"].maintenance


def contents(both):
    return both.said("a"), both.said("b")


def test_the_line_of_the_higher_priority_is_line_1_and_both_gateways_see_which_is_used():
    both = Both()
    for side, far in (("a", ACTIVE), ("b", STANDBY)):
        both.facts[side]["far"] = far
    both.run(2)
    a, b = contents(both)
    seen = lines_of(a, b, None), lines_of(b, a, 2)
    assert [each.number for each in seen] == [1, 2]
    assert [each.ordered for each in seen] == [None, 2]
    assert {(each.site, each.far_site, each.by_partner) for each in seen} == {(1, 1, False)}
    both.facts["b"] |= ordered("b") | {"far": None}
    both.facts["a"]["far"] = None
    both.until("b", 12)
    both.run(2)
    a, b = contents(both)
    assert [(e.site, e.far_site) for e in (lines_of(a, b, None), lines_of(b, a, 2))] == [
        (2, None),
        (2, None),
    ]
    assert lines_of(a, b, None).by_partner
    assert not lines_of(b, a, 2).by_partner


class Pair:
    """A pair at work, as far as an order looks at it."""

    def __init__(self, both, side):
        self.session, self._now_s = both.session[side], both.now_s

    @property
    def living(self):
        return self.session.living(self._now_s)

    def facts(self):
        return msgspec.to_builtins(self.session.facts(self._now_s))


def test_an_order_forces_the_gateway_on_which_it_is_given_to_the_role_that_it_takes():
    both = Both()
    assert order(Pair(both, "a"), 2) == (STANDBY, "")
    assert order(Pair(both, "a"), 1) == (ACTIVE, "")
    assert order(Pair(both, "b"), 2) == (ACTIVE, "")
    assert order(Pair(both, "b"), 1) == (STANDBY, "")
    assert order(None, 2)[1] == NO_PAIR
    both.facts["b"]["line"] = DOWN
    both.run(2)
    assert order(Pair(both, "a"), 2)[1].startswith("the path of the partner is not up")
    assert order(Pair(both, "a"), 1)[1] == ""
    both.dead = "b"
    both.run(6)
    assert order(Pair(both, "a"), 2)[1].startswith("the partner is silent")
    assert pair_facts(Pair(both, "a"), 2).get("line") is None
    assert pair_facts(None, 2) is None


def test_the_status_shows_the_lines():
    both = Both()
    found = pair_facts(Pair(both, "a"), 1)
    assert found["line"] == {
        "number": 1, "ordered": 1, "by_partner": False, "site": 1, "far_site": None,
    }  # fmt: skip
    assert found["priority"] == 150


def test_what_counts_of_a_gateway_comes_from_what_it_says():
    said = Content(1, 100, line=Line.UP, held=STANDBY, hears=True, far=ACTIVE)
    assert side_of(said) == Side(STANDBY, ACTIVE)
    assert side_of(replace(said, unfit=True)).unfit
    assert side_of(replace(said, fit=False)).unfit
    assert not side_of(replace(said, line=Line.RECOVERING)).carries
    assert not side_of(replace(said, reads_2=False)).knows
    assert side_of(replace(said, this_line=True, maintenance=True)).orders
    assert not side_of(replace(said, this_line=True, maintenance=True)).maintenance


# --- what is kept ---------------------------------------------------------------------------------


def test_an_order_outlives_a_restart_and_ends_with_the_force():
    memory = Memory()
    force = Force(memory)
    force.set(ACTIVE, None)
    force.line = 2
    kept, problems = decode(msgspec.json.encode(memory))
    assert problems == []
    assert (Force(kept).role, Force(kept).line) == (ACTIVE, 2)
    force.set(STANDBY, None)
    assert force.line is None
    assert not force.drifted()
    force.aside = True
    assert force.drifted(), "it is to be written"
    force.note()
    assert not force.drifted()
    assert Force(decode(msgspec.json.encode(memory))[0]).aside
    force.line = 1
    force.set(None, None)
    assert force.line is None


@pytest.mark.parametrize("line", [0, 3, True, "2", 1.0])
def test_a_line_that_there_is_not_is_no_order(line):
    memory, problems = decode(json.dumps({"forced": "active", "forced_line": line}).encode())
    assert memory.forced is memory.forced_line is None
    assert problems[0].startswith("forced_line: ")


def test_an_older_release_passes_over_what_an_order_adds_to_a_frame():
    assert split(join([(22, b"\1"), (2, b"\x64")]), {2}) == {2: b"\x64"}


# --- the command ----------------------------------------------------------------------------------


class FakeDaemon:
    """Replies on a control socket with the next of some replies; the last one stays."""

    def __init__(self, run_dir, first, *lines):
        self.requests, self._replies = [], [first, *({"pair": {"line": one}} for one in lines)]
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(run_dir / "control.sock"))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection:
                self.requests.append(json.loads(connection.makefile("rb").readline()))
                reply = self._replies[0] if len(self._replies) == 1 else self._replies.pop(0)
                connection.sendall(json.dumps(reply).encode() + b"\n")

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def ordered_line(tmp_path, capsys):
    """Give ``havpn switch --line 2`` its daemon's replies; returns what ended and what was sent."""
    daemons = []

    def go(first, *lines, options=()):
        daemons.append(FakeDaemon(tmp_path, first, *lines))
        given = ["--run-dir", str(tmp_path), "--line", "2", *options]
        status = perform(switch, "havpn switch", given)
        return (status, *capsys.readouterr(), daemons[-1].requests)

    yield go
    for daemon in daemons:
        daemon.close()


def test_the_command_waits_until_both_sites_are_there(ordered_line):
    status, out, err, requests = ordered_line(
        {"ok": True, "wait_s": 20},
        {"number": 1, "site": 1, "far_site": 1},
        {"number": 1, "site": 2, "far_site": 1},
        {"number": 1, "site": 2, "far_site": 2},
        options=("--for", "10m"),
    )
    assert status == 0, err
    first, second, third = out.splitlines()
    assert first.startswith("this site: on line 2 after ")
    assert second.startswith("the far site: on line 2 after ")
    assert third.startswith("the order stands until havpn switch --to auto")
    assert third.endswith("for 10m at the most")
    assert requests[0].pop("until_s") > 0
    assert requests[0] == {"do": "line", "line": 2, "for_s": 600.0}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"site": 2, "far_site": 1}, "its gateway of line 2 is not seen active"),
        ({"site": 2, "far_site": None}, "nothing is heard of the far gateways"),
    ],
)
def test_a_site_that_is_not_seen_there_in_time_is_named_with_the_reason(ordered_line, line, text):
    status, out, _, _ = ordered_line({"ok": True, "wait_s": 0.3}, line)
    assert status == 1
    assert "this site: on line 2" in out
    assert text in out
    assert "the order stands" in out


def test_a_refusal_is_given_with_its_reason_and_nothing_is_waited_for(ordered_line):
    error = "no site is moved to line 2: the partner is silent"
    status, _, err, requests = ordered_line({"error": error})
    assert status == 1
    assert error in err
    assert len(requests) == 1


@pytest.mark.parametrize("options", [(), ("--line", "1", "--to", "auto"), ("--line", "3")])
def test_wrong_usage_of_switch_ends_with_2(tmp_path, options):
    assert perform(switch, "havpn switch", ["--run-dir", str(tmp_path), *options]) == 2
    assert LINES == (1, 2)
