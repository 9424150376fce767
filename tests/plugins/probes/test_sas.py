"""Which listings of charon mean that the tunnel is there: exact tables."""

import ipaddress

import pytest
from charon_world import as_read, child, ike
from havpn_plugins.probes._ipsec.sas import Finding, Wanted, concerns, judge, networks, selected

LANS = Wanted("lans", "line", networks(["10.1.0.0/16"], "l"), networks(["10.31.0.0/24"], "r"))
ANY = Wanted("lans")


def judged(wanted, *rows):
    return judge(wanted, [as_read(row) for row in rows])


@pytest.mark.parametrize("state", ["INSTALLED", "REKEYING", "REKEYED", "UPDATING"])
def test_a_child_sa_that_carries_is_ok(state):
    found = judged(LANS, ike(child(state)))
    assert found.ok
    assert found.words == f"{state}, in 1200 bytes (idle 7 s), out 80 bytes"
    assert found.facts == {
        "ike_sa": "ESTABLISHED",
        "connection": "line",
        "child_sa": state,
        "bytes_in": 1200,
        "bytes_out": 80,
        "idle_in_s": 7,
        "idle_out_s": None,
        "installed_s": 60,
        "rekey_in_s": 3000,
        "local_ts": ["10.1.0.0/16"],
        "remote_ts": ["10.31.0.0/24"],
        "child_sas": 1,
    }


@pytest.mark.parametrize(
    "state",
    ["CREATED", "ROUTED", "INSTALLING", "RETRYING", "DELETING", "DELETED", "NEW"],
)
def test_one_that_carries_nothing_is_named_with_its_state(state):
    found = judged(LANS, ike(child(state)))
    assert found == Finding(False, f"CHILD_SA lans is {state}, none is INSTALLED")


@pytest.mark.parametrize(
    "states",
    [
        ("REKEYING",),
        ("REKEYED",),
        ("DELETED", "REKEYED"),
        ("REKEYING", "REKEYED"),
        ("REKEYING", "INSTALLED"),
        ("REKEYED", "INSTALLED"),
        ("INSTALLED", "INSTALLED"),
        ("DELETING", "INSTALLED"),
        ("INSTALLED", "DELETED"),
    ],
)
def test_no_step_of_a_rekey_is_a_failure(states):
    found = judged(LANS, ike(*map(child, states)))
    assert found.ok
    first = next(s for s in ("INSTALLED", "REKEYING", "REKEYED") if s in states)
    assert found.facts["child_sa"] == first
    carrying = [state for state in states if state in ("INSTALLED", "REKEYING", "REKEYED")]
    assert found.facts["child_sas"] == len(carrying)


def test_two_rekeys_at_once_have_two_old_and_two_new_ones():
    states = ("REKEYING", "DELETING", "INSTALLED", "INSTALLED")
    assert judged(LANS, ike(*map(child, states))).ok


def test_while_the_ike_sa_is_rekeyed_the_child_sa_is_in_one_of_two():
    assert judged(LANS, ike(state="REKEYED"), ike(child())).ok
    assert judged(LANS, ike(child(), state="REKEYING"), ike(state="CREATED")).ok


@pytest.mark.parametrize(
    ("wanted", "rows", "words"),
    [
        (ANY, [], "no CHILD_SA lans is INSTALLED"),
        (ANY, [ike(child(name="other"))], "no CHILD_SA lans is INSTALLED"),
        (LANS, [], "no CHILD_SA lans is INSTALLED, there is no IKE_SA line"),
        (LANS, [ike()], "no CHILD_SA lans is INSTALLED, IKE_SA line is ESTABLISHED"),
        (
            LANS,
            [ike(state="CONNECTING"), ike(state="DELETING")],
            "no CHILD_SA lans is INSTALLED, IKE_SA line is CONNECTING, DELETING",
        ),
        (LANS, [ike(child(), name="x")], "no CHILD_SA lans is INSTALLED, there is no IKE_SA line"),
    ],
)
def test_what_is_not_there_is_said(wanted, rows, words):
    assert judged(wanted, *rows) == Finding(False, words)


def test_any_ike_sa_will_do_where_none_is_named():
    found = judged(ANY, ike(child(name="other")), ike(child(), name="x"))
    assert (found.ok, found.facts["connection"]) == (True, "x")


