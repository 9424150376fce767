"""Mistakes of people who write a site file: each changes a good one, and says where it shows.

A mistake is a function of the tables and a seeded generator. It changes the tables and gives a part
of the key at which the problem must be named, or ``None`` where the file has nothing to spoil so.
"""

import ipaddress

from tests.site.verify.variations import ROUTERS

MISTAKES = {}


def mistake(made):
    """Add a function to the kinds of mistakes."""
    MISTAKES[made.__name__] = made
    return made


def site_of(raw, chance):
    return chance.choice(list(raw["site"].items()))


def line_of(raw, chance):
    return chance.choice(list(raw["line"].items()))


def table_of(site, gateway):
    """Give the table of a gateway, made of its address where it has none."""
    given = site["gateways"][gateway]
    if not isinstance(given, dict):
        site["gateways"][gateway] = {"lan": given}
    return site["gateways"][gateway]


def lans_of(site, gateway):
    lan = table_of(site, gateway)["lan"]
    return [lan] if isinstance(lan, str) else list(lan)


def bare(text):
    return text.partition("/")[0]


def static(line):
    return [g for g, text in line["ends"].items() if _is_address(text)]


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


# --- addresses ----------------------------------------------------------------------------------


@mistake
def both_gateways_with_one_lan_address(raw, chance):
    name, site = site_of(raw, chance)
    first, second = site["gateways"]
    table_of(site, second)["lan"] = lans_of(site, first)
    return f"site.{name}.gateways.{second}"


@mistake
def vip_that_a_gateway_has(raw, chance):
    name, site = site_of(raw, chance)
    gateway = chance.choice(list(site["gateways"]))
    site["vips"][0] = bare(lans_of(site, gateway)[0])
    return f"site.{name}."


@mistake
def vips_of_both_sites_exchanged(raw, chance):
    one, other = raw["site"].values()
    one["vips"], other["vips"] = other["vips"], one["vips"]
    return ".vips"


@mistake
def lan_addresses_of_two_sites_exchanged(raw, chance):
    (name, one), (_, other) = raw["site"].items()
    near, far = next(iter(one["gateways"])), next(iter(other["gateways"]))
    first, second = lans_of(one, near), lans_of(other, far)
    table_of(one, near)["lan"], table_of(other, far)["lan"] = second, first
    return f"site.{name}.gateways.{near}"


@mistake
def whole_gateways_under_the_other_site(raw, chance):
    one, other = raw["site"].values()
    one["gateways"], other["gateways"] = other["gateways"], one["gateways"]
    return ".gateways."


@mistake
def vip_outside_the_network(raw, chance):
    name, site = site_of(raw, chance)
    site["vips"][0] = "172.31.99.1" if "." in site["vips"][0] else "2001:db8:77::1"
    return f"site.{name}.vips"


@mistake
def lan_address_outside_the_network(raw, chance):
    name, site = site_of(raw, chance)
    gateway = chance.choice(list(site["gateways"]))
    lans = lans_of(site, gateway)
    lans[0] = "172.31.99.1" if "." in lans[0] else "2001:db8:77::1"
    table_of(site, gateway)["lan"] = lans
    return f"site.{name}.gateways.{gateway}"


@mistake
def end_with_the_lan_address(raw, chance):
    line, table = line_of(raw, chance)
    _, site = site_of(raw, chance)
    gateway = next(g for g in table["ends"] if g in site["gateways"])
    table["ends"][gateway] = bare(lans_of(site, gateway)[0])
    return f"line.{line}.ends"


@mistake
def end_inside_the_far_lan(raw, chance):
    line, table = line_of(raw, chance)
    gateway = chance.choice(list(table["ends"]))
    site = next(s for s in raw["site"].values() if gateway not in s["gateways"])
    network = ipaddress.ip_network(site["networks"][0])
    table["ends"][gateway] = str(network[6])
    return f"line.{line}.ends.{gateway}"


@mistake
def one_address_for_two_ends(raw, chance):
    one, other = raw["line"].values()
    known = static(one)
    if not known:
        return None
    gateway = chance.choice(list(other["ends"]))
    other["ends"][gateway] = one["ends"][chance.choice(known)]
    return "line."


