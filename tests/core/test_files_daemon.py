"""The daemon on disks that are full, read-only or hold damaged files."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from havpn_core.host import boot
from tests.core.daemon import Daemon

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
PAIR = """
[pair]
priority = 100
key_file = "{dir}/key"
[pair.link.lan]
type = "udp"
local = "127.0.0.1"
peer = "127.0.0.2"
port = {port}
"""
FILL = "head -c 100000 /dev/zero > {dir}/filler 2>&-; test -s {dir}/filler"


class OnSmallDisk(Daemon):
    """A daemon whose folders lie on disks of their own, seen by nobody else."""

    def start_on(self, folders, spoil):
        script = "".join(
            f"mount -t tmpfs -o size=32k none {self.dir / name} && {spoil(self.dir / name)} && "
            for name in folders
        )
        for name in folders:
            (self.dir / name).mkdir()
        run = f"exec {sys.executable} -m havpn_core run -c {self.file}"
        with (self.dir / "log").open("ab") as log:
            self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", script + run], stderr=log)

    def inside(self, name):
        return self.dir.__class__(f"/proc/{self.process.pid}/root{self.dir}/{name}")

    def wait_log(self, *texts):
        self.until(lambda: all(text in self.log() for text in texts), texts)

    def until(self, condition, what, timeout=30.0):
        until = time.monotonic() + timeout
        while not condition():
            assert self.process.poll() is None, f"the daemon ended; log:\n{self.log()}"
            assert time.monotonic() < until, f"{what} did not come; log:\n{self.log()}"
            time.sleep(0.05)


@pytest.fixture
def daemon(tmp_path):
    made = OnSmallDisk(tmp_path)
    yield made
    made.end(signal.SIGKILL)


def with_pair(daemon):
    (daemon.dir / "key").write_text("ab" * 32)
    (daemon.dir / "key").chmod(0o600)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        port = made.getsockname()[1]
    daemon.configure(more=PAIR.format(dir=daemon.dir, port=port))


@root
@pytest.mark.parametrize("pair", [False, True])
def test_a_full_disk_at_the_start_is_reported_and_what_was_not_written_is_written_later(
    daemon, pair
):
    if pair:
        with_pair(daemon)
    daemon.start_on(["state"], lambda folder: FILL.format(dir=folder))
    daemon.wait_log("state.json: the disk is full: free some space")
    if pair:
        daemon.wait_log("pair.json: the disk is full: free some space; the pair goes on with")
    daemon.wait_role("active")
    daemon.cut()
    daemon.wait_verdict("down")
    assert [f.name for f in daemon.inside("state").iterdir() if "filler" not in f.name] in (
        [],
        ["events.jsonl"],
    ), "no draft is left"
    daemon.inside("state/filler").unlink()
    wanted = ["state.json", "events.jsonl", *(["pair.json"] if pair else [])]
    daemon.until(
        lambda: all((daemon.inside("state") / name).exists() for name in wanted), "the files"
    )
    daemon.wait_log("state.json: can be written again")
    daemon.until(
        lambda: "the disk is full" in daemon.inside("state/events.jsonl").read_text(),
        "the history of the trouble",
    )
    assert "Traceback" not in daemon.log()
    assert "Errno" not in daemon.log()


@root
@pytest.mark.parametrize("pair", [False, True])
def test_a_read_only_disk_at_the_start_is_no_end(daemon, pair):
    if pair:
        with_pair(daemon)
    daemon.start_on(["state"], lambda folder: f"mount -o remount,ro {folder}")
    daemon.wait_log("the file system is read-only: mount it writable")
    daemon.wait_role("active")
    daemon.end()
    assert daemon.process.returncode == 0
    assert "Traceback" not in daemon.log()


@root
def test_with_every_disk_full_the_gateway_works_and_commands_come_back_with_space(daemon):
    spoil = "(i=0; while touch {dir}/f$i; do i=$((i+1)); done; true) 2>&-"
    daemon.start_on(
        ["state", "run"],
        lambda folder: f"mount -o remount,nr_inodes=4 {folder} && " + spoil.format(dir=folder),
    )
    daemon.wait_log("control.sock: the disk is full", "status.json: the disk is full")
    daemon.cut()
    daemon.until(lambda: daemon.role == "standby", "the standby role")
    for name in ("state", "run"):
        for file in daemon.inside(name).glob("f*"):
            file.unlink()
    daemon.wait_log("commands work")
    daemon.until(lambda: daemon.inside("run/control.sock").is_socket(), "the socket")
    daemon.end()
    assert daemon.process.returncode == 0
    assert "Traceback" not in daemon.log()


def fifo(file):
    os.mkfifo(file)


def folder(file):
    file.mkdir()


def content(data):
    return lambda file: file.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        folder,
        fifo,
        content(b""),
        content(b'{"paths": {"vp\xff": "up"}}'),
        content(
            b'{"paths": {"vpn1": "sideways"}, "actions": {"action.gateway": {"done": "banana"}}}'
        ),
        content(b'{"forced": "banana", "flaps": {"vpn1": NaN}, "paths": {"vpn1": "up"}}'),
        content(b'{"forced": 7, "paths": [], "paused": "no"}'),
        content(b"[" * 100_000),
    ],
)
def test_no_damage_to_the_state_file_ends_the_daemon(daemon, damage):
    (daemon.dir / "state").mkdir()
    damage(daemon.dir / "state" / "state.json")
    damage(daemon.dir / "state" / "events.jsonl")
    daemon.start().wait_role("active")
    assert list((daemon.dir / "state").glob("state.json.corrupt-*"))
    assert "state.json: " in daemon.log() and "set aside as" in daemon.log()
    daemon.cut()
    daemon.wait_role("standby")
    shown = daemon.havpn("events")
    assert "Traceback" not in shown.stderr + daemon.log()
    daemon.end()
    assert daemon.process.returncode == 0
    state = json.loads((daemon.dir / "state" / "state.json").read_text())
    assert state["actions"]["action.gateway"] == {"done": "standby"}


def test_one_unknown_word_does_not_forget_a_pause(daemon):
    (daemon.dir / "state").mkdir()
    (daemon.dir / "state" / "state.json").write_text(
        '{"paths": {"vpn1": "sideways"}, "paused": true}'
    )
    daemon.start()
    daemon.wait(lambda s: s.state == "paused", "the pause")


@pytest.mark.parametrize("set_by_s", [-7200, 7200])
def test_a_force_ends_after_its_time_though_the_wall_clock_was_set(daemon, set_by_s):
    """What a run before wrote down in this boot, with a wall clock that was wrong by two hours."""
    now = boot.clocks()
    (daemon.dir / "state").mkdir()
    (daemon.dir / "state" / "state.json").write_text(
        json.dumps(
            {
                "forced": "standby",
                "forced_until": now.wall_s + set_by_s + 15,
                "forced_left": 15.0,
                "forced_boot": now.boot,
                "forced_end": now.boot_s + 15,
            }
        )
    )
    daemon.start().wait_role("standby")
    daemon.wait_role("active")
    assert boot.clocks().boot_s >= now.boot_s + 15
    assert "role: forced to standby -> override expired (the time is over" in daemon.log()


def test_the_folders_have_their_modes_and_only_the_owner_may_command(daemon):
    before = os.umask(0o077)
    try:
        daemon.start().wait_role("active")
    finally:
        os.umask(before)
    daemon.end()
    modes = {name: (daemon.dir / name).stat().st_mode & 0o7777 for name in ("state", "run")}
    assert modes == {"state": 0o755, "run": 0o755}
    assert (daemon.dir / "state" / "state.json").stat().st_mode & 0o7777 == 0o600
    assert (daemon.dir / "run" / "status.json").stat().st_mode & 0o7777 == 0o644


def test_the_socket_is_its_owners_only(daemon):
    daemon.start()
    assert (daemon.dir / "run" / "control.sock").stat().st_mode & 0o7777 == 0o600


def test_a_damaged_held_json_is_a_sentence_and_release_goes_on(daemon):
    (daemon.dir / "run").mkdir()
    (daemon.dir / "run" / "held.json").write_bytes(b'{"action.a": {"type": "\xff", "options": {}}}')
    ended = daemon.havpn("release")
    assert ended.returncode == 1
    assert "held.json is damaged (" in ended.stderr and "remove" in ended.stderr
    assert "Traceback" not in ended.stderr
