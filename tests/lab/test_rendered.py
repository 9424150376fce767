"""What a site file is rendered to works behind the firewall that it is rendered to."""

import pytest

from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.gateways import start_pairs
from tests.lab.openings import close_all_else, fails_over_and_back

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]


@pytest.fixture(scope="module")
def lab():
    with TwoSite() as network:
        close_all_else(network)
        yield network


def test_a_pair_with_tunnels_fails_over_and_back_behind_the_openings_alone(lab):
    start_pairs(lab, stream=True)
    fails_over_and_back(lab)


def test_what_the_site_file_says_nothing_of_does_not_come_in(lab):
    gateway = lab.plan.gateways["gw-aa"]
    ping = ("ping", "-c1", "-W1", "-I", str(lab.plan.near.end_address.ip), str(gateway.lan.ip))
    assert lab.client.run(*ping, check=False).returncode == 1
    counted = lab.hosts["gw-aa"].run_in_network(
        "nft", "list", "counter", "inet", "filter", "dropped"
    )
    assert "packets 0 " not in counted.stdout
