"""A site file with an end whose provider gives it an address, now this one and now another one."""

import re
import time

import pytest

from havpn_core.site.reading import model_of
from havpn_core.site.rendering.havpn import merged
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import path_of, start_pairs
from havpn_core.testing.lab.hosts.plan import TABLES, plan_of
from tests.lab.openings import close_all_else, fails_over_and_back

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
FIXED, MOVING = "gw-ab", "gw-bb"
ENDS = {FIXED: "198.51.100.2", MOVING: "dynamic"}
OTHER = "203.0.113.9"


def made():
    """Give the article's figure with its second line's far end dynamic."""
    raw = merged(TABLES, {"line": {"vpn2": {"ends": ENDS, "routers": {MOVING: "100.64.0.1"}}}})
    return plan_of(model_of(raw))


@pytest.fixture(scope="module")
def lab():
    with TwoSite(plan=made()) as network:
        close_all_else(network)
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    return start_pairs(lab, stream=True)


def move(lab):
    """Have the provider give the dynamic end another address."""
    here = lab.plan.gateways[MOVING]
    port = lab.providers[here.provider].host
    port.run_in_network("ip", "route", "add", OTHER, "dev", here.side.value)
    fixed = lab.plan.gateways[FIXED]
    way = ("via", str(fixed.router.ip), "dev", fixed.wan_device)
    lab.hosts[FIXED].run_in_network("ip", "route", "add", OTHER, *way)
    host, device = lab.hosts[MOVING], here.wan_device
    host.run_in_network("ip", "address", "add", f"{OTHER}/32", "dev", device)
    host.run_in_network("ip", "address", "del", str(here.wan), "dev", device)


def test_the_end_that_knows_the_other_one_brings_the_tunnel_up(lab):
    assert lab.plan.initiators == ("gw-aa", MOVING)
    assert all(tunnel.is_up() for tunnel in lab.tunnels.values())


def test_the_pairs_use_the_line_when_the_other_one_is_cut(lab, daemons):
    fails_over_and_back(lab)


def replies(lab, daemons, name):
    """Give how many replies each probe of a gateway's path has had; ``None`` unless it is up."""
    said = daemons[name].status()["paths"][path_of(lab.plan, name)]
    if said["verdict"] != "up":
        return None
    return {probe: each["ok"] for probe, each in said["probes"].items()}


def peer(lab):
    """Give the address that charon of the fixed end has of the other one."""
    shown = lab.hosts[FIXED].run("swanctl", "--list-sas", "--raw").stdout
    return re.findall(r"remote-host=([\d.]+)", shown)


def test_another_address_is_followed_by_the_stream_and_by_the_tunnel(lab, daemons):
    assert peer(lab) == [str(lab.plan.gateways[MOVING].wan.ip)]
    move(lab)
    began = time.monotonic()
    wait_for(lambda: peer(lab) == [OTHER], 60, "charon to know the other address", poll=0.1)
    print(f"the tunnel after {time.monotonic() - began:.1f} s")
    for name in (FIXED, MOVING):
        before = daemons[name].status()["paths"][path_of(lab.plan, name)]["probes"]

        def works(name=name, before=before):
            now = replies(lab, daemons, name)
            return now and all(now[each] > before[each]["ok"] + 50 for each in now)

        wait_for(works, 60, f"replies to {name} of line and tunnel")
    print(f"replies on both ways after {time.monotonic() - began:.1f} s")
