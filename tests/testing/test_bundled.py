"""Every bundled plugin keeps the contract of its kind; a new one cannot be forgotten."""

import os
import pty
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from havpn_core import Role
from havpn_core.cli.grade import words
from havpn_core.grading import evidence
from havpn_core.grading.criteria import Grade
from havpn_core.grading.evidence import Evidence
from havpn_core.grading.judging import judge
from havpn_core.grading.package import of_name
from havpn_core.plugging.registry import Registry
from havpn_core.testing import (
    check_action_type,
    check_link_type,
    check_notifier_type,
    check_probe_type,
)
from havpn_core.testing.lab import GATEWAYS, Host
from havpn_core.testing.lab.daemons.conntrackd import Conntrackd
from havpn_core.testing.lab.hosts import leftovers
from havpn_core.testing.lab.hosts.host import end_hosts, start_hosts
from havpn_core.testing.lab.hosts.network import connect, set_up
from tests.plugins.notifiers.service_world import Mail, Web
from tests.plugins.probes.charon_world import charon_in_thread, child, ike
from tests.plugins.probes.test_stream import keeps_the_contract

REGISTRY = Registry.load()
TYPES = {(kind, each.name): each for kind in ("probe", "action", "notifier", "link")
         for each, _ in REGISTRY.types(kind)}  # fmt: skip
CASES = {}


def case(kind, name):
    def note(function):
        CASES[kind, name] = function
        return function

    return note


@pytest.mark.parametrize(("kind", "name"), sorted(TYPES))
def test_contract(kind, name, tmp_path, monkeypatch):
    """The contract is kept, and with that the plugin is gold by what can be seen of it."""
    assert (kind, name) in CASES, (
        f"add a case for the {kind} type {name} to tests/testing/test_bundled.py"
    )
    noted = Path(os.environ.get(evidence.VARIABLE) or tmp_path / "contracts")
    monkeypatch.setenv(evidence.VARIABLE, str(noted))
    CASES[kind, name](TYPES[kind, name], tmp_path)
    shown = evidence.read(noted)
    assert (kind, name) in shown, "the whole contract was not checked"
    supplier = next(record for each, record in REGISTRY.types(kind) if each.name == name)
    report = judge(of_name(supplier.name, REGISTRY), Evidence(None, shown))
    assert report.grade is Grade.GOLD, words(report)


@pytest.mark.parametrize(("kind", "name"), sorted(TYPES))
def test_each_option_says_what_it_is(kind, name):
    from havpn_core.config.describe import options_of

    undescribed = [o.name for o in options_of(TYPES[kind, name].config) if not o.description]
    assert not undescribed


class Echo:
    """A process that echoes UDP datagrams and accepts TCP connections on loopback."""

    PROGRAM = """
import socket, threading
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0))
t = socket.create_server(("127.0.0.1", 0))
print(u.getsockname()[1], t.getsockname()[1], flush=True)
def accept():
    while True:
        t.accept()[0].close()
threading.Thread(target=accept, daemon=True).start()
while True:
    data, peer = u.recvfrom(2048)
    u.sendto(data, peer)
"""

    def __enter__(self):
        argv = [sys.executable, "-I", "-S", "-c", self.PROGRAM]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        self.udp, self.tcp = map(int, self.process.stdout.readline().split())
        return self

    def __exit__(self, *problem):
        self.process.kill()
        self.process.wait()


