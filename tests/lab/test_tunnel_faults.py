"""Faults of a tunnel whose line is well, with strongSwan's ESP, pairs and profile fast."""

import time

import pytest

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.faults import TUNNEL, Street
from havpn_core.testing.lab.gateways import start_pairs, wait_backup
from havpn_core.testing.lab.hosts.plan import SITES

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
NOTICED_S = 1.0
"""Profile fast promises 0.6 s at the most; the rest is this machine's."""


@pytest.fixture(scope="module")
def street():
    with TwoSite(ipsec=True) as lab:
        yield Street(lab, start_pairs(lab))


def longer_dead(street, before):
    now = street.daemons["gw-aa"].status()["paths"]["line"]
    return now if now["kinds"]["tunnel"]["failed"] > before["kinds"]["tunnel"]["failed"] else None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("esp dropped", "tunnel: no reply in"),
        ("large packets dropped", "tunnel: small packets pass, large ones do not ("),
    ],
)
def test_both_sites_leave_a_tunnel_that_is_dead_on_a_line_that_is_well(street, fault, said, capsys):
    lab = street.lab
    pinger = lab.pinger()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        began, wall = time.monotonic(), time.time()
        heal = TUNNEL[fault](street, "gw-aa")
        try:
            wait_backup(lab, 10)
            moved = time.monotonic() - began
            events = [
                street.daemons[site.preferred].wait_event("verdict", "down", 10, wall)
                for site in SITES.values()
            ]
            status = street.daemons["gw-aa"].status()["paths"]["line"]
            # The line goes on well for as long as the tunnel is dead: both are probed for a second
            # and longer if the host is too busy for probes that count.
            time.sleep(1)
            later = wait_for(lambda: longer_dead(street, status), 10, "another failed probe")
        finally:
            heal()
        for name, site in SITES.items():
            lab.wait_holder(name, site.preferred, 30)
        outage = pinger.longest_outage_since(began)
    finally:
        pinger.stop()
    with capsys.disabled():
        print(f"\n  {fault}: both sites moved after {moved:.2f} s, client outage {outage:.2f} s")
        print(f"  {events[0]['detail']}")
    for event in events:
        assert event["detail"].startswith(said), event
        assert event["detail"].endswith("; the line is well"), event
    assert moved < NOTICED_S
    assert later["kinds"]["line"] == {"outcome": "ok", "failed": 0}
    assert status["kinds"]["tunnel"]["failed"] >= 6
    assert later["failing"].startswith(said.removesuffix(" in"))
