"""Each drop-in of the unit with the daemon that it is for: needed, and enough."""

import re
import warnings
from contextlib import ExitStack

import pytest

from havpn_core.testing.lab.daemons.conntrackd import STATEFUL
from havpn_core.testing.lab.daemons.strongswan import StrongSwan
from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.drop_ins import configured, in_force, restart, status, wait_status
from tests.systemd.fresh import FAR, FILE, NEAR, WORKS_S, Fresh
from tests.systemd.page import DOCS, blocks, meant_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]
FIRST, SECOND = NEAR


@pytest.fixture(scope="module")
def labs(debs, daemons_of):
    """Give the network of a release with the pair of the quick start; one release at a time."""
    with ExitStack() as stack:
        made = {}

        def give(release):
            if release not in made:
                stack.close()
                made.clear()
                lab = stack.enter_context(Fresh(daemons_of(release)))
                lab.install(debs[release].old)
                lab.configure_pair()
                made[release] = lab
            return made[release]

        yield give


@pytest.fixture
def lab(release, labs):
    """Give it, with both daemons running as they are shipped."""
    found = labs(release)
    yield found
    for machine in found.near:
        restart(machine)
    for name in (*NEAR, *FAR):  # a line that went twice would be held for minutes
        status, said = found.type(name, "havpn switch --to auto --clear")
        assert status == 0, said
    found.wait_owners(FIRST, FAR[0])


def of_pair(name, more, around=""):
    """Give the quick start's file of a gateway, and more."""
    (whole, _) = [each.text for each in blocks("quickstart.md") if each.kind == "toml"]
    return meant_for(name, around + whole + more)


def action(found, name):
    return found["actions"][name]


# --- serial --------------------------------------------------------------------------------------

PTS = "[Service]\nDeviceAllow=char-pts rw\n"
"""The lab's serial port is a pseudo-terminal; those that are shipped are real ones."""


def test_serial_a_link_over_a_serial_port(lab):
    whole, pair = (each.text for each in blocks("quickstart.md") if each.kind == "toml")
    text = re.sub(r"\[pair\].*?(?=\[notifier)", pair + "\n", whole, flags=re.DOTALL)
    assert 'device = "/dev/ttyS0"' in text
    files = {name: meant_for(name, text) for name in NEAR}
    cable = lab.cables["a"]
    with ExitStack() as stack:
        for machine, end in zip(lab.near, cable.ends, strict=True):
            port = f"/dev/cable/{end.rpartition('/')[2]}"
            machine.run("sh", "-c", f"ln -sfn {port} /dev/ttyS0")
            machine.run("sh", "-c", f"chgrp dialout {port} && chmod 660 {port}")
            stack.enter_context(in_force(machine, "serial", own=PTS))
        stack.enter_context(configured(lab, files))
        for machine in lab.near:
            restart(machine)
            assert machine.shown("User") == "havpn"
        for machine in lab.near:
            wait_status(machine, "the cable", lambda s: s["pair"]["links"]["cable"]["alive"])
        # With the LAN's link gone the cable alone keeps both from being active.
        lab.lans["a"].mute(SECOND)
        try:
            for machine in lab.near:
                wait_status(
                    machine,
                    "the LAN's link to be dead, and the partner not",
                    lambda s: not s["pair"]["links"]["lan"]["alive"] and s["pair"]["partner"],
                )
            assert lab.holders("a") == {FIRST}
        finally:
            lab.lans["a"].unmute(SECOND)


# --- exec ----------------------------------------------------------------------------------------

MARK = """\
[Unit]
Description=What runs on the active gateway alone
[Service]
ExecStart=/bin/sleep infinity
"""
ROLE = "#!/bin/sh\nsystemctl -q is-active mark && echo active || echo standby\n"
COMMANDS = """
[action.mark]
type = "exec"
active = ["/usr/bin/systemctl", "start", "mark"]
standby = ["/usr/bin/systemctl", "stop", "mark"]
observe = ["/usr/local/sbin/mark-role"]
"""


def test_exec_commands_that_need_root(lab):
    machine = lab.machine(FIRST)
    machine.write("/etc/systemd/system/mark.service", MARK)
    machine.write("/usr/local/sbin/mark-role", ROLE, 0o755)
    with configured(lab, {FIRST: of_pair(FIRST, COMMANDS)}):
        restart(machine)
        wait_status(machine, "a refusal", lambda s: action(s, "mark")["failures"] > 0)
        assert machine.systemctl("is-active", "mark", check=False) == "inactive"
        with in_force(machine, "exec"):
            restart(machine)
            wait_status(machine, "it", lambda s: action(s, "mark")["observed"] == "active")
            assert machine.systemctl("is-active", "mark") == "active"
            lab.type(FIRST, "havpn switch --to standby")
            lab.wait_holder("a", SECOND, WORKS_S)
            wait_status(machine, "its end", lambda s: action(s, "mark")["observed"] == "standby")
            assert machine.systemctl("is-active", "mark", check=False) == "inactive"
            lab.type(FIRST, "havpn switch --to auto")
            lab.wait_holder("a", FIRST, WORKS_S)
            # What a command left running outlives a restart.
            wait_status(machine, "it again", lambda s: action(s, "mark")["observed"] == "active")
            pid = machine.shown("MainPID", "mark.service")
            restart(machine)
            assert machine.shown("MainPID", "mark.service") == pid


