"""Whatever one plugin does, the other paths keep their cadence: a live daemon with bad company.

Prints, for each kind of misbehaviour, by how much a steady path's probes were late at the most.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from havpn_core.daemon.state.reading import read

INTERVAL_S = 0.2
PLUGIN = """
import asyncio, os, socket, sys, threading, time
import msgspec
from havpn_core import ProbeType, NotifierType, Sample, hookimpl

class Options(msgspec.Struct):
    file: str = ""

class Base:
    def __init__(self, options, context):
        self.options, self.count, self.kept = options, 0, []
    def close(self):
        pass

class Steady(Base):
    async def check(self, timeout_s):
        with open(self.options.file, "a") as file:
            print(time.monotonic(), file=file)
        return Sample.ok()

class Own(BaseException):
    pass

def raising(problem, on_loop):
    if on_loop:
        class Raises(Base):
            async def check(self, timeout_s):
                raise problem("bad")
    else:
        class Raises(Base):
            def check(self, timeout_s):
                raise problem("bad")
    return Raises

class Hangs(Base):
    def check(self, timeout_s):
        threading.Event().wait()

class Blocks(Base):
    async def check(self, timeout_s):
        time.sleep(0.04)
        return Sample.ok()

class BlocksLong(Base):
    async def check(self, timeout_s):
        time.sleep(1)
        return Sample.ok()

class Waits(Base):
    async def check(self, timeout_s):
        await asyncio.Event().wait()

class Nonsense(Base):
    async def check(self, timeout_s):
        self.count += 1
        return [None, 42, "ok", Sample, object(), {}][self.count % 6]

class Leaks(Base):
    async def check(self, timeout_s):
        for _ in range(3):
            self.kept.append(socket.socket())
        return Sample.ok()

class Prints(Base):
    async def check(self, timeout_s):
        print("NOISE " * 20); sys.stderr.write("NOISE\\n"); os.write(1, b"RAW NOISE\\n")
        return Sample.ok()

class Forks(Base):
    def check(self, timeout_s):
        self.count += 1
        if self.count <= 3 and os.fork() == 0:
            time.sleep(1)
            os._exit(0)
        return Sample.ok()

class SlowClose(Base):
    async def check(self, timeout_s):
        return Sample.ok()
    async def close(self):
        await asyncio.sleep(60)

BAD = {
    **{f"raises-{p.__name__.lower()}-{'loop' if on else 'thread'}": raising(p, on)
       for p in (SystemExit, KeyboardInterrupt, MemoryError, Own, asyncio.CancelledError,
                 GeneratorExit, StopIteration) for on in (True, False)},
    "hangs": Hangs, "blocks": Blocks, "blocks-long": BlocksLong, "waits": Waits,
    "nonsense": Nonsense, "leaks": Leaks,
    "prints": Prints, "forks": Forks, "slow-close": SlowClose,
}

@hookimpl
def havpn_register_probes():
    yield ProbeType("steady", "", Options, Steady)
    for name, build in BAD.items():
        yield ProbeType(name, "", Options, build)
