"""Cluster managers under systemd: heartbeat (Debian 12), and Pacemaker of both releases."""

import re

import pytest

from havpn_core.testing.lab.daemons.pacemaker import CONF, NODE
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.drop_ins import wait_status
from tests.systemd.fresh import FAR, FILE, NEAR, WORKS_S, Fresh
from tests.systemd.page import blocks, meant_for, only

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]
FIRST, SECOND = NEAR
HA_CF = """\
logfile /var/log/ha-log
logfacility none
keepalive 200ms
deadtime 2
warntime 1
initdead 5
ucast lan 10.1.255.252
ucast lan 10.1.255.253
auto_failback on
node gw-aa gw-ab
crm no
"""
CLUSTER_S = 120.0


@pytest.fixture
def lab(release, debs, daemons_of):
    """Give the network with our package installed and nothing of ours running at site A."""
    with Fresh(daemons_of(release)) as found:
        found.install(debs[release].old)
        found.start_far_site()
        yield found


def typed(lab, line, good=(0,)):
    for name in NEAR:
        status, said = lab.type(name, line)
        assert status in good, f"{name}: {line}: {said}"


def is_active(machine, unit):
    return machine.systemctl("is-active", unit, check=False) == "active"


# --- heartbeat -----------------------------------------------------------------------------------


@pytest.mark.parametrize("release", ["12"])
def test_heartbeat_is_stopped_and_started_by_the_daemon_under_systemd(lab):
    """By docs/heartbeat.md, with its blocks; Debian 13 has no heartbeat."""
    for machine in lab.near:
        machine.write("/etc/ha.d/ha.cf", HA_CF)
        machine.write("/etc/ha.d/haresources", "gw-aa IPaddr2::10.1.255.254/16/lan\n")
        machine.write("/etc/ha.d/authkeys", "auth 1\n1 sha1 only-a-laboratory\n", 0o600)
        machine.systemctl("enable", "--now", "heartbeat", timeout=WORKS_S)
    lab.wait_holder("a", FIRST, CLUSTER_S)
    install, start = (each for each in blocks("heartbeat.md") if each.kind == "sh")
    for line in install.lines:
        if not line.startswith("apt "):
            typed(lab, line)
    text = only("heartbeat.md", "toml").text
    assert 'profile = "balanced"' in text
    for name in NEAR:
        quick = text.replace('profile = "balanced"', 'profile = "fast"')
        lab.hosts[name].write(FILE, meant_for(name, quick))
    for line in start.lines:
        typed(lab, line, good=(0, 1) if line == "havpn doctor" else (0,))
    first, second = lab.near
    for machine in lab.near:
        wait_status(machine, "the path", lambda s: s["paths"]["vpn1"]["verdict"] == "up")
        assert machine.shown("User") == "root"
        assert capabilities(machine) == 1 << 10 | 1 << 12 | 1 << 13
    lab.wait_owners(FIRST, FAR[0])
    lab.pull()
    lab.wait_owners(SECOND, FAR[1])
    wait_for(lambda: not is_active(first, "heartbeat"), WORKS_S, "heartbeat to be stopped")
    restart_changes_nothing(lab, first, second, running=False)
    lab.plug()
    lab.wait_owners(FIRST, FAR[0], CLUSTER_S)
    assert is_active(first, "heartbeat") and is_active(second, "heartbeat")
    restart_changes_nothing(lab, first, second, running=True)
    lab.type(FIRST, "havpn switch --to standby")
    lab.wait_owners(SECOND, FAR[1], CLUSTER_S)
    lab.type(FIRST, "havpn switch --to auto")
    lab.wait_owners(FIRST, FAR[0], CLUSTER_S)


def capabilities(machine):
    text = machine.read(f"/proc/{machine.shown('MainPID')}/status")
    found = re.search(r"CapEff:\s+([0-9a-f]+)", text)
    assert found is not None
    return int(found[1], 16)


def restart_changes_nothing(lab, *machines, running):
    """Restart the daemons: heartbeat stays as it is, and so does the address."""
    holder = lab.holders("a")
    before = [machine.shown("MainPID", "heartbeat.service") for machine in machines]
    assert (before[0] != "0") is running
    for machine in machines:
        machine.systemctl("restart", "havpn", timeout=WORKS_S)
        pid = int(machine.shown("MainPID"))
        wait_status(machine, "its status", lambda s, pid=pid: s["pid"] == pid)
    assert [machine.shown("MainPID", "heartbeat.service") for machine in machines] == before
    assert lab.holders("a") == holder


