"""Each rule for itself: what it finds in the article's figure with one thing changed."""

import pytest

from havpn_core.config.check import SECTIONS
from havpn_core.config.profiles import PROFILES
from havpn_core.plugging.descriptors import NAME
from havpn_core.site.model.options import FileOptions
from havpn_core.site.model.problem import Problem, split
from havpn_core.site.reading import model_of
from havpn_core.site.verify import names, overrides
from havpn_core.site.verify.whole import seldom_meant, verify
from tests.site.figure import hub
from tests.site.verify.variations import figure


def changed(**keys):
    """Give the figure with keys written over it; dots are ``__``, hyphens are hyphens."""
    raw = figure()
    for place, value in keys.items():
        *way, last = place.split("__")
        table = raw
        for part in way:
            table = table.setdefault(part, {})
        table[last] = value
    return raw


def found(**keys):
    return verify(model_of(changed(**keys)))


def dual():
    """Give the figure with both families."""
    raw = figure()
    for name, number in (("a", 1), ("b", 2)):
        site, prefix = raw["site"][name], f"2001:db8:{number}:"
        site["networks"].append(f"{prefix}:/64")
        site["vips"].append(f"{prefix}:1")
        site["gateways"] = {
            gateway: {"lan": [lan, f"{prefix}:{index}"]}
            for index, (gateway, lan) in enumerate(site["gateways"].items(), 2)
        }
    return raw


