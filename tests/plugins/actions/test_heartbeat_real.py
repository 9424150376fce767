"""The action ``heartbeat`` against heartbeat 3.0.6, two nodes over a serial cable."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.cable import SerialCable
from havpn_core.testing.lab.hosts.host import end_hosts, start_hosts
from havpn_core.testing.lab.hosts.plan import SERIAL_DEVICE
from havpn_core.testing.lab.hosts.waiting import wait_for

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not Path("/usr/libexec/heartbeat/heartbeat").exists(), reason="heartbeat is not installed"
    ),
]

DRIVER = str(Path(__file__).with_name("heartbeat_driver.py"))
ADDRESS = "10.9.9.254"
HA_CF = f"""\
logfile /var/log/ha-log
logfacility none
keepalive 200ms
deadtime 2
warntime 1
initdead 4
baud 115200
serial {SERIAL_DEVICE}
auto_failback on
node one two
crm no
"""
# A resource that takes its time to stop, as a real one may; it is stopped before the address.
SLOW = """\
#!/bin/sh
case $1 in
    start) touch /run/slow ;;
    stop) [ ! -e /run/slow ] || sleep 5; rm -f /run/slow ;;
    status) if [ -e /run/slow ]; then echo running; else echo stopped; fi ;;
esac
"""
TAKEOVER = {"mode": "standby-takeover", "control": "init"}
STOP = {"mode": "stop-start", "control": "init"}


class Node:
    def __init__(self, host):
        self.host = host

    def drive(self, options, *steps, timeout=90):
        done = self.host.run(
            sys.executable, DRIVER, json.dumps(options), *steps, timeout=timeout
        ).stdout
        return [json.loads(line) for line in done.splitlines()]

    def said(self, options, *steps):
        return [line["said"] for line in self.drive(options, *steps)]

    def holds(self):
        return ADDRESS in self.host.run("ip", "-4", "addr", "show", "dev", "lan").stdout

    def resources(self):
        return self.host.run("cl_status", "rscstatus", check=False).stdout.strip()

    def start(self):
        self.host.run("/etc/init.d/heartbeat", "start", timeout=20)


def furnish(host, end, cable, resources):
    cable.attach(host, end)
    host.run("ip", "link", "add", "lan", "type", "bridge")
    host.run("ip", "link", "set", "lan", "up")
    host.run("ip", "addr", "add", f"10.9.9.{end + 1}/24", "dev", "lan")
    host.run("mkdir", "-p", "/run/resource-agents")
    host.write("/etc/ha.d/ha.cf", HA_CF)
    host.write("/etc/ha.d/haresources", f"one IPaddr2::{ADDRESS}/24/lan {resources}\n")
    host.write("/etc/ha.d/authkeys", "auth 1\n1 sha1 only-a-laboratory\n", 0o600)
    host.write("/etc/ha.d/resource.d/slow", SLOW, 0o755)


def site(resources=""):
    leftovers.sweep()
    folder = leftovers.open_folder()
    hosts = {}
    try:
        hosts = start_hosts(["one", "two", "bearer"], folder)
        cable = SerialCable(hosts["bearer"])
        for end, name in enumerate(("one", "two")):
            furnish(hosts[name], end, cable, resources)
        yield Node(hosts["one"]), Node(hosts["two"])
    finally:
        end_hosts(hosts.values())
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pair():
    yield from site()


@pytest.fixture
def slow_pair():
    yield from site("slow")


def settle(one, two):
    one.start()
    two.start()
    wait_for(
        lambda: one.holds() and one.resources() == two.resources() == "local",
        60,
        "both nodes to settle",
        poll=0.3,
    )


def test_stopping_gives_the_address_to_the_partner_and_starting_takes_it_back(pair):
    one, two = pair
    settle(one, two)
    steps = one.said(STOP, "observe", "standby:40", "standby:40", "observe")
    assert steps == ["active", "done", "done", "standby"]
    wait_for(two.holds, 20, "the partner to take the address")
    assert not one.holds()
    assert one.said(STOP, "active:40", "active:40", "observe") == ["done", "done", "active"]
    wait_for(one.holds, 40, "the address to come back", poll=0.3)


def test_it_stands_by_as_soon_as_the_address_is_given_up(pair):
    one, two = pair
    settle(one, two)
    steps = one.drive(STOP, "standby:40", "observe", "active:40", "observe")
    assert [s["said"] for s in steps] == ["done", "standby", "done", "active"]
    assert steps[0]["took_s"] < 2, "stopping takes 3 to 4 s"
    assert steps[2]["took_s"] > 1, "it waited for the end before it started"


def test_stop_cut_off_by_its_deadline_is_finished_before_the_next_start(slow_pair):
    one, two = slow_pair
    settle(one, two)
    before = one.host.read("/run/heartbeat.pid").strip()
    steps = one.drive(STOP, "standby:1.5", "observe", "active:60", "observe")
    assert "not stopped yet" in steps[0]["said"]
    assert steps[0]["took_s"] < 4
    assert steps[1]["said"] is None
    assert [s["said"] for s in steps[2:]] == ["done", "active"]
    assert one.host.read("/run/heartbeat.pid").strip() != before


def test_stop_cut_off_by_its_deadline_can_be_asked_for_again(slow_pair):
    one, two = slow_pair
    settle(one, two)
    assert one.said(STOP, "standby:1.5", "standby:60", "observe")[1:] == ["done", "standby"]
    wait_for(two.holds, 20, "the partner to take the address")


def test_stop_during_start_is_waited_for(pair):
    one, _ = pair
    one.start()
    assert one.said(STOP, "standby:60", "observe") == ["done", "standby"]


def test_start_alone_is_active_before_the_partner_is_heard_or_given_up(pair):
    one, _ = pair
    assert one.said(STOP, "active:40", "observe") == ["done", "active"]


def test_start_without_configuration_is_an_error_although_the_init_script_succeeds(pair):
    one, _ = pair
    one.host.run("rm", "/etc/ha.d/ha.cf")
    [said] = one.said(STOP, "active:20")
    assert "does not run" in said


def test_start_with_a_broken_configuration_says_what_heartbeat_said(pair):
    one, _ = pair
    one.host.run("sed", "-i", "s,^serial .*,serial /run/nowhere,", "/etc/ha.d/ha.cf")
    [said] = one.said(STOP, "active:20")
    assert "ended with status" in said
    assert "/run/nowhere" in said


def test_standby_and_takeover_move_the_address_while_heartbeat_keeps_running(pair):
    one, two = pair
    settle(one, two)
    before = one.host.read("/run/heartbeat.pid")
    steps = one.said(TAKEOVER, "observe", "standby:40", "standby:40", "observe")
    assert steps == ["active", "done", "done", "standby"]
    wait_for(two.holds, 20, "the partner to take the address")
    assert two.said(TAKEOVER, "observe") == ["active"]
    assert one.said(TAKEOVER, "active:40", "active:40", "observe") == ["done", "done", "active"]
    wait_for(one.holds, 20, "the address to come back")
    assert one.host.read("/run/heartbeat.pid") == before


def test_gateway_that_is_not_preferred_steps_back_and_returns_without_moving_the_address(pair):
    one, two = pair
    settle(one, two)
    assert two.said(TAKEOVER, "observe", "standby:40", "observe") == ["active", "done", "standby"]
    assert one.holds()
    assert two.said(TAKEOVER, "active:40", "observe") == ["done", "active"]
    assert one.holds()
    assert not two.holds()


def test_two_gateways_that_both_stand_by_do_not_pass_the_address_to_and_fro(pair):
    one, two = pair
    settle(one, two)
    assert one.said(TAKEOVER, "standby:40") == ["done"]
    [said] = two.said(TAKEOVER, "standby:40")
    assert "the partner stands by" in said
    assert two.holds()
    assert one.said(TAKEOVER, "active:40") == ["done"]
    assert two.said(TAKEOVER, "standby:40") == ["done"]
    assert one.holds()


def test_address_is_kept_when_there_is_no_partner_to_take_it(pair):
    one, _ = pair
    one.start()
    wait_for(one.holds, 60, "a single node to take the address", poll=0.3)
    wait_for(lambda: one.resources() == "all", 30, "it to settle", poll=0.3)
    [step] = one.drive(TAKEOVER, "standby:20")
    assert "nobody could take over" in step["said"]
    assert step["took_s"] < 8  # heartbeat itself would have waited 10 s for an answer
    assert one.holds()


def test_standby_without_a_daemon_neither_hangs_nor_leaves_a_file_for_a_fifo(pair):
    one, _ = pair
    one.host.run("rm", "-f", "/var/lib/heartbeat/fifo")
    assert one.said(TAKEOVER, "observe", "standby:10") == ["standby", "done"]
    assert one.host.run("test", "-e", "/var/lib/heartbeat/fifo", check=False).returncode == 1


def test_half_given_up_resources_are_no_role_and_can_be_brought_into_either(pair):
    one, two = pair
    settle(one, two)
    one.host.run("/usr/share/heartbeat/hb_takeover", "all")
    wait_for(lambda: one.resources() == "all", 20, "all to move", poll=0.2)
    one.host.run("/usr/share/heartbeat/hb_standby", "local")
    wait_for(lambda: one.resources() == "foreign", 20, "the own to move", poll=0.2)
    assert one.said(TAKEOVER, "observe", "standby:40", "observe") == [None, "done", "standby"]
