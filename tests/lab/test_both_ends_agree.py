"""An operator takes one gateway out: both sites go to the other line, and both come back.

With real tunnels, without a cluster manager and with real heartbeat, and with firewalls that drop
what belongs to no connection they know: those end a connection whose two directions take
different lines.
"""

import time

import pytest

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import start_gateways, start_pairs, wait_backup
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SITES

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
FIREWALL = """
add table inet agree
add chain inet agree forward { type filter hook forward priority 0; policy accept; }
add rule inet agree forward ct state invalid drop
"""
APART, TOGETHER = "sites on different lines", "sites on the same line"
STANDING_BY = "in maintenance, and standing by"
PAIR, HEARTBEAT = "pair", "heartbeat"
# Of a pair the address moves within one frame; heartbeat stops its resources first.
OUTAGE_S = {PAIR: 0.05, HEARTBEAT: 3.0}


@pytest.fixture(scope="module", params=[PAIR, HEARTBEAT])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def lab(mode):
    with TwoSite(cluster="heartbeat" if mode == HEARTBEAT else None) as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab, mode):
    return start_pairs(lab) if mode == PAIR else start_gateways(lab)


@pytest.fixture(autouse=True)
def calm(lab, daemons):
    yield
    for name, daemon in daemons.items():
        clear(lab, name)
        if daemon.read_status().role.forced:
            daemon.command("switch", "--to", "auto")
    for name, site in SITES.items():
        lab.wait_holder(name, site.preferred, 60)


def clear(lab, name):
    lab.hosts[name].run_in_network("nft", "delete", "table", "inet", "agree", check=False)


@pytest.fixture
def firewall(request, lab):
    if request.param:
        for name in GATEWAYS:
            clear(lab, name)
            lab.hosts[name].run_in_network("nft", "-f", "-", input=FIREWALL)
    return request.param


def wait_preferred(lab, timeout):
    for name, site in SITES.items():
        lab.wait_holder(name, site.preferred, timeout)


def moved(pinger, what, arrive):
    """Let something be done; gives the seconds until both sites are there, and the outage."""
    since = time.monotonic()
    what()
    arrive()
    took = time.monotonic() - since
    time.sleep(1)
    return took, pinger.longest_outage_since(since)


@pytest.fixture
def traffic(lab, daemons, mode, firewall):
    """Pings and one connection from before, and what to know of them at the end."""
    wait_preferred(lab, 60)
    pinger, stream = lab.pinger(), lab.stream()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        yield pinger, stream
    finally:
        pinger.stop()
        stream.kill()


@pytest.mark.parametrize(
    ("gateway", "firewall"),
    [
        pytest.param("gw-aa", False, id="gw-aa-open"),
        pytest.param("gw-ba", True, id="gw-ba-invalid drop"),
        pytest.param("gw-aa", True, id="gw-aa-invalid drop", marks=pytest.mark.more),
        pytest.param("gw-ba", False, id="gw-ba-open", marks=pytest.mark.more),
    ],
    indirect=["firewall"],
)
def test_one_gateway_taken_out_moves_both_sites_and_given_back_brings_both_back(
    lab, daemons, traffic, gateway, request
):
    (pinger, stream), since, wall = traffic, time.monotonic(), time.time()
    daemon, far = daemons[gateway], daemons[GATEWAYS[gateway].far]
    mode, firewall = map(request.getfixturevalue, ("mode", "firewall"))
    took_s, away_s = moved(
        pinger, lambda: daemon.command("switch", "--to", "standby"), lambda: wait_backup(lab, 20)
    )
    status = daemon.wait_until(lambda s: s.respond.silence and s.respond.silent, 5, "silence")
    assert status.respond.silence == STANDING_BY
    daemon.wait_event("respond", "silent", 5, wall)
    far.wait_verdict("line", "down", 5)
    stream.wait_flowing(10)
    back_s, returned_s = moved(
        pinger, lambda: daemon.command("switch", "--to", "auto"), lambda: wait_preferred(lab, 60)
    )
    with request.getfixturevalue("capsys").disabled():
        print(f"\n  {mode}, {gateway} out: moved {took_s:.2f} s, client {away_s:.3f} s; "
              f"back {back_s:.2f} s, client {returned_s:.3f} s")  # fmt: skip
    assert max(away_s, returned_s) <= OUTAGE_S[mode]
    daemon.wait_event("respond", "replying", 5, wall)
    daemon.wait_until(lambda s: not s.respond.silence, 5, "its replies")
    if mode == PAIR:
        for name, site in SITES.items():
            assert lab.addresses.overlap(str(site.shared.ip), since) == 0, name
    if firewall:
        # What these gateways remember of the connection from before is old: that needs conntrackd.
        stream.kill()
        stream = lab.stream()
        stream.wait_flowing(5)
    report = stream.finish()
    assert report.intact, report.error


def test_sites_on_different_lines_are_reported_once_that_lasts(lab, daemons, mode):
    """Where an operator holds the far site fast it cannot follow, and its partner says so."""
    wait_preferred(lab, 60)
    wall = time.time()
    daemons["gw-ba"].command("switch", "--to", "active")
    daemons["gw-aa"].command("switch", "--to", "standby")
    lab.wait_holder("a", "gw-ab", 20)
    # Of a pair each gateway that serves sees it; heartbeat alone knows who holds its address, but
    # the one that was taken out says so itself.
    sees = ("gw-ba", "gw-ab") if mode == PAIR else ("gw-ba",)
    for name in sees:
        event = daemons[name].wait_event("path", APART, 20, wall)
        assert event["severity"] == "warning"
        assert "far gateway of path line has stood by for 10 s" in event["detail"]
    # From the order on, as heartbeat's other node takes over seconds after this one stands by.
    assert time.time() - wall > 10
    assert lab.holders("b") == {"gw-ba"}
    daemons["gw-aa"].command("switch", "--to", "auto")
    for name in sees:
        daemons[name].wait_event("path", TOGETHER, 60, wall)
