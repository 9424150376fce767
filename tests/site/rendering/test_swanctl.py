"""The tunnels: mirrored, of all networks, and without a secret in them."""

import re

import pytest

from tests.site.figure import both_families, files_of, hub, tables

FILE = "/etc/swanctl/conf.d/havpn.conf"
MIRRORED = (
    ("local_addrs", "remote_addrs"),
    ("local_ts", "remote_ts"),
    ("id-1", "id-2"),
)


def values(text, key):
    return re.findall(rf"^\s*{re.escape(key)} = (.*)$", text, re.MULTILINE)


def section(text, name, depth):
    indent = "  " * depth
    return re.search(rf"^{indent}{name} {{\n(.*?)^{indent}}}", text, re.S | re.M)[1]


@pytest.mark.parametrize("made", [tables, both_families])
@pytest.mark.parametrize(("one", "other"), [("gw-aa", "gw-ba"), ("gw-ab", "gw-bb")])
def test_both_ends_mirror_each_other(made, one, other):
    found = files_of(made())
    near, far = found[one][FILE].text, found[other][FILE].text
    for key, opposite in MIRRORED:
        assert values(near, key) == values(far, opposite) != []
        assert values(far, key) == values(near, opposite)
    for key in ("version", "proposals", "esp_proposals", "secret", "mobike"):
        assert values(near, key) == values(far, key) != []
    local, remote = (section(near, side, 2) for side in ("local", "remote"))
    assert (values(local, "id"), values(remote, "id")) == ([one], [other])


def test_all_networks_of_both_sites_are_in_one_child():
    text = files_of(both_families())["gw-aa"][FILE].text
    assert values(text, "local_ts") == ["10.1.0.0/16,2001:db8:a::/64,172.20.0.0/24"]
    assert values(text, "remote_ts") == ["10.31.0.0/24,2001:db8:b::/64"]


def test_a_shared_key_is_a_place_that_the_owner_alone_reads():
    file = files_of(tables())["gw-aa"][FILE]
    assert values(file.text, "secret") == ['"{{secret:psk-vpn1}}"']
    assert values(file.text, "auth") == ["psk", "psk"]
    assert file.mode == 0o600


def test_certificates_are_named_and_no_key_is():
    raw = tables(tunnel={"auth": "certificate", "authority": "ca.pem"})
    raw["site"]["a"]["gateways"]["gw-aa"] = {"lan": "10.1.255.252", "certificate": "gw-aa.pem"}
    text = files_of(raw)["gw-aa"][FILE].text
    assert values(text, "auth") == ["pubkey", "pubkey"]
    assert values(text, "certs") == ["gw-aa.pem"]
    assert values(text, "cacerts") == ["ca.pem"]
    assert "secret:" not in text


def test_a_dynamic_end_begins_and_may_move():
    raw = tables()
    raw["line"]["vpn1"]["ends"]["gw-ba"] = "dynamic"
    found = files_of(raw)
    fixed, moving = found["gw-aa"][FILE].text, found["gw-ba"][FILE].text
    assert values(fixed, "remote_addrs") == values(moving, "local_addrs") == ["%any"]
    assert values(fixed, "start_action") == ["none"]
    assert values(moving, "start_action") == ["trap"]
    assert values(fixed, "mobike") == values(moving, "mobike") == ["yes"]
    assert values(found["gw-ab"][FILE].text, "mobike") == ["no"]


def test_an_end_with_a_name_is_called_by_it():
    raw = tables()
    raw["line"]["vpn1"]["ends"]["gw-ba"] = "b.example.net"
    text = files_of(raw)["gw-aa"][FILE].text
    assert values(text, "remote_addrs") == ["b.example.net"]
    assert values(text, "start_action") == ["trap"]


def test_a_hub_has_a_tunnel_for_each_line():
    text = files_of(hub())["gw-aa"][FILE].text
    assert values(text, "remote_addrs") == ["192.0.2.6", "192.0.2.10"]
    assert values(text, "secret") == ['"{{secret:psk-vpn1}}"', '"{{secret:psk-vpn3}}"']
    assert text.count("{") == text.count("}")