@mistake
def both_ends_alike(raw, chance):
    name, line = line_of(raw, chance)
    known = static(line)
    line["ends"] = dict.fromkeys(line["ends"], line["ends"][known[0]])
    return f"line.{name}.ends"


@mistake
def ends_of_two_lines_exchanged(raw, chance):
    if any(len(static(line)) < 2 for line in raw["line"].values()):
        return None
    one, other = raw["line"].values()
    ends = [*one["ends"].values(), *other["ends"].values()]
    neighbours = all(a[:8] == b[:8] for a, b in (ends[:2], ends[2:]))
    if not neighbours or ends[0][:8] == ends[2][:8]:
        return None  # nothing shows which belong together
    first, far = one["ends"], other["ends"]
    near = next(iter(first))
    gateway = next(g for g in far if _same_site(raw, g, near))
    first[near], far[gateway] = far[gateway], first[near]
    for line in (one, other):
        line.pop("routers", None)
    return "line."


def _same_site(raw, one, other):
    return any(one in s["gateways"] and other in s["gateways"] for s in raw["site"].values())


@mistake
def network_address_as_vip(raw, chance):
    name, site = site_of(raw, chance)
    network = ipaddress.ip_network(site["networks"][0])
    site["vips"][0] = str(network.network_address)
    return f"site.{name}.vips"


@mistake
def broadcast_address_as_own(raw, chance):
    name, site = site_of(raw, chance)
    network = ipaddress.ip_network(site["networks"][0])
    if network.version == 6:
        return None
    gateway = chance.choice(list(site["gateways"]))
    lans = lans_of(site, gateway)
    lans[0] = str(network.broadcast_address)
    table_of(site, gateway)["lan"] = lans
    return f"site.{name}.gateways.{gateway}"


@mistake
def address_with_a_part_too_large(raw, chance):
    name, site = site_of(raw, chance)
    site["vips"][0] = "10.1.255.256"
    return f"site.{name}.vips"


@mistake
def special_address_at_an_end(raw, chance):
    name, line = line_of(raw, chance)
    gateway = chance.choice(static(line))
    six = ":" in line["ends"][gateway]
    line["ends"][gateway] = chance.choice(
        ["::1", "ff02::1", "fe80::1", "::"] if six else ["127.0.0.1", "224.0.0.5", "0.0.0.0",
                                                           "255.255.255.255", "169.254.1.1"]
    )  # fmt: skip
    return f"line.{name}.ends.{gateway}"


@mistake
def witness_that_is_no_witness(raw, chance):
    name, site = site_of(raw, chance)
    own = bare(lans_of(site, next(iter(site["gateways"])))[0])
    site["witnesses"] = [chance.choice([own, bare(site["vips"][0]), "192.0.2.99", "10.1.0.x"])]
    return f"site.{name}.witnesses"


# --- networks and prefix lengths ----------------------------------------------------------------


@mistake
def networks_that_overlap(raw, chance):
    one, other = raw["site"].values()
    other["networks"].append(one["networks"][0])
    return ".networks"


@mistake
def wider_prefix_over_the_other_site(raw, chance):
    (_, one), (_, other) = raw["site"].items()
    first, second = (ipaddress.ip_network(s["networks"][0]) for s in (one, other))
    while not first.overlaps(second):
        first = first.supernet()
    if not first.prefixlen:
        return None
    one["networks"][0] = str(first)
    return ".networks"


@mistake
def prefix_too_long(raw, chance):
    name, site = site_of(raw, chance)
    network = ipaddress.ip_network(site["networks"][0])
    site["networks"][0] = f"{network.network_address}/{network.max_prefixlen - 1}"
    return f"site.{name}."


@mistake
def bits_of_a_host_in_a_network(raw, chance):
    name, site = site_of(raw, chance)
    network = ipaddress.ip_network(site["networks"][0])
    site["networks"][0] = f"{network[5]}/{network.prefixlen}"
    return f"site.{name}.networks"


@mistake
def vip_with_another_length(raw, chance):
    name, site = site_of(raw, chance)
    length = ipaddress.ip_network(site["networks"][0]).prefixlen
    site["vips"][0] = f"{bare(site['vips'][0])}/{length + chance.choice([-8, -1, 1, 2])}"
    return f"site.{name}."


