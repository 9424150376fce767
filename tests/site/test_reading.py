"""A site file becomes a model, as far as it can be read."""

import pytest

from havpn_core.errors import ConfigError
from havpn_core.site.reading import model_of, read_model
from havpn_core.site.verified import verified
from tests.site.verify.variations import figure


def test_addresses_have_the_length_of_the_network_they_are_in():
    raw = figure()
    raw["site"]["a"]["networks"].append("10.1.255.0/24")
    raw["site"]["a"]["gateways"]["gw-aa"] = {"lan": ["10.1.255.252/20", "192.0.2.200"]}
    site = model_of(raw).sites["a"]
    assert list(map(str, site.vips)) == ["10.1.255.254/24"]
    lan = site.gateways["gw-aa"].lan
    assert list(map(str, lan)) == ["10.1.255.252/20", "192.0.2.200/32"]


def test_the_first_gateway_is_the_preferred_one():
    site = model_of(figure()).sites["a"]
    facts = [(g.name, g.first, g.priority) for g in site.gateways.values()]
    assert facts == [("gw-aa", True, 150), ("gw-ab", False, 100)]


def test_a_priority_of_nought_is_not_the_usual_one():
    raw = figure()
    raw["site"]["a"]["gateways"]["gw-aa"] = {"lan": "10.1.255.252", "priority": 0}
    assert model_of(raw).gateways["gw-aa"].priority == 0


def test_a_gateway_may_be_called_with_its_domain():
    raw = figure()
    raw["site"]["a"]["gateways"] = {
        "aa.example.com": {"lan": "10.1.255.252", "wan_device": "ppp0"},
        "ab.example.com": "10.1.255.253",
    }
    raw["line"]["line1"]["ends"] = {"aa.example.com": "192.0.2.2", "gw-ba": "192.0.2.6"}
    raw["line"]["line2"]["ends"] = {"ab.example.com": "198.51.100.2", "gw-bb": "198.51.100.6"}
    model = model_of(raw)
    assert model.gateways["aa.example.com"].wan_device == "ppp0"
    assert model.lines["line1"].end_of("aa.example.com").host == "192.0.2.2"
    assert verified(raw).problems == []


def test_an_end_is_an_address_a_name_or_dynamic():
    raw = figure()
    raw["line"]["line1"]["ends"] = {"gw-aa": "dynamic", "gw-ba": "b.example.net"}
    first, second = model_of(raw).lines["line1"].ends
    assert (first.dynamic, first.host) == (True, "")
    assert (second.dynamic, second.host) == (True, "b.example.net")


BAD = [
    ("site.a.networks", "has bits of a host: write 10.1.0.0/16", ["site", "a", "networks"],
     ["10.1.2.3/16"]),
    ("site.a.networks", "is no network", ["site", "a", "networks"], ["10.1.0.0/33"]),
    ("site.a.vips", "is no address", ["site", "a", "vips"], ["10.1.0.256"]),
    ("site.a.vips", "Expected a list", ["site", "a", "vips"], "10.1.0.1"),
    ("site.a.gateways", "a site has two, and not 1", ["site", "a", "gateways"],
     {"gw-aa": "10.1.255.252"}),
    ("site.a.mode", "is none of", ["site", "a", "mode"], "pear"),
    ("site.a.colour", "no such key", ["site", "a", "colour"], "red"),
    ("site.a.gateways.gw-aa.lan", "is missing", ["site", "a", "gateways", "gw-aa"], {}),
    ("site.a.gateways.gw-aa.lan", "is empty", ["site", "a", "gateways", "gw-aa"], {"lan": []}),
    ("site.a.gateways.gw-aa", "is no address", ["site", "a", "gateways", "gw-aa"], ""),
    ("site.b.gateways", "is at site a, too", ["site", "b", "gateways"],
     {"gw-aa": "10.31.0.251", "gw-bb": "10.31.0.252"}),
    ("line.line1.ends", "has two ends, and not 1", ["line", "line1", "ends"], {"gw-aa": "dynamic"}),
    ("line.line1.ends", "there is no gateway gw-x", ["line", "line1", "ends"],
     {"gw-x": "192.0.2.2", "gw-ba": "192.0.2.6"}),
    ("line.line1.ends.gw-aa", "write 192.0.2.2", ["line", "line1", "ends", "gw-aa"],
     "192.0.2.2/30"),
    ("line.line1.routers.gw-aa", "is no address", ["line", "line1", "routers"], {"gw-aa": ""}),
    ("line.line1.routers.gw-x", "no such key", ["line", "line1", "routers"],
     {"gw-x": "192.0.2.1"}),
    ("line.line1.mtu", "a whole number", ["line", "line1", "mtu"], "1500"),
    ("site", "there is none", ["site"], {}),
    ("line", "there is none", ["line"], []),
    ("site.a", "write a table", ["site", "a"], "x"),
    ("tunnel", "write a table", ["tunnel"], 5),
    ("tunnel.auth", "is none of", ["tunnel"], {"auth": "rsa"}),
    ("profile", "is none of", ["profile"], "slow"),
    ("false_switches", "is no frequency", ["false_switches"], 5),
    ("notifier", "Expected a table", ["notifier"], []),
    ("sites", "no such key", ["sites"], {}),
]  # fmt: skip


def spoilt(place, value):
    raw = figure()
    table = raw
    for part in place[:-1]:
        table = table.setdefault(part, {})
    table[place[-1]] = value
    return raw


@pytest.mark.parametrize(("key", "text", "place", "value"), BAD)
def test_what_cannot_be_read_is_refused_with_its_key(key, text, place, value):
    with pytest.raises(ConfigError) as caught:
        model_of(spoilt(place, value))
    found = [p for p in caught.value.problems if p.startswith(f"{key}: ") and text in p]
    assert found, caught.value.problems


def test_a_value_that_cannot_be_read_does_not_hide_the_rest():
    raw = figure() | {"profile": "slow", "interval": "1m"}
    raw["site"]["a"]["networks"] = ["10.1.2.3/16"]
    raw["site"]["b"]["vips"] = ["10.31.9.9"]
    raw["line"]["line1"]["mtu"] = 100
    keys = [problem.key for problem in verified(raw).problems]
    assert keys == ["interval", "line.line1.mtu", "profile", "site.a.networks", "site.b.vips"]


def test_what_may_follow_from_a_value_that_was_left_out_is_not_said():
    raw = figure()
    raw["site"]["a"]["vips"] = ["10.1.255.256"]
    (problem,) = verified(raw).problems
    assert problem.key == "site.a.vips"
    reading = read_model(raw)
    assert reading.model is not None
    assert reading.spoilt == {"site.a"}
