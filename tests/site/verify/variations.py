"""Site files that are good, as many as wanted: names, families, modes, lines, policies differ."""

import copy

NAMES = [
    ("a", "b", ("gw-aa", "gw-ab"), ("gw-ba", "gw-bb"), ("line1", "line2")),
    ("tokyo", "osaka", ("tk1", "tk2"), ("os1", "os2"), ("east", "west")),
    ("HQ", "branch-7", ("hq-gw.example.com", "hq-gw2.example.com"), ("b7a", "b7b"), ("dsl", "lte")),
    ("north", "south", ("n-1", "n-2"), ("s-1", "s-2"), ("vpn1", "vpn2")),
]
LANS = [  # network, own addresses, VIP: of each site
    (("10.1.0.0/16", "10.1.255.252", "10.1.255.253", "10.1.255.254"),
     ("10.31.0.0/24", "10.31.0.251", "10.31.0.252", "10.31.0.254")),
    (("192.168.10.0/24", "192.168.10.2", "192.168.10.3", "192.168.10.1"),
     ("192.168.11.0/24", "192.168.11.2", "192.168.11.3", "192.168.11.1")),
    (("172.16.0.0/20", "172.16.1.1", "172.16.1.2", "172.16.0.1"),
     ("172.16.16.0/28", "172.16.16.2", "172.16.16.3", "172.16.16.1")),
]  # fmt: skip
LANS6 = [
    (("2001:db8:1::/64", "2001:db8:1::2", "2001:db8:1::3", "2001:db8:1::1"),
     ("2001:db8:2::/64", "2001:db8:2::2", "2001:db8:2::3", "2001:db8:2::1")),
    (("fd00:a::/48", "fd00:a::fffc", "fd00:a::fffd", "fd00:a::fffe"),
     ("fd00:b::/48", "fd00:b::fffc", "fd00:b::fffd", "fd00:b::fffe")),
]  # fmt: skip
MORE = [("10.2.0.0/16", "10.3.0.0/16"), ("10.32.0.0/24", "10.33.0.0/25")]
MORE6 = [("2001:db8:a1::/48",), ("2001:db8:b1::/56",)]
ENDS = [
    (("192.0.2.2", "192.0.2.6"), ("198.51.100.2", "198.51.100.6")),
    (("203.0.113.9", "192.0.2.130"), ("198.51.100.77", "8.8.4.4")),
    (("2001:db8:f1::2", "2001:db8:f1:1::2"), ("2001:db8:f2::2", "2001:db8:f2:1::2")),
    (("192.0.2.2", "192.0.2.6"), ("2001:db8:f2::2", "2001:db8:f2:1::2")),
    (("10.200.0.2", "10.201.0.2"), ("100.64.3.4", "198.51.100.6")),
]
ROUTERS = {"192.0.2.2": "192.0.2.1", "192.0.2.6": "192.0.2.5", "198.51.100.2": "198.51.100.1",
           "198.51.100.6": "198.51.100.5", "2001:db8:f1::2": "fe80::1"}  # fmt: skip
POLICIES = [
    {},
    {"ike": "aes256-sha256-modp2048", "esp": "aes256-sha256"},
    {"ike": "aes256gcm16-prfsha384-ecp384", "esp": "aes256gcm16-ecp384-esn"},
    {"ike": "chacha20poly1305-prfsha256-x25519, aes128-sha256-ecp256",
     "esp": "chacha20poly1305,aes128-sha256"},
    {"esp": "aes128gcm128-modp3072"},
    {"ike": "aes256gcm16-prfsha512-x25519-ke1_mlkem768"},
    {"ike": "default", "esp": "default"},
]  # fmt: skip
NOTIFIERS = [
    {},
    {"log": {"type": "syslog"}},
    {"log": {"type": "syslog"}, "hook": {"type": "webhook", "url": "https://example.net/havpn"}},
]


def figure():
    """Give the article's figure."""
    return {
        "site": {
            "a": {
                "networks": ["10.1.0.0/16"],
                "vips": ["10.1.255.254"],
                "gateways": {"gw-aa": "10.1.255.252", "gw-ab": "10.1.255.253"},
            },
            "b": {
                "networks": ["10.31.0.0/24"],
                "vips": ["10.31.0.254"],
                "gateways": {"gw-ba": "10.31.0.251", "gw-bb": "10.31.0.252"},
            },
        },
        "line": {
            "line1": {"ends": {"gw-aa": "192.0.2.2", "gw-ba": "192.0.2.6"}},
            "line2": {"ends": {"gw-ab": "198.51.100.2", "gw-bb": "198.51.100.6"}},
        },
    }


