"""One host where Pacemaker's folder of agents is ours, with a far end to watch."""

import json
import sys
from pathlib import Path

import pytest

import havpn_core
from havpn_core.daemon.state.reading import typed
from havpn_core.testing.lab import Line, Supervisor
from havpn_core.testing.lab.line import LEFT, RIGHT

AGENT = "/usr/lib/ocf/resource.d/havpn/link"
CONFIG = f"""
[node]
name = "left"
[path.vpn1]
interval = "50ms"
timeout = "100ms"
fall = 3
rise = 80
damping = false
[path.vpn1.probe.echo]
type = "udp-echo"
host = "{RIGHT}"
[path.vpn2]
interval = "50ms"
[path.vpn2.probe.echo]
type = "udp-echo"
host = "{RIGHT}"
[action.nothing]
type = "exec"
active = ["true"]
standby = ["true"]
"""
FAR = f"""
[node]
name = "right"
[respond]
listen = ["{RIGHT}:7"]
allow = ["{LEFT}/32"]
rate = 1000
"""
# No cluster here; the real ones are in tests/lab/test_pacemaker.py.
UPDATER = '#!/bin/sh\necho "$*" >>/run/fake/asked\n'
TREE = """
set -e
cd /run; mkdir -p resource-agents resource.d/havpn fake havpn
for provider in heartbeat pacemaker; do
    mkdir -p resource.d/$provider
    mount --bind /usr/lib/ocf/resource.d/$provider resource.d/$provider
done
mount --rbind resource.d /usr/lib/ocf/resource.d
"""
PLACE = {
    "OCF_ROOT": "/usr/lib/ocf",
    "OCF_RESOURCE_INSTANCE": "link:0",
    "OCF_RESOURCE_TYPE": "link",
    "OCF_RESOURCE_PROVIDER": "havpn",
    "OCF_RESKEY_CRM_meta_timeout": "20000",
    "PATH": "/run/fake:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "PYTHONPATH": str(Path(havpn_core.__file__).parents[1]),
}


class Node:
    """The host, and the agent in it."""

    def __init__(self, line):
        self.line, self.host = line, line.left
        self.host.run("sh", "-c", TREE)
        self.host.write("/run/fake/attrd_updater", UPDATER, 0o755)
        self.host.write("/etc/havpn/havpn.toml", CONFIG, 0o600)
        self.far = Supervisor(line.right, FAR)
        self.far.start()
        self.havpn("ocf", "install")

    def havpn(self, *arguments, check=True):
        argv = (sys.executable, "-m", "havpn_core", *arguments)
        return self.host.run(*argv, timeout=30, check=check, env=PLACE)

    def agent(self, action, timeout=30, level=None, **parameters):
        """Call the agent; gives its status and its exit reason."""
        env = {**PLACE, **{f"OCF_RESKEY_{name}": str(v) for name, v in parameters.items()}}
        env |= {"OCF_CHECK_LEVEL": level} if level else {}
        done = self.host.run(AGENT, action, timeout=timeout, check=False, env=env)
        reasons = [
            line.removeprefix("ocf-exit-reason:")
            for line in done.stderr.splitlines()
            if line.startswith("ocf-exit-reason:")
        ]
        return done.returncode, "; ".join(reasons)

    def asked(self):
        """Give what the cluster was asked to write since the last call."""
        script = "cat /run/fake/asked 2>/dev/null; rm -f /run/fake/asked"
        return self.host.run("sh", "-c", script).stdout.splitlines()

    def status(self):
        text = Path(f"{self.host.root}/run/havpn/status.json").read_text()
        return typed(json.loads(text))

    def brief(self):
        """Give what the agent itself reads."""
        return Path(f"{self.host.root}/run/havpn/status.brief").read_text()

    def signal(self, name):
        self.host.run("kill", f"-{name}", str(self.status().pid))

    def clean(self):
        self.line.heal()
        self.agent("stop")
        self.host.run(
            "sh", "-c", "rm -rf /run/havpn /var/lib/havpn /run/resource-agents/* /run/fake/asked"
        )
        self.host.write("/etc/havpn/havpn.toml", CONFIG, 0o600)


@pytest.fixture(scope="session")
def the_node():
    with Line() as line:
        yield Node(line)


@pytest.fixture
def node(the_node):
    the_node.clean()
    yield the_node
    the_node.clean()
