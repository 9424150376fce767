"""The agent on a real node with a real supervisor; only the cluster's attribute daemon is a script.

Each row of the table of exit codes, then Pacemaker's own executor, ocf-tester and ocft.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from havpn_core.testing.lab import wait_for
from tests.ocf.conftest import AGENT, CONFIG, PLACE, UPDATER

pytestmark = pytest.mark.lab
REPO = Path(__file__).parents[2]


def test_start_monitor_stop(node):
    assert node.agent("monitor", path="vpn1") == (7, "")
    assert node.agent("start", path="vpn1") == (0, "")
    assert set(node.asked()) == {"-n havpn-vpn1 -B 1 -d 0"}, "once more if the status changed"
    assert node.status().state == "running"
    assert node.agent("monitor", path="vpn1") == (0, "")
    again = set(node.asked())
    assert again == {"-n havpn-vpn1 -B 1 -d 0"}, "on every monitor: attrd may have died"
    assert node.agent("start", path="vpn1")[0] == 0
    pid = node.status().pid
    assert node.agent("stop", path="vpn1") == (0, "")
    assert "-n havpn-vpn1 -D" in node.asked()
    assert not Path(f"{node.host.root}/proc/{pid}").exists()
    assert node.agent("stop", path="vpn1") == (0, "")
    assert node.agent("monitor", path="vpn1") == (7, "")


def test_the_score_beside_the_attribute(node):
    """The action writes it in between, and the cluster forgets both with the supervisor."""
    cluster = CONFIG.replace("action.nothing", "action.cluster")
    cluster = cluster[: cluster.index('type = "exec"')] + 'type = "pacemaker"\n'
    node.host.write("/etc/havpn/havpn.toml", cluster, 0o600)
    node.agent("start", path="vpn1")
    wait_for(lambda: "-n havpn-score -B 200 -d 0" in node.asked(), 10, "the action's own")
    assert "score vpn1 200\n" in node.brief()
    node.asked()
    assert node.agent("monitor", path="vpn1") == (0, "")
    written = [line for line in node.asked() if "havpn-vpn1" in line]
    assert written == ["-n havpn-vpn1 -B 1 -d 0", "-n havpn-vpn1-score -B 200 -d 0"]
    node.line.cut()
    wait_for(lambda: "score vpn1 0\n" in node.brief(), 10, "the score of a dead line")
    wait_for(lambda: "-n havpn-score -B 0 -d 0" in node.asked(), 10, "the action's own")
    pid = node.status().pid
    node.signal("KILL")
    wait_for(lambda: not Path(f"{node.host.root}/proc/{pid}").exists(), 5, "its end")
    node.asked()
    node.agent("monitor", path="vpn1")
    assert node.asked() == ["-n havpn-vpn1 -D", "-n havpn-vpn1-score -D"]


def test_all_paths_unless_some_are_named(node):
    assert node.agent("start")[0] == 0
    assert set(node.asked()[-2:]) == {"-n havpn-vpn1 -B 1 -d 0", "-n havpn-vpn2 -B 1 -d 0"}


def test_a_line_that_dies_and_recovers(node):
    node.agent("start", path="vpn1")
    node.line.cut()
    wait_for(lambda: "path vpn1 down 0" in node.brief(), 10, "down")
    node.asked()
    assert node.agent("monitor", path="vpn1") == (0, ""), "the agent does what it should"
    # The daemon, too, may just have written it.
    assert set(node.asked()) == {"-n havpn-vpn1 -B 0 -d 0"}
    assert node.agent("monitor", path="vpn1", fail_on_down="yes") == (1, "path vpn1 is down")
    assert node.agent("monitor", path="vpn1", degraded="1") == (190, "path vpn1 is down")
    node.line.heal()
    wait_for(lambda: "path vpn1 recovering 0" in node.brief(), 10, "recovering")
    assert node.agent("monitor", path="vpn1") == (0, "")
    found = node.agent("monitor", path="vpn1", degraded="true")
    assert found == (190, "path vpn1 is recovering")
    wait_for(lambda: node.status().paths["vpn1"].verdict == "up", 10, "up")


def test_a_dead_supervisor_leaves_no_attribute(node):
    node.agent("start", path="vpn1")
    pid = node.status().pid
    node.signal("KILL")
    wait_for(lambda: not Path(f"{node.host.root}/proc/{pid}").exists(), 5, "its end")
    node.asked()
    status, reason = node.agent("monitor", path="vpn1")
    assert status == 1
    assert reason == f"the supervisor (process {pid}) is dead"
    assert node.asked() == ["-n havpn-vpn1 -D"]
    assert node.agent("stop", path="vpn1") == (0, "")
    assert node.agent("start", path="vpn1") == (0, ""), "as Pacemaker recovers it"


def test_a_hanging_supervisor_is_found_out_and_stopped_all_the_same(node):
    node.agent("start", path="vpn1")
    node.signal("STOP")
    time.sleep(2.5)
    status, reason = node.agent("monitor", path="vpn1", max_age=1)
    assert status == 1
    assert "hangs" in reason
    assert "-n havpn-vpn1 -D" in node.asked()
    began = time.monotonic()
    assert node.agent("stop", path="vpn1", CRM_meta_timeout=5000) == (0, "")
    assert time.monotonic() - began < 5


def test_a_supervisor_that_somebody_stopped_is_not_running(node):
    node.agent("start", path="vpn1")
    node.signal("TERM")
    wait_for(lambda: node.status().state == "stopped", 5, "its end")
    time.sleep(0.3)
    assert node.agent("monitor", path="vpn1")[0] == 7


def test_only_watching(node):
    status, reason = node.agent("start", path="vpn1", manage="no", CRM_meta_timeout=2000)
    assert status == 1
    assert "no supervisor works with /run/havpn" in reason
    node.agent("start", path="vpn1")
    assert node.agent("start", path="vpn1", manage="no") == (0, "")
    pid = node.status().pid
    assert node.agent("stop", path="vpn1", manage="no") == (0, "")
    assert Path(f"{node.host.root}/proc/{pid}").exists()
    assert node.agent("start", path="vpn1") == (0, "")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"path": "a/b"}, "parameter path"),
        ({"attribute": "has space"}, "parameter attribute"),
        ({"dampen": "soon"}, "parameter dampen"),
        ({"max_age": "0"}, "parameter max_age"),
        ({"up_value": "yes"}, "parameter up_value"),
        ({"manage": "perhaps"}, "parameter manage"),
        ({"config": "here.toml"}, "absolute"),
        ({"path": "$(touch /run/hit) `touch /run/hit` '"}, "parameter path"),
    ],
)
def test_parameters_that_are_wrong_everywhere(node, wrong, words):
    for action in ("validate-all", "start"):
        status, reason = node.agent(action, **wrong)
        assert status == 6
        assert words in reason
    assert node.agent("monitor", **wrong) == (7, "")
    assert node.agent("stop", **wrong) == (0, "")
    assert node.host.run("test", "-e", "/run/hit", check=False).returncode == 1


def test_what_this_node_lacks(node):
    missing = {"config": "/etc/havpn/nowhere.toml"}
    assert node.agent("validate-all", **missing) == (0, ""), "level 0 does not look at the node"
    for action, level in (("validate-all", "10"), ("start", None)):
        status, reason = node.agent(action, level=level, **missing)
        assert status == 5
        assert "/etc/havpn/nowhere.toml" in reason
    assert node.agent("start", binary="no-such-havpn")[0] == 5
    assert node.agent("monitor", **missing) == (7, "")
    assert node.agent("stop", **missing) == (0, "")


def test_a_configuration_that_cannot_be_used_is_said_in_its_own_words(node):
    node.host.write("/etc/havpn/havpn.toml", "[path.vpn1]\nfall = 0\n", 0o600)
    status, reason = node.agent("start", path="vpn1")
    assert status == 1
    assert "the supervisor ended at once: " in reason
    assert "path.vpn1" in reason
    assert node.agent("stop", path="vpn1") == (0, "")


def test_a_path_that_is_not_configured(node):
    status, reason = node.agent("start", path="vpn1 vpn7")
    assert status == 1
    assert "no path vpn7" in reason
    assert node.agent("monitor", path="vpn1") == (7, "")


def test_reload_takes_other_parameters_over_and_leaves_no_attribute_behind(node):
    node.agent("start", path="vpn1")
    pid = node.status().pid
    node.asked()
    assert node.agent("reload-agent", path="vpn2", attribute="line-", dampen=3) == (0, "")
    assert node.asked() == ["-n line-vpn2 -B 1 -d 3", "-n havpn-vpn1 -D"]
    assert node.status().pid == pid
    assert node.agent("monitor", path="vpn2", attribute="line-") == (0, "")


def test_stop_needs_neither_package_nor_configuration(node):
    node.agent("start", path="vpn1")
    pid = node.status().pid
    node.host.run("rm", "/etc/havpn/havpn.toml")
    text = node.host.read(AGENT)
    gone = text.replace(PLACE["PYTHONPATH"], "/gone")
    gone = "\n".join(
        "python='/gone/bin/python'" if line.startswith("python=") else line
        for line in text.splitlines()
    )
    node.host.write(AGENT, gone + "\n", 0o755)
    try:
        assert node.agent("monitor", path="vpn1") == (0, "")
        assert node.agent("stop", path="vpn1") == (0, "")
        assert not Path(f"{node.host.root}/proc/{pid}").exists()
        assert node.agent("monitor", path="vpn1") == (7, "")
        node.host.write("/etc/havpn/havpn.toml", "", 0o600)
        status, reason = node.agent("start", path="vpn1")
        assert status == 5
        assert "run havpn ocf install again" in reason
    finally:
        node.host.write(AGENT, text, 0o755)


def test_an_unknown_action(node):
    assert node.agent("promote")[0] == 3
    assert node.agent("")[0] == 3


def test_what_an_operator_forces_is_told_instead_of_the_line(node):
    node.agent("start", path="vpn1")
    node.havpn("switch", "--to", "standby")
    wait_for(lambda: "path vpn1 up 0" in node.brief(), 10, "the forced role")
    node.asked()
    assert node.agent("monitor", path="vpn1")[0] == 0
    assert set(node.asked()) == {"-n havpn-vpn1 -B 0 -d 0"}
    node.havpn("switch", "--to", "auto")


def test_a_decision_that_falls_while_the_monitor_writes_is_not_undone(node):
    """The cluster's daemon is slow, and meanwhile the line dies: what is written last is true."""
    node.agent("start", path="vpn1")
    node.asked()
    slow = "#!/bin/sh\nsleep 1.5\n" + 'echo "$*" >>/run/fake/asked\n'
    node.host.write("/run/fake/attrd_updater", slow, 0o755)
    try:
        with ThreadPoolExecutor(1) as pool:
            monitor = pool.submit(node.agent, "monitor", path="vpn1")
            time.sleep(0.3)
            node.line.cut()
            monitor.result()
        assert node.asked() == ["-n havpn-vpn1 -B 1 -d 0", "-n havpn-vpn1 -B 0 -d 0"]
    finally:
        node.host.write("/run/fake/attrd_updater", UPDATER, 0o755)


