"""Whether either gateway could serve: every cause as a table, and the events on a virtual clock."""

from dataclasses import replace

import pytest

from havpn_core.pair.health import redundancy
from havpn_core.pair.health.redundancy import Both, Cause, Redundancy, Side, causes

WELL = Side()
BOTH = Both(WELL, there=WELL, links={"lan": True, "cable": True})
HERE = {
    "down": ({"line": "down"}, "line", "the path of this gateway is down"),
    "down, with a cause": (
        {"line": "down", "why_line": "vpn1: line: no reply in 12 probes"},
        "line",
        "the path of this gateway is down: vpn1: line: no reply in 12 probes",
    ),
    "recovering": ({"line": "recovering"}, "line", "the path of this gateway is recovering"),
    "unknown": ({"line": None}, "line", "the path of this gateway is not known"),
    "unfit": ({"fit": False}, "unfit", "this gateway is unfit"),
    "unfit, with a cause": (
        {"fit": False, "why_unfit": "lan has no carrier"},
        "unfit",
        "this gateway is unfit: lan has no carrier",
    ),
    "maintenance": (
        {"maintenance": True},
        "maintenance",
        "this gateway stands by for maintenance: havpn switch --to auto ends that",
    ),
    "forced": (
        {"forced": True},
        "forced",
        "this gateway is forced to active, whatever its paths: havpn switch --to auto ends that",
    ),
    "paused": ({"paused": True}, "paused", "this gateway is paused: havpn resume ends that"),
    "rests": (
        {"rests": True},
        "rests",
        "this gateway could not take the role: its actions failed, see havpn events",
    ),
    "refused": (
        {"refused": True},
        "refused",
        "the far responder of this gateway is missing: start havpn on the far gateway of its line",
    ),
    "road": (
        {"road": False},
        "road",
        "no host behind the far gateway of this gateway replies: check the far LAN and the tunnel",
    ),
}
THERE = {
    "down": ({"line": "down"}, "line", "the path of the partner is down (havpn status there says "
             "why)"),
    "recovering": ({"line": "recovering"}, "line", "the path of the partner is recovering (havpn "
                   "status there says why)"),
    "unknown": ({"line": None}, "line", "the path of the partner is not known (havpn status there "
                "says why)"),
    "unfit": ({"fit": False}, "unfit", "the partner is unfit (havpn status there says why)"),
    "maintenance": ({"maintenance": True}, "maintenance", "the partner stands by for maintenance: "
                    "havpn switch --to auto there ends that"),
    "forced": ({"forced": True}, "forced", "the partner is forced to active, whatever its paths: "
               "havpn switch --to auto there ends that"),
    "paused": ({"paused": True}, "paused", "the partner is paused: havpn resume there ends that"),
    "rests": ({"rests": True}, "rests", "the partner could not take the role: its actions failed, "
              "see havpn events there"),
    "refused": ({"refused": True}, "refused", "the far responder of the partner is missing: start "
                "havpn on the far gateway of its line"),
    "road": ({"road": False}, "road", "no host behind the far gateway of the partner replies: "
             "check the far LAN and the tunnel"),
}  # fmt: skip
BETWEEN = {
    "silent": ({"there": None}, "silent", 3.0, "the partner is silent: see whether it runs (havpn "
               "status there), and check the links"),
    "stopped": ({"there": None, "stopped": True}, "stopped", 10.0, "the partner stopped in order: "
                "start it if this is no restart or upgrade"),
    "stopping": ({"stopped": True}, "stopped", 10.0, "the partner stopped in order: start it if "
                 "this is no restart or upgrade"),
    "deaf": ({"hears": False}, "deaf", 3.0, "the partner does not receive our frames: check its "
             "firewall, and the links to it"),
    "no link": ({"links": {"lan": False, "cable": False}}, "links", 3.0, "no link brings frames, "
                "only the LAN does: check the cables and addresses of lan, cable"),
}  # fmt: skip


def test_two_gateways_that_could_both_serve_are_redundant():
    assert causes(BOTH) == ()
    assert causes(replace(BOTH, there=Side(fit=True, road=True))) == ()
    assert causes(replace(BOTH, links={"lan": False, "cable": True})) == (), "link lost says so"
    assert causes(replace(BOTH, links={})) == (), "a pair over its LAN alone"


@pytest.mark.parametrize(("changes", "key", "text"), HERE.values(), ids=HERE)
def test_this_gateway_could_not_take_over(changes, key, text):
    after_s = 10.0 if changes.get("line", "up") is None else 3.0
    found = Cause(f"{key} here", text, after_s)
    assert causes(replace(BOTH, here=replace(WELL, **changes))) == (found,)
    # Without a pair nothing is known of the other gateway, but of this one all is.
    assert causes(Both(replace(WELL, **changes), paired=False)) == (found,)


@pytest.mark.parametrize(("changes", "key", "text"), THERE.values(), ids=THERE)
def test_the_partner_could_not_take_over(changes, key, text):
    after_s = 10.0 if changes.get("line", "up") is None else 3.0
    both = replace(BOTH, there=replace(WELL, **changes))
    assert causes(both) == (Cause(f"{key} there", text, after_s),)
    assert causes(replace(both, paired=False)) == ()


