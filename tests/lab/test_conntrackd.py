"""One TCP connection through stateful firewalls: with real conntrackd it survives, without it not.

All four gateways forward only what belongs to a connection, and the SYN of a new one.
"""

import re
import time
from pathlib import Path

import pytest

from benchmarks.campaigns import stage
from havpn_core.testing.lab import GATEWAYS, SITES, TwoSite, wait_for
from havpn_core.testing.lab.daemons.conntrackd import Conntrackd, raise_firewall
from havpn_core.testing.lab.gateways import pair_config, start_pairs

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
RECIPE = Path(__file__).parents[2] / "docs" / "conntrackd.md"
ACTION = '[action.states]\ntype = "conntrackd"\n'
PURGE_S = 4
RISE = 40
BROKEN_S = 5.0
GAP_S = 3.0
TAKEN_S = 1.0


class Street:
    """The two sites with firewalls, conntrackd and havpn on all gateways."""

    def __init__(self, lab):
        self.lab = lab
        self.states = {name: Conntrackd(lab.hosts[name]) for name in GATEWAYS}
        for name, each in self.states.items():
            raise_firewall(lab.hosts[name])
            each.configure(PURGE_S)
            each.start()
        self.daemons = start_pairs(lab, rise=RISE, more=ACTION)

    def dress(self, more):
        """Give all gateways further tables."""
        since = time.time()
        for name, daemon in self.daemons.items():
            daemon.configure(pair_config(name, rise=RISE, more=more))
            daemon.reload()
        for daemon in self.daemons.values():
            daemon.wait_event("daemon", "reloaded", 20, since)

    def wait_at(self, which, timeout=30):
        for site, here in SITES.items():
            self.lab.wait_holder(site, getattr(here, which), timeout)

    def wait_known(self, which, stream):
        """Wait until the gateways that stand by know the connection."""
        for here in SITES.values():
            states = self.states[getattr(here, which)]
            wait_for(lambda states=states: states.holds("-e", f"dport={stream.port}"), 5,
                     "the partner to know the connection", poll=0.05)  # fmt: skip

    def fail_over(self):
        """Cut line 1; gives the seconds until the last address has moved."""
        since = time.monotonic()
        self.lab.providers["provider-1"].cut()
        took = max(stage.taken(self, site, since) for site in SITES)
        self.wait_at("backup")
        return took

    def fail_back(self):
        self.lab.providers["provider-1"].heal()
        for daemon in self.daemons.values():
            daemon.wait_verdict("line", "up", 30)
        self.wait_at("preferred")

    def settle(self):
        """Everything as at first, every conntrackd among the living."""
        self.lab.providers["provider-1"].heal()
        self.dress(ACTION)
        self.wait_at("preferred")


@pytest.fixture(scope="module")
def here():
    with TwoSite() as lab:
        yield Street(lab)


@pytest.fixture(autouse=True)
def calm(here):
    here.settle()


@pytest.fixture
def stream(here, calm):
    made = here.lab.stream()
    yield made
    made.kill()


def failures(daemon, since):
    return [
        event["detail"]
        for event in daemon.events("action", since)
        if (event["subject"], event["after"]) == ("states", "failed")
        and "goes on beside the address" not in event["detail"]  # a busy host's commit takes long
    ]


@pytest.mark.parametrize("away_s", [0, PURGE_S + 1], ids=["before the purge", "after it"])
def test_one_connection_survives_failover_and_failback(here, stream, away_s):
    here.wait_known("backup", stream)
    since = time.time()
    stream.mark()
    here.fail_over()
    stream.wait_flowing(GAP_S)
    here.wait_known("preferred", stream)
    time.sleep(away_s)
    here.fail_back()
    stream.wait_flowing(GAP_S)
    # The purge that giving had scheduled must not hit the gateway that has the address again.
    time.sleep(PURGE_S + 1)
    stream.wait_flowing(1.0)
    assert stream.report().longest_gap_since < GAP_S
    report = stream.finish()
    assert report.intact, report.error
    assert [failures(daemon, since) for daemon in here.daemons.values()] == [[]] * 4


def test_without_the_action_the_same_connection_breaks(here, stream):
    here.dress("")
    here.wait_known("backup", stream)
    here.fail_over()
    stream.mark()
    time.sleep(BROKEN_S + 0.5)
    assert stream.report().longest_gap_since > BROKEN_S
    another = here.lab.stream()  # a new connection passes: the road is whole
    try:
        assert another.finish().intact
    finally:
        another.kill()


def test_a_frozen_conntrackd_is_reported_and_delays_no_address(here, stream):
    here.wait_known("backup", stream)
    since = time.time()
    for site in SITES.values():
        here.states[site.backup].freeze()
    try:
        assert here.fail_over() < TAKEN_S
        for site in SITES.values():
            said = here.daemons[site.backup].wait_event("action", "failed", 5, since)["detail"]
            assert "prepare active: conntrackd -c has not committed" in said
    finally:
        for site in SITES.values():
            here.states[site.backup].thaw()
    stream.wait_flowing(5)
    here.fail_back()
    assert stream.finish().intact


def test_a_dead_conntrackd_is_reported_with_the_remedy_and_delays_no_address(here):
    backups = [here.states[site.backup] for site in SITES.values()]
    since = time.time()
    for each in backups:
        each.kill()
    try:
        assert here.fail_over() < TAKEN_S
        for site in SITES.values():
            said = here.daemons[site.backup].wait_event("action", "failed", 5, since)["detail"]
            assert "prepare active: conntrackd -c: conntrackd does not run" in said
    finally:
        for each in backups:
            each.start()


def test_the_recipe_of_the_documents_is_what_conntrackd_and_nftables_take(here):
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```$", RECIPE.read_text(), re.S | re.M))
    states, firewall = blocks["conntrackd"], blocks["nft"]
    host, file = here.lab.hosts["gw-aa"], "/etc/conntrackd/recipe.conf"
    host.write(file, states)
    host.run("mkdir", "-p", "/run/lock")
    # Its port is in use by the one that runs.
    here.states["gw-aa"].kill()
    made = host.popen("conntrackd", "-C", file)
    try:
        wait_for(
            lambda: host.run("conntrackd", "-C", file, "-s", check=False).returncode == 0,
            10, "conntrackd with the recipe's file", poll=0.1,
        )  # fmt: skip
    finally:
        made.kill()
        made.wait(timeout=5)
        here.states["gw-aa"].start()
    host.run_in_network("nft", "--check", "-f", "-", input=firewall)
