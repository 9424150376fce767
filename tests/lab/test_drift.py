"""Four real gateways with what ``havpn site render`` makes, edited by hand: drift is found.

The gateways' own file trees are compared, and the same once more over ``ssh``, in whose place a
script of this test enters the host: there is no sshd in the lab.
"""

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from havpn_core.cli.sites.diff import diff
from havpn_core.cli.sites.new import new
from havpn_core.cli.sites.render import render
from havpn_core.site.drift.connections import connections_of
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.daemons.supervisor import environment
from havpn_core.testing.lab.hosts.inside import EVERY, entry

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

GATEWAYS = ("gw-aa", "gw-ab", "gw-ba", "gw-bb")
HAVPN, SWANCTL = "/etc/havpn/havpn.toml", "/etc/swanctl/conf.d/havpn.conf"
PAIR_KEY, CONNECTIONS = "/etc/havpn/pair.key", "/run/havpn/list-conns"
SSH = """#!/bin/sh
# A stand-in for ssh: it enters the host of the lab that has this name.
while [ "$1" != -- ]; do shift; done
export PATH={path}
export PYTHONPATH={python}
case $2 in
{cases}
esac
"""


class Site:
    """The rendered tree on the four hosts, with the daemons that run it."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder
        self.file = folder / "site.toml"
        self.trees = folder / "out"
        self.live = folder / "live"
        self.live.mkdir()
        self.command(new, "-f", str(self.file))
        self.secrets = ("--secrets", str(folder / "secrets"))
        self.command(render, "-f", str(self.file), "--out", str(self.trees), *self.secrets)
        self.daemons = {}
        for name in GATEWAYS:
            (self.live / name).symlink_to(lab.hosts[name].root)
            self.carry(name)
            self.daemons[name].start()
        for daemon in self.daemons.values():
            daemon.wait_for(lambda s: s["state"] == "running", 30, "the first status")

    def command(self, command, *words):
        ended = CliRunner().invoke(command, words)
        assert ended.exit_code == 0, ended.output
        return ended.output

    def carry(self, name):
        """Write the rendered tree to a host and load its tunnel; no other tunnel is there."""
        host, tree = self.lab.hosts[name], self.trees / name
        host.run("sh", "-c", "rm -f /etc/swanctl/conf.d/*.conf")
        for file in sorted(each for each in tree.rglob("*") if each.is_file()):
            path, mode = f"/{file.relative_to(tree)}", file.stat().st_mode & 0o777
            host.write(path, file.read_text(), mode)
        text = (tree / HAVPN[1:]).read_text()
        self.daemons[name] = self.daemons.get(name) or self.lab.supervisor(name, text)
        self.load(name)

    def load(self, name):
        self.lab.hosts[name].run("swanctl", "--load-all", "--noprompt")

    def edit(self, name, path, before, after):
        host = self.lab.hosts[name]
        text = host.read(path)
        assert before in text
        host.write(path, text.replace(before, after), 0o600)

    def reload(self, name):
        daemon = self.daemons[name]
        before = daemon.status()["config"]["digest"]
        daemon.command("reload", timeout=90)
        daemon.wait_for(lambda s: s["config"]["digest"] != before, 20, "another digest")

    def diff(self, *words):
        """Compare; gives the gateways, places and kinds of all differences."""
        for name in GATEWAYS:
            host = self.lab.hosts[name]
            raw = host.run("swanctl", "--list-conns", "--raw").stdout
            host.write(CONNECTIONS, raw)
        options = words or ("--live", str(self.live))
        ended = CliRunner().invoke(diff, ["-f", str(self.file), *options, *self.secrets, "--json"])
        found = json.loads(ended.output)
        assert ended.exit_code == (1 if found["differences"] else 0)
        assert found["unseen"] == []
        for key in (self.folder / "secrets").glob("*.key"):
            secret = key.read_text().splitlines()[-1]
            assert secret not in ended.output
        return [(each["gateway"], each["place"], each["what"]) for each in found["differences"]]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with TwoSite() as lab:
        made = Site(lab, tmp_path_factory.mktemp("site"))
        yield made
        for daemon in made.daemons.values():
            daemon.stop()


@pytest.fixture
def ssh(site, tmp_path, monkeypatch):
    """Put the stand-in on the PATH, with havpn where it is looked for."""
    cases = "\n".join(
        f'{name}) exec {" ".join(entry(site.lab.hosts[name].pid, *EVERY))} sh -c "$3" ;;'
        for name in GATEWAYS
    )
    own = Path(sys.executable).parent
    text = SSH.format(
        path=f"{own}:/usr/sbin:/usr/bin:/sbin:/bin",
        python=environment()["PYTHONPATH"],
        cases=cases,
    )
    (tmp_path / "ssh").write_text(text)
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    # A busy machine takes its time to start three programs on each of four hosts.
    monkeypatch.setattr("havpn_core.site.live.remote.CALL_S", 90)


def test_what_was_carried_over_and_loaded_is_no_drift(site):
    assert site.diff() == []
    raw = site.lab.hosts["gw-aa"].read(CONNECTIONS)
    (connection,) = connections_of(raw).values()
    assert connection.at("children").sections, raw


def test_it_is_none_over_ssh_either(site, ssh):
    assert site.diff("--ssh") == []


def test_edits_by_hand_are_found_and_gone_once_it_is_carried_over_again(site, ssh):
    for name in GATEWAYS:
        wait_for(lambda name=name: site.daemons[name].is_running(), 5, f"havpn on {name}")
    site.edit("gw-aa", HAVPN, 'preempt = "auto"', 'preempt = "manual"')
    assert site.diff() == [("gw-aa", HAVPN, "changed")]
    site.reload("gw-aa")
    assert site.diff() == [("gw-aa", HAVPN, "changed"), ("gw-aa", "status", "status")]
    secret = site.lab.hosts["gw-ab"].read(PAIR_KEY).splitlines()[-1]
    site.edit("gw-ab", PAIR_KEY, secret, "ab" * 32)
    near = site.lab.hosts["gw-ba"].read(SWANCTL)
    selector = next(line for line in near.splitlines() if "local_ts" in line)
    site.edit("gw-ba", SWANCTL, selector, "        local_ts = 10.99.0.0/24")
    site.load("gw-ba")
    site.lab.hosts["gw-bb"].run("rm", "/etc/sysctl.d/60-havpn.conf")
    site.lab.hosts["gw-bb"].run("cp", "-a", HAVPN, "/etc/havpn/havpn-old.toml")
    site.daemons["gw-bb"].stop()
    (tunnel,) = connections_of(site.lab.hosts["gw-ba"].run(
        "swanctl", "--list-conns", "--raw").stdout)  # fmt: skip
    wanted = [
        ("gw-aa", HAVPN, "changed"),
        ("gw-aa", "status", "status"),
        ("gw-ab", PAIR_KEY, "secret"),
        ("gw-ba", SWANCTL, "changed"),
        ("gw-ba", f"tunnel {tunnel}", "tunnel"),
        ("gw-bb", "/etc/havpn/havpn-old.toml", "additional"),
        ("gw-bb", "/etc/sysctl.d/60-havpn.conf", "missing"),
        ("gw-bb", "status", "status"),
    ]
    assert sorted(site.diff()) == wanted
    assert sorted(site.diff("--ssh")) == wanted
    site.lab.hosts["gw-bb"].run("rm", "/etc/havpn/havpn-old.toml")
    for name in GATEWAYS:
        site.carry(name)
    site.reload("gw-aa")
    site.daemons["gw-bb"].start()
    site.daemons["gw-bb"].wait_for(lambda s: s["state"] == "running", 30, "it to run again")
    assert site.diff() == site.diff("--ssh") == []


def test_a_gateway_without_a_network_is_one_difference_over_ssh(site, ssh, tmp_path):
    script = (tmp_path / "ssh").read_text()
    (tmp_path / "ssh").write_text(script.replace("gw-ab) exec", "gw-ab) exit 255; exec"))
    assert site.diff("--ssh") == [("gw-ab", "gateway", "unreachable")]
