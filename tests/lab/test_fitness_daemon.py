"""A real daemon in a namespace of its own, with two hosts on its LAN, notices what it lacks."""

import contextlib
import sys
import time
from datetime import datetime

import pytest

from havpn_core.testing.lab.daemons.supervisor import STATUS, Supervisor, environment
from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.host import end_hosts, start_hosts
from havpn_core.testing.lab.hosts.lan import Lan
from havpn_core.testing.lab.hosts.network import set_up

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
SENSED_S, WITNESSED_S = 0.3, 1.0
"""What must be noticed by a carrier or by netlink, and what by witnesses, in seconds."""
CONFIG = """
[node]
name = "gw"
[path.line]
[path.line.probe.echo]
type = "exec"
command = ["true"]
[action.gateway]
type = "alias-arp"
device = "lan"
addresses = ["10.1.0.254/24", "2001:db8::fe/64"]
"""
TABLE = """
[lan]
address = "10.1.0.1"
witnesses = ["10.1.0.10", "2001:db8::11"]
"""


class Net:
    """A switch, a gateway and two hosts."""

    def __init__(self, hosts):
        self.hosts, self.lan = hosts, Lan(hosts["switch"])
        self.gateway = hosts["gw"]
        for number, name in ((1, "gw"), (10, "one"), (11, "two")):
            self.lan.attach(hosts[name], "lan")
            set_up(hosts[name], [(f"10.1.0.{number}/24", "lan")])
            six = ("ip", "address", "add", f"2001:db8::{number}/64", "dev", "lan", "nodad")
            hosts[name].run_in_network(*six)
        self.forward()
        self.daemon = Supervisor(self.gateway, CONFIG)

    def forward(self, four=1, six=1):
        settings = (f"net.ipv4.ip_forward={four}", f"net.ipv6.conf.all.forwarding={six}")
        self.gateway.run("sysctl", "-q", "-w", *settings)

    def start(self, text, fit=True):
        self.daemon.configure(CONFIG + text)
        self.gateway.run("rm", "-f", STATUS)  # what the daemon before it found says nothing
        self.daemon.start()
        said = self.daemon.wait_for(lambda s: s["fitness"]["fit"] is fit, 10, f"fitness {fit}")
        return said["fitness"]

    def lacks(self, break_it, within_s, reason, certain):
        """Break something, and see the event come in time and say why; gives the delay."""
        since = time.time()
        break_it()
        done = time.time()
        event = self.daemon.wait_event("fitness", "unfit", 5, since)
        assert reason in event["detail"]
        delay_s = datetime.fromisoformat(event["at"]).timestamp() - done
        print(f"\n  {reason}: unfit {delay_s:.3f} s after")
        assert delay_s < within_s
        said = self.daemon.wait_for(lambda s: s["fitness"]["fit"] is False, 3, "unfit")["fitness"]
        assert (said["certain"], reason in said["reason"]) == (certain, True)
        return delay_s

    def mends(self, mend_it):
        since = time.time()
        mend_it()
        self.daemon.wait_event("fitness", "fit", 10, since)
        self.daemon.wait_for(lambda s: s["fitness"]["fit"] is True, 3, "fit")


@pytest.fixture(scope="module")
def net():
    leftovers.sweep()
    place = leftovers.open_folder()
    hosts = {}
    try:
        hosts = start_hosts(("switch", "gw", "one", "two"), place)
        yield Net(hosts)
    finally:
        end_hosts(hosts.values())


@pytest.fixture(autouse=True)
def ended(net):
    yield
    with contextlib.suppress(Exception):
        net.daemon.kill()