def good(chance):
    """Give a good file.

    :param chance: a seeded generator.
    """
    one, other, gateways, far_gateways, line_names = chance.choice(NAMES)
    made = {"site": {}, "line": {}}
    families = chance.choice(["4", "4", "6", "46"])
    lans, lans6 = chance.choice(LANS), chance.choice(LANS6)
    many = chance.choice([0, 0, 1, 2])
    authority = chance.random() < 0.3
    for index, (name, members) in enumerate([(one, gateways), (other, far_gateways)]):
        given = [lans[index]] * ("4" in families) + [lans6[index]] * ("6" in families)
        made["site"][name] = _site(chance, given, members, authority=authority)
        site = made["site"][name]
        if "4" in families:
            site["networks"] += MORE[index][:many]
        if "6" in families and many:
            site["networks"] += MORE6[index]
    made["line"] = _lines(chance, (gateways, far_gateways), line_names, made)
    if authority:
        made["tunnel"] = {"auth": "certificate", "authority": "ca.pem"}
    made.setdefault("tunnel", {}).update(chance.choice(POLICIES))
    _sizes(chance, made)
    _rest(chance, made)
    return made


def _site(chance, given, members, *, authority):
    site = {
        "networks": [network for network, *_ in given],
        "vips": [_maybe_with_length(chance, vip, network) for network, _, _, vip in given],
        "mode": chance.choice(["pair", "heartbeat", "pacemaker"]),
        "gateways": {},
    }
    for index, name in enumerate(members):
        lan = [each[1 + index] for each in given]
        table = {"lan": lan[0] if len(lan) == 1 else lan}
        if authority:
            table["certificate"] = f"{name}.pem"
        if chance.random() < 0.2:
            table["priority"] = [200, 20][index]
        if chance.random() < 0.2:
            table["wan_device"] = "eth1.100"
        plain = list(table) == ["lan"] and isinstance(table["lan"], str)
        site["gateways"][name] = table["lan"] if plain else table
    if chance.random() < 0.3:
        site["serial"] = "/dev/ttyS0"
    if chance.random() < 0.3:
        first = given[0][1]
        site["witnesses"] = [_next_to(first, 4), _next_to(first, 5)]
    if chance.random() < 0.3:
        site["lan_device"], site["wan_device"] = "enp1s0", "enp2s0"
    if site["mode"] == "pair":
        site["preempt"] = chance.choice(["auto", "delay", "manual"])
    return site


def _maybe_with_length(chance, address, network):
    return f"{address}/{network.partition('/')[2]}" if chance.random() < 0.2 else address


def _next_to(address, number):
    head, sign, _ = address.rpartition(":" if ":" in address else ".")
    return f"{head}{sign}{number}"


def _lines(chance, gateways, names, made):
    """Give both lines; a stream may begin at an end whose address nobody knows."""
    ends = copy.deepcopy(chance.choice(ENDS))
    near, far = gateways
    far = far[::-1] if chance.random() < 0.15 else far
    made["line_probe"] = chance.choice(["stream", "stream", "echo"])
    found = {}
    for index, name in enumerate(names):
        first, second = ends[index]
        line = {"ends": {near[index]: first, far[index]: second}}
        known = {gateway: ROUTERS.get(address) for gateway, address in line["ends"].items()}
        if all(known.values()) and chance.random() < 0.5:
            line["routers"] = known
        if made["line_probe"] == "stream" and chance.random() < 0.25:
            loose = chance.choice([near, far])[index]
            line["ends"][loose] = chance.choice(["dynamic", f"{loose.split('.')[0]}.example.net"])
            line.pop("routers", None)
        if chance.random() < 0.3:
            line["provider"] = f"Provider {index + 1}"
        found[name] = line
    return found


def _sizes(chance, made):
    mtu = chance.choice([None, None, 1492, 1480, 9000, 1400, 1280])
    if mtu is None:
        return
    for line in made["line"].values():
        line["mtu"] = mtu
    if chance.random() < 0.5:
        made["tunnel"]["size"] = min(1500, mtu - 120)


def _rest(chance, made):
    made["profile"] = chance.choice(["fast", "balanced", "article"])
    if chance.random() < 0.3 and made["profile"] != "article":
        made["false_switches"] = "1/1000h"
    if made["line_probe"] == "stream" and chance.random() < 0.3:
        made["interval"] = "20ms"
    made["notifier"] = copy.deepcopy(chance.choice(NOTIFIERS))
    if chance.random() < 0.3:
        made["metrics"] = {"listen": ["127.0.0.1:9713"]}
    if chance.random() < 0.3:
        made["render"] = {"conntrackd": True, "cluster": "pcs"}
    if chance.random() < 0.2:
        made["havpn"] = {"node": {"realtime": 10}, "respond": {"total_rate": 20000.0}}
