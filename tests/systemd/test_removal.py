"""Removal and purge of the package on a gateway that holds the address."""

import pytest

from havpn_core.testing.lab.hosts.waiting import wait_for
from tests.systemd.site import VIP, WORKS_S

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]
LEFT = "find / -xdev ! -path '/proc/*' ! -path '/sys/*' ! -path '/root/*' -name '*havpn*'"
EXPECTED = {"/var/lib/apt", "/var/log", "/var/cache"}


def test_removal_hands_over_and_purge_leaves_nothing(site, debs, release):
    gateway = site["gw-1"]
    with site.traffic() as found:
        gateway.apt("remove", "havpn")
        assert not gateway.holds(VIP)
        wait_for(lambda: site.owners() == ["gw-2"], WORKS_S, "the partner to take it", 0.1)
    print(f"removal: {found.lost} of {found.sent} lost")
    assert found.lost <= 50
    assert gateway.run("ls", "/etc/havpn").stdout.split() == [
        "havpn.toml", "havpn.toml.example", "pair.key",
    ]  # fmt: skip
    assert gateway.systemctl("is-active", "havpn", check=False) != "active"
    assert gateway.run("test", "-e", "/run/havpn", check=False).returncode
    gateway.apt("purge", "havpn")
    left = [
        path
        for path in gateway.run("sh", "-c", LEFT).stdout.split()
        if not any(path.startswith(f"{known}/") for known in EXPECTED)
    ]
    assert left == []
    assert gateway.run("getent", "passwd", "havpn", check=False).returncode
    assert gateway.run("getent", "group", "havpn", check=False).returncode
    assert gateway.run("systemctl", "cat", "havpn", check=False).returncode
    # And again, as on a fresh machine. The site is not whole any more: this test is the last one.
    gateway.apt("install", gateway.bring(debs[release].old))
    assert gateway.systemctl("is-enabled", "havpn", check=False) == "disabled"
