"""Each command says what it did; a damping hold begins, shows, and is ended by one of them."""

import signal
import socket
import subprocess
import sys

import pytest

from havpn_core.daemon.requests import SOCKET, request
from havpn_core.errors import HavpnError
from tests.core.daemon import Daemon


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path, path="damping = true")
    yield made
    made.end(signal.SIGKILL)


def said(daemon, *command):
    done = daemon.havpn(*command)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_commands_say_what_they_did(daemon):
    daemon.start().wait_role("active")
    up = "(path vpn1 up)"
    assert said(daemon, "pause") == (
        "Paused: this gateway stays active whatever its paths do, until havpn resume."
    )
    assert said(daemon, "pause").startswith("It was paused already: this gateway stays active ")
    assert said(daemon, "resume") == f"Resumed: this gateway is active {up}."
    assert said(daemon, "resume") == f"It was not paused: this gateway is active {up}."
    named = [event["after"] for event in daemon.events("daemon")]
    assert named[-2:] == ["paused", "resumed"], "what changes nothing is no event"
    forced = said(daemon, "switch", "--to", "standby", "--for", "10m")
    assert forced.startswith("Forced to standby until 2")
    assert forced.endswith(" (in 10m): this gateway is standby.")
    assert daemon.role == "standby"
    begun = daemon.wait_event("role", "forced to standby")
    assert begun["detail"].endswith(" (in 10m)")
    assert said(daemon, "switch", "--to", "auto") == f"Back to auto: this gateway is active {up}."
    daemon.wait_event("role", "override ended")
    idle = said(daemon, "switch", "--to", "auto")
    assert idle == f"No role was forced: this gateway is active {up}."
    file = daemon.file
    assert said(daemon, "reload") == (
        f"Reloaded {file}: nothing has changed. This gateway is active {up}."
    )
    file.write_text(file.read_text().replace("fall = 3", "fall = 4"))
    assert said(daemon, "reload").startswith(f"Reloaded {file}: changed: path vpn1. This gateway ")
    assert daemon.wait_event("daemon", "reloaded")["detail"] == "nothing has changed"


def test_an_override_expires_with_an_event(daemon):
    daemon.start().wait_role("active")
    said(daemon, "switch", "--to", "standby", "--for", "1s")
    over = daemon.wait_event("role", "override expired")
    assert over["before"] == "forced to standby" and "the time is over" in over["detail"]
    daemon.wait_role("active")


def test_a_damping_hold_is_an_event_and_clear_ends_it(daemon):
    daemon.start().wait_role("active")
    daemon.cut()
    daemon.wait_role("standby")
    assert daemon.events("path") == [], "one fall is no flapping"
    daemon.heal()
    daemon.wait_role("active")
    daemon.cut()
    begun = daemon.wait_event("path", "damping hold begun")
    assert (begun["subject"], begun["severity"]) == ("vpn1", "warning")
    assert begun["detail"].endswith("havpn switch --to auto --clear ends the hold")
    daemon.heal()
    daemon.wait(lambda s: s.paths["vpn1"].streak >= 10, "as many replies as it takes to be up")
    assert daemon.role == "standby"
    assert said(daemon, "switch", "--to", "auto", "--clear").endswith(
        " The hold of path vpn1 is over: up again as soon as the line replies for long enough."
    )
    over = daemon.wait_event("path", "damping hold over")
    assert (over["before"], over["detail"]) == ("damping hold begun", "an operator ended it")
    daemon.wait_role("active")
    assert said(daemon, "switch", "--to", "auto", "--clear").endswith(
        " No path was held by damping; all flaps are forgotten."
    )
    assert len(daemon.events("path")) == 2


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--to", "standby", "--clear"), "--clear goes with --to auto, not with --to standby"),
        (("--to", "auto", "--for", "5m"), "--for goes with --to standby and --to active"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(daemon, options, problem):
    refused = daemon.havpn("switch", *options)
    assert refused.returncode == 2 and problem in refused.stderr


def test_a_command_without_a_daemon_says_what_to_do(daemon):
    refused = daemon.havpn("pause")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"havpn: no daemon runs with the run_dir {daemon.dir}/run: start it (systemctl start "
        "havpn), or name its file with -c\n"
    )


@pytest.mark.parametrize("text", [None, "[node", "[node]\nrun_dir = 7\n"])
@pytest.mark.parametrize(
    "command", ["status", "status --check", "events", "pause", "switch --to auto"]
)
def test_a_named_file_that_cannot_be_read_stands_for_no_other_gateway(tmp_path, command, text):
    """What holds by default may be the daemon of another file, which nobody named."""
    file = tmp_path / "mistyped.toml"
    if text is not None:
        file.write_text(text)
    argv = [sys.executable, "-m", "havpn_core", *command.split(), "-c", file]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == (3 if "--check" in command else 1)
    assert f"{file}: " in ended.stdout + ended.stderr


def test_a_request_that_was_given_up_is_not_carried_out_later(daemon):
    """Who was left without a reply believes that nothing has changed."""
    daemon.start().wait_role("active")
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(HavpnError, match="timed out"):
            request(daemon.dir / "run", 0.3, do="pause")
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    assert said(daemon, "resume").startswith("It was not paused: ")
    assert [each["after"] for each in daemon.events("daemon") if each["after"] == "paused"] == []
    # A sender of release 0.1 does not say how long it waits.
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(daemon.dir / "run" / SOCKET))
        line.sendall(b'{"do": "pause"}\n')
        assert b"Paused: " in line.makefile("rb").readline()