"""
RAISES = [
    f"raises-{name}-{where}"
    for name in ("systemexit", "keyboardinterrupt", "memoryerror", "own", "cancellederror",
                 "generatorexit", "stopiteration")
    for where in ("loop", "thread")
]  # fmt: skip
CONFIG = """
[node]
name = "gateway"
run_dir = "{folder}/run"
state_dir = "{folder}/state"
[plugins]
enable = ["bad"]
[path.steady]
interval = "{interval}s"
[path.steady.probe.own]
type = "steady"
file = "{folder}/beats"
{paths}
[action.nothing]
type = "exec"
active = ["true"]
standby = ["true"]
"""
PATH = """
[path.{name}]
interval = "{interval}s"
timeout = "{interval}s"
on_unknown = "hold"
[path.{name}.probe.own]
type = "{name}"
"""


class Daemon:
    def __init__(self, folder):
        self.folder, self.process = folder, None
        info = folder / "havpn_bad-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-bad\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[havpn]\nbad = havpn_bad\n")
        self.module = folder / "havpn_bad.py"
        self.module.write_text(PLUGIN)

    def configure(self, *names):
        paths = "".join(PATH.format(name=name, interval=INTERVAL_S) for name in names)
        text = CONFIG.format(folder=self.folder, interval=INTERVAL_S, paths=paths)
        (self.folder / "havpn.toml").write_text(text)

    def start(self, *names):
        self.configure(*names)
        self.out = (self.folder / "out").open("w+")
        self.err = (self.folder / "err").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "havpn_core", "run", "-c", str(self.folder / "havpn.toml")],
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            stdout=self.out, stderr=self.err,
        )  # fmt: skip
        self.wait(self.is_steady, "steady to be up")

    def is_steady(self):
        status = self.status()
        return status is not None and status.paths["steady"].verdict == "up"

    def status(self):
        return read(self.folder / "run")

    def said(self):
        return (self.folder / "err").read_text()

    def wait(self, true, what, timeout=15):
        until = time.monotonic() + timeout
        while not true():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, f"{what}: {self.said()[-3000:]}"
            time.sleep(0.02)

    def lateness(self, since, seconds):
        """Let it run; gives by how much a beat of the steady path was late at the most."""
        time.sleep(max(0.0, since + seconds - time.monotonic()))
        beats = [float(line) for line in (self.folder / "beats").read_text().split()]
        beats = [beat for beat in beats if beat >= since]
        assert len(beats) > 0.7 * seconds / INTERVAL_S, "the steady path lost its cadence"
        return max(b - a for a, b in itertools.pairwise(beats)) - INTERVAL_S

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.process.returncode


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path)
    try:
        yield made
    finally:
        made.end()


def measured(capsys, what, late_s):
    with capsys.disabled():
        print(f"\n  containment: {what}: a steady probe late by {1000 * late_s:.1f} ms at most")
    assert late_s <= INTERVAL_S


def test_a_plugin_that_raises_anything(daemon, capsys):
    daemon.start(*RAISES)
    measured(capsys, "raises anything", daemon.lateness(time.monotonic(), 3))
    paths = daemon.status().paths
    for name in RAISES:
        probe = paths[name].probes["own"]
        assert (probe.ok, probe.fail) == (0, 0), f"{name}: {probe}"
        assert probe.error > 5, f"{name}: {probe}"
    assert daemon.end() == 0


def test_blocking_for_ever_in_a_plain_def(daemon, capsys):
    daemon.start("hangs")
    measured(capsys, "hangs in a plain def", daemon.lateness(time.monotonic(), 3))
    assert daemon.end() == 0, "a thread that hangs does not hold the daemon"


def test_an_async_def_that_never_answers(daemon, capsys):
    daemon.start("waits")
    measured(capsys, "never answers", daemon.lateness(time.monotonic(), 3))
    assert daemon.status().paths["waits"].probes["own"].fail > 5


def test_blocking_the_loop_is_found_out_named_and_moved_off_it(daemon, capsys):
    daemon.start("blocks")
    daemon.wait(lambda: "runs in a thread of its own from now on" in daemon.said(), "the move")
    assert "path.blocks.probe.own: blocks the loop" in daemon.said()
    measured(capsys, "blocks the loop, once moved", daemon.lateness(time.monotonic(), 3))
    assert daemon.status().paths["blocks"].verdict == "up", "it works on, in its thread"


def test_one_long_block_is_enough(daemon, capsys):
    daemon.start("blocks-long")
    daemon.wait(lambda: "block 1: it runs in a thread of its own" in daemon.said(), "the move")
    measured(capsys, "blocks the loop for 1 s, once moved", daemon.lateness(time.monotonic(), 3))


def test_nonsense(daemon, capsys):
    daemon.start("nonsense")
    measured(capsys, "returns nonsense", daemon.lateness(time.monotonic(), 3))
    probe = daemon.status().paths["nonsense"].probes["own"]
    assert (probe.ok, probe.fail) == (0, 0)
    assert "Sample" in probe.detail


def test_leaking_sockets(daemon, capsys):
    daemon.start("leaks")
    measured(capsys, "leaks sockets", daemon.lateness(time.monotonic(), 3))


def test_writing_to_stdout(daemon, capsys):
    daemon.start("prints")
    measured(capsys, "writes to stdout", daemon.lateness(time.monotonic(), 3))
    assert daemon.status().state == "running"
    assert json.loads(
        subprocess.run(
            [sys.executable, "-m", "havpn_core", "status", "--json", "-c",
             str(daemon.folder / "havpn.toml")],
            capture_output=True, text=True, check=False,
        ).stdout
    )["paths"]["steady"]["verdict"] == "up"  # fmt: skip


def test_forking(daemon, capsys):
    daemon.start("forks")
    measured(capsys, "forks", daemon.lateness(time.monotonic(), 3))
    assert daemon.status().pid == daemon.process.pid


def test_slow_to_close(daemon, capsys):
    daemon.start("slow-close")
    since = time.monotonic()
    daemon.configure()
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: "daemon: reloaded" in daemon.said(), "the reload")
    measured(capsys, "is slow to close", daemon.lateness(since, 3))
    began = time.monotonic()
    assert daemon.end() == 0
    assert time.monotonic() - began < 10


def test_upgraded_on_disk_while_running(daemon, capsys):
    daemon.start("waits")
    daemon.module.write_text("raise RuntimeError('half an upgrade')\n")
    since = time.monotonic()
    daemon.configure("waits", "nonsense")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: "nonsense" in daemon.status().paths, "the reload")
    measured(capsys, "is upgraded on disk", daemon.lateness(since, 3))
