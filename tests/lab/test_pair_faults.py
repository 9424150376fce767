"""Two partners whose links are cut while their LAN carries, restarts, and actions that fail."""

import random
import time

import pytest

from benchmarks.campaigns import cold_starts, flaps, restarts, stage
from havpn_core.testing.lab.faults import LINKS, Street

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]


@pytest.fixture(scope="module")
def here():
    with stage.street() as street:
        yield street


@pytest.fixture(autouse=True)
def calm(here: Street):
    assert stage.calm(here)
    yield
    assert stage.calm(here)


def wait_link(daemon, link, alive):
    daemon.wait_for(
        lambda s: s["pair"]["links"][link]["alive"] is alive, 5, f"{link} alive: {alive}"
    )


@pytest.mark.parametrize(
    ("fault", "deaf"),
    [
        ("cable pulled", {"cable": {"gw-aa", "gw-ab"}}),
        ("cable deaf", {"cable": {"gw-aa"}}),
        ("udp link cut", {"lan": {"gw-aa", "gw-ab"}}),
        ("udp link deaf", {"lan": {"gw-aa"}}),
    ],
)
def test_a_fault_of_one_link_is_a_fault_of_that_link_alone(here, fault, deaf):
    since = time.monotonic()
    ((link, names),) = deaf.items()
    heal = LINKS[fault](here, "gw-aa")
    try:
        for name in names:
            wait_link(here.daemons[name], link, alive=False)
        other = {"cable": "lan", "lan": "cable"}[link]
        for name in ("gw-aa", "gw-ab"):
            wait_link(here.daemons[name], other, alive=True)
        for name in {"gw-aa", "gw-ab"} - names:
            wait_link(here.daemons[name], link, alive=True)
    finally:
        heal()
    assert here.lab.tenure("a", since).shared_total == 0


def test_a_port_switched_off_keeps_its_carrier_and_is_remembered(here):
    lan, host = here.lab.lans["b"], here.lab.hosts["gw-bb"]
    since = time.monotonic()
    lan.mute("gw-bb")
    try:
        carrier = host.run("cat", "/sys/class/net/lan/carrier").stdout.strip()
        lan.unplug("gw-bb")
        lan.plug("gw-bb")
        state = lan.host.run_in_network("bridge", "link", "show", "dev", "gw-bb").stdout
        # Still off: the two reasons for its absence are undone apart.
        ongoing = [each.station for each in lan.absences() if each.until is None]
    finally:
        lan.unmute("gw-bb")
    assert carrier == "1"
    assert "state disabled" in state
    assert ongoing == ["gw-bb"]
    (absence,) = [each for each in lan.absences() if each.since >= since]
    assert since <= absence.since < absence.until <= time.monotonic()


def test_flaps_of_lan_ports_while_the_links_are_cut_leave_one_owner(here):
    rounds = flaps.draw(random.Random(1), 1, 0.2, 2.5)
    assert flaps.campaign(here, rounds) == []


def test_a_restart_of_any_daemon_moves_nobody(here):
    assert restarts.campaign(here, random.Random(1), 1, 0.3, 0.5) == []


def test_a_cold_start_in_any_order_takes_each_role_once(here):
    assert cold_starts.campaign(here, random.Random(1), 3, 0.5, 1.5) == []
