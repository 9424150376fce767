"""``havpn.toml``: its paths, its responder, its pair, and what a user puts over it."""

import tomllib

import pytest

from havpn_core.site.rendering.havpn import merged
from tests.site.figure import HAVPN, both_families, configuration, files_of, hub, tables

FAR = {"gw-aa": "gw-ba", "gw-ab": "gw-bb", "gw-ba": "gw-aa", "gw-bb": "gw-ab"}


def all_of(raw):
    return {name: tomllib.loads(files[HAVPN].text) for name, files in files_of(raw).items()}


@pytest.mark.parametrize("probe", ["stream", "echo"])
def test_the_ends_of_a_line_mirror_each_other(probe):
    found = all_of(tables(line_probe=probe))
    for name, far in FAR.items():
        [(path, own)], [(other_path, other)] = (found[each]["path"].items() for each in (name, far))
        assert path == other_path
        tunnel, other_tunnel = own["probe"]["tunnel"], other["probe"]["tunnel"]
        assert (tunnel["host"], tunnel["source"]) == (other_tunnel["source"], other_tunnel["host"])
        line, other_line = own["probe"]["line"], other["probe"]["line"]
        allowed = found[far]["respond"]["allow"]
        assert f"{tunnel['source']}/32" in allowed
        assert f"{tunnel['host']}:7" in found[far]["respond"]["listen"]
        if probe == "stream":
            assert (line["host"], line["source"]) == (other_line["source"], other_line["host"])
            assert line["key_file"] == other_line["key_file"]
        else:
            assert f"{other_line['host']}/32" in allowed
            assert f"{line['host']}:7" in found[far]["respond"]["listen"]


def test_the_gateways_of_a_pair_mirror_each_other():
    found = all_of(tables())
    for one, other in (("gw-aa", "gw-ab"), ("gw-ba", "gw-bb")):
        pair, partner = found[one]["pair"], found[other]["pair"]
        assert pair["priority"] > partner["priority"]
        lan, theirs = pair["link"]["lan"], partner["link"]["lan"]
        assert (lan["local"], lan["peer"]) == (theirs["peer"], theirs["local"])
        assert pair["link"]["cable"]["device"] == "/dev/ttyS0"
        assert found[one]["action"] == found[other]["action"]


def test_without_a_cable_at_both_gateways_there_is_no_link_over_it():
    assert "cable" not in all_of(tables({"serial": ""}))["gw-aa"]["pair"]["link"]
    raw = tables({"serial": ""})
    raw["site"]["a"]["gateways"]["gw-aa"] = {"lan": "10.1.255.252", "serial": "/dev/ttyUSB0"}
    assert "cable" not in all_of(raw)["gw-aa"]["pair"]["link"]


def test_the_line_is_told_from_the_tunnel_by_what_it_is_bound_to():
    near = all_of(tables())["gw-aa"]["path"]["vpn1"]["probe"]
    assert near["line"] == {
        "type": "stream",
        "host": "192.0.2.6",
        "source": "192.0.2.2",
        "key_file": "/etc/havpn/line-vpn1.key",
    }
    near = all_of(tables(line_probe="echo"))["gw-aa"]["path"]["vpn1"]["probe"]
    assert near["line"] == {"type": "udp-echo", "host": "192.0.2.6", "device": "wan"}
    assert near["tunnel"]["watches"] == "tunnel"


@pytest.mark.parametrize("end", ["dynamic", "branch.example.net"])
def test_an_end_without_an_address_begins_and_is_probed_by_a_stream(end):
    raw = tables()
    raw["line"]["vpn1"]["ends"]["gw-ba"] = end
    found = all_of(raw)
    fixed, moving = (found[name]["path"]["vpn1"]["probe"]["line"] for name in ("gw-aa", "gw-ba"))
    assert (fixed["host"], fixed["source"]) == (end, "192.0.2.2")
    assert (moving["host"], moving["device"]) == ("192.0.2.2", "wan")
    assert "source" not in moving


def test_the_road_is_probed_where_the_far_site_names_hosts():
    assert set(all_of(tables())["gw-aa"]["path"]["vpn1"]["probe"]) == {"line", "tunnel"}
    probes = all_of(tables({}, {"witnesses": ["10.31.0.10", "10.31.0.11"]}))["gw-aa"]
    probes = probes["path"]["vpn1"]["probe"]
    road = {
        name: (p["type"], p["host"]) for name, p in probes.items() if p.get("watches") == "road"
    }
    # The other line's far gateway replies over its own line.
    assert road == {"road": ("icmp", "10.31.0.10"), "cross": ("icmp", "10.31.0.252")}
    assert {p["source"] for name, p in probes.items() if name in road} == {"10.1.255.252"}


