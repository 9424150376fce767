"""``havpn doctor`` in the two-site network: a healthy gateway has nothing, each defect is found."""

import json
import time

import pytest

from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.daemons.strongswan import CHILD, VICI
from havpn_core.testing.lab.daemons.supervisor import CONFIG
from havpn_core.testing.lab.gateways import pair_config, start_pairs
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SERIAL_DEVICE, SITE_A

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
SHARED = str(SITE_A.shared.ip)
KINDS = f"""
[path.line.probe.sa]
type = "ipsec"
child = "{CHILD}"
watches = "tunnel"
socket = "unix://{VICI}"
[path.line.probe.echo]
type = "udp-echo"
host = "{{far}}"
device = "wan"
"""


def around(name):
    return KINDS.format(far=GATEWAYS[GATEWAYS[name].far].wan.ip)


@pytest.fixture(scope="module")
def lab():
    with TwoSite() as network:
        yield network


@pytest.fixture(scope="module")
def daemons(lab):
    return start_pairs(lab, stream=True, around=around)


@pytest.fixture(scope="module")
def texts():
    return {name: pair_config(name, stream=True, around=around) for name in GATEWAYS}


def doctor(daemon, text=None):
    """Run it on a gateway, with another file if one is given."""
    file = CONFIG if text is None else "/etc/havpn/tried.toml"
    if text is not None:
        daemon.host.write(file, text, 0o600)
    found = json.loads(daemon.command("doctor", "-c", file, "--json", timeout=60, check=False))
    return found["findings"]


def of_level(findings, level):
    return {each["subject"]: each for each in findings if each["level"] == level}


def healthy(findings):
    """See that nothing is broken, and that each kind of thing was tried."""
    assert of_level(findings, "failed") == {}
    # The clock of the machine that the lab runs on may be unsynchronised.
    assert set(of_level(findings, "warning")) <= {"clock"}
    probes = {f"path.line.probe.{name}" for name in ("echo", "line", "tunnel", "sa")}
    links = {"pair.link.cable", "pair.link.lan"}
    others = {"lan", "wan", SHARED, "net.ipv4.ip_forward", "action.gateway", "capabilities"}
    assert probes | links | others <= set(of_level(findings, "ok"))


def broken(findings, **expected):
    """See that these subjects are broken, and no others, each with its words and a remedy."""
    found = of_level(findings, "failed")
    for each in found.values():
        assert each["remedy"]
    said = {subject: f"{each['text']}: {each['remedy']}" for subject, each in found.items()}
    for subject, words in expected.items():
        assert words in said.pop(subject, ""), (subject, found.get(subject))
    return said


def test_a_healthy_gateway_has_nothing_beside_its_daemon_which_notices_nothing(lab, daemons):
    since = time.time()
    owners = lab.holders("a"), lab.holders("b")
    for name in ("gw-aa", "gw-ab"):
        healthy(doctor(daemons[name]))
    assert (lab.holders("a"), lab.holders("b")) == owners
    said = [event for each in daemons.values() for event in each.events(since=since)]
    assert said == []


def test_what_breaks_beside_a_running_daemon_is_found(lab, daemons, texts):
    host, client = lab.hosts["gw-ab"], lab.hosts["client-2"]
    host.run("sysctl", "-w", "net.ipv4.ip_forward=0")
    client.run("ip", "address", "add", f"{SHARED}/32", "dev", "lan")
    lab.tunnels["gw-ab"].drop()
    lab.cables["a"].pull()
    daemons["gw-ab"].wait_until(
        lambda s: not s.pair.links["cable"].alive and s.pair.troubles, 10, "the pulled cable"
    )
    text = texts["gw-ab"].replace('host = "198.51.100.6"\ndevice', 'host = "no.invalid"\ndevice')
    text += '[notifier.pager]\ntype = "exec"\ncommand = ["/usr/bin/no-such-pager"]\n'
    try:
        found = doctor(daemons["gw-ab"], text)
    finally:
        lab.cables["a"].plug()
        client.run("ip", "address", "del", f"{SHARED}/32", "dev", "lan")
        host.run("sysctl", "-w", "net.ipv4.ip_forward=1")
        lab.tunnels["gw-ab"].restart()
        lab.tunnels["gw-ab"].initiate()
    others = broken(
        found,
        **{
            "net.ipv4.ip_forward": "sysctl -w net.ipv4.ip_forward=1",
            SHARED: "several hosts reply for it",
            "path.line.probe.sa": f"swanctl --initiate --child {CHILD}",
            "path.line.probe.tunnel": "see whether the tunnel is up",
            "path.line.probe.echo.host": "name not resolved",
            "notifier.pager": "/usr/bin/no-such-pager",
            "pair": "check its cable",
        },
    )
    assert others == {}


