"""Pacemaker's alerts become events."""

import pytest
from click.testing import CliRunner

from havpn_core.cli.alert import alert
from havpn_core.pacemaker.alerts import event_of


def event(kind, **more):
    return event_of({"CRM_alert_kind": kind, "CRM_alert_node": "gw-aa"}
                    | {f"CRM_alert_{name}": value for name, value in more.items()})  # fmt: skip


@pytest.mark.parametrize(
    ("found", "text", "severity"),
    [
        (event("node", desc="lost"), "cluster gw-aa: lost", "warning"),
        (event("node", desc="member"), "cluster gw-aa: member", "info"),
        (event("fencing", rc="0", desc="reboot"), "cluster gw-aa: fenced (reboot)", "warning"),
        (event("fencing", rc="1", desc="no"), "cluster gw-aa: fencing failed (no)", "error"),
        (
            event("resource", rsc="ip", task="start", rc="0", target_rc="0", desc="ok"),
            "cluster gw-aa: ip start (ok)",
            "info",
        ),
        (
            event("resource", rsc="ip", task="monitor", rc="7", target_rc="0", desc="not running"),
            "cluster gw-aa: ip monitor failed (not running)",
            "error",
        ),
        (
            event("attribute", attribute_name="havpn-vpn", attribute_value="0"),
            "cluster gw-aa: havpn-vpn=0",
            "info",
        ),
        (event("attribute", attribute_name="x"), "cluster gw-aa: x=not set", "info"),
        (event("news"), "cluster gw-aa: news", "info"),
    ],
)
def test_each_kind(found, text, severity):
    assert (str(found), found.severity, found.node) == (text, severity, "gw-aa")


def test_a_monitor_that_succeeds_is_no_news():
    assert event("resource", rsc="ip", task="monitor", rc="0", target_rc="0") is None


CONFIG = """
[node]
run_dir = "{folder}"
state_dir = "{folder}"
[path.vpn]
[path.vpn.probe.echo]
type = "udp-echo"
host = "192.0.2.6"
[action.nothing]
type = "exec"
active = ["true"]
standby = ["true"]
[notifier.file]
type = "exec"
command = {command}
"""


@pytest.fixture
def config(tmp_path):
    def write(command):
        file = tmp_path / "alert.toml"
        file.write_text(CONFIG.format(folder=tmp_path, command=command))
        file.chmod(0o600)
        return str(file)

    return write


def run(file, *arguments, **environment):
    env = {"CRM_alert_kind": "node", "CRM_alert_node": "gw-aa", "CRM_alert_desc": "lost"}
    env |= {"CRM_alert_recipient": file} | environment
    return CliRunner().invoke(alert, list(arguments), env=env)


def test_the_notifiers_of_the_recipient_are_told(config, tmp_path):
    told = tmp_path / "told"
    command = f'["/bin/sh", "-c", "echo $HAVPN_MESSAGE >>{told}"]'
    ended = run(config(command))
    assert ended.exit_code == 0, ended.output
    assert told.read_text() == "cluster gw-aa: lost\n"
    told.unlink()
    assert run("ops@example.org", "-c", config(command)).exit_code == 0
    assert told.exists()


def test_a_notifier_that_fails_is_named_and_the_status_says_so(config):
    ended = run(config('["/bin/false"]'))
    assert ended.exit_code == 1
    assert "notifier.file" in ended.output


def test_by_hand_it_says_who_is_to_run_it(config):
    ended = CliRunner().invoke(alert, [], env={"CRM_alert_kind": None})
    assert ended.exit_code == 2
    assert "Pacemaker is to run this" in ended.output