def test_what_the_kernel_knows_is_noticed_at_once(net, capsys):
    assert net.start(TABLE)["carrier"] == {"lan": True}
    with capsys.disabled():
        net.lacks(lambda: net.forward(four=0), SENSED_S, "forwarding of IPv4 is off", False)
        net.mends(net.forward)
        net.lacks(lambda: net.forward(six=0), SENSED_S, "forwarding of IPv6 is off", False)
        net.mends(net.forward)
        own = ("10.1.0.1/24", "dev", "lan")
        ip = net.gateway.run_in_network
        missing = "the own address on the LAN is missing"
        net.lacks(lambda: ip("ip", "address", "del", *own), SENSED_S, missing, False)
        net.mends(lambda: ip("ip", "address", "add", *own))
        net.lacks(lambda: net.lan.unplug("gw"), SENSED_S, "device lan has no carrier", True)
        net.mends(lambda: net.lan.plug("gw"))


def test_an_isolated_port_is_noticed_by_witnesses_of_both_families(net, capsys):
    net.start(TABLE + "require = 2\n")
    status = net.daemon.wait_for(
        lambda s: all(w["replies"] for w in s["fitness"]["witnesses"].values()), 5, "both reply"
    )
    assert status["fitness"]["witnesses"].keys() == {"10.1.0.10", "2001:db8::11"}
    with capsys.disabled():
        few = "fewer than 2 witnesses on the LAN reply"
        net.lacks(lambda: net.lan.mute("gw"), WITNESSED_S, few, False)
        net.mends(lambda: net.lan.unmute("gw"))
        net.lacks(lambda: net.lan.unplug("two"), WITNESSED_S, few, False)
        net.mends(lambda: net.lan.plug("two"))
    assert "fit carrier of lan" in " ".join(net.daemon.command("status").split())


def test_without_a_table_carrier_and_forwarding_alone_are_watched(net):
    said = net.start("")
    assert said["witnesses"] == {}
    assert said["address"] is None
    assert said["forwarding"] == {"IPv4": True, "IPv6": True}
    net.lan.mute("gw")
    try:
        time.sleep(1.5)
        assert net.daemon.status()["fitness"]["fit"] is True
    finally:
        net.lan.unmute("gw")


def test_found_witnesses_only_report_without_a_pair(net):
    net.start('[lan]\nwitnesses = "auto"\n')
    net.gateway.run("ping", "-c", "1", "10.1.0.10")
    net.gateway.run("ping", "-c", "1", "10.1.0.11")
    net.daemon.wait_for(
        lambda s: (
            {a for a, w in s["fitness"]["witnesses"].items() if w["replies"]}
            >= {"10.1.0.10", "10.1.0.11"}
        ),
        15,
        "both hosts to be found",
    )
    since = time.time()
    net.lan.mute("gw")
    try:
        net.daemon.wait_event("fitness", "lost", 5, since)
        time.sleep(1)
        assert net.daemon.status()["fitness"]["fit"] is True
    finally:
        net.lan.unmute("gw")


def test_a_reload_takes_the_table_over_and_back(net):
    net.start("")
    net.daemon.configure(CONFIG + TABLE)
    net.daemon.reload()
    net.daemon.wait_for(lambda s: s["fitness"]["witnesses"], 5, "witnesses")
    net.daemon.configure(CONFIG)
    net.daemon.reload()
    net.daemon.wait_for(lambda s: not s["fitness"]["witnesses"], 5, "no witnesses")


def test_without_the_capability_the_witnesses_are_unknown_and_it_says_so_once(net):
    net.daemon._executable = (
        "setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw",
        sys.executable, "-m", "havpn_core",
    )  # fmt: skip
    try:
        since = time.time()
        net.start(TABLE)
        net.daemon.wait_event("fitness", "unknown", 5, since)
        time.sleep(2.5)
        said = [e for e in net.daemon.events("fitness", since) if e["after"] == "unknown"]
        assert len(said) == 1
        assert "CAP_NET_RAW" in said[0]["detail"]
        assert net.daemon.status()["fitness"]["hears"] is None
        assert "needs CAP_NET_RAW" in _errors(net)
    finally:
        net.daemon.kill()
        net.daemon = Supervisor(net.gateway, CONFIG)


def _errors(net):
    argv = (*net.daemon._executable, "check", "-c", "/etc/havpn/havpn.toml")
    return net.gateway.run(*argv, check=False, env=environment()).stderr