@pytest.fixture
def stopped(lab, daemons):
    """The daemon of the gateway that stands by at site a, stopped in order."""
    daemons["gw-ab"].stop()
    yield daemons["gw-ab"]
    daemons["gw-ab"].start()
    daemons["gw-ab"].wait_verdict("line", "up", 30)


def test_without_a_daemon_a_healthy_gateway_has_nothing_and_nobody_moves(lab, daemons, stopped):
    def heard():
        status = daemons["gw-bb"].read_status()
        return status.paths["line"].probes["line"].facts["received"]

    # What the stopped gateway sent last may stand in a status that is yet to be written.
    time.sleep(3)
    before, since, owners = heard(), time.time(), (lab.holders("a"), lab.holders("b"))
    healthy(doctor(stopped))
    assert (lab.holders("a"), lab.holders("b")) == owners
    # Neither the far gateway nor the partner takes it for a gateway that is back.
    assert heard() == before
    said = [e for name in ("gw-aa", "gw-bb") for e in daemons[name].events(since=since)]
    moved = [each for each in said if each["kind"] in ("verdict", "role")]
    back = [each for each in said if each["after"] == "partner back"]
    assert (moved, back) == ([], []), said


def test_wrong_keys_and_what_is_not_there_are_found_without_a_daemon(lab, stopped, texts):
    for name in ("other-pair", "other-line"):
        stopped.host.write(f"/etc/havpn/{name}.key", "a5" * 32, 0o600)
    text = texts["gw-ab"]
    for old, new in {
        "havpn/pair.key": "havpn/other-pair.key",
        "havpn/line-vpn2.key": "havpn/other-line.key",
        'carrier = ["wan", "lan"]': 'carrier = ["wan", "dsl0"]',
        SERIAL_DEVICE: "/dev/ttyS77",
        '"198.51.100.2:7"': '"198.51.100.99:7"',
    }.items():
        assert old in text
        text = text.replace(old, new)
    others = broken(
        doctor(stopped, text),
        **{
            "pair.link.lan": "another key signed: copy pair.key_file",
            "path.line.probe.line": "no key of /etc/havpn/other-line.key signed",
            "dsl0": "correct path.line.carrier",
            "pair.link.cable": "/dev/ttyS77 is not there",
            "198.51.100.99": "correct respond.listen",
        },
    )
    assert set(others) == {"respond.listen 198.51.100.99:7"}


def test_own_address_device_and_far_ports_that_are_closed_are_found(lab, daemons, stopped):
    daemons["gw-bb"].stop()
    stopped.host.run("ip", "address", "del", "10.1.255.253/16", "dev", "lan")
    try:
        found = doctor(stopped)
    finally:
        stopped.host.run("ip", "address", "add", "10.1.255.253/16", "dev", "lan")
        daemons["gw-bb"].start()
        daemons["gw-bb"].wait_verdict("line", "up", 30)
    others = broken(
        found,
        **{
            "path.line.probe.echo": "nobody listens on that port",
            "path.line.probe.line": "nobody listens on UDP port 7037",
            "10.1.255.253": "no interface has this address",
            "action.gateway": "no address of its own in 10.1.0.0/16",
        },
    )
    # They rest on the same address.
    assert set(others) <= {
        "path.line.probe.tunnel", "pair.link.lan", "respond.listen 10.1.255.253:7"
    }  # fmt: skip
