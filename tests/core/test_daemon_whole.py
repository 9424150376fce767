"""One daemon a run_dir, one wish at the end, reloads all or nothing, and an end that ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from .daemon import Daemon

PLUGIN = """
import time
import msgspec
from havpn_core import ActionType, NotifierType, ProbeType, Role, Sample, hookimpl
class Options(msgspec.Struct):
    file: str = ""
def log(options, text):
    with open(options.file, "a") as file:
        file.write(text + "\\n")
"""


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path)
    yield made
    made.end(signal.SIGKILL)


def history(daemon):
    """Give every event that reached the history, as (kind, subject, before, after, detail)."""
    lines = (daemon.dir / "state" / "events.jsonl").read_text().splitlines()
    keys = ("kind", "subject", "before", "after", "detail")
    return [tuple(json.loads(line)[key] for key in keys) for line in lines]


def wait_for(condition, what, timeout=20.0):
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, f"{what} did not come"
        time.sleep(0.02)


def run_another(daemon, **more):
    command = [sys.executable, "-m", "havpn_core", "run", "-c", str(daemon.file)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **more)


# --- one daemon a run_dir -----------------------------------------------------------------------


def test_a_second_daemon_is_refused_and_the_first_stays_in_control(daemon):
    daemon.start().wait_verdict("up")
    second = run_another(daemon)
    _, complaint = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"already running as pid {daemon.process.pid}" in complaint
    assert "Traceback" not in complaint
    assert daemon.havpn("pause").returncode == 0
    assert daemon.calls == []


def test_a_start_waits_for_a_daemon_that_is_about_to_end(daemon):
    daemon.start().wait_verdict("up")
    second = run_another(daemon)
    try:
        time.sleep(1)
        daemon.end()
        daemon.wait(lambda s: s.pid == second.pid and s.state == "running", "the second")
        assert daemon.havpn("pause").returncode == 0
    finally:
        second.terminate()
        second.communicate(timeout=20)


def test_a_daemon_that_took_no_lock_is_known_by_its_socket(daemon):
    (daemon.dir / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(daemon.dir / "run" / "control.sock"))
        old.listen()
        second = run_another(daemon)
        _, complaint = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"already running as pid {os.getpid()}" in complaint


def test_a_socket_that_a_killed_daemon_left_keeps_nobody_from_starting(daemon):
    daemon.start().wait_verdict("up")
    daemon.end(signal.SIGKILL)
    began = time.monotonic()
    daemon.start().wait_verdict("up")
    assert time.monotonic() - began < 5


# --- the end ----------------------------------------------------------------------------------


def test_neither_a_verdict_nor_a_force_undoes_the_release_of_a_daemon_that_stops(daemon):
    daemon.configure(node='on_stop = "release"', path="initial = 'up'")
    daemon.script("give", f"sleep 1; echo standby > {daemon.dir}/role; echo give >> "
                          f"{daemon.dir}/calls")  # fmt: skip
    daemon.start().wait_verdict("up")
    daemon.cut()
    daemon.wait(lambda s: s.role.wanted == "standby", "the wish to stand by")
    os.kill(daemon.process.pid, signal.SIGTERM)
    daemon.heal()  # its verdict comes while the daemon waits for the action
    daemon.process.wait(20)
    assert daemon.role == "standby"
    assert daemon.calls[-1] == "give"
    after = [event for event in history(daemon) if event[0] == "role"]
    assert all(event[3] != "active" for event in after[-1:])


def test_a_paused_daemon_releases_when_it_is_to(daemon):
    daemon.configure(node='on_stop = "release"')
    daemon.start().wait_verdict("up")
    assert daemon.havpn("pause").returncode == 0
    daemon.end()
    assert daemon.role == "standby"


def test_the_last_events_reach_the_history(daemon):
    daemon.start().wait_verdict("up")
    daemon.end()
    assert history(daemon)[-1][:4] == ("daemon", "", "", "stopped")


def test_hung_notifiers_end_together(daemon):
    hung = "\n".join(
        f'[notifier.n{i}]\ntype = "exec"\ncommand = ["/bin/sleep", "60"]\ndeadline = "60s"\n'
        for i in range(8)
    )
    daemon.configure(more=hung)
    daemon.start().wait_verdict("up")
    began = time.monotonic()
    daemon.end()
    assert daemon.process.returncode == 0
    assert time.monotonic() - began < 10  # one after the other they would take 16 s and more


def test_a_reader_of_the_log_who_stopped_reading_does_not_keep_the_daemon_alive(daemon):
    process = run_another(daemon)
    try:
        daemon.process = process
        daemon.wait(lambda s: s.pid == process.pid, "the first status")
        _fill(process.stderr.fileno(), process.pid)
        daemon.cut()
        daemon.wait(lambda s: s.role.wanted == "standby", "a transition to log")
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0
        assert history(daemon)[-1][3] == "stopped"
    finally:
        process.kill()
        process.stderr.close()


def _fill(reading, pid):
    """Fill the pipe on the other side of which the daemon writes its log."""
    writing = os.open(f"/proc/{pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    finally:
        os.close(writing)


# --- reloads ------------------------------------------------------------------------------------


def test_what_cannot_change_while_the_daemon_works_is_refused(daemon, tmp_path):
    daemon.start().wait_verdict("up")
    before = daemon.file.read_text()
    for key in ("run_dir", "state_dir", "name"):
        old = f'{key} = "{tmp_path}/{key[:-4]}"' if key != "name" else 'name = "gw"'
        daemon.file.write_text(before.replace(old, f'{key} = "{tmp_path}/elsewhere"'))
        refused = daemon.havpn("reload", "--run-dir", str(tmp_path / "run"))
        assert refused.returncode == 1
        assert f"node.{key}: cannot change" in refused.stderr
        assert "restart" in refused.stderr
    daemon.file.write_text(before)
    assert daemon.havpn("reload").returncode == 0
    assert daemon.havpn("pause").returncode == 0


def test_an_action_that_is_removed_while_it_runs_ends_in_order(daemon):
    daemon.script("give", f"sleep 1; echo standby > {daemon.dir}/role; echo give >> "
                          f"{daemon.dir}/calls")  # fmt: skip
    daemon.start().wait_verdict("up")
    daemon.cut()
    daemon.wait(lambda s: s.actions["gateway"].phase == "applying", "the change to begin")
    text = daemon.file.read_text()
    daemon.file.write_text(text.replace("[action.gateway]", "[action.other]"))
    assert daemon.havpn("reload").returncode == 0
    wait_for(lambda: daemon.calls.count("give") >= 1, "the end of the old action's change")
    daemon.wait(lambda s: s.actions["other"].observed == "standby", "the new action's look")
    daemon.heal()
    daemon.wait_role("active")


def test_a_replaced_action_does_not_inherit_what_the_old_one_did(daemon):
    daemon.start().wait_verdict("up")
    daemon.cut()
    daemon.wait_role("standby")
    other = daemon.dir / "other-role"
    other.write_text("active\n")
    daemon.script("give2", f"echo standby > {other}; echo give2 >> {daemon.dir}/calls")
    text = daemon.file.read_text().replace(f"{daemon.dir}/role", str(other))
    daemon.file.write_text(text.replace(f"{daemon.dir}/give", f"{daemon.dir}/give2"))
    assert daemon.havpn("reload").returncode == 0
    wait_for(lambda: "give2" in daemon.calls, "the new action to be brought into its role")
    assert not [event for event in history(daemon) if event[3] == "overridden"]


def test_reloads_that_overlap_leave_no_path_behind(daemon):
    text = daemon.file.read_text()
    daemon.script("line", f"echo $PPID >> {daemon.dir}/probed; test -e {daemon.dir}/up || exit 2")
    daemon.start().wait_verdict("up")
    for number in range(6):
        daemon.file.write_text(text.replace('interval = "50ms"', f'interval = "{50 + number}ms"'))
        os.kill(daemon.process.pid, signal.SIGHUP)
        threads = [threading.Thread(target=daemon.havpn, args=("reload",)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    time.sleep(1)  # what an older path still asks has come back
    count = len((daemon.dir / "probed").read_text().splitlines())
    time.sleep(2)
    probed = len((daemon.dir / "probed").read_text().splitlines()) - count
    assert probed <= 45  # two seconds at one probe in 55 ms; two paths would make 70 and more


def test_a_changed_probe_type_with_the_same_options_is_noticed(tmp_path, monkeypatch):
    package = tmp_path / "packages" / "havpn_twins-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-twins\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[havpn]\ntwins = havpn_twins\n")
    (package.parent / "havpn_twins.py").write_text(
        PLUGIN
        + """
