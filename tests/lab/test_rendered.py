"""What a site file is rendered to works behind the firewall that it is rendered to."""

import time

import pytest

from havpn_core.site.rendering.firewall import FILE
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.daemons.rendered import files_of
from havpn_core.testing.lab.gateways import start_pairs, wait_backup

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
# As the head of the file says to include it. Everything else is dropped.
CHAINS = """
table inet filter {
    counter dropped { }
    counter unforwarded { }
    chain input {
        type filter hook input priority 0; policy drop;
        iif lo accept
        ct state established,related accept
        jump havpn_input
        counter name dropped
    }
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        jump havpn_forward
        counter name unforwarded
    }
}
"""


@pytest.fixture(scope="module")
def lab():
    with TwoSite() as network:
        for name, host in network.hosts.items():
            if name in network.plan.gateways:
                text = files_of(network.plan)[name][FILE]
                host.run_in_network("nft", "-f", "-", input=text + CHAINS)
        yield network


def test_a_pair_with_tunnels_fails_over_and_back_behind_the_openings_alone(lab):
    start_pairs(lab, stream=True)
    stream, pinger = lab.stream(), lab.pinger()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        cut = time.monotonic()
        lab.providers["provider-1"].cut()
        wait_backup(lab)
        time.sleep(1)
        outage = pinger.longest_outage_since(cut)
        lab.providers["provider-1"].heal()
        for name, site in lab.plan.sites.items():
            lab.wait_holder(name, site.preferred, 30)
        report = stream.finish()
    finally:
        pinger.stop()
        stream.kill()
    assert outage < 1.5
    assert report.intact, report.error


def test_what_the_site_file_says_nothing_of_does_not_come_in(lab):
    gateway = lab.plan.gateways["gw-aa"]
    ping = ("ping", "-c1", "-W1", "-I", str(lab.plan.near.end_address.ip), str(gateway.lan.ip))
    assert lab.client.run(*ping, check=False).returncode == 1
    counted = lab.hosts["gw-aa"].run_in_network(
        "nft", "list", "counter", "inet", "filter", "dropped"
    )
    assert "packets 0 " not in counted.stdout
