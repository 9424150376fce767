"""Streams between two real daemons, each in a network of its own."""

import signal
import subprocess
import sys

import pytest

from tests.core.daemon import Daemon

PATH = """
[path.wan]
profile = "fast"
rise = 20
damping = false
[path.wan.probe.line]
type = "stream"
host = "{host}"
source = "{source}"
key_file = "{key}"
"""
NEAR, FAR = "192.0.2.1", "192.0.2.2"
NEAR6, FAR6 = "2001:db8::1", "2001:db8::2"
DROP = "add table inet cut; add chain inet cut in {{ type filter hook input priority 0; }}; " \
       "add rule inet cut in udp dport 7037 {what}"  # fmt: skip


class Inside(Daemon):
    """A daemon in a namespace."""

    def within(self, pid, host, source, key):
        self.pid, more = pid, PATH.format(host=host, source=source, key=key)
        self.configure(more=more)
        return self

    def launch(self):
        self.since = self.now()
        command = ["nsenter", "-t", str(self.pid), "-n", sys.executable, "-m", "havpn_core"]
        with (self.dir / "log").open("ab") as log:
            self.process = subprocess.Popen([*command, "run", "-c", str(self.file)], stderr=log)

    def wait_up(self):
        return self.wait(lambda s: s.paths["wan"].verdict == "up", "the line")

    def fell(self):
        return [e for e in self.events("verdict") if (e["subject"], e["after"]) == ("wan", "down")]

    def line(self):
        return self.status().paths["wan"].probes["line"]


@pytest.fixture
def ends(wire, tmp_path, request):
    near, far = getattr(request, "param", (NEAR, FAR))
    key = tmp_path / "line.key"
    key.write_text("11" * 32 + "\n")
    key.chmod(0o600)
    made = []
    for name, pid, host, source in (
        ("near", wire.near, far, near),
        ("far", wire.far, near, far),
    ):
        (tmp_path / name).mkdir()
        made.append(Inside(tmp_path / name).within(pid, host, source, key))
    try:
        yield made
    finally:
        for end in made:
            end.end()


def rules(pid, text):
    there = ["nsenter", "-t", str(pid), "-n", "nft"]
    subprocess.run([*there, text], check=True, capture_output=True, timeout=10)


@pytest.mark.parametrize("ends", [(NEAR, FAR), (NEAR6, FAR6)], indirect=True)
def test_a_cut_of_one_direction_puts_both_ends_down_and_its_end_both_up(ends, wire):
    for end in ends:
        end.start()
    for end in ends:
        end.wait_up()
    rules(wire.far, DROP.format(what="drop"))
    near, far = ends
    for end in ends:
        end.wait_event("verdict", "down", subject="wan")
    detail = near.wait(lambda s: s.paths["wan"].probes["line"].fail > 12, "the failures")
    assert "does not hear this one" in detail.paths["wan"].probes["line"].detail
    assert far.line().detail.startswith("no packet for")
    rules(wire.far, "delete table inet cut")
    for end in ends:
        end.wait_up()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_daemon_that_ends_and_starts_again_puts_nobody_down(ends, number):
    for end in ends:
        end.start()
    for end in ends:
        end.wait_up()
    near, far = ends
    far.end(number)
    near.wait(lambda s: s.paths["wan"].probes["line"].refused > 0, "a refusal")
    far.start()
    for end in ends:
        end.wait_up()
        assert end.fell() == []


def test_the_way_that_refuses_fails_at_once(ends, wire):
    for end in ends:
        end.start()
    for end in ends:
        end.wait_up()
    rules(wire.far, DROP.format(what="reject with icmpx admin-prohibited"))
    for end in ends:
        end.wait_event("verdict", "down", subject="wan")


def test_keys_change_in_steps_by_reloads_and_put_nobody_down(ends):
    for end in ends:
        end.start()
    for end in ends:
        end.wait_up()
    near, far = ends
    key = near.dir.parent / "line.key"
    for step in ("add", "use", "drop"):
        command = [sys.executable, "-m", "havpn_core", "keygen", "--step", step, str(key)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        for end, other in ((near, far), (far, near)):
            assert end.havpn("reload").returncode == 0
            other.wait(lambda s: s.paths["wan"].verdict == "up", "the line")
            end.wait_up()
    assert near.fell() == far.fell() == []
    before = key.read_text()
    key.unlink()
    assert "key_file" in "".join(near.havpn("reload").stderr.split("\n"))
    key.write_text(before)
    key.chmod(0o600)
    near.wait_up()


def test_a_missing_key_file_refuses_the_start(ends):
    near, _ = ends
    (near.dir.parent / "line.key").unlink()
    for command in ("run", "check"):
        ended = near.havpn(command)
        assert ended.returncode == 1
        assert "key_file" in ended.stdout + ended.stderr, ended
        assert "havpn keygen" in " ".join((ended.stdout + ended.stderr).split())
