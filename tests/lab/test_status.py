"""What an operator and his monitoring read at two gateways of a pair, before, in and after a cut.

Each says what it knows of all four: the far ones by the streams, its own and its partner's.
"""

import json

import pytest

from havpn_core.host.execute import environment
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.daemons.supervisor import CONFIG, DEFAULT
from havpn_core.testing.lab.gateways import start_pairs, wait_backup

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
SECONDS = 20


@pytest.fixture(scope="module")
def lab():
    with TwoSite() as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    return start_pairs(lab, stream=True, profile="balanced", rise=6)


def ran(lab, name, *options):
    """Run ``havpn status`` at a gateway; gives its exit status, and its words in one line."""
    ended = lab.hosts[name].run(
        *DEFAULT, "status", *options, "-c", CONFIG, check=False, timeout=20, env=environment()
    )
    lines = ended.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines) or options
    return ended.returncode, " ".join(ended.stdout.split())


def wait_said(lab, name, options, code, *words):
    """Wait until it says all of that, which stays; gives what it said."""
    said = ["", ""]

    def says():
        said[:] = ran(lab, name, *options)
        return said[0] == code and all(each in said[1] for each in words)

    try:
        wait_for(says, SECONDS, f"{words} of {name}", poll=0.3)
    except Exception as problem:
        raise AssertionError(f"{problem}: {said}") from None
    return said[1]


def wait_well(lab):
    for name, role, other in (("gw-aa", "active", "standby"), ("gw-ab", "standby", "active")):
        words = f"HAVPN OK - {name} {role}, 1 of 1 paths up, partner {other} |"
        wait_said(lab, name, ["--check"], 0, words, f" active={int(role == 'active')};;;0;1 ")


def test_a_cut_and_a_dead_daemon_are_seen_at_a_glance_and_gone_once_they_are_over(lab, daemons):
    wait_well(lab)
    calm = wait_said(
        lab, "gw-aa", [], 0, "gw-aa running; as of", "role active since", "why ",
        "VIP 10.1.255.254/16: this gateway has it", "takeover the partner could take over",
        "path line up since", "loss out 0.0 %, back 0.0 %, round trip", "switch down after ",
        "line probe line: ok", "tunnel probe tunnel: ok", "partner gw-ab: standby, path up, fit",
        "link cable last heard 0.", "link lan last heard 0.", "action gateway settled, active",
    )  # fmt: skip
    assert calm.count(" event ") == 3
    # The events may have what a crowded host made of the start.
    assert "!" not in calm.partition(" event ")[0].removesuffix(" !")
    wait_said(
        lab, "gw-aa", ["--site"], 0, "this one active, path up, fit (its daemon",
        "partner gw-ab standby, path up, fit (links",
        "far of line gw-ba active, path up, fit (stream",
        "partner's far gw-bb standby, path up, fit (the partner's stream",
    )  # fmt: skip
    lab.providers["provider-1"].cut()
    wait_backup(lab)
    wait_said(
        lab, "gw-aa", [], 0, "role standby since", "!! path line down since", "switch up after ",
        "VIP 10.1.255.254/16: the partner has it", "! takeover not this one: path line is down",
        "partner gw-ab: active, path up, fit",
    )  # fmt: skip
    wait_said(lab, "gw-aa", ["--check"], 1, "HAVPN WARNING - gw-aa path line down", "paths_up=0;")
    wait_said(lab, "gw-ab", ["--check"], 1, "HAVPN WARNING - gw-ab partner's path down |")
    wait_said(lab, "gw-ab", [], 0, "! takeover NOBODY could: its path is down")
    wait_said(
        lab, "gw-ab", ["--site"], 0, "this one active, path up", "standby, path down, fit",
        "far of line gw-bb active, path up", "partner's far unknown (the partner does not say it)",
    )  # fmt: skip
    daemons["gw-aa"].kill()
    wait_said(lab, "gw-aa", ["--check"], 2, "CRITICAL - gw-aa the daemon does not work")
    wait_said(lab, "gw-aa", [], 0, "gw-aa stale; as of", "THE DAEMON DOES NOT WORK")
    wait_said(lab, "gw-ab", ["--check"], 1, "WARNING - gw-ab partner silent for", "links_alive=0;")
    wait_said(
        lab, "gw-ab", [], 0, "partner silent for", "!! link cable last heard",
        "NOBODY could: the partner is silent for",
    )  # fmt: skip
    wait_said(lab, "gw-ab", ["--site"], 0, "partner unknown (links: silent for")
    daemons["gw-aa"].start()
    lab.providers["provider-1"].heal()
    lab.wait_holder("a", "gw-aa", 60)
    wait_well(lab)
    again = ran(lab, "gw-ab")[1].partition(" event ")[0].removesuffix(" !").removesuffix(" !!")
    assert "silent for" not in again and "trouble" not in again and "!" not in again


def test_the_document_has_its_schema_and_what_is_known_of_all_four(lab, daemons):
    wait_well(lab)
    document = json.loads(ran(lab, "gw-aa", "--json")[1])
    assert (document["schema"], document["holder"]) == (1, "here")
    assert document["pair"]["partner"]["far"]["role"] == "standby"
    found = json.loads(ran(lab, "gw-ab", "--site", "--json")[1])
    assert [(each["place"], each["role"]) for each in found["gateways"]] == [
        ("this", "standby"), ("partner", "active"), ("far", "standby"), ("partner's far", "active"),
    ]  # fmt: skip


def test_a_force_says_until_when_and_monitoring_is_warned_meanwhile(lab, daemons):
    wait_well(lab)
    daemons["gw-ab"].command("switch", "--to", "standby", "--for", "10m", "-c", CONFIG)
    shown = wait_said(lab, "gw-ab", [], 0, "! forced to standby by an operator, until ")
    assert "(9 min 5" in shown or "(10 min more)" in shown
    wait_said(lab, "gw-ab", ["--check"], 1, "WARNING - gw-ab forced to standby for 9 min")
    wait_said(lab, "gw-aa", [], 0, "! partner gw-ab: standby, path up, fit, in maintenance",
              "takeover NOBODY could: in maintenance")  # fmt: skip
    daemons["gw-ab"].command("switch", "--to", "auto", "-c", CONFIG)
    wait_well(lab)