@pytest.mark.parametrize(
    ("mode", "carrier", "witnesses"),
    [("pair", ["wan", "lan"], "auto"), ("heartbeat", ["wan"], None), ("pacemaker", ["wan"], None)],
)
def test_a_gateway_of_a_cluster_leaves_the_lan_to_its_fitness(mode, carrier, witnesses):
    found = all_of(tables(mode=mode))["gw-aa"]
    [path] = found["path"].values()
    assert path["carrier"] == carrier
    assert found["lan"].get("witnesses") == witnesses
    assert found["lan"]["device"] == "lan"
    assert ("pair" in found) == (mode == "pair")


def test_both_families():
    found = all_of(both_families())["gw-aa"]
    addresses = found["action"]["gateway"]["addresses"]
    assert addresses == ["10.1.255.254/16", "2001:db8:a::fe/64"]
    assert found["respond"]["listen"] == ["10.1.255.252:7", "[2001:db8:a::fc]:7"]
    assert found["respond"]["allow"] == ["10.31.0.251/32", "2001:db8:b::fb/128"]
    raw = both_families()
    raw["line"]["vpn1"]["ends"] = {"gw-aa": "2001:db8:1::2", "gw-ba": "2001:db8:1::6"}
    raw["line_probe"] = "echo"
    respond = all_of(raw)["gw-aa"]["respond"]
    assert respond["listen"][0] == "[2001:db8:1::2]:7"
    assert respond["allow"][0] == "2001:db8:1::6/128"


def test_a_hub_has_a_path_and_a_key_for_each_branch():
    files = files_of(hub())["gw-aa"]
    found = tomllib.loads(files[HAVPN].text)
    assert set(found["path"]) == {"vpn1", "vpn3"}
    assert {"/etc/havpn/line-vpn1.key", "/etc/havpn/line-vpn3.key"} <= set(files)
    assert found["respond"]["allow"] == ["10.31.0.251/32", "10.41.0.251/32"]


def test_the_policy_of_the_file_reaches_every_path():
    raw = tables(profile="balanced", false_switches="1/30d", interval="20ms")
    raw["tunnel"] = {"size": 1300}
    raw["metrics"] = {"listen": ["127.0.0.1:9714"]}
    for found in all_of(raw).values():
        [path] = found["path"].values()
        assert (path["profile"], path["false_switches"]) == ("balanced", "1/30d")
        assert path["probe"]["line"]["interval"] == "20ms"
        assert path["probe"]["tunnel"]["size"] == 1300
        assert found["metrics"] == {"listen": ["127.0.0.1:9714"]}
    assert "metrics" not in all_of(tables())["gw-aa"]
    assert all_of(tables(metrics={}))["gw-aa"]["metrics"] == {}


def test_a_user_s_tables_go_over_what_is_rendered_the_gateway_s_over_those_of_all():
    raw = tables(havpn={"path": {"vpn1": {"rise": 100}}, "node": {"realtime": 10}})
    raw["site"]["a"]["gateways"]["gw-aa"] = {
        "lan": "10.1.255.252",
        "havpn": {"node": {"realtime": 20}, "notifier": {"mine": {"type": "syslog"}}},
    }
    raw["line"].pop("vpn2")
    near, far = (files_of(raw)[name][HAVPN].text for name in ("gw-aa", "gw-ba"))
    assert configuration(near).node.realtime == 20
    assert configuration(far).node.realtime == 10
    assert {each.id for each in configuration(near).notifiers} == {"log", "mine"}
    for text in (near, far):
        [path] = configuration(text).paths
        assert path.options.rise == 100
        assert {probe.id for probe in path.probes} == {"line", "tunnel"}


def test_a_table_goes_into_a_table_and_all_else_in_place_of_what_is_there():
    under = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merged(under, {"a": {"c": [3]}, "d": {"e": 2}, "f": 3}) == {
        "a": {"b": 1, "c": [3]},
        "d": {"e": 2},
        "f": 3,
    }
    assert under == {"a": {"b": 1, "c": [1, 2]}, "d": 1}
