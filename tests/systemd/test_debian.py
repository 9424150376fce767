"""The Debian package on two gateways of a pair with real systemd, on Debian 12 and 13.

Each test begins with both daemons well and gw-1 as the owner, and leaves it so; the removal, which
does not, is in ``test_removal.py``.
"""

import pytest

from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.site import FILE, VIP, WORKS_S

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]
CAPABILITIES = 1 << 10 | 1 << 12 | 1 << 13  # NET_BIND_SERVICE, NET_ADMIN, NET_RAW
FULL = "dd if=/dev/zero of=/var/lib/havpn/fill bs=4k 2>/dev/null; true"


def another_pid(gateway, pid):
    """Wait until another daemon runs than the one with this number."""

    def other():
        now = gateway.shown("MainPID")
        return gateway.shown("ActiveState") == "active" and now not in ("0", pid) and now

    return wait_for(other, WORKS_S, f"{gateway.name} to have a new daemon", poll=0.1)


def test_the_package_starts_and_enables_nothing(site):
    fresh = site.fresh
    assert fresh["systemctl is-enabled havpn"] == "disabled"
    assert fresh["systemctl is-active havpn"] == "inactive"
    assert fresh["ls /etc/havpn"] == "havpn.toml.example"
    assert fresh["id -un havpn"] == "havpn"
    assert fresh["havpn -V"].startswith("havpn, version ")
    assert fresh["find /usr/lib/havpn/havpn_core -name '*.pyc' | head -1"]
    assert "problem" in fresh["havpn check -c /etc/havpn/havpn.toml.example 2>&1"]
    assert fresh["/usr/lib/ocf/resource.d/havpn/link meta-data | tail -1"] == "</resource-agent>"
    assert fresh["dpkg --verify havpn"] == ""
    print(f"apt install: {site.took}")


def test_the_daemon_is_a_user_with_three_capabilities(site):
    gateway = site["gw-1"]
    status = gateway.read(f"/proc/{gateway.shown('MainPID')}/status")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    uid = gateway.run("id", "-u", "havpn").stdout.strip()
    assert lines["Uid"].split() == [uid] * 4
    assert int(lines["CapEff"], 16) == int(lines["CapBnd"], 16) == CAPABILITIES
    assert lines["NoNewPrivs"] == "1"
    assert gateway.run("stat", "-c", "%U:%G %a", "/etc/havpn/pair.key").stdout == (
        "root:havpn 640\n"
    )
    score = gateway.run("systemd-analyze", "security", "--no-pager", "havpn.service").stdout
    assert float(score.split("level for havpn.service: ")[1].split()[0]) <= 2.5


def test_a_reload_is_taken_or_refused_and_the_daemon_goes_on(site):
    gateway = site["gw-1"]
    pid, good = gateway.shown("MainPID"), gateway.read(FILE)
    try:
        gateway.write(FILE, good.replace("[notifier.log]", "[notifier.other]"))
        gateway.systemctl("reload", "havpn")
        assert "notifier other" in gateway.run("havpn", "status").stdout
        gateway.write(FILE, good.replace("priority", "priorty"))
        before = len(gateway.journal())
        gateway.systemctl("reload", "havpn", check=False)
        assert "priorty" in gateway.journal()[before:]
        assert "notifier other" in gateway.run("havpn", "status").stdout
    finally:
        gateway.write(FILE, good)
        gateway.systemctl("reload", "havpn")
    assert gateway.shown("MainPID") == pid
    assert gateway.shown("ActiveState") == "active"


def test_a_restart_of_either_loses_no_packet(site):
    with site.traffic() as found:
        for gateway in site.gateways:
            gateway.systemctl("restart", "havpn", timeout=WORKS_S)
            assert site.owners() == ["gw-1"]
        site.settle()
    assert found.sent > 50
    assert found.lost == 0


def test_a_daemon_that_is_killed_again_and_again_is_started_again(site):
    """Oftener than systemd's own limit of five starts allows."""
    gateway = site["gw-2"]
    for _ in range(7):
        pid = gateway.shown("MainPID")
        gateway.systemctl("kill", "--kill-whom=main", "--signal=KILL", "havpn")
        another_pid(gateway, pid)
    assert gateway.shown("Result") == "success"


def test_a_killed_owner_loses_no_packet(site):
    gateway = site["gw-1"]
    with site.traffic() as found:
        pid = gateway.shown("MainPID")
        gateway.systemctl("kill", "--kill-whom=main", "--signal=KILL", "havpn")
        another_pid(gateway, pid)
        assert site.owners() == ["gw-1"]
    assert found.lost == 0


def test_the_watchdog_ends_a_daemon_that_stands_still(site):
    gateway = site["gw-1"]
    with site.traffic() as found:
        pid = gateway.shown("MainPID")
        before = len(gateway.journal())
        gateway.run("kill", "-STOP", pid)
        another_pid(gateway, pid)
        assert "Watchdog timeout" in gateway.journal()[before:]
        site.settle()
    print(f"hung daemon: {found.lost} of {found.sent} lost")
    # As long as the address lives, nothing moves; on a host so crowded that the new daemon comes
    # later than that, the partner takes it, and a second is lost.
    assert found.lost <= 100


def test_a_full_disk_stops_nothing(site):
    gateway = site["gw-1"]
    state = "/var/lib/havpn"
    gateway.run("sh", "-c", f"mount -t tmpfs -o size=64k,mode=755 full {state} && {FULL}")
    gateway.run("chown", "havpn:havpn", state)
    try:
        with site.traffic() as found:
            gateway.systemctl("restart", "havpn", timeout=WORKS_S)
            site.settle()
        assert found.lost == 0
        assert "the disk is full" in gateway.journal()
    finally:
        gateway.systemctl("stop", "havpn")
        gateway.run("umount", state)
        gateway.systemctl("start", "havpn")
    site.settle()