def silent_port():
    """Bind a port that nobody answers from; the socket must be kept."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made


@case("probe", "udp-echo")
def _(kind, folder):
    with Echo() as far, silent_port() as silent:
        check_probe_type(
            kind,
            reachable={"host": "127.0.0.1", "port": far.udp},
            unreachable={"host": "127.0.0.1", "port": silent.getsockname()[1]},
            hostile=[{"host": "127.0.0.1", "port": 0}, {"host": "127.0.0.1", "size": 10**6}],
        )


@case("probe", "tcp")
def _(kind, folder):
    with Echo() as far, silent_port() as unused:
        check_probe_type(
            kind,
            reachable={"host": "127.0.0.1", "port": far.tcp},
            unreachable={"host": "127.0.0.1", "port": unused.getsockname()[1]},
            hostile=[{"host": "127.0.0.1", "port": 70000}],
        )


@case("probe", "icmp")
def _(kind, folder):
    check_probe_type(
        kind,
        reachable={"host": "127.0.0.1"},
        unreachable={"host": "127.0.0.1", "source": "192.0.2.77"},
        hostile=[{"host": "127.0.0.1", "size": -1}],
    )


ARP_IN_HOST = """
from havpn_core.plugging.registry import Registry
from havpn_core.testing import check_probe_type
for near, nobody in (("192.0.2.2", "192.0.2.3"), ("2001:db8::2", "2001:db8::3")):
    check_probe_type(
        Registry.load().get("probe", "arp"),
        reachable={"device": "lan", "host": near},
        unreachable={"device": "lan", "host": nobody},
        hostile=[
            {"device": "lan", "host": "gateway.example"},
            {"device": "lan", "host": "224.0.0.1"},
            {"device": "lan", "host": "::"},
            {"device": "lan", "host": "fe80::1%lan"},
            {"device": "", "host": "192.0.2.2"},
        ],
        timeout_s=0.3,
    )
"""


@case("probe", "arp")
def _(kind, folder):
    if os.geteuid() != 0:
        pytest.skip("needs root: THE CONTRACT OF arp WAS NOT CHECKED")
    place = leftovers.open_folder()
    hosts: dict[str, Host] = {}
    try:
        hosts = start_hosts(("near", "far"), place)
        connect(hosts["near"], "lan", hosts["far"], "lan")
        for name, number in (("near", 1), ("far", 2)):
            set_up(hosts[name], [(f"192.0.2.{number}/24", "lan")])
            six = ("ip", "address", "add", f"2001:db8::{number}/64", "dev", "lan", "nodad")
            hosts[name].run_in_network(*six)
        hosts["near"].run(sys.executable, "-c", ARP_IN_HOST, timeout=60)
    finally:
        end_hosts(hosts.values())


@case("probe", "stream")
def _(kind, folder):
    key = folder / "line.key"
    key.write_text("11" * 32 + "\n")
    key.chmod(0o600)
    keeps_the_contract(kind, str(key))


@case("probe", "exec")
def _(kind, folder):
    check_probe_type(
        kind,
        reachable={"command": ["true"]},
        unreachable={"command": ["sh", "-c", "exit 2"]},
        hostile=[{"command": []}],
    )


@case("probe", "ipsec")
def _(kind, folder):
    path = folder / "charon.vici"
    with charon_in_thread(str(path), [ike(child())]):
        check_probe_type(
            kind,
            reachable={"child": "lans", "socket": str(path), "local_ts": ["10.1.0.0/16"]},
            unreachable={"child": "other", "socket": str(path)},
            hostile=[
                {"child": "lans", "local_ts": ["10.1.0.5/16"]},
                {"child": "lans", "remote_ts": ["lan"]},
                {"child": "lans", "socket": "tcp://127.0.0.1:4502"},
                {"child": ""},
            ],
        )


@case("action", "exec")
def _(kind, folder):
    file = folder / "role"
    check_action_type(
        kind,
        config={
            "active": ["sh", "-c", f"echo active >{file}"],
            "standby": ["sh", "-c", f"echo standby >{file}"],
            "observe": ["cat", str(file)],
        },
        held=lambda: Role(file.read_text().strip()),
        hostile=[{"active": [], "standby": ["true"]}],
    )


@case("action", "ocf")
def _(kind, folder):
    check_action_type(
        kind,
        config={"agent": "ocf:heartbeat:Dummy", "params": {"state": str(folder / "state")}},
        held=lambda: Role.ACTIVE if (folder / "state").exists() else Role.STANDBY,
        hostile=[{"agent": "Dummy"}],
    )


def command(folder, name, script):
    """Write a program, and give its path."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


