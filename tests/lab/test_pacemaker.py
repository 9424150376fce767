"""Two real Pacemaker clusters, one a site, that move the shared addresses by HA-VPN's word."""

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SITES
from havpn_core.testing.lab.pacemaker import Clusters
from tests.lab.partner_look import look_from

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
ALERT = """
[path.vpn]
[path.vpn.probe.echo]
type = "udp-echo"
host = "{far}"
[action.nothing]
type = "exec"
active = ["true"]
standby = ["true"]
[notifier.file]
type = "exec"
command = ["/bin/sh", "-c", "echo $HAVPN_MESSAGE >>/run/told/news"]
"""
AGENT = "/usr/lib/ocf/resource.d/havpn/link"
UNFIT = "/run/havpn/unfit"
# The agent runs HA-VPN by this, so that a file makes a gateway unfit.
SCRIPT = """#!/bin/sh
exec {python} {program} "$@"
"""


@pytest.fixture(scope="module")
def lab():
    with TwoSite(ipsec=True) as network:
        yield network


@pytest.fixture(scope="module")
def clusters(lab, tmp_path_factory):
    program = Path(__file__).parents[1] / "packages" / "unfit_gateway.py"
    binary = tmp_path_factory.mktemp("program") / "havpn"
    binary.write_text(SCRIPT.format(python=sys.executable, program=program))
    binary.chmod(0o755)
    found = Clusters(lab, params=f"binary={binary}")
    found.start()
    return found


@pytest.fixture(autouse=True)
def calm(lab, clusters):
    yield
    for provider in lab.providers.values():
        provider.heal()
    for name in GATEWAYS:
        lab.hosts[name].run("rm", "-f", UNFIT)
    for site in SITES:
        clusters.crm(site, "rsc_defaults resource-stickiness=0")
    clusters.wait_home(40)


def test_cut_heal_and_fail_back(lab, clusters, capsys):
    pinger, stream = lab.pinger(), lab.stream()
    try:
        wait_for(lambda: pinger.answered() > 20, 10, "traffic")
        cut = time.monotonic()
        lab.providers["provider-1"].cut()
        clusters.wait_backup(15)
        time.sleep(1)
        outage = pinger.longest_outage_since(cut)
        assert clusters.attribute("gw-aa") == "0"
        healed = time.monotonic()
        lab.providers["provider-1"].heal()
        clusters.wait_home(40)
        time.sleep(1)
        back = pinger.longest_outage_since(healed)
        report = stream.finish()
    finally:
        pinger.stop()
        stream.kill()
    with capsys.disabled():
        print(
            f"\n  Pacemaker, silent cut: client outage {outage:.3f} s, at the failback {back:.3f}"
        )
    assert report.intact, report.error
    # How long Pacemaker's own steps take depends on the host; benchmarks.pacemaker measures it.
    assert outage < 10
    assert back < 10


def test_a_line_that_dies_and_recovers_is_no_failed_action_unless_degraded_is_asked_for(
    lab, clusters
):
    """A monitor runs every 2 s."""
    clusters.clean("a")
    lab.providers["provider-1"].cut()
    wait_for(lambda: clusters.attribute("gw-aa") == "0", 20, "the line to be down")
    time.sleep(5)
    lab.providers["provider-1"].heal()
    clusters.wait_home(40)
    assert clusters.failures("a", "monitor") == []
    try:
        clusters.set_parameter("a", "degraded", "true")
        lab.providers["provider-1"].cut()
        wait_for(lambda: clusters.failures("a", "monitor"), 20, "a monitor that says degraded")
        lab.providers["provider-1"].heal()
        clusters.wait_home(40)
        assert clusters.failures("a", "monitor"), "it stays until somebody cleans it up"
    finally:
        clusters.set_parameter("a", "degraded", "false")
        clusters.clean("a")
    wait_for(lambda: not clusters.failures("a", "monitor"), 20, "a clean list")


def test_failback_off(lab, clusters):
    for site in SITES:
        clusters.crm(site, "rsc_defaults resource-stickiness=200")
    lab.providers["provider-1"].cut()
    clusters.wait_backup(15)
    lab.providers["provider-1"].heal()
    wait_for(lambda: clusters.attribute("gw-aa") == "1", 20, "the line to be good again")
    time.sleep(3)
    assert lab.holders("a") == {"gw-ab"}