@mistake
def lan_address_with_another_length(raw, chance):
    name, site = site_of(raw, chance)
    gateway = chance.choice(list(site["gateways"]))
    lans = lans_of(site, gateway)
    length = ipaddress.ip_network(site["networks"][0]).prefixlen
    lans[0] = f"{lans[0]}/{length + chance.choice([-8, -1, 1, 2])}"
    table_of(site, gateway)["lan"] = lans
    return f"site.{name}."


@mistake
def everything_as_network(raw, chance):
    _, site = site_of(raw, chance)
    site["networks"].append("0.0.0.0/0" if "." in site["networks"][0] else "::/0")
    return ".networks"


@mistake
def network_listed_twice(raw, chance):
    name, site = site_of(raw, chance)
    site["networks"].append(site["networks"][0])
    return f"site.{name}.networks"


@mistake
def nothing_in_a_list(raw, chance):
    name, site = site_of(raw, chance)
    key = chance.choice(["networks", "vips"])
    site[key] = []
    return f"site.{name}."


@mistake
def family_at_one_site_only(raw, chance):
    name, site = site_of(raw, chance)
    if any(":" in each for each in site["networks"]):
        return None
    site["networks"].append("2001:db8:99::/64")
    site["vips"].append("2001:db8:99::1")
    return f"site.{name}."


@mistake
def family_of_the_vip_missing_at_a_gateway(raw, chance):
    name, site = site_of(raw, chance)
    gateway = chance.choice(list(site["gateways"]))
    lans = lans_of(site, gateway)
    if len(lans) < 2:
        return None
    table_of(site, gateway)["lan"] = lans[: len(lans) - 1]
    return f"site.{name}.gateways.{gateway}"


@mistake
def families_of_the_ends_differ(raw, chance):
    name, line = line_of(raw, chance)
    known = static(line)
    if len(known) < 2:
        return None
    six = ":" in line["ends"][known[0]]
    line["ends"][known[0]] = "203.0.113.200" if six else "2001:db8:ee::2"
    return f"line.{name}"


# --- lines and gateways -------------------------------------------------------------------------


@mistake
def line_within_a_site(raw, chance):
    _, line = line_of(raw, chance)
    site = next(iter(raw["site"].values()))
    line["ends"] = dict(zip(site["gateways"], line["ends"].values(), strict=True))
    line.pop("routers", None)
    return "line."


@mistake
def both_lines_at_one_gateway(raw, chance):
    one, other = raw["line"].values()
    shared = next(iter(one["ends"]))
    site = next(s for s in raw["site"].values() if shared in s["gateways"])
    gateway = next(g for g in other["ends"] if g in site["gateways"])
    other["ends"] = {shared if g == gateway else g: text for g, text in other["ends"].items()}
    other.pop("routers", None)
    return "line."


@mistake
def line_left_out(raw, chance):
    del raw["line"][chance.choice(list(raw["line"]))]
    return ".gateways."


@mistake
def gateway_misspelt_at_an_end(raw, chance):
    name, line = line_of(raw, chance)
    gateway = next(iter(line["ends"]))
    line["ends"] = {f"{g}x" if g == gateway else g: text for g, text in line["ends"].items()}
    line.pop("routers", None)
    return f"line.{name}.ends"


@mistake
def one_gateway_in_a_site(raw, chance):
    name, site = site_of(raw, chance)
    del site["gateways"][next(iter(site["gateways"]))]
    return f"site.{name}.gateways"


@mistake
def third_end(raw, chance):
    name, line = line_of(raw, chance)
    line["ends"]["gw-third"] = "203.0.113.77"
    return f"line.{name}.ends"


@mistake
def both_ends_dynamic(raw, chance):
    name, line = line_of(raw, chance)
    line["ends"] = dict.fromkeys(line["ends"], "dynamic")
    line.pop("routers", None)
    return f"line.{name}.ends"


