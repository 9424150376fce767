"""The road with real tunnels: only the near gateway sees that the far one forwards nothing."""

import time

import pytest

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import pair_gateway, wait_backup
from havpn_core.testing.lab.hosts import plan

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]

ROAD = """
[path.line.probe.{name}]
type = "icmp"
watches = "road"
host = "{host}"
source = "{own}"
"""
FIREWALL = """
add table inet road
add chain inet road forward { type filter hook forward priority 0; policy drop; }
"""
LEFT = "hands over: road down here, well on the partner"
SILENT = "handed over, for hosts behind the far gateway are not reached from here"
STAYS = "stays active: the road is down on the partner, too"


def roads(name):
    """Probe the far site's end host, and the far gateway of the other line: both lie behind."""
    gateway, far = plan.GATEWAYS[name], plan.far_site(name)
    other = next(each for each in far.gateways if each.name != gateway.far)
    own = gateway.lan.ip
    return ROAD.format(name="host", host=far.end_address.ip, own=own) + ROAD.format(
        name="cross", host=other.lan.ip, own=own
    )


@pytest.fixture(scope="module")
def lab():
    with TwoSite() as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    made = {name: pair_gateway(lab, name, more=roads(name)) for name in plan.GATEWAYS}
    for daemon in made.values():
        daemon.wait_verdict("line", "up", 30)
    for name, site in plan.SITES.items():
        lab.wait_holder(name, site.preferred, 30)
    for name in ("gw-aa", "gw-ba"):
        made[name].wait_until(lambda s: s.paths["line"].road.verdict == "ok", 20, "a road")
    return made


@pytest.fixture(autouse=True)
def calm(lab, daemons):
    yield
    for name in plan.GATEWAYS:
        clear(lab, name)
        lab.furnish(name)
    for name, site in plan.SITES.items():
        lab.wait_holder(name, site.preferred, 30)


def clear(lab, name):
    lab.hosts[name].run_in_network("nft", "delete", "table", "inet", "road", check=False)


def firewall(lab, name):
    """Let a gateway forward nothing more."""
    lab.hosts[name].run_in_network("nft", "-f", "-", input=FIREWALL)


def forwarding_off(lab, name):
    lab.hosts[name].run("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")


def test_a_far_gateway_that_forwards_nothing_moves_the_near_site_and_the_far_one_follows(
    lab, daemons, capsys
):
    pinger, since, wall = lab.pinger(), time.monotonic(), time.time()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        struck = time.monotonic()
        firewall(lab, "gw-ba")
        lab.wait_holder("a", "gw-ab", 10)
        moved = time.monotonic() - struck
        lab.wait_holder("b", "gw-bb", 10)
        time.sleep(1)
        outage = pinger.longest_outage_since(struck)
    finally:
        pinger.stop()
    daemons["gw-aa"].wait_event("road", LEFT, 5, wall)
    with capsys.disabled():
        print(f"\n  firewall on gw-ba: moved in {moved:.3f} s, client {outage:.3f} s")
    assert moved < 1
    assert outage < 5
    assert lab.addresses.overlap(str(plan.SITES["a"].shared.ip), since) == 0
    status = daemons["gw-aa"].read_status().paths["line"].road
    assert status.stance.startswith("off the road")
    assert daemons["gw-aa"].wait_event("respond", "silent", 5, wall)["detail"] == SILENT
    time.sleep(2)
    assert lab.holders("a") == {"gw-ab"}, "not back before the road is"


def test_a_far_gateway_that_sees_its_own_fault_goes_itself_and_the_near_site_follows(
    lab, daemons, capsys
):
    """No firewall hides that forwarding is off: here the gateway is unfit and knows it."""
    pinger, wall = lab.pinger(), time.time()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        struck = time.monotonic()
        forwarding_off(lab, "gw-ba")
        wait_backup(lab, 10)
        time.sleep(1)
        outage = pinger.longest_outage_since(struck)
    finally:
        pinger.stop()
    silent = daemons["gw-ba"].wait_event("respond", "silent", 5, wall)
    with capsys.disabled():
        print(f"\n  forwarding off on gw-ba: client {outage:.3f} s ({silent['detail']})")
    assert "forwarding" in silent["detail"]
    role = daemons["gw-ba"].wait_event("role", "standby", 5, wall)
    assert "unfit here" in role["detail"]
    daemons["gw-aa"].wait_event("verdict", "down", 5, wall)
    assert outage < 5


def test_a_road_that_is_down_on_both_moves_nobody(lab, daemons):
    wall = time.time()
    for name in ("gw-bb", "gw-ba"):  # the one in use last, or there were a better one meanwhile
        firewall(lab, name)
    daemons["gw-aa"].wait_event("road", STAYS, 10, wall)
    time.sleep(3)
    assert lab.holders("a") == {"gw-aa"}
    assert daemons["gw-aa"].read_status().paths["line"].verdict == "up"


def test_one_dead_host_moves_nobody(lab, daemons):
    lab.hosts["server"].run_in_network("ip", "link", "set", "lan", "down")
    try:
        daemons["gw-aa"].wait_until(
            lambda s: s.paths["line"].road.probes["host"].outcome == "fail", 10, "the dead host"
        )
        time.sleep(2)
        assert lab.holders("a") == {"gw-aa"}
        assert daemons["gw-aa"].read_status().paths["line"].road.verdict == "ok"
    finally:
        lab.hosts["server"].run_in_network("ip", "link", "set", "lan", "up")
        site = plan.SITES["b"]
        lab.hosts["server"].run_in_network(
            "ip", "route", "replace", "default", "via", str(site.shared.ip), "dev", "lan"
        )
