"""A live daemon that is unfit, with an action that sees in a file whether another serves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from havpn_core.echo.silence import MAINTENANCE
from havpn_core.rules.cluster.road import OFF, TROUBLE
from tests.core.daemon import TEMPLATE, Daemon
from tests.core.test_silent_daemon import RESPOND
from tests.ports import free_port

PROGRAM = Path(__file__).with_name("unfit_gateway.py")
PLUGIN = """
import os
import msgspec
from havpn_core import ActionType, Role, hookimpl

class Options(msgspec.Struct):
    folder: str

class Cluster:
    def __init__(self, options, context):
        self.folder, self.place = options.folder, None
    def read(self, name):
        try:
            with open(f"{self.folder}/{name}") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""
    async def apply(self, role, timeout_s):
        with open(f"{self.folder}/role.new", "w") as file:
            print(role.value, file=file)
        os.replace(f"{self.folder}/role.new", f"{self.folder}/role")
        with open(f"{self.folder}/calls", "a") as file:
            print(role.value, file=file)
    async def observe(self):
        return Role(self.read("role"))
    async def partner_serves(self, timeout_s):
        self.place = int(self.read("turn") or 0)
        return {"yes": True, "no": False}.get(self.read("partner"))
    def turn(self):
        return self.place
    def advises(self):
        return self.read("advice") == "yes"
    async def close(self):
        pass

@hookimpl
def havpn_register_actions():
    yield ActionType("cluster", "", Options, Cluster)