@mistake
def echo_from_an_end_without_address(raw, chance):
    name, line = line_of(raw, chance)
    raw["line_probe"] = "echo"
    raw.pop("interval", None)
    gateway = chance.choice(list(line["ends"]))
    line["ends"][gateway] = chance.choice(["dynamic", "gw.example.net"])
    return f"line.{name}.ends"


@mistake
def one_provider_for_both(raw, chance):
    spelling = ["Provider", chance.choice(["provider", "PROVIDER ", "Provider"])]
    for line, provider in zip(raw["line"].values(), spelling, strict=True):
        line["provider"] = provider
    return ".provider"


@mistake
def one_router_for_both(raw, chance):
    for line in raw["line"].values():
        line["routers"] = {next(iter(line["ends"])): "10.255.0.1"}
    return ".routers"


@mistake
def routers_exchanged(raw, chance):
    name, line = line_of(raw, chance)
    routers = [ROUTERS.get(text, "fe80::1") for text in line["ends"].values()]
    if "fe80::1" in routers:
        return None
    line["routers"] = dict(zip(line["ends"], reversed(routers), strict=True))
    return f"line.{name}.routers"


@mistake
def router_that_is_the_gateway(raw, chance):
    name, line = line_of(raw, chance)
    gateway = chance.choice(static(line))
    line["routers"] = {gateway: line["ends"][gateway]}
    return f"line.{name}."


@mistake
def router_on_the_lan(raw, chance):
    name, line = line_of(raw, chance)
    site = next(iter(raw["site"].values()))
    gateway = next(g for g in line["ends"] if g in site["gateways"])
    line["routers"] = {gateway: str(ipaddress.ip_network(site["networks"][0])[9])}
    return f"line.{name}.routers"


@mistake
def router_of_a_stranger(raw, chance):
    name, line = line_of(raw, chance)
    line["routers"] = {"gw-nobody": "192.0.2.1"}
    return f"line.{name}.routers"


@mistake
def mtu_out_of_range(raw, chance):
    name, line = line_of(raw, chance)
    line["mtu"] = chance.choice([0, 576, 1279, 9217, 65536, -1])
    return f"line.{name}.mtu"


@mistake
def probe_larger_than_the_line(raw, chance):
    raw["tunnel"]["size"] = chance.choice([1490, 1500])
    for line in raw["line"].values():
        line["mtu"] = 1500
    return "tunnel.size"


@mistake
def size_that_is_none(raw, chance):
    raw["tunnel"]["size"] = chance.choice([0, -1, 5, 9000])
    return "tunnel.size"


# --- the two of a site --------------------------------------------------------------------------


@mistake
def equal_priorities(raw, chance):
    name, site = site_of(raw, chance)
    for gateway in site["gateways"]:
        table_of(site, gateway)["priority"] = 120
    return f"site.{name}.gateways"


@mistake
def priorities_the_wrong_way_round(raw, chance):
    name, site = site_of(raw, chance)
    for gateway, priority in zip(site["gateways"], (90, 180), strict=True):
        table_of(site, gateway)["priority"] = priority
    return f"site.{name}.gateways"


@mistake
def priority_that_is_none(raw, chance):
    name, site = site_of(raw, chance)
    table_of(site, next(iter(site["gateways"])))["priority"] = chance.choice([0, -5, 255, 1000])
    return f"site.{name}.gateways"


@mistake
def cable_with_one_end(raw, chance):
    name, site = site_of(raw, chance)
    site.pop("serial", None)
    table_of(site, chance.choice(list(site["gateways"])))["serial"] = "/dev/ttyS0"
    return f"site.{name}.gateways"


@mistake
def serial_device_that_is_none(raw, chance):
    name, site = site_of(raw, chance)
    site["serial"] = chance.choice(["ttyS0", "COM1", "/dev/", "/dev/tty S0"])
    return f"site.{name}."


@mistake
def device_with_a_long_name(raw, chance):
    name, site = site_of(raw, chance)
    site[chance.choice(["lan_device", "wan_device"])] = "enp0s31f6-provider1"
    for gateway in site["gateways"]:
        table_of(site, gateway).pop("wan_device", None)
    return f"site.{name}."