UPDATER = """
while [ $# -gt 0 ]; do
    case $1 in
    -n) name=$2; shift ;;
    -B) echo "$2" >"{folder}/$name" ;;
    -Q) [ -e "{folder}/$name" ] || exit 105
        echo "name=\\"$name\\" host=\\"here\\" value=\\"$(cat "{folder}/$name")\\"" ;;
    esac
    shift
done
"""


@case("action", "pacemaker")
def _(kind, folder):
    """With commands that keep the attribute in a file; a cluster: tests/lab/test_pacemaker.py."""
    command(folder, "crm_node", "echo here")
    command(folder, "attrd_updater", UPDATER.format(folder=folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        check_action_type(
            kind,
            config={},
            held=lambda: [Role.STANDBY, Role.ACTIVE][int((folder / "havpn").read_text())],
            hostile=[{"mode": "maybe"}, {"dampen": -1}, {"attribute": "a b"}, {"up_value": 0}],
        )


@case("action", "heartbeat")
def _(kind, folder):
    """With three scripts; a real heartbeat: tests/plugins/actions/test_heartbeat_real.py."""
    runs = folder / "runs"
    said = "heartbeat OK [pid 4711 et al] is running on here [here]..."
    check_action_type(
        kind,
        config={
            "control": "init",
            "init_script": command(
                folder, "init", f"case $1 in start) touch {runs} ;; stop) rm -f {runs} ;; esac"
            ),
            "daemon": command(
                folder, "daemon", f"if [ -e {runs} ]; then echo '{said}'; else "
                "echo heartbeat is stopped. No process; exit 3; fi"
            ),
            "cl_status": command(folder, "cl_status", f"[ -e {runs} ]"),
            "config_dir": str(folder),
        },
        held=lambda: Role.ACTIVE if runs.exists() else Role.STANDBY,
        hostile=[{"mode": "maybe"}, {"control": "by hand"}],
    )  # fmt: skip


IN_HOST = """
import subprocess, sys
from pathlib import Path
from havpn_core import Role
from havpn_core.cli.grade import words
from havpn_core.grading import evidence
from havpn_core.grading.criteria import Grade
from havpn_core.grading.evidence import Evidence
from havpn_core.grading.judging import judge
from havpn_core.grading.package import of_name
from havpn_core.plugging.registry import Registry
from havpn_core.testing import check_action_type
def held():
    shown = subprocess.run(["ip", "-br", "address", "show", "lan"], capture_output=True, text=True)
    return Role.ACTIVE if "192.0.2.9" in shown.stdout else Role.STANDBY
check_action_type(
    Registry.load().get("action", "alias-arp"),
    config={"device": "lan", "addresses": ["192.0.2.9/24", "2001:db8::9/64"]},
    held=held,
    hostile=[{"device": "lan", "addresses": ["nonsense"]}, {"device": "", "addresses": ["::1/64"]}],
    more={"run_dir": Path("/run")},
)
"""


@case("action", "alias-arp")
def _(kind, folder):
    if os.geteuid() != 0:
        pytest.skip("needs root: THE CONTRACT OF alias-arp WAS NOT CHECKED")
    place = leftovers.open_folder()
    hosts: dict[str, Host] = {}
    try:
        hosts = start_hosts(("solo",), place)
        host = hosts["solo"]
        host.run_in_network("ip", "link", "add", "lan", "type", "veth", "peer", "name", "end")
        for name in ("lan", "end"):
            host.run_in_network("ip", "link", "set", name, "up")
        host.run(sys.executable, "-c", IN_HOST, timeout=60)
    finally:
        end_hosts(hosts.values())


CONNTRACKD = """
from havpn_core.plugging.registry import Registry
from havpn_core.testing import check_action_type
from havpn_core.testing.lab.daemons.conntrackd import CONFIG
check_action_type(
    Registry.load().get("action", "conntrackd"),
    config={"config": CONFIG},
    hostile=[{"command": ""}, {"config": ""}, {"command": ["conntrackd"]}],
    observes=False,
)
"""


@case("action", "conntrackd")
def _(kind, folder):
    if os.geteuid() != 0:
        pytest.skip("needs root: THE CONTRACT OF conntrackd WAS NOT CHECKED")
    place = leftovers.open_folder()
    hosts: dict[str, Host] = {}
    try:
        hosts = start_hosts(("gw-aa",), place)
        host = hosts["gw-aa"]
        host.run_in_network("ip", "link", "add", "lan", "type", "veth", "peer", "name", "end")
        for name in ("lan", "end"):
            host.run_in_network("ip", "link", "set", name, "up")
        host.run_in_network("ip", "address", "add", str(GATEWAYS["gw-aa"].lan), "dev", "lan")
        states = Conntrackd(host)
        states.configure()
        states.start()
        host.run(sys.executable, "-c", CONNTRACKD, timeout=60)
    finally:
        end_hosts(hosts.values())


@case("notifier", "exec")
def _(kind, folder):
    file = folder / "told"
    check_notifier_type(
        kind,
        config={"command": ["sh", "-c", f"echo $HAVPN_MESSAGE >>{file}"]},
        delivered=lambda: len(file.read_text().splitlines()) if file.exists() else 0,
        failing={"command": ["sleep", "60"]},
        hostile=[{"command": []}, {"command": ["true"], "only": ["gossip"]}],
        timeout_s=2.0,
    )


@case("notifier", "syslog")
def _(kind, folder):
    path = folder / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as log:
        log.bind(str(path))
        got = []

        def delivered():
            while True:
                try:
                    got.append(log.recv(4096))
                except BlockingIOError:
                    return len(got)

        check_notifier_type(
            kind,
            config={"socket": str(path)},
            delivered=delivered,
            failing={"socket": str(folder / "nowhere")},
        )


@case("notifier", "webhook")
def _(kind, folder):
    with Web() as web, silent_port() as unused:
        check_notifier_type(
            kind,
            config={"url": web.url},
            delivered=lambda: len(web.requests),
            failing={"url": f"http://127.0.0.1:{unused.getsockname()[1]}/"},
            hostile=[{"url": "here"}, {"url": web.url, "only": ["gossip"]}],
            timeout_s=2.0,
        )


@case("notifier", "smtp")
def _(kind, folder):
    people = {"host": "127.0.0.1", "from": "gw@example.com", "to": ["ops@example.com"]}
    with Mail() as mail, silent_port() as unused:
        check_notifier_type(
            kind,
            config=people | {"port": mail.port, "tls": "none"},
            delivered=lambda: len(mail.mails),
            failing=people | {"port": unused.getsockname()[1], "tls": "none"},
            hostile=[people | {"to": []}, people | {"tls": "some"}],
            timeout_s=2.0,
        )


@case("link", "udp")
def _(kind, folder):
    with silent_port() as free:
        port = free.getsockname()[1]
    check_link_type(
        kind,
        ends=(
            {"local": "127.0.0.1", "peer": "127.0.0.2", "port": port},
            {"local": "127.0.0.2", "peer": "127.0.0.1", "port": port},
        ),
        hostile=[
            {"local": "here", "peer": "127.0.0.2"},
            {"local": "x" * 100, "peer": "127.0.0.2"},
        ],
    )


CABLE = """
import os, pty, selectors, sys, termios, tty
ends = [pty.openpty() for _ in range(2)]
for master, slave in ends:
    tty.setraw(slave)
print(*(os.ttyname(slave) for _, slave in ends), flush=True)
picker = selectors.DefaultSelector()
for (master, _), (other, _) in (ends, ends[::-1]):
    picker.register(master, selectors.EVENT_READ, other)
while True:
    for key, _ in picker.select():
        os.write(key.data, os.read(key.fd, 4096))
"""


@case("link", "serial")
def _(kind, folder):
    assert pty
    argv = [sys.executable, "-I", "-S", "-c", CABLE]
    cable = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        left, right = cable.stdout.readline().split()
        time.sleep(0.1)
        check_link_type(
            kind,
            ends=({"device": left}, {"device": right}),
            hostile=[{"device": left, "baud": 7}],
        )
    finally:
        cable.kill()
        cable.wait()