@pytest.mark.parametrize(
    ("local", "remote", "lacks"),
    [
        (["10.1.0.0/16"], ["10.31.0.0/24"], ""),
        (["0.0.0.0/0"], ["10.31.0.0/16"], ""),
        (["10.9.0.0/16", "10.1.0.0/16"], ["10.31.0.0..10.31.0.255"], ""),
        (["10.1.0.0/17"], ["10.31.0.0/24"], "local selectors 10.1.0.0/17 lack 10.1.0.0/16"),
        (["10.1.0.0/16"], ["10.32.0.0/24"], "remote selectors 10.32.0.0/24 lack 10.31.0.0/24"),
        ([], ["10.31.0.0/24"], "local selectors none lack 10.1.0.0/16"),
        (["::/0"], ["10.31.0.0/24"], "local selectors ::/0 lack 10.1.0.0/16"),
        (
            ["10.1.0.0/16[tcp/http]"],
            ["10.31.0.0/24"],
            "local selectors 10.1.0.0/16[tcp/http] lack 10.1.0.0/16",
        ),
    ],
)
def test_the_selectors_must_hold_the_networks(local, remote, lacks):
    found = judged(LANS, ike(child(local=local, remote=remote)))
    assert found.ok == (not lacks)
    if lacks:
        assert found.words == f"CHILD_SA lans: {lacks}"


def test_each_network_that_is_lacking_is_named():
    wanted = Wanted("lans", local=networks(["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"], "l"))
    found = judged(wanted, ike(child(local=["10.2.0.0/16"])))
    assert found.words.endswith("lack 10.1.0.0/16 10.3.0.0/16")


def test_one_child_sa_with_the_right_selectors_is_enough():
    assert judged(LANS, ike(child(local=["10.9.0.0/16"]), child())).ok
    # The old one of a rekey after which the selectors were narrowed still carries all.
    assert judged(LANS, ike(child(local=["10.9.0.0/16"]), child("REKEYING"))).ok


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.1.0.0/16", ["10.1.0.0/16"]),
        ("10.1.0.5/32", ["10.1.0.5/32"]),
        ("2001:db8::/32", ["2001:db8::/32"]),
        ("10.0.0.0..10.0.0.3", ["10.0.0.0/30"]),
        ("10.0.0.1..10.0.0.2", ["10.0.0.1/32", "10.0.0.2/32"]),
        ("10.0.0.9..10.0.0.2", []),
        ("10.0.0.9..::1", []),
        ("dynamic", []),
        ("10.1.0.0/16[udp]", []),
        ("", []),
    ],
)
def test_a_selector_is_read(text, found):
    assert selected(text) == [ipaddress.ip_network(each) for each in found]


def test_networks_of_the_options():
    assert networks(["10.1.0.0/16", "::1"], "local_ts")[1] == ipaddress.ip_network("::1/128")
    for bad in ("10.1.0.5/16", "lan"):
        with pytest.raises(ValueError, match=r"^local_ts: .*write a network as 10\.1\.0\.0/16"):
            networks([bad], "local_ts")


@pytest.mark.parametrize(
    ("message", "wanted", "concerned"),
    [
        (ike(child()), LANS, True),
        (ike(child()), ANY, True),
        (ike(child(), name="other"), LANS, False),
        (ike(child(name="other")), LANS, False),
        (ike(child(name="other"), child()), LANS, True),
        ({"line": {"state": "DELETING"}}, LANS, True),
        ({"other": {"state": "DELETING"}}, LANS, False),
        ({"line": {"child-sas": {"lans": {"old": child(), "new": child()}}}}, LANS, True),
        ({"line": {"child-sas": {"other": {"old": child(), "new": child()}}}}, LANS, False),
        ({"up": "yes"}, ANY, False),
        ({}, ANY, False),
    ],
)
def test_which_events_concern_the_child_sa(message, wanted, concerned):
    assert concerns(wanted, as_read(message)) is concerned


def test_what_is_no_listing_of_charon_is_no_child_sa():
    odd = {"line": {"child-sas": {"lans-1": "text"}}, "x": "text", "line2": {"child-sas": "text"}}
    assert not judged(ANY, odd).ok
    assert not concerns(ANY, as_read({"line": {"child-sas": {"lans-1": "text"}}}))
    strange = child(bytes_in="many", use_in="-3", bytes_out="9" * 30, local_ts="text")
    assert judged(ANY, ike(strange)).facts["bytes_in"] is None
    assert judged(ANY, ike(strange)).facts["idle_in_s"] is None
    assert judged(ANY, ike(strange)).facts["bytes_out"] is None
    assert judged(ANY, ike(strange)).facts["local_ts"] == []
    assert judged(ANY, ike(strange)).words == "INSTALLED"