# --- ipsec ---------------------------------------------------------------------------------------


def outcome(found, probe="sa"):
    return found["paths"]["vpn1"]["probes"][probe]["outcome"]


def test_ipsec_the_sas_of_a_real_charon(lab, release):
    first, far = lab.machine(FIRST), lab.hosts[FAR[0]]
    ends = [StrongSwan(first), StrongSwan(far)]
    (sa,) = (b.text for b in blocks("tunnel.md") if 'type = "ipsec"' in b.text)
    assert 'connection = "line"' in sa
    sa = sa.replace('"line"', f'"{ends[0].connection}"')
    try:
        for end in ends:
            end.configure()
            end.start()
            end.load()
        ends[0].initiate()
        version = first.run("/usr/sbin/swanctl", "--version", check=False).stdout
        print(f"Debian {release}: {version.strip()}")
        with configured(lab, {FIRST: of_pair(FIRST, "\n" + sa)}):
            restart(first)
            refused = wait_status(first, "a refusal", lambda s: outcome(s) == "error")
            assert "denied" in str(refused["paths"]["vpn1"]["probes"]["sa"]["detail"])
            with in_force(first, "ipsec"):
                restart(first)
                assert first.shown("User") == "havpn"
                wait_status(first, "the SA", lambda s: outcome(s) == "ok")
                ends[0].drop()
                wait_status(first, "its end", lambda s: outcome(s) == "fail")
    finally:
        for end in ends:
            end.kill()
        for name in (FIRST, FAR[0]):
            lab.furnish(name)


# --- conntrackd ----------------------------------------------------------------------------------


def test_conntrackd_commits_and_sends(lab):
    page = (DOCS / "conntrackd.md").read_text()
    daemon = re.search(r"```conntrackd\n(Sync \{.*?)```", page, re.DOTALL)
    assert daemon is not None
    (text,) = (each.text for each in blocks("conntrackd.md") if "conntrackd" in each.text)
    connections = re.search(r"\[action\.connections\]\n[^\[]*", text)
    assert connections is not None
    files = {name: of_pair(name, "\n" + connections[0]) for name in NEAR}
    with ExitStack() as stack:
        for machine in lab.near:
            machine.run_in_network("nft", "-f", "-", input=STATEFUL)
            stack.callback(
                machine.run_in_network, "nft", "delete", "table", "inet", "firewall", check=False
            )
            own = meant_for(machine.name, daemon[1]) if machine.name == SECOND else daemon[1]
            machine.write("/etc/conntrackd/conntrackd.conf", own)
            machine.systemctl("start", "conntrackd", timeout=WORKS_S)
            stack.callback(machine.systemctl, "stop", "conntrackd", check=False)
        stack.enter_context(configured(lab, files))
        first = lab.machine(FIRST)
        restart(first)
        wait_status(first, "a refusal", lambda s: action(s, "connections")["failures"] > 0)
        for machine in lab.near:
            stack.enter_context(in_force(machine, "conntrackd"))
            restart(machine)
            assert machine.shown("User") == "havpn"
        for target, owner in (("standby", SECOND), ("auto", FIRST)):
            lab.type(FIRST, f"havpn switch --to {target}")
            lab.wait_holder("a", owner, WORKS_S)
            for machine in lab.near:
                wait_status(
                    machine,
                    "the action to settle",
                    lambda s: (
                        action(s, "connections")["phase"] == "settled"
                        and not action(s, "connections")["error"]
                    ),
                )


# --- realtime ------------------------------------------------------------------------------------


def test_realtime_a_priority_and_locked_memory(lab):
    machine = lab.machine(SECOND)
    node = "[node]\nrealtime = 10\nlock_memory = true\n\n"
    with configured(lab, {SECOND: of_pair(SECOND, "", node)}), in_force(machine, "realtime"):
        restart(machine)
        pid = machine.shown("MainPID")
        assert machine.shown("User") == "havpn"
        assert status(machine)["state"] == "running"
        locked = re.search(r"VmLck:\s+(\d+) kB", machine.read(f"/proc/{pid}/status"))
        assert locked is not None and int(locked[1]) > 1000
        # A kernel with groups of realtime gives none to a group that has no share of it.
        if machine.run("chrt", "-r", "10", "true", check=False).returncode:
            assert "node.realtime: " in machine.journal()
            warnings.warn("NO REALTIME HERE: the priority was not tried", stacklevel=1)
            return
        chosen = machine.run("chrt", "-p", pid).stdout
        assert "SCHED_RR" in chosen, chosen
        assert chosen.rstrip().endswith("priority: 10")


def test_the_machines_are_as_they_are_shipped_afterwards(lab):
    for machine in lab.near:
        wait_for(lambda m=machine: m.holds("10.1.255.252") or m.holds("10.1.255.253"), 5, "own")
        assert machine.shown("DropInPaths") == ""
        assert "ttyS0" not in machine.read(FILE)