GATEWAYS = {"gw-aa": "10.1.255.252", "gw-ab": "10.1.255.253"}
RULES = [
    ("line.line1.path", "'VPN 1' is no name of a path", {"line__line1__path": "VPN 1"}),
    ("site.a.vips", "10.31.0.254 is in no network", {"site__a__vips": ["10.31.0.254"]}),
    ("site.a.vips", "is in no network", {"site__a__vips": ["10.1.255.254", "10.2.0.1"]}),
    ("site.a.vips", "is empty", {"site__a__vips": []}),
    ("site.a.vips", "wider than 10.1.0.0/16", {"site__a__vips": ["10.1.255.254/8"]}),
    ("site.a.gateways.gw-aa", "lengths that differ", {"site__a__vips": ["10.1.255.254/24"]}),
    ("site.a.vips", "the broadcast address", {"site__a__vips": ["10.1.255.255"]}),
    ("site.a.vips", "the network itself", {"site__a__vips": ["10.1.0.0"]}),
    ("site.a.vips", "LAN address of gw-aa", {"site__a__vips": ["10.1.255.252"]}),
    ("site.a.vips", "listed twice", {"site__a__vips": ["10.1.255.254"] * 2}),
    ("site.a.networks", "listed twice", {"site__a__networks": ["10.1.0.0/16"] * 2}),
    ("site.b.networks", "10.31.0.0/24 overlaps 10.0.0.0/8", {"site__a__networks": ["10.0.0.0/8"]}),
    ("site.a.networks", "is IPv6, and site a has no VIP", {"site__a__networks":
        ["10.1.0.0/16", "2001:db8::/64"]}),
    ("site.a.networks", "all networks at the far end are not", {"site__a__networks":
        ["10.1.0.0/16", "2001:db8::/64"]}),
    ("site.a.networks", "is everything", {"site__a__networks": ["10.1.0.0/16", "0.0.0.0/0"]}),
    ("site.a.networks", "a multicast address", {"site__a__networks":
        ["10.1.0.0/16", "224.0.0.0/8"]}),
    ("site.a.gateways.gw-aa", "is in no network", {"site__a__gateways":
        GATEWAYS | {"gw-aa": "10.2.255.252"}}),
    ("site.a.gateways.gw-ab", "LAN address of gw-aa", {"site__a__gateways":
        GATEWAYS | {"gw-ab": "10.1.255.252"}}),
    ("site.a.gateways.gw-ab.lan", "listed twice", {"site__a__gateways":
        GATEWAYS | {"gw-ab": {"lan": ["10.1.255.253"] * 2}}}),
    ("site.a.gateways.gw-ab", "lengths that differ", {"site__a__gateways":
        GATEWAYS | {"gw-ab": "10.1.255.253/24"}}),
    ("site.a.gateways.gw-ab", "a loopback address", {"site__a__gateways":
        GATEWAYS | {"gw-ab": "127.0.0.1"}}),
    ("site.a.gateways.gw-ab.priority", "the same priority, 150", {"site__a__gateways":
        GATEWAYS | {"gw-ab": {"lan": "10.1.255.253", "priority": 150}}}),
    ("site.a.gateways.gw-ab.priority", "more than 150 of gw-aa", {"site__a__gateways":
        GATEWAYS | {"gw-ab": {"lan": "10.1.255.253", "priority": 151}}}),
    ("site.a.gateways.gw-ab.priority", "0 is no priority", {"site__a__gateways":
        GATEWAYS | {"gw-ab": {"lan": "10.1.255.253", "priority": 0}}}),
    ("site.a.gateways.gw-aa.priority", "255 is no priority", {"site__a__gateways":
        GATEWAYS | {"gw-aa": {"lan": "10.1.255.252", "priority": 255}}}),
    ("site.a.gateways.gw-ab", "has no serial device", {"site__a__gateways":
        GATEWAYS | {"gw-aa": {"lan": "10.1.255.252", "serial": "/dev/ttyS0"}}}),
    ("site.a.gateways.gw-aa", "is no serial device", {"site__a__serial": "ttyS0"}),
    ("site.a.lan_device", "has 16 characters", {"site__a__lan_device": "a" * 16}),
    ("site.a.wan_device", "is no name of a device", {"site__a__wan_device": "eth0/1"}),
    ("site.a.gateways.gw-aa", "both lan_device and wan_device", {"site__a__lan_device": "wan"}),
    ("site.a.witnesses", "is not on the LAN", {"site__a__witnesses": ["10.31.0.9"]}),
    ("site.a.witnesses", "LAN address of gw-ab", {"site__a__witnesses": ["10.1.255.253"]}),
    ("site.a.witnesses", "is a VIP", {"site__a__witnesses": ["10.1.255.254"]}),
    ("site.a.witnesses", "the broadcast address", {"site__a__witnesses": ["10.1.255.255"]}),
    ("site.a.witnesses", "is no address", {"site__a__witnesses": ["printer"]}),
    ("site.a.witnesses", "listed twice", {"site__a__witnesses": ["10.1.0.9", "10.1.0.9"]}),
    ("site.a.witnesses", "is no list", {"site__a__witnesses": "10.1.0.9"}),
    ("line.line1.ends.gw-aa", "routed into the tunnel", {"line__line1__ends":
        {"gw-aa": "10.31.0.9", "gw-ba": "192.0.2.6"}}),
    ("line.line2.ends.gw-bb", "the end of line line1", {"line__line1__ends":
        {"gw-aa": "198.51.100.6", "gw-ba": "192.0.2.6"}}),
    ("line.line1.ends", "of gw-aa is IPv6", {"line__line1__ends":
        {"gw-aa": "2001:db8:f::2", "gw-ba": "192.0.2.6"}}),
    ("line.line1.ends", "neither end has a fixed address", {"line__line1__ends":
        {"gw-aa": "dynamic", "gw-ba": "gw.example.net"}}),
    ("line.line1.ends.gw-aa", "the far responder", {"line_probe": "echo", "line__line1__ends":
        {"gw-aa": "dynamic", "gw-ba": "192.0.2.6"}}),
    ("line.line2.ends.gw-bb", "name of gw-ba's end", {"line__line1__ends":
        {"gw-aa": "192.0.2.2", "gw-ba": "b.example.net"}, "line__line2__ends":
        {"gw-ab": "198.51.100.2", "gw-bb": "B.example.net."}}),
    ("line.line1.ends", "are both at site a", {"line__line1__ends":
        {"gw-aa": "192.0.2.2", "gw-ab": "192.0.2.6"}}),
    ("line.line2.ends", "both lead from gw-aa", {"line__line2__ends":
        {"gw-aa": "198.51.100.2", "gw-bb": "198.51.100.6"}}),
    ("site.a.gateways.gw-ab", "could never take over", {"line__line2__ends":
        {"gw-aa": "198.51.100.2", "gw-bb": "198.51.100.6"}}),
    ("line.line2.ends.gw-ab", "on one link with 192.0.2.2", {"line__line2__ends":
        {"gw-ab": "192.0.2.3", "gw-bb": "198.51.100.6"}}),
    ("line.line1.ends.gw-aa", "they look exchanged", {
        "line__line1__ends": {"gw-aa": "198.51.100.2", "gw-ba": "192.0.2.66"},
        "line__line2__ends": {"gw-ab": "192.0.2.2", "gw-bb": "198.51.100.66"}}),
    ("line.line2.provider", "runs line line1, too", {"line__line1__provider": "ISP One",
        "line__line2__provider": "isp  one"}),
    ("line.line2.provider", "runs line line1, too", {"line__line2__provider": "line1"}),
    ("line.line2.routers.gw-ab", "is the router of line line1", {
        "line__line1__routers": {"gw-aa": "192.0.2.1"},
        "line__line2__routers": {"gw-ab": "192.0.2.1"}}),
    ("line.line1.routers.gw-aa", "is not on the link", {
        "line__line1__routers": {"gw-aa": "203.0.113.1"}}),
    ("line.line1.routers.gw-aa", "is IPv6", {"line__line1__routers": {"gw-aa": "2001:db8::1"}}),
    ("line.line1.routers", "they look exchanged", {
        "line__line1__routers": {"gw-aa": "192.0.2.5", "gw-ba": "192.0.2.1"}}),
    ("line.line1.routers.gw-aa", "is inside 10.1.0.0/16", {
        "line__line1__routers": {"gw-aa": "10.1.0.1"}}),
    ("line.line1.mtu", "1279 is no size", {"line__line1__mtu": 1279}),
    ("line.line1.mtu", "9217 is no size", {"line__line1__mtu": 9217}),
    ("tunnel.size", "its mtu of 1400 leaves 1346", {"line__line1__mtu": 1400,
        "tunnel__size": 1400}),
    ("tunnel.size", "63 bytes cannot", {"tunnel__size": 63}),
    ("tunnel.size", "1501 bytes cannot", {"tunnel__size": 1501}),
    ("interval", "4ms is none of a stream", {"interval": "4ms"}),
    ("tunnel.ike", "no pseudo-random function", {"tunnel__ike": "aes128gcm16-ecp256"}),
    ("tunnel.esp", "ESP has no such function", {"tunnel__esp": "aes128gcm16-prfsha256"}),
    ("tunnel.authority", "is missing", {"tunnel__auth": "certificate"}),
    ("tunnel.authority", "no name of a file", {"tunnel__authority": "ca pem"}),
    ("site.a.gateways.gw-aa", "has no certificate", {"tunnel__auth": "certificate"}),
    ("site.a.gateways.gw-aa.certificate", "like the certificate of gw-ab", {"site__a__gateways":
        GATEWAYS | {"gw-aa": {"lan": "10.1.255.252", "certificate": "gw-ab.pem"}}}),
    ("line.line1.provider", "cannot be shown", {"line__line1__provider": "one\ntwo"}),
    ("havpn.respond.allow", "files mirror", {"havpn__respond__allow": ["0.0.0.0/0"]}),
    ("havpn.pair.priority", "files mirror", {"havpn__pair__priority": 1}),
    ("havpn.path.line1.probe.line.host", "files mirror", {
        "havpn__path__line1__probe__line__host": "192.0.2.9"}),
    ("havpn.paths", "no such table", {"havpn__paths": {}}),
    ("havpn.lan", "is no table", {"havpn__lan": True}),
    ("metrics.listen", "the address of one host", {"metrics": {"listen": ["10.1.255.252:9713"]}}),
    ("metrics.port", "there is no such key", {"metrics": {"port": 1}}),
    ("notifier.log", "has no type", {"notifier": {"log": {}}}),
    ("notifier.a_b", "is no name", {"notifier": {"a_b": {"type": "syslog"}}}),
    ("site", "there is one site", {"site": {"a": figure()["site"]["a"]}, "line": {"line1":
        {"ends": {"gw-aa": "192.0.2.2", "gw-ab": "192.0.2.6"}}}}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "text", "keys"), RULES, ids=[f"{r[0]}: {r[1]}" for r in RULES])