"""
CONFIG = (
    TEMPLATE.partition("[action")[0]
    + '[action.gateway]\ntype = "cluster"\nfolder = "{dir}"\n[plugins]\nenable = ["seeing"]\n{more}'
)
ROAD = """
[path.vpn1.probe.far]
type = "exec"
watches = "road"
command = ["/bin/sh", "-c", "test -e {dir}/far || exit 2"]
"""
REASON = "forwarding of IPv4 is off"


class Gateway(Daemon):
    def __init__(self, folder):
        info = folder / "havpn_seeing-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-seeing\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[havpn]\nseeing = havpn_seeing\n")
        (folder / "havpn_seeing.py").write_text(PLUGIN)
        super().__init__(folder)

    def configure(self, node="", path="", more=""):
        self.file.write_text(CONFIG.format(dir=self.dir, node=node, path=path, more=more))

    def launch(self):
        self.since = self.now()
        with (self.dir / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM), "run", "-c", str(self.file)],
                env={**os.environ, "PYTHONPATH": f"{self.dir}:{Path.cwd()}"},
                stdout=log,
                stderr=log,
            )

    def put(self, **files):
        for name, text in files.items():
            draft = self.dir / f".{name}"
            draft.write_text(text)
            draft.rename(self.dir / name)

    def become(self, *, unfit):
        self.since = self.now()
        file = self.dir / "run" / "unfit"
        if unfit:
            draft = self.dir / ".unfit"
            draft.write_text(REASON)
            draft.rename(file)
        else:
            file.unlink()

    def usable(self):
        lines = (self.dir / "run" / "status.brief").read_text().splitlines()
        return next(line.split()[3] for line in lines if line.startswith("path vpn1"))


@pytest.fixture
def gateway(tmp_path):
    made = Gateway(tmp_path)
    made.put(partner="yes")
    made.start()
    made.wait_verdict("up")
    made.wait_role("active")
    yield made
    made.end(signal.SIGKILL)


def stays(gateway):
    """Wait for the report that it stays, and one more look."""
    event = gateway.wait_event("role", "unfit")
    time.sleep(1.5)
    assert gateway.role == "active"
    assert gateway.usable() == "1"
    return event["detail"]


def well(status):
    """Whether the road is watched, which a status from before the reload does not say, and OK."""
    road = status.paths["vpn1"].road
    return bool(road) and road.verdict == "ok"


def watch_road(gateway):
    gateway.configure(more=ROAD.format(dir=gateway.dir))
    gateway.havpn("reload")
    gateway.wait(well, "a road that is well")


def test_it_withdraws_for_one_that_serves_and_comes_back(gateway):
    gateway.become(unfit=True)
    status = gateway.wait_role("standby")
    assert status.role.reason == f"{REASON}; another gateway serves"
    assert status.paths["vpn1"].verdict == "up"
    gateway.wait(lambda _: gateway.usable() == "0", "the word for the agent")
    gateway.become(unfit=False)
    gateway.wait_role("active")
    assert gateway.usable() == "1"
    assert gateway.calls == ["standby", "active"]


@pytest.mark.parametrize(
    ("partner", "why"),
    [
        ("no", "no other gateway is seen serving"),
        ("?", "whether another gateway serves is not known"),
    ],
)
def test_it_stays_and_says_so_if_nobody_is_seen_serving(gateway, partner, why):
    gateway.put(partner=partner)
    gateway.become(unfit=True)
    assert stays(gateway) == f"{REASON}; this gateway stays: {why}"
    gateway.put(partner="yes")
    gateway.wait_role("standby")


def test_another_goes_first(gateway):
    gateway.put(turn="1")
    gateway.become(unfit=True)
    assert "another goes first" in stays(gateway)
    gateway.put(partner="no")
    time.sleep(5)
    assert gateway.role == "active"
    assert gateway.calls == []


def test_it_comes_back_when_the_other_has_gone(gateway):
    gateway.become(unfit=True)
    gateway.wait_role("standby")
    gateway.put(partner="no")
    gateway.wait_role("active")
    assert "no other gateway" in stays(gateway)


def test_a_restart_changes_nothing(gateway):
    gateway.become(unfit=True)
    gateway.wait_role("standby")
    gateway.end(signal.SIGKILL)
    gateway.start()
    gateway.wait_verdict("up")
    time.sleep(3)
    assert gateway.status().role.reason == f"{REASON}; another gateway serves"
    assert gateway.calls == ["standby"]


def test_a_boot_that_made_it_active_counts_anew(gateway):
    gateway.become(unfit=True)
    gateway.wait_role("standby")
    gateway.end()
    gateway.put(role="active\n", partner="no")
    gateway.start()
    gateway.wait_role("active")
    stays(gateway)
    assert gateway.calls == ["standby"]


def test_fitness_goes_before_force_and_a_pause_before_both(gateway):
    gateway.havpn("pause")
    gateway.become(unfit=True)
    assert "paused" in gateway.wait_event("role", "unfit")["detail"]
    time.sleep(1.5)
    assert gateway.role == "active"
    gateway.havpn("resume")
    gateway.wait_role("standby")
    gateway.havpn("switch", "--to", "active")
    gateway.wait_event("role", "forced to active")
    time.sleep(1)
    assert gateway.role == "standby"
    assert gateway.usable() == "0"
    gateway.become(unfit=False)
    gateway.wait_role("active")


def test_a_line_that_is_down_moves_it_as_ever(gateway):
    gateway.put(partner="no")
    gateway.cut()
    gateway.wait_role("standby")


def test_a_road_that_fails_while_the_line_is_well_makes_it_go(gateway):
    gateway.put(far="replies")
    watch_road(gateway)
    gateway.since = gateway.now()
    (gateway.dir / "far").unlink()
    status = gateway.wait_role("standby")
    assert status.role.reason == f"{TROUBLE}; another gateway serves"
    status = gateway.wait(lambda s: s.paths["vpn1"].road.probing == "slow", "probes from standby")
    assert status.paths["vpn1"].road.stance == OFF
    assert gateway.usable() == "0"
    time.sleep(7)
    assert gateway.role == "standby", "the end of the probes under the role is no end of the fault"
    gateway.since = gateway.now()
    gateway.put(far="replies")
    gateway.wait_event("road", "on the road again: it replied, or a trial is due")
    gateway.wait_role("active")
    assert gateway.usable() == "1"


def test_a_road_that_fails_where_nobody_else_serves_is_reported(gateway):
    gateway.put(far="replies", partner="no")
    watch_road(gateway)
    gateway.since = gateway.now()
    (gateway.dir / "far").unlink()
    assert stays(gateway) == f"{TROUBLE}; this gateway stays: no other gateway is seen serving"


def test_a_line_that_is_down_is_no_failure_of_the_road(gateway):
    gateway.put(far="replies")
    watch_road(gateway)
    (gateway.dir / "far").unlink()
    gateway.cut()
    status = gateway.wait(lambda s: s.role.observed == "standby", "the standby")
    assert "path vpn1 down" in status.role.reason


def test_one_that_its_cluster_may_keep_is_silent_only_while_another_is_seen_serving(gateway):
    gateway.put(advice="yes", partner="no")
    gateway.configure(more=RESPOND.format(port=free_port(), more=""))
    gateway.havpn("reload")
    gateway.since = gateway.now()
    gateway.havpn("switch", "--to", "standby")
    gateway.wait_role("standby")
    assert "goes on replying" in gateway.wait_event("role", "kept")["detail"]
    time.sleep(1.5)
    assert gateway.status().respond.silence == ""
    gateway.put(partner="yes")
    gateway.wait(lambda s: s.respond.silence == MAINTENANCE, "the silence")
    gateway.put(partner="?")
    gateway.wait(lambda s: s.respond.silence == "", "the replies")
    gateway.put(partner="yes")
    gateway.wait(lambda s: s.respond.silence == MAINTENANCE, "the silence")
    gateway.havpn("switch", "--to", "auto")
    gateway.wait_role("active")
    assert gateway.status().respond.silence == ""