def test_an_upgrade_loses_no_packet(site, debs, release):
    with site.traffic() as found:
        for gateway in site.gateways:
            pid = gateway.shown("MainPID")
            gateway.apt("install", gateway.bring(debs[release].new))
            assert gateway.shown("MainPID") != pid, "the new daemon was not started"
            assert gateway.shown("ActiveState") == "active"
            assert site.owners() == ["gw-1"]
        site.settle()
    assert found.lost == 0
    version = site["gw-1"].run("dpkg-query", "-W", "-f", "${Version}", "havpn").stdout
    assert version.endswith(f"-2~deb{release}")


@pytest.mark.parametrize("order", ["the owner first", "the other first"])
def test_an_upgrade_from_an_earlier_state_loses_no_packet(site, debs, earlier, release, order):
    """Each gateway meets a partner of the other state for a while."""
    gateways = site.gateways if order == "the owner first" else site.gateways[::-1]
    for gateway in gateways:
        words = ("install", "--allow-downgrades", gateway.bring(earlier[release]))
        gateway.apt(*words)
    site.settle()
    for gateway in gateways:
        version = gateway.run("dpkg-query", "-W", "-f", "${Version}", "havpn").stdout
        assert version.endswith(f"-0~deb{release}")
    with site.traffic() as found:
        for gateway in gateways:
            pid = gateway.shown("MainPID")
            gateway.apt("install", gateway.bring(debs[release].old))
            assert gateway.shown("MainPID") != pid, "the new daemon was not started"
            assert site.owners() == ["gw-1"]
            site.settle()
    print(f"upgrade from {release}'s earlier state, {order}: {found.lost} of {found.sent} lost")
    assert found.sent > 50
    assert found.lost == 0


def test_an_upgrade_that_refuses_the_configuration_leaves_the_old_daemon(site, debs, release):
    gateway = site["gw-2"]
    good, pid = gateway.read(FILE), gateway.shown("MainPID")
    try:
        gateway.write(FILE, good.replace("priority", "priorty"))
        gateway.apt(
            "install", "--reinstall", "--allow-downgrades", gateway.bring(debs[release].new)
        )
        assert gateway.shown("MainPID") == pid
    finally:
        gateway.write(FILE, good)
    assert site.owners() == ["gw-1"]


ROOT_UNIT = """\
[Unit]
Description=HA-VPN gateway failover
After=network.target heartbeat.service

[Service]
Type=notify
ExecStart=/usr/bin/havpn run -c /etc/havpn/havpn.toml
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
WatchdogSec=30
StateDirectory=havpn
RuntimeDirectory=havpn
RuntimeDirectoryPreserve=yes
LimitNOFILE=8192
KillMode=process

[Install]
WantedBy=multi-user.target
"""
OLD = "/etc/systemd/system/havpn.service"


def test_moving_from_the_unit_of_root_loses_no_packet(site):
    """As docs/packaging.md says, on a gateway that holds the address."""
    gateway = site["gw-1"]
    gateway.write(OLD, ROOT_UNIT)
    gateway.run("sh", "-c", "chown root:root /etc/havpn/pair.key && chmod 600 /etc/havpn/pair.key")
    gateway.systemctl("daemon-reload")
    gateway.systemctl("restart", "havpn", timeout=WORKS_S)
    site.settle()
    assert gateway.shown("User") in ("", "root")
    assert gateway.run("stat", "-c", "%U", "/var/lib/havpn/state.json").stdout == "root\n"
    with site.traffic() as found:
        gateway.run("rm", OLD)
        gateway.run("chown", "root:havpn", "/etc/havpn/pair.key")
        gateway.run("chmod", "640", "/etc/havpn/pair.key")
        gateway.systemctl("daemon-reload")
        gateway.systemctl("restart", "havpn", timeout=WORKS_S)
        site.settle()
    assert found.lost == 0
    assert gateway.shown("User") == "havpn"
    files = gateway.run("sh", "-c", "stat -c %U /run/havpn/* /var/lib/havpn/*").stdout.split()
    assert set(files) == {"havpn"}
    gateway.systemctl("is-enabled", "havpn")


def test_release_by_root_gives_up_what_the_user_noted(site):
    """The noted address is given up with the rights of the user that noted it."""
    gateway = site["gw-1"]
    gateway.systemctl("stop", "havpn")
    try:
        assert gateway.holds(VIP)
        done = gateway.run("havpn", "release", "-c", "/nonexistent.toml", check=False)
        assert "released" in done.stdout, done.stdout + done.stderr
        assert not gateway.holds(VIP)
    finally:
        gateway.systemctl("start", "havpn")
    site.settle()


def test_the_own_address_stays_when_the_shared_one_is_the_first(site):
    """As the first of its network it takes the others along, unless a setting is changed."""
    gateway = site["gw-1"]
    gateway.run("sysctl", "-q", "-w", "net.ipv4.conf.lan.promote_secondaries=0")
    own = "10.1.255.252"
    script = f"ip address del {own}/16 dev lan; ip address add {own}/16 dev lan"
    gateway.run_in_network("sh", "-c", script)
    gateway.run("havpn", "switch", "--to", "standby")
    try:
        wait_for(lambda: site.owners() == ["gw-2"], WORKS_S, "the partner to take it", 0.1)
        assert gateway.holds(own)
    finally:
        gateway.run("havpn", "switch", "--to", "auto")
    site.settle()
