"""The files of heartbeat and Pacemaker, conntrackd's, sysctl and the unit."""

import re
from ipaddress import ip_address
from pathlib import Path

import pytest
from havpn_plugins.actions._linux_ha import (
    HeartbeatOptions,
    auto_failback,
    preferred_nodes,
    read_directives,
    shared_addresses,
)

from tests.site.figure import GATEWAYS, both_families, files_of, tables

REPO = Path(__file__).parents[3]


def written(folder, files):
    """Write heartbeat's files where our own action reads them."""
    for path, file in files.items():
        if path.startswith("/etc/ha.d/"):
            (folder / Path(path).name).write_text(file.text)
    return HeartbeatOptions(config_dir=str(folder))


@pytest.mark.parametrize("name", GATEWAYS)
def test_our_own_action_reads_heartbeat_s_files(tmp_path, name):
    files = files_of(both_families(mode="heartbeat"))[name]
    options = written(tmp_path, files)
    assert auto_failback(options) == "on"
    assert preferred_nodes(options) == ["gw-aa" if name in ("gw-aa", "gw-ab") else "gw-ba"]
    wanted = {"10.1.255.254", "2001:db8:a::fe"}
    if name in ("gw-ba", "gw-bb"):
        wanted = {"10.31.0.254", "2001:db8:b::fe"}
    assert {str(ip_address(each)) for each in shared_addresses(options)} == wanted
    assert files["/etc/ha.d/authkeys"].mode == 0o600


def test_the_nodes_of_heartbeat_differ_in_the_way_to_the_partner_alone():
    found = files_of(tables(mode="heartbeat"))
    one, other = found["gw-aa"], found["gw-ab"]
    for name in ("haresources", "authkeys"):
        assert one[f"/etc/ha.d/{name}"] == other[f"/etc/ha.d/{name}"]
    lines = [set(each["/etc/ha.d/ha.cf"].text.splitlines()[1:]) for each in (one, other)]
    assert lines[0] ^ lines[1] == {"ucast lan 10.1.255.253", "ucast lan 10.1.255.252"}
    far = found["gw-ba"]["/etc/ha.d/authkeys"].text
    assert "{{secret:heartbeat-a}}" in one["/etc/ha.d/authkeys"].text
    assert "{{secret:heartbeat-b}}" in far


@pytest.mark.parametrize(("serial", "initdead"), [("/dev/ttyS0", "3"), ("", "30")])
def test_a_node_that_boots_alone_waits_for_a_switch_and_for_no_cable(tmp_path, serial, initdead):
    files = files_of(tables({"serial": serial}, mode="heartbeat"))["gw-aa"]
    written(tmp_path, files)
    directives = read_directives(tmp_path / "ha.cf")
    assert directives["initdead"] == initdead
    assert directives.get("serial", "") == serial
    text = files["/etc/ha.d/ha.cf"].text
    assert not serial or text.index("baud") < text.index("serial /")  # as heartbeat reads them


def test_manual_failback():
    manual = {"preempt": "manual"}
    found = files_of(tables(manual, manual, mode="heartbeat"))["gw-aa"]
    assert "auto_failback off" in found["/etc/ha.d/ha.cf"].text
    found = files_of(tables(manual, manual, mode="pacemaker"))["gw-aa"]
    text = found["/etc/havpn/cluster.crm"].text
    assert "prefer-gw-aa gateway-ip 5: gw-aa" in text
    assert "resource-stickiness=70" in text


def documented(shell, name):
    page = (REPO / "docs" / "pacemaker.md").read_text()
    return re.search(rf"```{shell} {name}\n(.*?)```", page, re.S)[1]


@pytest.mark.parametrize(("shell", "file"), [("crmsh", "cluster.crm"), ("pcs", "cluster.pcs")])
def test_the_block_of_pacemaker_is_the_documented_one(shell, file):
    """Whose policies tests/ocf has crm_simulate confirm."""
    text = files_of(tables(mode="pacemaker", render={"cluster": shell}))["gw-ab"]
    text = text[f"/etc/havpn/{file}"].text.replace("prefer-gw-aa", "prefer-a")
    lines = [each for each in text.splitlines() if not each.startswith("#")]
    wanted = documented(shell, "soft-auto").splitlines()
    added = documented(shell, "score-auto").splitlines()
    assert lines == [*wanted[:-1], *added]


@pytest.mark.parametrize("name", ["gw-aa", "gw-ab"])
def test_both_nodes_of_pacemaker_have_the_same_path_and_attribute(name):
    found = files_of(tables(mode="pacemaker"))[name]["/etc/havpn/havpn.toml"].text
    assert "[path.vpn]\n" in found
    assert 'attribute = "havpn-vpn"' in found
    assert 'preferred = "gw-aa"' in found


@pytest.mark.parametrize("preempt", ["auto", "manual"])
@pytest.mark.parametrize("number", range(1, 9))
def test_what_holds_several_vips_is_between_three_and_four_steps_of_the_score(number, preempt):
    vips = [f"10.1.255.{each}" for each in range(200, 200 + number)]
    raw = tables({"vips": vips, "preempt": preempt}, {"preempt": preempt}, mode="pacemaker")
    text = files_of(raw)["gw-aa"]["/etc/havpn/cluster.crm"].text
    each = int(re.search(r"stickiness=(\d+)", text)[1])
    preference = int(re.search(r"prefer-gw-aa gateway-ip (\d+):", text)[1])
    assert text.count("primitive gateway-ip") == number
    assert ("group gateway-ip " in text) == (number > 1)
    held = [each * number + preference]
    if preempt == "manual":
        held.append(each * number - preference)
    assert all(60 <= one < 80 for one in held), held


def test_conntrackd_ignores_all_that_is_the_gateways_own():
    text = files_of(both_families(render={"conntrackd": True}))["gw-aa"]
    text = text["/etc/conntrackd/conntrackd.conf"].text
    ignored = re.findall(r"^\t\t\tIPv[46]_address (\S+)$", text, re.MULTILINE)
    own = {"10.1.255.252", "10.1.255.253", "10.1.255.254", "192.0.2.2", "2001:db8:a::fe"}
    assert own <= set(ignored)
    assert "IPv4_address 10.1.255.252\n\t\tIPv4_Destination_Address 10.1.255.253" in text
    assert text.count("{") == text.count("}")


def test_sysctl_forwards_the_families_of_the_site():
    path = "/etc/sysctl.d/60-havpn.conf"
    assert "ipv6" not in files_of(tables())["gw-aa"][path].text
    text = files_of(both_families())["gw-aa"][path].text
    assert "net.ipv4.ip_forward = 1\n" in text
    assert "net.ipv6.conf.all.forwarding = 1\n" in text


def settings(text):
    return [each for each in text.splitlines() if each and not each.startswith(("#", "["))]


@pytest.mark.parametrize(
    ("mode", "render", "drop_ins"),
    [
        ("pair", {}, {"serial"}),
        ("pair", {"conntrackd": True}, {"serial", "conntrackd"}),
        ("heartbeat", {}, {"heartbeat"}),
        ("pacemaker", {}, {"pacemaker"}),
    ],
)
def test_the_unit_gets_what_the_packaged_drop_ins_have(mode, render, drop_ins):
    text = files_of(tables(mode=mode, render=render))["gw-aa"]
    text = text["/etc/systemd/system/havpn.service.d/site.conf"].text
    folder = REPO / "packaging" / "systemd"
    wanted = [s for name in drop_ins for s in settings((folder / f"{name}.conf").read_text())]
    assert sorted(settings(text)) == sorted(wanted)