# --- Pacemaker -----------------------------------------------------------------------------------


def start_cluster(lab):
    nodes = [
        NODE.format(name=each.name, number=number, address=each.lan.ip)
        for number, each in enumerate(plan.SITE_A.gateways, 1)
    ]
    conf = CONF.format(cluster="site-a", nodes="\n".join(nodes), token_ms=2000)
    for machine in lab.near:
        machine.write("/etc/corosync/corosync.conf", conf)
        machine.systemctl("start", "corosync", timeout=WORKS_S)
        machine.systemctl("start", "pacemaker", timeout=WORKS_S)
    first = lab.machine(FIRST)

    def online():
        shown = first.run("crm_mon", "--output-as=xml", check=False).stdout
        return all(re.search(rf'<node name="{n}"[^>]* online="true"', shown) for n in NEAR)

    wait_for(online, CLUSTER_S, "both nodes online", poll=0.5)
    crm(first, "property stonith-enabled=false no-quorum-policy=ignore\n")


def crm(machine, text):
    machine.write("/root/load.crm", text)
    machine.run("crm", "-F", "configure", "load", "update", "/root/load.crm", timeout=120)


@pytest.mark.parametrize("shell", ["crmsh", "pcs"])
def test_pacemaker_follows_the_daemon_of_systemd(lab, release, shell):
    """By docs/pacemaker.md, soft rule with failback, the daemon run by systemd (manage=false)."""
    start_cluster(lab)
    version = lab.hosts[FIRST].run("pacemakerd", "--version").stdout.splitlines()[0]
    print(f"Debian {release}: {version}")
    text = only("pacemaker.md", "toml").text
    link = "/usr/share/havpn/systemd/pacemaker.conf"
    place = "/etc/systemd/system/havpn.service.d"
    for machine in lab.near:
        machine.run("sh", "-c", f"mkdir -p {place} && ln -s {link} {place}/")
        machine.systemctl("daemon-reload")
        machine.write(FILE, meant_for(machine.name, text))
    typed(lab, "havpn check")
    typed(lab, "systemctl enable --now havpn")
    for machine in lab.near:
        wait_status(machine, "the path", lambda s: s["paths"]["vpn"]["verdict"] == "up")
        wait_status(machine, "the action", lambda s: not s["actions"]["cluster"]["error"])
        assert machine.shown("User") == "havpn"
    block = only("pacemaker.md", shell, "soft-auto")
    assert "path=vpn" in block.text
    unmanaged = block.text.replace("path=vpn", "path=vpn manage=false")
    if shell == "crmsh":
        crm(lab.machine(FIRST), unmanaged)
    else:
        for line in unmanaged.strip().splitlines():
            status, said = lab.type(FIRST, line)
            assert status == 0, f"{line}: {said}"
    lab.wait_owners(FIRST, FAR[0], CLUSTER_S)
    lab.pull()
    lab.wait_owners(SECOND, FAR[1], CLUSTER_S)
    lab.plug()
    lab.wait_owners(FIRST, FAR[0], CLUSTER_S)
    shown = lab.hosts[FIRST].run("crm_mon", "-1", "--output-as=xml").stdout
    assert 'op_key="line' not in "".join(re.findall(r"<failure [^>]*>", shown)), shown


@pytest.mark.parametrize("shell", ["crmsh", "pcs"])
def test_every_block_of_the_page_is_taken(lab, shell):
    """By the cluster shells of this release, into a running cluster, one after the other."""
    start_cluster(lab)
    text = only("pacemaker.md", "toml").text
    for machine in lab.near:
        machine.write(FILE, meant_for(machine.name, text))
    first = lab.machine(FIRST)
    for block in (each for each in blocks("pacemaker.md") if each.kind == shell):
        if shell == "crmsh":
            crm(first, block.text)
        else:
            for line in block.text.strip().splitlines():
                status, said = lab.type(FIRST, line)
                # A constraint that is there already is refused, and said so.
                assert status == 0 or "already exists" in said, f"{block.name}: {line}: {said}"
        checked = first.run("crm_verify", "--live-check", "-V", check=False)
        assert checked.returncode == 0, f"{block.name}: {checked.stdout}{checked.stderr}"