@mistake
def device_that_is_none(raw, chance):
    name, site = site_of(raw, chance)
    site["lan_device"] = chance.choice(["eth 0", "a/b", "lo", "all", "eth0:1", ".."])
    return f"site.{name}."


@mistake
def one_device_for_lan_and_line(raw, chance):
    name, site = site_of(raw, chance)
    site["lan_device"] = site["wan_device"] = "eth0"
    for gateway in site["gateways"]:
        table_of(site, gateway).pop("wan_device", None)
    return f"site.{name}."


@mistake
def gateway_at_both_sites(raw, chance):
    one, other = raw["site"].values()
    gateway = next(iter(one["gateways"]))
    last = list(other["gateways"])[-1]
    other["gateways"][gateway] = other["gateways"].pop(last)
    for line in raw["line"].values():
        line.pop("routers", None)
        line["ends"] = {gateway if g == last else g: text for g, text in line["ends"].items()}
    return ""


@mistake
def name_that_is_no_host_name(raw, chance):
    name, site = site_of(raw, chance)
    old = next(iter(site["gateways"]))
    new = chance.choice(["gw_aa", "-gw", "gw aa", "10.1.0.1", "x" * 65, "gw..a", "gw/a", "göteborg",
                         "localhost", ""])  # fmt: skip
    site["gateways"] = {new if g == old else g: v for g, v in site["gateways"].items()}
    for line in raw["line"].values():
        line["ends"] = {new if g == old else g: v for g, v in line["ends"].items()}
        if "routers" in line:
            line["routers"] = {new if g == old else g: v for g, v in line["routers"].items()}
    return f"site.{name}.gateways."


@mistake
def site_or_line_with_no_name(raw, chance):
    kind = chance.choice(["site", "line"])
    old = next(iter(raw[kind]))
    new = chance.choice(["a b", "a.b", "ä", "-a", "a/b", "a_b"])
    raw[kind] = {new if n == old else n: table for n, table in raw[kind].items()}
    return f"{kind}.{new}"


@mistake
def name_of_dns_that_is_none(raw, chance):
    name, line = line_of(raw, chance)
    gateway = static(line)[0]
    line["ends"][gateway] = chance.choice(["gw_1.example.net", "gw..net", "192.0.2.x", "Dynamic",
                                           "192.0.2.1a", "gw example"])  # fmt: skip
    return f"line.{name}.ends"


# --- policy and tables --------------------------------------------------------------------------


@mistake
def proposal_that_is_none(raw, chance):
    key, text = chance.choice(
        [
            ("ike", "aes128gcm16-ecp256"),
            ("ike", "aes128gcm16-sha256-prfsha256-ecp256"),
            ("ike", "aes128-sha256"),
            ("ike", "aes128-prfsha256-ecp256"),
            ("ike", "aes128gcm16-prfsha256-ecp257"),
            ("ike", "AES128-SHA256-MODP2048"),
            ("ike", ""),
            ("esp", "aes128gmc16"),
            ("esp", "aes128"),
            ("esp", "aes128gcm16-sha256"),
            ("esp", "aes128gcm16-prfsha256"),
            ("esp", "sha256"),
            ("esp", "aes128-aes128gcm16-sha256"),
            ("esp", "aes128gcm16 ecp256"),
        ]
    )
    raw["tunnel"][key] = text
    return f"tunnel.{key}"


@mistake
def certificate_missing(raw, chance):
    raw["tunnel"]["auth"], raw["tunnel"]["authority"] = "certificate", "ca.pem"
    name, site = site_of(raw, chance)
    gateway = chance.choice(list(site["gateways"]))
    table_of(site, gateway).pop("certificate", None)
    return f"site.{name}.gateways.{gateway}"


@mistake
def authority_missing(raw, chance):
    raw["tunnel"]["auth"] = "certificate"
    raw["tunnel"].pop("authority", None)
    return "tunnel.authority"


@mistake
def one_certificate_for_two(raw, chance):
    raw["tunnel"]["auth"], raw["tunnel"]["authority"] = "certificate", "ca.pem"
    for site in raw["site"].values():
        for gateway in site["gateways"]:
            table_of(site, gateway)["certificate"] = "gw.pem"
    return ".certificate"