@pytest.mark.parametrize(("changes", "key", "after_s", "text"), BETWEEN.values(), ids=BETWEEN)
def test_something_between_them_is_broken(changes, key, after_s, text):
    both = replace(BOTH, **changes)
    assert causes(both) == (Cause(key, text, after_s),)
    assert causes(replace(both, paired=False)) == (), "there is no partner"


def test_a_path_that_is_down_says_more_than_its_far_responder():
    both = replace(BOTH, here=Side(line="down", refused=True))
    assert [cause.key for cause in causes(both)] == ["line here"]


def test_all_causes_are_named():
    both = Both(Side(line="down", paused=True), there=Side(fit=False), hears=False)
    keys = [cause.key for cause in causes(both)]
    assert keys == ["deaf", "line here", "paused here", "unfit there"]


# --- over time ------------------------------------------------------------------------------------

GONE = (Cause("silent", "the partner is silent"),)
DOWN = (Cause("line here", "the path is down"),)
STOPPED = (Cause("stopped", "the partner stopped", 10.0),)


def run(made, found, until_s, now_s):
    """Look once a second; gives what was said and when."""
    said = []
    while now_s < until_s:
        now_s += 1.0
        news = made.update(found, now_s)
        if news is not None:
            said.append((now_s, *news))
    return said


def settled():
    """Give one that has been well for 20 s."""
    made = Redundancy(0.0)
    assert run(made, (), 20.0, 0.0) == []
    return made


def test_the_beginning_and_the_end_are_one_event_each():
    made = settled()
    assert run(made, GONE, 60.0, 20.0) == [(24.0, "lost", "the partner is silent", True)]
    assert made.lost and made.causes == ("the partner is silent",)
    assert run(made, (), 90.0, 60.0) == [(65.0, "back", "it was lost for 41 s", False)]
    assert not made.lost and made.causes == ()


def test_a_failover_a_restart_or_a_lost_frame_is_no_event():
    made = settled()
    assert run(made, GONE, 23.0, 20.0) == [] and made.causes == ("the partner is silent",)
    assert run(made, (), 24.0, 23.0) == []
    assert run(made, STOPPED, 33.0, 24.0) == [], "an upgrade"
    assert run(made, (), 60.0, 33.0) == []


def test_a_partner_that_stopped_and_does_not_come_back_is_one():
    assert run(settled(), STOPPED, 60.0, 20.0) == [(31.0, "lost", "the partner stopped", True)]


def test_each_cause_has_to_last_by_itself():
    made, said = settled(), []
    for n in range(10):
        said += run(made, GONE if n % 2 else DOWN, 22.0 + 2 * n, 20.0 + 2 * n)
    assert said == []


def test_what_lasts_is_named_and_what_just_began_is_not():
    made = settled()
    assert run(made, GONE, 22.0, 20.0) == []
    said = run(made, GONE + DOWN, 30.0, 22.0)
    assert said == [(24.0, "lost", "the partner is silent", True)]
    assert made.causes == ("the partner is silent", "the path is down")


def test_another_cause_meanwhile_is_no_second_event():
    made = settled()
    assert len(run(made, GONE, 40.0, 20.0)) == 1
    assert run(made, DOWN, 60.0, 40.0) == []
    assert run(made, (), 80.0, 60.0) == [(65.0, "back", "it was lost for 41 s", False)]


def test_nothing_begins_in_the_first_seconds_after_a_start():
    assert run(Redundancy(0.0), GONE, 30.0, 0.0) == [(10.0, "lost", "the partner is silent", True)]


def test_a_host_that_slept_has_to_look_first():
    made = settled()
    assert run(made, GONE, 22.0, 20.0) == []
    assert made.update(GONE, 100.0) is None
    assert run(made, GONE, 140.0, 100.0) == [(110.0, "lost", "the partner is silent", True)]
    assert made.update((), 200.0) is None, "a single look after a sleep ends nothing"
    assert run(made, (), 210.0, 200.0)[0][:2] == (205.0, "back")


def test_a_pause_of_five_seconds_between_two_looks_is_no_sleep():
    made = settled()
    assert made.update(GONE, 21.0) is None
    assert made.update(GONE, 26.0).word == "lost"


def test_a_cause_that_comes_and_goes_makes_no_storm():
    made, said, now = settled(), [], 20.0
    for _ in range(20):
        said += run(made, GONE, now + 4.0, now)
        said += run(made, (), now + 4.5, now + 4.0)
        now += 5.0
    assert [word for _, word, *_ in said] == ["lost"], "back only after 5 s without a cause"


def test_two_beginnings_are_ten_seconds_apart():
    made = settled()
    assert [said[:2] for said in run(made, GONE, 24.0, 20.0)] == [(24.0, "lost")]
    assert [said[:2] for said in run(made, (), 29.0, 24.0)] == [(29.0, "back")]
    assert [said[:2] for said in run(made, GONE, 40.0, 29.0)] == [(34.0, "lost")]
    assert redundancy.APART_S == 10.0
