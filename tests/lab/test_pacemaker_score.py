"""Two real Pacemaker clusters, one a site, that choose the node with the better line by its score.

As a score rises after 10 minutes at the earliest, each test has a network of its own.
"""

import time
from itertools import groupby

import pytest

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SITES
from havpn_core.testing.lab.pacemaker import Clusters

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
# docs/pacemaker.md, score-manual
RULE = """
location better-line gateway-ip rule havpn-vpn-score: defined havpn-vpn-score
location prefer-{preferred} gateway-ip 5: {preferred}
rsc_defaults resource-stickiness=70
"""
LOST = 20
"""Of a hundred packets each way, as the issue and the table of docs/pacemaker.md have it."""
WATCHED_S = 40.0


@pytest.fixture
def lab():
    with TwoSite(ipsec=False) as network:
        yield network


@pytest.fixture
def clusters(lab):
    found = Clusters(lab)
    found.start()
    wait_for(lambda: set(scores(found).values()) == {200}, 30, "the score of every node")
    for name, site in SITES.items():
        found.crm(name, RULE.format(preferred=site.preferred))
    time.sleep(3)
    found.wait_home(10)
    return found


def scores(clusters):
    found = {name: clusters.attribute(name, "havpn-vpn-score") for name in GATEWAYS}
    return {name: int(value) if value else None for name, value in found.items()}


def homes(lab, site, since):
    """Give who had the address of a site from then on, in turn."""
    holdings = lab.addresses.holdings(str(SITES[site].shared.ip))
    turns = [
        next(iter(each.holders))
        for each in holdings
        if len(each.holders) == 1 and (each.until is None or each.until > since)
    ]
    return [name for name, _ in groupby(turns)]


def test_the_address_leaves_a_sick_line_for_a_clean_one_once(lab, clusters, capsys):
    began = time.monotonic()
    lab.providers["provider-1"].loss(LOST)
    clusters.wait_backup(60)
    took = time.monotonic() - began
    found = scores(clusters)
    assert found["gw-aa"] <= 120
    assert found["gw-ab"] == found["gw-bb"] == 200
    assert [clusters.attribute(name) for name in GATEWAYS] == ["1"] * 4, "no line is down"
    time.sleep(WATCHED_S)
    turns = {name: homes(lab, name, began) for name in SITES}
    assert turns == {name: [site.preferred, site.backup] for name, site in SITES.items()}
    with capsys.disabled():
        print(f"\n  Pacemaker, {LOST} % lost each way: both addresses moved after {took:.1f} s")
        print(f"  {found}")


@pytest.mark.more
def test_two_lines_alike_move_nothing(lab, clusters, capsys):
    began = time.monotonic()
    for provider in lab.providers.values():
        provider.loss(LOST)
    wait_for(lambda: max(scores(clusters).values()) <= 120, 60, "every score to fall")
    time.sleep(WATCHED_S)
    found = scores(clusters)
    with capsys.disabled():
        print(f"\n  Pacemaker, {LOST} % lost each way on both lines: {found}")
    assert max(found.values()) - min(found.values()) <= 60
    turns = {name: homes(lab, name, began) for name in SITES}
    assert turns == {name: [site.preferred] for name, site in SITES.items()}