@mistake
def word_that_is_no_choice(raw, chance):
    name, site = site_of(raw, chance)
    table, key, value, said = chance.choice(
        [
            (raw, "profile", "quick", "profile"),
            (raw, "line_probe", "icmp", "line_probe"),
            (raw, "false_switches", "seldom", "false_switches"),
            (raw, "interval", "10", "interval"),
            (raw, "interval", "1ms", "interval"),
            (raw, "interval", "1m", "interval"),
            (site, "mode", "keepalived", f"site.{name}.mode"),
            (site, "preempt", "sometimes", f"site.{name}.preempt"),
            (site, "witnesses", "always", f"site.{name}.witnesses"),
            (raw["tunnel"], "auth", "pks", "tunnel.auth"),
        ]
    )
    table[key] = value
    return said


@mistake
def key_that_is_none(raw, chance):
    name, site = site_of(raw, chance)
    line, ends = line_of(raw, chance)
    table, key, said = chance.choice(
        [(raw, "profil", "profil"), (site, "vip", f"site.{name}.vip"),
         (ends, "end", f"line.{line}.end"), (raw["tunnel"], "proposal", "tunnel.proposal")]
    )  # fmt: skip
    table[key] = "x"
    return said


@mistake
def key_left_out(raw, chance):
    name, site = site_of(raw, chance)
    key = chance.choice(["networks", "vips", "gateways"])
    del site[key]
    return f"site.{name}.{key}"


@mistake
def override_that_breaks_the_mirror(raw, chance):
    line = next(iter(raw["line"]))
    tables, said = chance.choice(
        [
            ({"respond": {"allow": ["192.0.2.0/24"]}}, "respond.allow"),
            ({"respond": {"listen": ["192.0.2.2:7"]}}, "respond.listen"),
            ({"pair": {"priority": 10}}, "pair.priority"),
            ({"pair": {"key_file": "/root/key"}}, "pair.key_file"),
            ({"pair": {"link": {"lan": {"peer": "10.1.0.9"}}}}, "pair.link.lan.peer"),
            ({"node": {"name": "other"}}, "node.name"),
            ({"path": {line: {"probe": {"line": {"host": "192.0.2.9"}}}}}, "probe.line.host"),
            ({"path": {line: {"probe": {"line": {"port": 7038}}}}}, "probe.line.port"),
            ({"path": {line: {"probe": {"tunnel": {"source": "::1"}}}}}, "probe.tunnel.source"),
            ({"action": {"gateway": {"addresses": ["10.1.0.9/16"]}}}, "gateway.addresses"),
        ]
    )
    name, site = site_of(raw, chance)
    gateway = next(iter(site["gateways"]))
    if chance.random() < 0.5:
        raw["havpn"] = tables
        return f"havpn.{next(iter(tables))}"
    table_of(site, gateway)["havpn"] = tables
    assert said.split(".")[0] in str(tables)
    return f"site.{name}.gateways.{gateway}.havpn"


@mistake
def table_that_the_daemon_refuses(raw, chance):
    name, value, said = chance.choice(
        [
            ("notifier", {"log": {"type": "sislog"}}, "notifier.log"),
            ("notifier", {"log": {}}, "notifier.log"),
            ("notifier", {"Log": {"type": "syslog"}}, "notifier.Log"),
            ("notifier", {"hook": {"type": "webhook", "uri": "https://x"}}, "notifier.hook"),
            ("metrics", {"listen": ["9713"]}, "metrics"),
            ("metrics", {"port": 9713}, "metrics.port"),
            ("metrics", {"listen": ["10.1.255.252:9713"]}, "metrics.listen"),
            ("plugins", {"enable": "foo"}, "plugins.enable"),
            ("plugins", {"enable": ["no-such-plugin"]}, "plugins.enable"),
            ("havpn", {"paths": {}}, "havpn.paths"),
            ("havpn", {"node": {"realtime": 100}}, "havpn.node.realtime"),
            ("havpn", {"node": "x"}, "havpn.node"),
            ("havpn", {"respond": {"rat": 1.0}}, "havpn.respond.rat"),
        ]
    )  # fmt: skip
    raw[name] = value
    return said