class Twin:
    def __init__(self, word, options):
        self.word, self.options = word, options
        log(options, f"made {word}")
    async def check(self, timeout_s):
        log(self.options, self.word)
        return Sample.ok(0.001)
    async def close(self):
        log(self.options, f"closed {self.word}")
@hookimpl
def havpn_register_probes():
    for name in ("one", "two"):
        yield ProbeType(name, "A twin", Options, lambda o, c, name=name: Twin(name, o))
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    daemon = Daemon(tmp_path)
    probe = f'type = "exec"\ncommand = ["{tmp_path}/line"]'
    text = daemon.file.read_text().replace(probe, f'type = "one"\nfile = "{tmp_path}/twins"')
    text += '[plugins]\nenable = ["twins"]\n'
    daemon.file.write_text(text)
    try:
        daemon.start().wait_verdict("up")
        daemon.file.write_text(text.replace('type = "one"', 'type = "two"'))
        assert daemon.havpn("reload").returncode == 0
        wait_for(lambda: "two" in (tmp_path / "twins").read_text().split("\n"), "the other twin")
        wait_for(lambda: "closed one" in (tmp_path / "twins").read_text(), "the end of the first")
    finally:
        daemon.end(signal.SIGKILL)


def test_a_refused_reload_closes_what_it_had_built(tmp_path, monkeypatch):
    package = tmp_path / "packages" / "havpn_bad-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-bad\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[havpn]\nbad = havpn_bad\n")
    (package.parent / "havpn_bad.py").write_text(
        PLUGIN
        + """
class Good:
    def __init__(self, options, context):
        self.options = options
        log(options, "built")
    def notify(self, event, timeout_s):
        pass
    def close(self):
        log(self.options, "closed")
def broken(options, context):
    raise SystemExit(0)
@hookimpl
def havpn_register_notifiers():
    yield NotifierType("good", "Fine", Options, Good)
    yield NotifierType("broken", "Ends programs", Options, broken)
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    daemon = Daemon(tmp_path, more='[plugins]\nenable = ["bad"]\n')
    try:
        daemon.start().wait_verdict("up")
        notes = tmp_path / "notes"
        with daemon.file.open("a") as file:
            file.write(f'[notifier.a]\ntype = "good"\nfile = "{notes}"\n')
            file.write(f'[notifier.b]\ntype = "broken"\nfile = "{notes}"\n')
        refused = daemon.havpn("reload")
        assert refused.returncode == 1
        assert "notifier.b" in refused.stderr
        assert notes.read_text().split() == ["built", "closed"]
        assert daemon.havpn("status", "--check").returncode in (0, 1)
        assert daemon.process.poll() is None
    finally:
        daemon.end(signal.SIGKILL)


def test_an_import_that_takes_its_time_at_a_reload_delays_no_probe(tmp_path, monkeypatch):
    package = tmp_path / "packages" / "havpn_slow-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-slow\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[havpn]\nslow = havpn_slow\n")
    (package.parent / "havpn_slow.py").write_text("import time\ntime.sleep(2)\n")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    daemon = Daemon(tmp_path)
    daemon.script("line", f"echo x >> {tmp_path}/probed; test -e {tmp_path}/up || exit 2")
    try:
        daemon.start().wait_verdict("up")
        with daemon.file.open("a") as file:
            file.write('[plugins]\nenable = ["slow"]\n')
        count = len((tmp_path / "probed").read_text())
        assert daemon.havpn("reload").returncode == 0
        # Two seconds are forty probes; a loop that waits for the import sends none.
        assert len((tmp_path / "probed").read_text()) - count >= 20
    finally:
        daemon.end(signal.SIGKILL)
