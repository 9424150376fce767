"""Real heartbeat, and gateways that are unfit by a file: one router stays, whatever happens."""

import sys
import time
from pathlib import Path

import pytest

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import start_gateways, wait_calm
from tests.lab.partner_look import look_from

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
PROGRAM = Path(__file__).parents[1] / "packages" / "unfit_gateway.py"
UNFIT = "/run/havpn/unfit"
REASON = "forwarding of IPv4 is off"


@pytest.fixture(scope="module")
def lab():
    with TwoSite(cluster="heartbeat") as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    return start_gateways(lab, executable=(sys.executable, str(PROGRAM)))


@pytest.fixture(autouse=True)
def calm(lab, daemons):
    wait_calm(lab, daemons)
    yield
    for name in daemons:
        lab.hosts[name].run("rm", "-f", UNFIT)


def become_unfit(lab, *names):
    for name in names:
        lab.hosts[name].write(UNFIT, REASON)


def test_one_that_is_unfit_hands_over_and_takes_back(lab, daemons, capsys):
    pinger, since = lab.pinger(), time.time()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        began = time.monotonic()
        become_unfit(lab, "gw-aa")
        lab.wait_holder("a", "gw-ab", 20)
        took = time.monotonic() - began
        daemons["gw-aa"].wait_role("standby", 20)
        time.sleep(1)
        outage = pinger.longest_outage_since(began)
    finally:
        pinger.stop()
    with capsys.disabled():
        print(f"\n  heartbeat, unfit: the partner has the address after {took:.2f} s, "
              f"client outage {outage:.2f} s")  # fmt: skip
    assert daemons["gw-aa"].events("role", since)[0]["detail"].startswith(REASON)
    assert took < 3
    lab.wait_holder("b", "gw-bb", 20)  # its responder is silent, so that the far site follows
    lab.hosts["gw-aa"].run("rm", UNFIT)
    lab.wait_holder("a", "gw-aa", 40)
    daemons["gw-aa"].wait_role("active", 40)
    assert len(daemons["gw-aa"].events("role", since)) == 2, "away and back, once"


@pytest.mark.parametrize(
    ("names", "pause_s"),
    [
        (("gw-aa", "gw-ab"), 0),
        (("gw-ab", "gw-aa"), 2),
        pytest.param(("gw-ab", "gw-aa"), 0, marks=pytest.mark.more),
        pytest.param(("gw-aa", "gw-ab"), 2, marks=pytest.mark.more),
        pytest.param(("gw-ab", "gw-aa"), 6, marks=pytest.mark.more),
    ],
)
def test_both_unfit_one_router_stays(lab, daemons, names, pause_s):
    since = time.time()
    first, second = names
    become_unfit(lab, first)
    time.sleep(pause_s)
    become_unfit(lab, second)
    lab.wait_holder("a", "gw-ab", 20)
    until = time.monotonic() + 8
    while time.monotonic() < until:
        assert lab.holders("a") == {"gw-ab"}, "the address stays where it came"
        time.sleep(0.2)
    assert daemons["gw-ab"].role("wanted") == "active"
    assert {e["after"] for e in daemons["gw-ab"].events("role", since)} <= {"unfit"}


def test_what_the_action_sees_of_a_partner_that_serves_stops_and_starts(lab):
    one, other = lab.hosts["gw-aa"], lab.hosts["gw-ab"]
    for mode in ("stop-start", "standby-takeover"):
        assert look_from(one, "heartbeat", mode=mode) == (True, 0)
        assert look_from(other, "heartbeat", mode=mode) == (True, None), "it holds nothing"
    become_unfit(lab, "gw-aa")
    lab.wait_holder("a", "gw-ab", 20)
    wait_for(lambda: look_from(one, "heartbeat") == (None, None), 20, "the stop")
    assert look_from(other, "heartbeat") == (False, 1)


def test_a_partner_that_stands_by_serves_nobody(lab):
    """The other mode's handover, by hand and without waiting for HA-VPN's looks."""
    one, other = lab.hosts["gw-aa"], lab.hosts["gw-ab"]
    one.run("/usr/share/heartbeat/hb_standby", "all")
    try:
        lab.wait_holder("a", "gw-ab", 20)
        wait_for(lambda: look_from(other, "heartbeat") == (False, 1), 10, "the end of it")
        assert look_from(one, "heartbeat") == (True, None)
    finally:
        one.run("/usr/share/heartbeat/hb_takeover", "local")


def test_a_partner_that_is_powered_off(lab, daemons):
    """The last one: what is dead stays dead."""
    since = time.time()
    lab.power_off("gw-ab")
    daemons.pop("gw-ab")
    wait_for(lambda: look_from(lab.hosts["gw-aa"], "heartbeat")[0] is False, 20, "its silence")
    become_unfit(lab, "gw-aa")
    event = daemons["gw-aa"].wait_event("role", "unfit", 20, since)
    assert "no other gateway is seen serving" in event["detail"]
    time.sleep(3)
    assert lab.holders("a") == {"gw-aa"}