CIB = """
<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.0"
     crm_feature_set="3.16.0">
<configuration>
<crm_config/><nodes/>
<resources>
<primitive id="line" class="ocf" provider="havpn" type="link">
<instance_attributes id="line-p">
<nvpair id="line-p1" name="path" value="vpn1"/>
</instance_attributes>
<operations><op id="line-s" name="start" interval="0" timeout="30s"/></operations>
</primitive>
</resources>
<constraints/>
</configuration>
<status/>
</cib>
"""


def test_pacemakers_own_executor_runs_it(node):
    node.host.write("/run/cib.xml", CIB)

    def force(verb):
        argv = ("crm_resource", "-r", "line", verb)
        env = {**PLACE, "CIB_file": "/run/cib.xml"}
        done = node.host.run(*argv, timeout=60, check=False, env=env)
        return done.returncode, done.stdout + done.stderr

    assert force("--validate")[0] == 0
    assert force("--force-check")[0] == 7
    assert force("--force-start")[0] == 0
    assert force("--force-check")[0] == 0
    node.signal("KILL")
    time.sleep(0.2)
    status, said = force("--force-check")
    assert status == 1
    assert "is dead" in said
    assert force("--force-stop")[0] == 0
    assert force("--force-check")[0] == 7


def test_both_shells_describe_it(node):
    crm = node.host.run("crm", "ra", "info", "ocf:havpn:link", timeout=60, env=PLACE)
    assert "dampen" in crm.stdout
    pcs = node.host.run("pcs", "resource", "describe", "ocf:havpn:link", timeout=60, env=PLACE)
    assert "dampen" in pcs.stdout


def test_ocf_tester_has_no_complaint(node):
    argv = ("ocf-tester", "-n", "tried", "-o", "path=vpn1", AGENT)
    done = node.host.run(*argv, timeout=90, check=False, env=PLACE)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "passed all tests" in said


def test_ocft_cases(node):
    cases = (REPO / "ocf" / "ocft" / "link").read_text()
    node.host.write("/run/ocft/link", cases)
    # It keeps its files in /var/lib and wants its provider's agent there, both private to a host.
    script = "cd /run && ocft make -d /run/ocft link && ocft test -v link"
    done = node.host.run("sh", "-c", script, timeout=110, check=False, env={**os.environ, **PLACE})
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("Checking") >= 8 or said.count("OK") >= 8, said
    assert "FAILED" not in said, said
