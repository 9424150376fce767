"""Two real daemons as a pair whose every link is cut: they share nothing but the LAN."""

import signal
import time

import pytest
from alias_world import FOUR, OWN, Segment

from havpn_core.testing.lab import wait_for
from havpn_core.testing.lab.daemons.supervisor import Supervisor

pytestmark = pytest.mark.lab

CONFIG = """
[node]
name = "{name}"
[path.vpn1]
interval = "100ms"
timeout = "500ms"
fall = 20
rise = 3
[path.vpn1.probe.line]
type = "exec"
command = ["true"]
[action.gateway]
type = "alias-arp"
device = "lan"
addresses = ["{address}/16"]
[pair]
priority = {priority}
key_file = "/etc/havpn/key"
interval = "100ms"
preempt = "manual"
[pair.link.cut]
type = "udp"
local = "127.0.0.1"
peer = "127.0.0.9"
port = 7001
"""
SETTLED_S = 3.0
"""The pair settles within a second (measured: 0.3 s); a busy machine gets more."""


class Two:
    def __init__(self, segment):
        self.segment = segment
        self.daemons = {}
        self.logged = {}
        for name, priority in (("gw-a", 200), ("gw-b", 100)):
            host = segment[name].host
            host.write("/etc/havpn/key", "ab" * 32, 0o600)
            text = CONFIG.format(name=name, address=FOUR, priority=priority)
            self.daemons[name] = Supervisor(host, text)

    def holders(self):
        return [name for name in self.daemons if FOUR in self.segment[name].addresses()]

    def start(self):
        """Start both; gives the owner once they are a pair."""
        for daemon in self.daemons.values():
            daemon.start()
        holder = self.wait_pair()
        self.logged = {name: daemon.log() for name, daemon in self.daemons.items()}
        return holder, next(name for name in self.daemons if name != holder)

    def logged_since(self, name):
        """Give what a daemon logged since both were a pair."""
        return self.daemons[name].log().removeprefix(self.logged[name])

    def wait_pair(self):
        """Wait until both hear each other, and one of them holds the address."""
        for daemon in self.daemons.values():
            daemon.wait_until(lambda s: s.pair.partner, 30, "a partner on the LAN")
        return wait_for(self._owner, 30, "one owner, in the daemons' own words, too")

    def _owner(self):
        held = self.holders()
        said = {name: daemon.read_status() for name, daemon in self.daemons.items()}
        as_it_is = all(
            status.pair.partner and status.role.observed == ("active" if [n] == held else "standby")
            for n, status in said.items()
        )
        return held[0] if len(held) == 1 and as_it_is else None

    def end(self):
        for name, daemon in self.daemons.items():
            daemon.kill()
            self.segment.lan.plug(name)
            self.segment.lan.unmute(name)
            station = self.segment[name]
            station.host.run("sh", "-c", "rm -rf /run/havpn /var/lib/havpn")
            if FOUR in station.addresses():
                station.ip("address", "del", f"{FOUR}/16", "dev", "lan")


@pytest.fixture(scope="module")
def segment():
    built = Segment()
    yield built
    built.close()


@pytest.fixture
def two(segment):
    made = Two(segment)
    yield made
    made.end()


def test_they_work_as_a_pair_and_an_isolated_port_ends_with_one_owner(two):
    holder, other = two.start()
    link = two.daemons[other].read_status().pair.links["broadcast"]
    assert link.alive
    lan = two.segment.lan
    for cut in (other, holder):
        lan.mute(cut)  # the carrier stays: neither can know
        wait_for(lambda: len(two.holders()) == 2, 20, "two owners that cannot hear each other")
        lan.unmute(cut)
        began = time.monotonic()
        wait_for(lambda: len(two.holders()) == 1, SETTLED_S, "one owner", poll=0.01)
        print(f"settled after {time.monotonic() - began:.2f} s")
        two.wait_pair()
        wait_for(lambda: two.segment.ping(FOUR), 5, "a reply of the owner")
        (left,) = two.holders()
        wait_for(lambda m=OWN[left][2]: two.segment.client_knows(FOUR) == m, 5, "its announcement")


def test_a_port_without_a_carrier_makes_no_second_owner(two):
    holder, other = two.start()
    for seconds in (0.2, 1.7, 4.0):
        two.segment.lan.unplug(other)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert two.holders() == [holder]
            time.sleep(0.02)
        two.segment.lan.plug(other)
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert two.holders() == [holder]
            time.sleep(0.02)
        two.wait_pair()
    assert "-> active" not in two.logged_since(other)


@pytest.mark.parametrize("end", ["kill", "restart"])
def test_the_addresses_of_a_dead_daemon_go_after_ten_seconds_and_those_of_one_restarted_stay(
    two, end
):
    holder, other = two.start()
    two.daemons[holder].kill()
    began = time.monotonic()
    if end == "kill":
        wait_for(lambda: two.holders() == [other], 30, "the partner to take over", poll=0.05)
        took_s = time.monotonic() - began
        print(f"taken after {took_s:.1f} s")
        assert took_s > 5, "the address was renewed not long before"
        return
    time.sleep(1)
    two.daemons[holder].start()
    until = time.monotonic() + 12
    while time.monotonic() < until:
        assert two.holders() == [holder]
        time.sleep(0.05)
    assert two.wait_pair() == holder
    life = two.segment[holder].addresses()[FOUR]
    assert 0 < life["valid_life_time"] <= 10
    assert life["preferred_life_time"] == 0


def test_an_owner_that_stood_still_for_longer_than_the_lifetime_takes_nothing_on_waking(two):
    """Its kernel dropped the address meanwhile, and the partner has it."""
    holder, other = two.start()
    two.daemons[holder]._signal(signal.SIGSTOP)
    wait_for(lambda: two.holders() == [other], 30, "the partner to take over", poll=0.05)
    two.daemons[holder]._signal(signal.SIGCONT)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert two.holders() == [other]
        time.sleep(0.01)
    assert two.wait_pair() == other


def test_a_daemon_that_stops_in_order_keeps_the_address_and_says_so(two):
    holder, other = two.start()
    two.daemons[holder].stop()
    two.daemons[other].wait_until(
        lambda s: "restart or an upgrade" in s.pair.reason, 10, "the reason"
    )
    two.daemons[holder].start()
    assert two.wait_pair() == holder
    assert "-> active" not in two.logged_since(other)


@pytest.mark.parametrize("seconds", [0.3, 1.5])
def test_either_port_may_flap_in_either_way_and_one_owner_is_left(two, seconds):
    two.start()
    lan = two.segment.lan
    for cut, mend in ((lan.unplug, lan.plug), (lan.mute, lan.unmute)):
        for name in two.daemons:
            cut(name)
            time.sleep(seconds)
            mend(name)
            wait_for(lambda n=name: connected(two.segment[n]), 5, "the carrier")
            since = None
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                both = len(two.holders()) == 2
                since = (since or time.monotonic()) if both else None
                assert since is None or time.monotonic() - since < SETTLED_S
            assert len(two.holders()) == 1
    two.wait_pair()


def connected(station):
    return "LOWER_UP" in station.ip("link", "show", "lan")