def test_both_paths_down_leave_the_address_where_it_is(lab, clusters):
    for provider in lab.providers.values():
        provider.cut()
    wait_for(
        lambda: [clusters.attribute(n) for n in ("gw-aa", "gw-ab")] == ["0", "0"], 20, "both down"
    )
    time.sleep(3)
    assert all(len(lab.holders(site)) == 1 for site in SITES)
    for provider in lab.providers.values():
        provider.heal()
    wait_for(lambda: clusters.attribute("gw-aa") == "1", 20, "the line to be good again")


def test_a_killed_supervisor_is_noticed_and_restarted_and_leaves_no_attribute(lab, clusters):
    before = clusters.pid("gw-aa")
    lab.hosts["gw-aa"].run("kill", "-9", before)
    values = set()

    def restarted():
        values.add(clusters.attribute("gw-aa"))
        return clusters.pid("gw-aa") not in (before, "")

    wait_for(restarted, 30, "the agent to start it again")
    assert None in values, "cleared before it was written anew"
    wait_for(lambda: clusters.attribute("gw-aa") == "1", 20, "its attribute")


def test_standby_and_maintenance(lab, clusters):
    lab.hosts["gw-aa"].run("crm_standby", "-v", "on", timeout=30)
    lab.wait_holder("a", "gw-ab", 20)
    wait_for(lambda: clusters.attribute("gw-aa") is None, 20, "the attribute to go")
    lab.hosts["gw-aa"].run("crm_standby", "-D", timeout=30)
    clusters.wait_home(30)
    clusters.crm("a", "property maintenance-mode=true")
    try:
        lab.providers["provider-1"].cut()
        lab.wait_holder("b", "gw-bb", 20)
        time.sleep(2)
        assert lab.holders("a") == {"gw-aa"}, "maintenance: nothing is touched"
    finally:
        lab.providers["provider-1"].heal()
        clusters.crm("a", "property maintenance-mode=false")


def test_reload_with_changed_parameters(lab, clusters):
    wait_for(lambda: clusters.pid("gw-aa"), 20, "the supervisor's status")
    before = clusters.pid("gw-aa")
    try:
        clusters.set_parameter("a", "attribute", "line-")
        wait_for(lambda: clusters.attribute("gw-aa", "line-vpn") == "1", 20, "the other attribute")
        assert clusters.pid("gw-aa") == before, "reloaded, not restarted"
    finally:
        clusters.set_parameter("a", "attribute", "havpn-")
    wait_for(lambda: clusters.attribute("gw-aa") == "1", 20, "the old attribute")
    wait_for(lambda: clusters.attribute("gw-aa", "line-vpn") is None, 20, "the other one to go")


def test_stop_when_the_package_is_gone(lab, clusters):
    host = lab.hosts["gw-ab"]
    text = host.read(AGENT)
    gone = re.sub("(?m)^python=.*$", "python=/gone/bin/python", text)
    host.write(AGENT, gone, 0o755)
    host.run("mv", "/etc/havpn", "/etc/havpn.gone")
    pid = clusters.pid("gw-ab")
    try:
        host.run("crm_standby", "-v", "on", timeout=30)
        wait_for(lambda: not Path(f"{host.root}/proc/{pid}").exists(), 20, "the stop")
        wait_for(lambda: not Path(f"{host.root}/run/resource-agents/havpn-link-line").exists(),
                 10, "its end")  # fmt: skip
        assert clusters.failures("a") == []
    finally:
        host.run("mv", "/etc/havpn.gone", "/etc/havpn")
        host.write(AGENT, text, 0o755)
        host.run("crm_standby", "-D", timeout=30)
    wait_for(lambda: clusters.attribute("gw-ab") == "1", 30, "it to be back")