def test_a_rule_finds_what_it_is_for(key, text, keys):
    problems = found(**keys)
    assert [p for p in problems if p.key == key and text in p.text], list(map(str, problems))


@pytest.mark.parametrize("end", ["gw_1.example.net", "192.0.2.x", "192.0.2.1a", "DYNAMIC",
                                 "localhost", "a..b", "gw.example.3"])  # fmt: skip
def test_a_far_end_has_a_name_that_resolvers_take(end):
    problems = found(line__line1__ends={"gw-aa": "192.0.2.2", "gw-ba": end})
    assert [p.key for p in problems] == ["line.line1.ends.gw-ba"]


@pytest.mark.parametrize("name", ["gw_aa", "-a", "a.", "10.1.0.1", "x" * 65, "12", "localhost"])
def test_a_gateway_has_a_host_name(name):
    raw = changed(site__a__gateways={name: "10.1.255.252", "gw-ab": "10.1.255.253"})
    raw["line"]["line1"]["ends"] = {name: "192.0.2.2", "gw-ba": "192.0.2.6"}
    assert [p.key for p in verify(model_of(raw))] == [f"site.a.gateways.{name}"]


def test_names_differ_in_more_than_capitals():
    raw = changed(site__a__gateways={"gw": "10.1.255.252", "GW": "10.1.255.253"})
    raw["line"]["line1"]["ends"] = {"gw": "192.0.2.2", "gw-ba": "192.0.2.6"}
    raw["line"]["line2"]["ends"] = {"GW": "198.51.100.2", "gw-bb": "198.51.100.6"}
    assert "differ in capitals only" in verify(model_of(raw))[0].text


