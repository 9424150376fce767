"""What single faults did: which bound is missed, how it is kept and shown."""

import json
from dataclasses import replace

import pytest

from benchmarks.fault_table import (
    Found,
    details,
    dump,
    line,
    load,
    merged,
    missed,
    overview,
    seconds,
)

LINES = {"gw-aa": "one", "gw-ba": "one", "gw-ab": "two", "gw-bb": "two"}
MOVED = Found(0.2, "gw-aa: verdict down", ("gw-ab", "gw-bb"), 0.0, True, ("gw-aa", "gw-ba"))


def judged(found, bound_s=0.3, back_bound_s=0.0, leaves=""):
    return missed(found, bound_s=bound_s, back_bound_s=back_bound_s, lines=LINES, leaves=leaves)


def test_one_within_its_bounds():
    assert judged(MOVED, leaves="gw-aa") == []


@pytest.mark.parametrize(
    ("outage_s", "wrong"),
    [(0.3, []), (0.35, []), (0.36, ["the clients were without service for 0.36 s"]),
     (None, ["the clients were without service for good"])],
)  # fmt: skip
def test_the_outage_may_be_a_tick_longer_than_its_bound(outage_s, wrong):
    assert judged(replace(MOVED, outage_s=outage_s)) == wrong


@pytest.mark.parametrize(
    ("back_s", "wrong"),
    [(0.05, []), (0.06, ["the way back cost for 0.06 s"]), (None, ["the way back cost for good"])],
)
def test_the_way_back_has_its_own_bound(back_s, wrong):
    assert judged(replace(MOVED, back_s=back_s)) == wrong
    assert judged(replace(MOVED, back_s=3.0), back_bound_s=3.0) == []


@pytest.mark.parametrize(
    "owners", [(), ("gw-ab",), ("gw-ab", "gw-ba"), ("gw-aa", "gw-ab", "gw-ba", "gw-bb"),
               ("gw-aa", "gw-ab", "gw-bb")]
)  # fmt: skip
def test_there_is_one_owner_a_site_on_the_same_line(owners):
    (wrong,) = judged(replace(MOVED, owners=owners))
    assert "not one a site, on the same line" in wrong
    found = replace(MOVED, owners=owners)
    assert missed(found, bound_s=0.3, back_bound_s=0.0, lines=None) == []


def test_who_cannot_serve_is_left_and_all_is_home_again():
    stayed = replace(MOVED, owners=("gw-aa", "gw-ba"), home=False)
    assert judged(stayed, leaves="gw-aa") == ["nobody moved", "it was not home again"]
    assert judged(stayed, leaves="gw-ab") == ["it was not home again"]


def test_results_are_kept_as_they_are():
    results = {"pair": {"cut": MOVED, "lost": replace(MOVED, outage_s=None)}, "peer": {"cut": None}}
    assert load(dump(results)) == results
    assert json.loads(dump(results))["pair"]["lost"]["outage_s"] is None


@pytest.mark.parametrize("text", ['{"pair": {"cut": {"outage_s": 1}}}', "no json"])
def test_other_files_are_refused(text):
    with pytest.raises(ValueError):
        load(text)


def test_newer_results_go_before_older_ones_row_by_row():
    later = replace(MOVED, outage_s=0.1)
    old = {"pair": {"cut": MOVED, "port": MOVED}, "peer": {"cut": None}}
    new = {"pair": {"cut": later}, "other": {"cut": MOVED}}
    assert merged(old, new) == {
        "pair": {"cut": later, "port": MOVED},
        "peer": {"cut": None},
        "other": {"cut": MOVED},
    }
    assert old["pair"]["cut"] is MOVED


def test_outages_side_by_side():
    results = {"peer": {"cut": None}, "pair": {"cut": MOVED, "port": replace(MOVED, outage_s=None)}}
    titles = {"pair": "HA-VPN", "absent": "Absent", "peer": "Peer"}
    assert overview(results, titles, ["cut", "port"]) == [
        "| fault | HA-VPN | Peer |",
        "| --- | --- | --- |",
        "| cut | 0.20 s | - |",
        "| port | lost | not tried |",
    ]


def test_one_mode_in_full():
    rows = {"cut": MOVED, "order": None, "gone": replace(MOVED, owners=(), ends=(), home=False)}
    assert details(rows, ["cut", "gone", "order", "absent"], ours=True) == [
        "| fault | noticed first | client's outage | owners | client after its end"
        " | owners after it |",
        "| --- | --- | --- | --- | --- | --- |",
        "| cut | gw-aa: verdict down | 0.20 s | gw-ab, gw-bb | 0.00 s | gw-aa, gw-ba |",
        "| gone | gw-aa: verdict down | 0.20 s | nobody | 0.00 s | nobody; not home by itself |",
        "| order | - | - | - | - | - |",
    ]
    assert line("order", None, ours=False) == "| order | - | - | - | - |"
    assert line("a|b", MOVED, ours=False).startswith(r"| a\|b | 0.20 s |")


def test_seconds():
    assert (seconds(None), seconds(0.125)) == ("lost", "0.12 s")
