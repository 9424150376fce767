"""Two partners whose links are cut while their LAN carries, restarts, and actions that fail."""

import random
import time

import pytest

from benchmarks.campaigns import (
    attackers,
    cold_starts,
    deaf_sides,
    flaps,
    hooks,
    restarts,
    silent_daemons,
    stage,
)
from havpn_core.testing.lab import SITES
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


def test_a_lan_can_lose_one_kind_of_frames_of_one_station_alone(here):
    lan, address = here.lab.lans["a"], str(SITES["a"].end_address.ip)

    def has_reply():
        look = ("arping", "-q", "-c", "1", "-w", "1", "-I", "lan", address)
        return not here.lab.hosts["gw-ab"].run(*look, check=False).returncode

    assert has_reply()
    lan.lose_kind(0x0806, "server")  # not on this LAN
    assert has_reply()
    lan.lose_kind(0x0806, "client")
    try:
        assert not has_reply()
    finally:
        lan.heal()
    assert has_reply()


def test_flaps_of_lan_ports_while_the_links_are_cut_leave_one_owner(here):
    rounds = flaps.draw(random.Random(1), 1, 0.2, 1.7)
    assert flaps.campaign(here, rounds) == []


def test_a_deaf_gateway_s_restart_without_any_whole_link_makes_no_second_owner(here):
    case = deaf_sides.Case(("udp link deaf", "cable pulled"), whole=False)
    tenure, _ = deaf_sides.strike(here, case, "gw-ab", in_order=False)
    assert stage.judge_tenure("the deaf standby", tenure) == []


def test_a_restart_of_any_daemon_moves_nobody(here):
    assert restarts.campaign(here, random.Random(1), 1, 0.3, 0.3) == []


def test_a_cold_start_in_any_order_takes_each_role_once(here):
    assert cold_starts.campaign(here, random.Random(1), 3, 0.4, 1.0) == []


@pytest.fixture
def dressed(here):
    """Give what changes the configuration of all gateways; afterwards they are as before."""

    def dress(*second: hooks.Hook, **options):
        here.options.update(options)
        hooks.dress(here, "\n".join(hook.toml() for hook in second))

    yield dress
    here.options.clear()
    hooks.undress(here)


def test_second_actions_that_fail_and_hang_hold_up_no_handover_and_no_taking(here, dressed):
    dressed(
        hooks.Hook(active="exit 1", standby="exit 1", name="a-failing"),
        hooks.Hook(active=hooks.HANG, standby=hooks.HANG, name="hanging", deadline="2s"),
    )
    assert hooks.cut(here) < 2
    assert stage.calm(here)
    assert hooks.off(here) < 2


def test_a_gateway_whose_daemon_is_frozen_is_taken_over_from(here, dressed):
    dressed(action='lifetime = "3s"')
    assert silent_daemons.campaign(here, 3.0, ["gw-aa"], ["frozen"]) == []


def test_false_claims_while_the_links_are_cut_move_nothing_and_fill_no_history(here):
    outcome = attackers.attack(here, "claims", 1.0, 0, cut=True)
    assert (outcome.tenure.shared, outcome.moves) == (0, 0)
    assert outcome.events <= attackers.MOST_EVENTS
    assert outcome.frames > 1000