def test_every_problem_is_found_at_once_and_once():
    problems = found(
        site__a__vips=["10.9.0.1"], line__line1__mtu=100, tunnel__size=5, interval="1m"
    )
    assert [p.key for p in problems] == [
        "interval", "line.line1.mtu", "site.a.vips", "tunnel.size",
    ]  # fmt: skip
    assert problems == sorted(set(problems))


def test_a_gateway_needs_an_address_in_each_family_of_the_vips():
    raw = dual()
    assert verify(model_of(raw)) == []
    raw["site"]["a"]["gateways"]["gw-ab"]["lan"].pop()
    (problem,) = verify(model_of(raw))
    assert problem == Problem(
        "site.a.gateways.gw-ab.lan",
        "gw-ab has no IPv6 address on the LAN, and 2001:db8:1::1 is a VIP of site a",
        "add its own address in 2001:db8:1::/64",
    )


def test_an_address_in_another_network_of_the_site_is_not_in_the_vips():
    raw = changed(site__a__networks=["10.1.0.0/16", "10.2.0.0/16"])
    raw["site"]["a"]["gateways"]["gw-aa"] = "10.2.255.252"
    (problem,) = verify(model_of(raw))
    assert "is not in the network of the VIP, 10.1.0.0/16" in problem.text


def test_lines_that_cross_are_possible_and_said():
    raw = changed(
        line__line1__ends={"gw-aa": "192.0.2.2", "gw-bb": "192.0.2.6"},
        line__line2__ends={"gw-ab": "198.51.100.2", "gw-ba": "198.51.100.6"},
    )
    model = model_of(raw)
    assert verify(model) == []
    (caution,) = seldom_meant(model)
    assert caution.key == "line.line1.ends"
    assert "join gw-aa, gw-ba by one line" in caution.remedy


