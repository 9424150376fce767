"""A probe that blocks, as one of DNS with a library that knows no asyncio, in a live daemon."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime

import pytest

from havpn_core.durations import Duration

PLUGIN = """
import socket, threading, time
import msgspec
from havpn_core import ProbeType, Sample, hookimpl

class Options(msgspec.Struct):
    port: int

class Dns:
    keeps_timeout = True
    def __init__(self, options, context):
        self.port = options.port
    def check(self, timeout_s):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.settimeout(timeout_s if self.keeps_timeout else 5.0)
            made.connect(("127.0.0.1", self.port))
            try:
                made.send(b"query")
                made.recv(512)
            except OSError as problem:
                return Sample.fail(type(problem).__name__)
        return Sample.ok()
    def close(self):
        pass

class Patient(Dns):
    # as resolv.conf has it: whatever it is given, it waits for five seconds
    keeps_timeout = False

class Stuck(Dns):
    def check(self, timeout_s):
        sample = super().check(timeout_s)
        if sample.outcome.value != "ok":
            threading.Event().wait()
        return sample

class Blocks(Dns):
    # an async def by name only: it is moved off the loop
    async def check(self, timeout_s):
        return Dns.check(self, timeout_s)

def built(options, context):
    return Patient(options, context)

@hookimpl
def havpn_register_probes():
    yield ProbeType("keeps", "", Options, Dns)
    yield ProbeType("patient", "", Options, built)
    yield ProbeType("stuck", "", Options, Stuck)
    yield ProbeType("blocks", "", Options, Blocks)
"""
CONFIG = """
[node]
name = "gateway"
run_dir = "{folder}/run"
state_dir = "{folder}/state"
[plugins]
enable = ["dns"]
[path.vpn1]
profile = "fast"
fall = 12
rise = 20
[path.vpn1.probe.own]
type = "{kind}"
port = {port}
[action.nothing]
type = "exec"
active = ["true"]
standby = ["true"]
"""
SPARE_S = 2.0
"""What a busy machine may add."""


class Server:
    """Replies until it is told to be silent; its socket stays open, so nothing is refused."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.silent = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            query, sender = self.socket.recvfrom(512)
            if query == b"end":
                return
            if not self.silent.is_set():
                self.socket.sendto(query, sender)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.sendto(b"end", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()


class Gateway:
    def __init__(self, folder, port):
        self.folder, self.port, self.process = folder, port, None
        info = folder / "havpn_dns-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-dns\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[havpn]\ndns = havpn_dns\n")
        (folder / "havpn_dns.py").write_text(PLUGIN)
        self.file = folder / "havpn.toml"
        self.env = {**os.environ, "PYTHONPATH": str(folder)}

    def configure(self, kind):
        self.file.write_text(CONFIG.format(folder=self.folder, kind=kind, port=self.port))

    def havpn(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "havpn_core", *arguments, "-c", str(self.file)],
            env=self.env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self):
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "havpn_core", "run", "-c", str(self.file)],
                env=self.env, stderr=log,
            )  # fmt: skip

    def verdicts(self):
        """Give the recorded changes of verdict, each with its wall-clock time."""
        found = map(json.loads, self.havpn("events", "--json").splitlines())
        return [
            (datetime.fromisoformat(e["at"]).timestamp(), e["after"])
            for e in found
            if e["kind"] == "verdict"
        ]

    def wait_verdict(self, verdict, since=0.0, timeout_s=60):
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for at, after in self.verdicts():
                if after == verdict and at >= since:
                    return at
        raise AssertionError(f"no {verdict}: {(self.folder / 'log').read_text()}")

    def status(self):
        return json.loads((self.folder / "run" / "status.json").read_text())["paths"]["vpn1"]


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def gateway(tmp_path, server):
    made = Gateway(tmp_path, server.port)
    yield made
    if made.process is not None:
        made.process.send_signal(signal.SIGTERM)
        try:
            made.process.wait(20)
        finally:
            made.process.kill()


@pytest.mark.parametrize("kind", ["keeps", "patient", "stuck"])
def test_a_plain_probe_keeps_what_check_promises(gateway, server, kind):
    gateway.configure(kind)
    checked = gateway.havpn("check")
    assert "in a thread, one call at a time: own" in checked
    promised = float(Duration.parse(re.search(r"detection within (\S+)", checked)[1]))
    assert 3 < promised < 5
    gateway.start()
    gateway.wait_verdict("up")
    time.sleep(1)
    assert [verdict for _, verdict in gateway.verdicts()] == ["up"]
    shown = gateway.status()
    assert shown["probes"]["own"]["mode"] == "thread"
    assert shown["probes"]["own"]["error"] == 0
    assert shown["detection_ms"] == pytest.approx(1000 * promised, abs=1)
    cut = time.time()
    server.silent.set()
    took = gateway.wait_verdict("down", cut) - cut
    assert took <= promised + SPARE_S
    after = gateway.status()["probes"]["own"]
    assert after["error"] == 0
    assert after["fail"] >= 11


def test_a_probe_that_was_moved_off_the_loop_keeps_what_the_status_says(gateway, server):
    gateway.configure("blocks")
    assert "in a thread" not in gateway.havpn("check")
    gateway.start()
    gateway.wait_verdict("up")
    server.silent.set()
    first = gateway.wait_verdict("down")
    server.silent.clear()
    gateway.wait_verdict("up", first)
    shown = gateway.status()
    assert shown["probes"]["own"]["mode"] == "thread"
    assert 3000 < shown["detection_ms"] < 5000
    cut = time.time()
    server.silent.set()
    took = gateway.wait_verdict("down", cut) - cut
    assert took <= shown["detection_ms"] / 1000 + SPARE_S
    assert gateway.status()["probes"]["own"]["error"] == 0
