"""The daemon as a process: real probes, real commands, real signals."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime

import pytest

from tests.core.daemon import Daemon


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path)
    yield made
    made.end(signal.SIGKILL)


def test_a_cut_gives_the_role_up_and_a_heal_takes_it_back(daemon):
    daemon.start().wait_role("active")
    daemon.cut()
    daemon.wait_role("standby")
    daemon.heal()
    daemon.wait_verdict("recovering")
    assert daemon.role == "standby"
    daemon.wait_role("active")
    assert daemon.calls == ["give", "take"]


def test_starting_on_a_good_line_does_nothing(daemon):
    daemon.start().wait_verdict("up")
    time.sleep(0.3)
    assert daemon.calls == []
    assert daemon.events("action") == []


def test_sighup_before_the_start_is_over_and_during_the_end_is_no_end(daemon):
    daemon.configure(node='on_stop = "release"')
    slow = daemon.file.read_text().replace(
        'observe = ["/bin/cat"', f'observe = ["{daemon.dir}/look"'
    )
    daemon.file.write_text(slow)
    daemon.script("look", f"touch {daemon.dir}/looking; sleep 0.5; cat {daemon.dir}/role")
    daemon.script("give", f"touch {daemon.dir}/giving; sleep 0.5; echo standby > {daemon.dir}/role")
    daemon.launch()
    wait_for_file(daemon.dir / "looking")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_event("daemon", "reloaded")
    daemon.process.send_signal(signal.SIGTERM)
    wait_for_file(daemon.dir / "giving")
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.process.wait(timeout=20) == 0
    assert [e["after"] for e in daemon.events("daemon")] == ["started", "reloaded", "stopped"]


def wait_for_file(file):
    until = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < until, f"{file} was never made"
        time.sleep(0.005)


def count_to(daemon, fall, rise):
    daemon.file.write_text(
        re.sub(
            r"fall = \d+\nrise = \d+\n", f"fall = {fall}\nrise = {rise}\n", daemon.file.read_text()
        )
    )


@pytest.mark.parametrize("verdict", ["up", "failing", "down", "recovering"])
def test_kill_9_in_any_verdict_changes_nothing_and_it_still_restores(tmp_path, verdict):
    daemon = Daemon(tmp_path, path="damping = false")
    # What passes soon stays for 30 s here, so that a busy machine meets it.
    count_to(daemon, fall=600 if verdict == "failing" else 5, rise=600)
    try:
        daemon.start().wait_role("active")
        if verdict != "up":
            daemon.cut()
        if verdict in ("down", "recovering"):
            daemon.wait_role("standby")
        if verdict == "recovering":
            daemon.heal()
        daemon.wait_verdict(verdict)
        role, calls = daemon.role, daemon.calls
        daemon.end(signal.SIGKILL)
        daemon.start()
        daemon.wait(lambda s: s.paths["vpn1"].verdict != "unknown", "a verdict")
        assert (daemon.role, daemon.calls) == (role, calls)
        daemon.cut()
        count_to(daemon, fall=3, rise=600)
        assert daemon.havpn("reload").returncode == 0
        daemon.wait_role("standby")
        daemon.wait(lambda s: s.paths["vpn1"].verdict == "down", "the dead line")
        count_to(daemon, fall=3, rise=10)
        assert daemon.havpn("reload").returncode == 0
        daemon.heal()
        daemon.wait_role("active")
        assert daemon.calls == ["give", "take"]
    finally:
        daemon.end(signal.SIGKILL)


def test_kill_9_during_an_action_is_carried_on_by_the_next_run(daemon):
    daemon.script("give", f"echo begun >> {daemon.dir}/calls; sleep 60")
    daemon.start().wait_role("active")
    daemon.cut()
    daemon.wait(lambda s: "begun" in daemon.calls, "the action's begin")
    daemon.end(signal.SIGKILL)
    daemon.script("give", f"echo standby > {daemon.dir}/role; echo give >> {daemon.dir}/calls")
    daemon.start().wait_role("standby")
    daemon.heal()
    daemon.wait_role("active")


def test_a_hung_action_is_killed_reported_and_retried_while_probing_goes_on(daemon):
    daemon.script("give", f"echo begun >> {daemon.dir}/calls; sleep 60")
    daemon.start().wait_role("active")
    daemon.cut()
    first = daemon.wait(lambda s: s.actions["gateway"].failures >= 1, "a failure")
    failed = daemon.wait_event("action", "failed", subject="gateway")
    assert "did not end within 2 s" in failed["detail"]
    before, failures = first.paths["vpn1"].probes["echo"].fail, first.actions["gateway"]
    status = daemon.wait(lambda s: s.actions["gateway"].failures > failures.failures, "a retry")
    # A pause of 1 s and a deadline of 2 s later: 60 samples, a third of them on a busy machine.
    assert status.paths["vpn1"].probes["echo"].fail - before > 20
    daemon.script("give", f"echo standby > {daemon.dir}/role")
    daemon.wait_role("standby")
    assert "next try in" in daemon.log()


def test_a_role_changed_by_hand_is_reported_and_not_fought(daemon):
    daemon.start().wait_role("active")
    daemon.cut()
    daemon.wait_role("standby")
    daemon.heal()
    daemon.wait_role("active")
    (daemon.dir / "role").write_text("standby\n")
    daemon.wait(lambda s: s.actions["gateway"].phase == "overridden", "the report")
    assert daemon.role == "standby"
    assert daemon.havpn("resume").returncode == 0
    daemon.wait_role("active")


def test_pause_and_switch(daemon):
    daemon.start().wait_role("active")
    assert daemon.havpn("pause").returncode == 0
    daemon.cut()
    daemon.wait_verdict("down")
    time.sleep(0.3)
    assert daemon.role == "active"
    assert daemon.status().state == "paused"
    daemon.havpn("resume")
    daemon.wait_role("standby")
    daemon.havpn("switch", "--to", "active", "--for", "1s")
    # For a second only: whether it was active is seen in what the actions did.
    daemon.wait(lambda s: daemon.calls == ["give", "take", "give"], "the way there and back")
    daemon.wait_role("standby")
    refused = daemon.havpn("switch", "--to", "active", "--for", "soon")
    assert refused.returncode == 2
    assert "'soon' is no duration" in refused.stderr
    said = daemon.havpn("switch", "--to", "active", "--for", "90").stdout
    assert said.startswith("Forced to active until ") and " (in 90s): " in said


def test_a_corrupt_state_file_is_set_aside(daemon):
    (daemon.dir / "state").mkdir()
    (daemon.dir / "state" / "state.json").write_text('{"paths": {"vpn1": "do')
    daemon.start().wait_role("active")
    assert list((daemon.dir / "state").glob("state.json.corrupt-*"))
    assert "set aside" in daemon.log()


def test_a_bad_reload_keeps_everything_and_a_good_one_keeps_the_counts(daemon):
    daemon.start().wait_role("active")
    good = daemon.file.read_text()
    daemon.file.write_text(good.replace("fall = 3", "fall = 0"))
    refused = daemon.havpn("reload")
    assert refused.returncode == 1
    assert "path.vpn1.fall: Expected a whole number >= 1" in refused.stderr
    count = daemon.status().paths["vpn1"].probes["echo"].ok
    daemon.file.write_text(good.replace("[action.gateway]", "[notifier.x]\ntype='exec'\n"
                           f"command = ['{daemon.dir}/tell']\n[action.gateway]"))  # fmt: skip
    daemon.script("tell", f'echo "$HAVPN_MESSAGE" >> {daemon.dir}/told')
    assert daemon.havpn("reload").returncode == 0
    status = daemon.wait(lambda s: "x" in s.notifiers, "the notifier")
    assert status.paths["vpn1"].probes["echo"].ok >= count
    daemon.cut()
    daemon.wait_role("standby")
    # A notifier is a process of its own, which nothing waits for.
    daemon.wait(
        lambda s: "role: active -> standby" in (daemon.dir / "told").read_text(), "the news"
    )


def test_a_hanging_notifier_delays_nothing(tmp_path):
    more = f"[notifier.slow]\ntype = 'exec'\ncommand = ['{tmp_path}/tell']\n"
    daemon = Daemon(tmp_path, more=more)
    daemon.script("tell", "sleep 60")
    try:
        daemon.start().wait_role("active")
        daemon.cut()
        daemon.wait_role("standby")
        began, ended = (
            datetime.fromisoformat(daemon.wait_event(kind, word)["at"])
            for kind, word in (("verdict", "down"), ("action", "standby"))
        )
        assert (ended - began).total_seconds() < 5  # the notifier's deadline is 10 s
    finally:
        daemon.end(signal.SIGKILL)


def test_sigstop_is_not_the_lines_fault(daemon):
    daemon.start().wait_role("active")
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(2)
    daemon.process.send_signal(signal.SIGCONT)
    daemon.wait(lambda s: s.paths["vpn1"].late > 0, "the late count")
    time.sleep(0.5)
    assert daemon.calls == []


def test_status_of_a_dead_daemon_says_so(daemon):
    daemon.start().wait_role("active")
    shown = daemon.havpn("status", "--json")
    assert json.loads(shown.stdout)["state"] == "running"
    assert shown.returncode == 0
    daemon.end(signal.SIGKILL)
    shown = daemon.havpn("status", "--json")
    assert json.loads(shown.stdout)["state"] == "stale"
    assert shown.returncode == 0
    assert "THE DAEMON DOES NOT WORK" in daemon.shown()
    checked = daemon.havpn("status", "--check")
    assert checked.returncode == 2
    assert "HAVPN CRITICAL - gw the daemon does not work, its status is" in checked.stdout


def test_sigterm_keeps_the_role_unless_told_to_release(tmp_path):
    daemon = Daemon(tmp_path)
    try:
        daemon.start().wait_role("active")
        daemon.end()
        assert (daemon.role, daemon.status().state) == ("active", "stopped")
        daemon.configure(node='on_stop = "release"')
        daemon.start().wait_role("active")
        daemon.end()
        assert daemon.role == "standby"
    finally:
        daemon.end(signal.SIGKILL)


def test_import_pulls_in_nothing_heavy():
    code = "import havpn_core, sys; print(*(m.partition('.')[0] for m in sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert not {"asyncio", "click", "rich", "psutil"} & set(ended.stdout.split())


def read_out(screen):
    """Let the program at the other end write what it still has to say."""
    with contextlib.suppress(OSError):  # so a terminal ends
        while os.read(screen, 4096):
            pass


def test_status_watch_draws_a_live_table(daemon):
    daemon.start().wait_role("active")
    daemon.wait_verdict("up")
    screen, inside = os.openpty()
    watching = subprocess.Popen(
        [sys.executable, "-m", "havpn_core", "status", "--watch", "-c", str(daemon.file)],
        stdout=inside,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(inside)
    shown = ""
    while "vpn1" not in shown or "up" not in shown.partition("vpn1")[2]:
        assert select.select([screen], [], [], 20)[0], f"no table came: {shown!r}"
        shown += os.read(screen, 4096).decode()
    watching.send_signal(signal.SIGINT)
    drain = threading.Thread(target=read_out, args=(screen,), daemon=True)
    drain.start()
    assert watching.wait(20) == 0
    drain.join(20)
    os.close(screen)


def test_check_names_times_and_what_is_missing(daemon):
    good = daemon.havpn("check")
    assert good.returncode == 0
    assert "detection within 1.15s, within 201ms on a line of 1ms" in good.stdout
    assert "failback within 1.5s, after repeated flaps within 15m more" in good.stdout
    daemon.file.write_text(daemon.file.read_text().replace(f"{daemon.dir}/take", "/nowhere/take"))
    bad = daemon.havpn("check")
    assert bad.returncode == 1
    assert "action.gateway: command /nowhere/take is not there" in bad.stderr


def test_check_warns_of_devices_and_addresses_that_are_not_there(daemon):
    probe = "[path.vpn1.probe.far]\ntype = 'icmp'\nhost = 'x'\n"
    more = f"{probe}device = 'nodev0'\nsource = '192.0.2.77'\n"
    listen = "[respond]\nlisten = ['192.0.2.78:7']\nallow = ['192.0.2.6/32']\n"
    daemon.configure(more=more + listen)
    shown = daemon.havpn("check").stdout
    assert "path.vpn1.probe.far.device: there is no interface nodev0 now" in shown
    assert "path.vpn1.probe.far.source: no interface has the address 192.0.2.77 now" in shown
    assert "respond.listen: no interface has the address 192.0.2.78 now" in shown
    assert "good" not in shown.splitlines()[-1]
    assert "valid, but 3 devices and addresses in it are not on this host now" in shown