CAUTIONS = [
    ("site.a.serial", {"site__a__serial": "/dev/ttyS0", "site__a__mode": "pacemaker"}),
    ("site.a.preempt", {"site__a__preempt": "delay", "site__a__mode": "heartbeat"}),
    ("interval", {"interval": "20ms", "line_probe": "echo"}),
    ("tunnel.size", {"tunnel__size": 100}),
    ("tunnel.esp", {"tunnel__esp": "3des-md5"}),
    ("line.line1.ends.gw-aa", {"line__line1__ends": {"gw-aa": "192.0.2.0", "gw-ba": "192.0.2.6"}}),
    ("line.line1.routers.gw-aa", {"line__line1__routers": {"gw-aa": "172.31.1.1"}}),
    ("site.a.gateways.gw-aa.certificate", {"site__a__gateways":
        GATEWAYS | {"gw-aa": {"lan": "10.1.255.252", "certificate": "gw-aa.pem"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "keys"), CAUTIONS)
def test_what_is_seldom_meant_is_said_and_not_refused(key, keys):
    model = model_of(changed(**keys))
    assert verify(model) == []
    assert key in [caution.key for caution in seldom_meant(model)]


def test_the_hub_of_many_branches_is_understood_and_its_one_role_said():
    raw = figure()
    raw["site"]["c"] = {
        "networks": ["10.41.0.0/24"],
        "vips": ["10.41.0.254"],
        "gateways": {"gw-ca": "10.41.0.251", "gw-cb": "10.41.0.252"},
    }
    raw["line"]["line3"] = {"ends": {"gw-aa": "192.0.2.2", "gw-ca": "203.0.113.6"}}
    raw["line"]["line4"] = {"ends": {"gw-ab": "198.51.100.2", "gw-cb": "8.8.4.4"}}
    model = model_of(raw)
    assert model.pairs() == (("a", "b"), ("a", "c"))
    (problem,) = verify(model)
    assert problem.key == "site.a.gateways"
    assert "one role a gateway" in problem.text
    decided = raw | {"havpn": {"node": {"give_up_on": "all"}}}
    assert verify(model_of(decided)) == []
    decided["site"]["a"]["mode"] = "pacemaker"
    assert [p.key for p in verify(model_of(decided))] == ["site.a.mode"]


def test_two_pairs_of_sites_that_share_no_gateway_are_good():
    raw = figure()
    raw["site"]["c"] = {
        "networks": ["10.41.0.0/24"],
        "vips": ["10.41.0.254"],
        "gateways": {"gw-ca": "10.41.0.251", "gw-cb": "10.41.0.252"},
    }
    raw["site"]["d"] = {
        "networks": ["10.51.0.0/24"],
        "vips": ["10.51.0.254"],
        "gateways": {"gw-da": "10.51.0.251", "gw-db": "10.51.0.252"},
    }
    raw["line"]["line3"] = {"ends": {"gw-ca": "203.0.113.2", "gw-da": "203.0.113.66"}}
    raw["line"]["line4"] = {"ends": {"gw-cb": "8.8.4.4", "gw-db": "8.8.8.8"}}
    assert verify(model_of(raw)) == []


def test_an_instance_of_ones_own_may_say_where_it_goes():
    probe = {"type": "tcp", "host": "192.0.2.6", "port": 443}
    assert found(havpn__path__line1__probe__web=probe) == []


def test_what_is_known_of_other_rooms_is_what_they_have():
    assert overrides.SECTIONS == SECTIONS
    assert names.PATH.pattern == NAME.pattern
    profile = next(f for f in FileOptions.__annotations__.items() if f[0] == "profile")
    assert set(profile[1].__args__) == set(PROFILES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a.b: 5 is odd: write 6", Problem("a.b", "5 is odd", "write 6")),
        ("a.b: is odd", Problem("a.b", "is odd", "look")),
        ("a.b: is odd (known: c)", Problem("a.b", "is odd (known: c)", "look")),
        (
            "a.b: there is no such key, did you mean 'c'? (known: c)",
            Problem("a.b", "there is no such key (known: c)", "write c"),
        ),
        (
            "a: 'x' is none of \"y\", did you mean 'y'?",
            Problem("a", "'x' is none of \"y\"", "write y"),
        ),
        ("a: 'x' is none of \"y\"", Problem("a", "'x' is none of \"y\"", "write one of them")),
        (
            "a: is missing and has no default",
            Problem("a", "is missing and has no default", "write it"),
        ),
        (
            "a: Expected a list, got a text",
            Problem("a", "Expected a list, got a text", "write a list"),
        ),
    ],
)
def test_a_sentence_has_key_text_and_remedy(text, problem):
    assert split(text, "look") == problem


def test_two_paths_of_a_gateway_have_two_names():
    raw = hub()
    assert not [p for p in verify(model_of(raw)) if ".path" in p.key]
    raw["line"]["vpn3"]["path"] = "vpn1"
    (problem,) = (p for p in verify(model_of(raw)) if ".path" in p.key)
    assert problem.key == "line.vpn3.path"
    assert problem.text == "gw-aa has two paths of this name, the other by line vpn1"