def test_alerts_reach_the_notifiers(lab, clusters):
    host = lab.hosts["gw-ab"]
    program = Path(sys.executable).parent / "havpn-alert"
    text = ALERT.format(far=GATEWAYS["gw-bb"].wan.ip)
    host.write("/etc/havpn-alert/alert.toml", text)
    # Alerts run as hacluster; the host's /root is an overlay of its own.
    host.run("sh", "-c", "chmod 755 /root /etc/havpn-alert; install -d -m 1777 /run/told")
    clusters.crm("a", f"alert havpn {program} to /etc/havpn-alert/alert.toml")
    try:
        lab.providers["provider-1"].cut()
        clusters.wait_backup(15)
        told = Path(f"{host.root}/run/told/news")
        expected = "cluster gw-ab: gateway-ip start"
        wait_for(lambda: told.exists() and expected in told.read_text(), 15, "the news")
    finally:
        clusters.nodes["gw-ab"].host.run("crm", "-F", "configure", "delete", "havpn", timeout=30)


def values(clusters):
    return [clusters.attribute(name) for name in ("gw-aa", "gw-ab")]


def test_one_that_is_unfit_hands_over_and_takes_back(lab, clusters, capsys):
    began = time.monotonic()
    lab.hosts["gw-aa"].write(UNFIT, "forwarding of IPv4 is off")
    lab.wait_holder("a", "gw-ab", 20)
    took = time.monotonic() - began
    with capsys.disabled():
        print(f"\n  Pacemaker, unfit: the partner has the address after {took:.2f} s")
    assert took < 3
    assert values(clusters) == ["0", "1"]
    lab.wait_holder("b", "gw-bb", 20)  # its responder is silent, so that the far site follows
    lab.hosts["gw-aa"].run("rm", UNFIT)
    lab.wait_holder("a", "gw-aa", 20)
    assert values(clusters) == ["1", "1"]


@pytest.mark.parametrize(
    ("names", "pause_s"),
    [
        (("gw-aa", "gw-ab"), 0),
        (("gw-ab", "gw-aa"), 2),
        pytest.param(("gw-ab", "gw-aa"), 0, marks=pytest.mark.more),
        pytest.param(("gw-aa", "gw-ab"), 2, marks=pytest.mark.more),
    ],
)
def test_both_unfit_one_router_stays(lab, clusters, names, pause_s):
    for name in names:
        lab.hosts[name].write(UNFIT, "forwarding of IPv4 is off")
        time.sleep(pause_s)
    until = time.monotonic() + 9
    while time.monotonic() < until:
        assert "1" in values(clusters)
        time.sleep(0.2)
    assert sorted(values(clusters)) == ["0", "1"]
    assert lab.holders("a") == {name for name in names if clusters.attribute(name) == "1"}


def test_what_the_action_sees_of_a_partner(lab, clusters):
    one, other = lab.hosts["gw-aa"], lab.hosts["gw-ab"]

    def looks(**options):
        return [look_from(host, "pacemaker", **options) for host in (one, other)]

    assert looks(attribute="havpn-vpn") == [(True, 0), (True, 1)]
    assert looks(attribute="havpn-vpn", preferred="gw-ab") == [(True, 1), (True, 0)]
    assert looks(mode="standby") == [(True, 0), (True, 1)]
    assert looks(attribute="nobody-writes-it") == [(None, None)] * 2
    one.run("crm_standby", "-v", "on", timeout=30)
    try:
        wait_for(lambda: clusters.attribute("gw-aa") is None, 20, "the attribute to go")
        assert looks(attribute="havpn-vpn")[1] == (False, 0)
        assert looks(mode="standby") == [(True, 0), (False, 0)]
    finally:
        one.run("crm_standby", "-D", timeout=30)
    wait_for(lambda: clusters.attribute("gw-aa") == "1", 30, "it to be back")


def test_power_off(lab, clusters):
    """The last one: the node does not come back."""
    began = time.monotonic()
    lab.power_off("gw-aa")
    lab.wait_holder("a", "gw-ab", 20)
    assert time.monotonic() - began < 20
    other = lab.hosts["gw-ab"]
    for options in ({"attribute": "havpn-vpn"}, {"mode": "standby"}):
        assert look_from(other, "pacemaker", **options) == (False, 0)
    other.write(UNFIT, "forwarding of IPv4 is off")
    time.sleep(3)
    assert lab.holders("a") == {"gw-ab"}
    other.run("rm", UNFIT)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(clusters.rejoin, "gw-aa").result()
    clusters.wait_home(40)
