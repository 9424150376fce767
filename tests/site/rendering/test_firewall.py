"""The openings: what is needed, nothing else, and good for nft beside a user's own ruleset."""

import re
import shutil
import subprocess

import pytest

from tests.site.figure import GATEWAYS, MODES, both_families, files_of, hub, tables

FILE = "/etc/nftables.d/havpn.nft"
OWN = """
table inet filter {
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		jump havpn_input
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		jump havpn_forward
	}
}
"""
RULE = re.compile(r'^\t\t(.*) accept comment "(.*)"$', re.MULTILINE)


def text_of(raw, name="gw-aa"):
    return files_of(raw)[name][FILE].text


def openings(text, chain="input"):
    """Give the rules of a chain with what each is for."""
    body = re.findall(rf"chain havpn_{chain} {{\n(.*?)\t}}", text, re.S)[-1]
    return dict(RULE.findall(body))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("made", [tables, both_families])
def test_nft_takes_each_file_alone_twice_and_within_a_user_s_ruleset(made, mode, tmp_path):
    assert shutil.which("nft"), "install nftables"
    for name in GATEWAYS:
        text = text_of(made(mode=mode, render={"conntrackd": True}), name)
        for number, whole in enumerate((text, text + text, f"flush ruleset\n{text}{OWN}")):
            file = tmp_path / f"{name}-{number}"
            file.write_text(whole)
            # In a network of its own, whatever the tables of this host are.
            argv = ["unshare", "--user", "--map-root-user", "--net", "nft", "-c", "-f", str(file)]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_the_openings_of_a_pair_with_streams():
    assert openings(text_of(tables())) == {
        'iifname "wan" ip saddr 192.0.2.6 udp dport { 500, 4500 }': "IKE of vpn1",
        'iifname "wan" ip saddr 192.0.2.6 meta l4proto esp': "ESP of vpn1",
        'iifname "wan" ip saddr 192.0.2.6 udp dport 7037': "stream of 192.0.2.6",
        "ip saddr { 10.31.0.251/32 } ip daddr 10.1.255.252 udp dport 7": "probes of the far end",
        "ip saddr 10.1.255.253 udp dport 694": "the partner",
    }


def test_echo_probes_of_the_line_open_the_port_to_both_addresses_of_the_far_gateway():
    found = openings(text_of(tables(line_probe="echo")))
    assert not any("7037" in rule for rule in found)
    allowed = "ip saddr { 192.0.2.6/32, 10.31.0.251/32 }"
    assert f"{allowed} ip daddr 192.0.2.2 udp dport 7" in found
    assert f"{allowed} ip daddr 10.1.255.252 udp dport 7" in found


@pytest.mark.parametrize("mode", MODES)
def test_who_moves_the_vip_needs_its_own_port(mode):
    found = openings(text_of(tables(mode=mode, render={"conntrackd": True})))
    partner = [rule for rule in found if "10.1.255.253" in rule]
    ports = {int(re.search(r"dport (\d+)", rule)[1]) for rule in partner}
    assert ports == ({3780} if mode == "pacemaker" else {694, 3780})


def test_a_dynamic_end_may_come_from_anywhere_on_the_line_and_nowhere_else():
    raw = tables()
    raw["line"]["vpn1"]["ends"]["gw-ba"] = "dynamic"
    found = openings(text_of(raw))
    anywhere = [rule for rule in found if "saddr" not in rule]
    assert len(anywhere) == 3
    assert all(rule.startswith('iifname "wan" ') for rule in anywhere)
    assert openings(text_of(raw, "gw-ba")) == openings(text_of(tables(), "gw-ba"))


def test_the_road_of_the_far_gateways_ends_at_both_gateways_of_a_site():
    found = openings(text_of(tables({"witnesses": ["10.1.0.10"]})))
    road = {rule: why for rule, why in found.items() if "icmp" in rule}
    assert road == {
        "ip saddr 10.31.0.251 icmp type echo-request": "the road of gw-ba",
        "ip saddr 10.31.0.252 icmp type echo-request": "the road of gw-bb",
    }


def test_neighbours_of_ipv6_are_let_in_and_the_tunnel_forwards_each_family():
    text = text_of(both_families())
    assert any("nd-neighbor-solicit" in rule for rule in openings(text))
    assert not any("icmpv6" in rule for rule in openings(text_of(tables())))
    assert set(openings(text, "forward")) == {
        "ip saddr { 10.1.0.0/16, 172.20.0.0/24 } ip daddr { 10.31.0.0/24 }",
        "ip saddr { 10.31.0.0/24 } ip daddr { 10.1.0.0/16, 172.20.0.0/24 }",
        "ip6 saddr { 2001:db8:a::/64 } ip6 daddr { 2001:db8:b::/64 }",
        "ip6 saddr { 2001:db8:b::/64 } ip6 daddr { 2001:db8:a::/64 }",
    }


def test_another_port_in_a_user_s_tables_is_another_opening():
    link = {"cross": {"type": "udp", "local": "10.9.0.1", "peer": "10.9.0.2", "port": 1694}}
    raw = tables(havpn={"pair": {"link": link}, "respond": {"listen": ["10.1.255.252:1007"]}})
    found = openings(text_of(raw))
    assert "ip saddr 10.9.0.2 udp dport 1694" in found
    assert any(rule.endswith("ip daddr 10.1.255.252 udp dport 1007") for rule in found)
    assert not any(rule.endswith("dport 7") for rule in found)


def test_a_hub_lets_each_branch_in():
    found = openings(text_of(hub()))
    for address in ("192.0.2.6", "192.0.2.10"):
        assert f'iifname "wan" ip saddr {address} udp dport 7037' in found


def test_without_tunnels_of_ours_their_ports_stay_closed():
    found = openings(text_of(tables(render={"swanctl": False})))
    assert not any("4500" in rule or "esp" in rule for rule in found)
