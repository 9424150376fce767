"""Two daemons as a pair, over UDP on loopback and a serial cable; the address is a file."""

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from havpn_core.testing.lab import programs, wait_for
from tests.core.daemon import Daemon
from tests.ports import free_port

PAIR = """
[pair]
priority = {priority}
key_file = "{key}"
interval = "50ms"
dead = "{dead}"
[pair.link.lan]
type = "udp"
local = "127.0.0.{own}"
peer = "127.0.0.{other}"
port = {port}
"""
CABLE = """
[pair.link.cable]
type = "serial"
device = "{device}"
baud = 9600
"""


class Two:
    """Both gateways; ``a`` has the higher priority.

    :param dead: silence that counts as death: longer than a busy machine keeps a process waiting.
    """

    def __init__(self, folder, port, devices=(None, None), dead="2s"):
        self.key = folder / "key"
        self.key.write_text("ab" * 32)
        self.key.chmod(0o600)
        self.a, self.b = (Daemon(self.folder(folder, name)) for name in "ab")
        for own, (daemon, device) in enumerate(zip((self.a, self.b), devices, strict=True), 1):
            text = PAIR.format(
                priority=200 - own, key=self.key, own=own, other=3 - own, port=port, dead=dead
            )
            text += CABLE.format(device=device) if device else ""
            daemon.configure(node="", path="damping = false", more=text)
            daemon.file.write_text(
                daemon.file.read_text().replace('name = "gw"', f'name = "gw{own}"')
            )
            (daemon.dir / "role").write_text("standby\n")

    @staticmethod
    def folder(folder, name):
        made = folder / name
        made.mkdir()
        return made

    def start(self):
        self.a.start()
        self.b.start()
        return self

    def wait(self, holder, other, timeout=20):
        """Wait for exactly that owner, on the outside and in both daemons' own words."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if (holder.role, other.role) == ("active", "standby"):
                said = holder.status(), other.status()
                if all(said) and [s.role.observed for s in said] == ["active", "standby"]:
                    return
            time.sleep(0.02)
        raise AssertionError(f"roles {self.a.role}, {self.b.role}\n{self.a.log()}\n{self.b.log()}")

    def settle(self):
        """Wait for the preferred one; gives how often each has acted so far.

        Whose line is up first at the start may be either.
        """
        self.wait(self.a, self.b)
        return len(self.a.calls), len(self.b.calls)

    def end(self):
        for daemon in (self.a, self.b):
            if daemon.process and daemon.process.poll() is None:
                os.kill(daemon.process.pid, signal.SIGCONT)
                daemon.end(signal.SIGKILL)


@pytest.fixture
def two(tmp_path, unused_port):
    made = Two(tmp_path, unused_port)
    yield made
    made.end()


@pytest.fixture
def unused_port():
    return free_port()


def test_the_preferred_gateway_is_active_and_a_dead_line_moves_the_address(two):
    moves = two.start().settle()
    two.a.cut()
    two.wait(two.b, two.a)
    two.a.heal()
    two.wait(two.a, two.b)
    assert two.a.calls[moves[0] :] == ["give", "take"]
    assert two.b.calls[moves[1] :] == ["take", "give"]


def test_the_partner_takes_over_from_a_gateway_that_stops(two):
    two.start().wait(two.a, two.b)
    os.kill(two.a.process.pid, signal.SIGKILL)
    (two.a.dir / "role").write_text("standby\n")  # its power went, too
    until = time.monotonic() + 10
    while two.b.role != "active":
        assert time.monotonic() < until
        time.sleep(0.01)
    two.a.start()
    two.wait(two.a, two.b)


def test_two_owners_at_the_start_come_down_to_one(two):
    for daemon in (two.a, two.b):
        (daemon.dir / "role").write_text("active\n")
    two.start().wait(two.a, two.b)
    assert two.a.calls == []


def test_both_lines_dead_moves_nothing(two):
    moves = two.start().settle()
    two.b.cut()
    two.b.wait_verdict("down")
    two.a.cut()
    two.a.wait_verdict("down")
    time.sleep(1)
    two.wait(two.a, two.b)
    assert (len(two.a.calls), len(two.b.calls)) == moves


def test_a_frozen_owner_yields_on_waking(two):
    two.start().wait(two.a, two.b)
    os.kill(two.a.process.pid, signal.SIGSTOP)
    until = time.monotonic() + 10
    while two.b.role != "active":
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(2)
    os.kill(two.a.process.pid, signal.SIGCONT)
    until = time.monotonic() + 5
    while (two.a.role, two.b.role) == ("active", "active"):
        assert time.monotonic() < until, "two owners after waking"
        time.sleep(0.01)
    two.wait(two.a, two.b)  # the preferred one, well all the time, is handed the address back


def test_switch_and_maintenance_go_through_the_pair(two):
    two.start().wait(two.a, two.b)
    assert two.a.havpn("switch", "--to", "standby").returncode == 0
    two.wait(two.b, two.a)
    assert two.a.havpn("switch", "--to", "auto").returncode == 0
    two.wait(two.a, two.b)
    assert two.b.havpn("switch", "--to", "active").returncode == 0
    two.wait(two.b, two.a)


def test_status_shows_the_partner_and_the_links(two):
    two.start().wait(two.a, two.b)
    status = two.b.wait(lambda s: s.pair.partner, "a partner")
    assert status.pair.partner.priority == 199
    assert status.pair.links["lan"].alive
    assert status.pair.frames["good"] > 0


def test_another_key_is_no_partner(two):
    other = two.b.dir / "key"
    other.write_text("cd" * 32)
    other.chmod(0o600)
    two.b.file.write_text(two.b.file.read_text().replace(str(two.key), str(other)))
    two.a.start()
    two.a.wait_role("active")
    two.b.start()
    two.b.wait(lambda s: s.pair.frames["mac"] + s.pair.frames["key"] > 3, "bad frames")
    assert two.b.status().pair.partner is None
    assert two.b.log().count("\n") < 60, "bad frames are counted, not logged"


def heard_again(daemon, since):
    """Wait until the daemon has believed frames that came after the moment."""
    status = daemon.wait(lambda s: datetime.fromisoformat(s.written_at) > since, "a status of now")
    good = status.pair.frames["good"]
    daemon.wait(lambda s: s.pair.frames["good"] > good + 5, "good frames")


def test_keys_change_on_reload_without_a_move(two):
    two.start().wait(two.a, two.b)
    moves = two.a.calls, two.b.calls
    began = two.a.now()
    for step in ("add", "use", "drop"):
        subprocess.run(
            [sys.executable, "-m", "havpn_core", "keygen", str(two.key), "--step", step],
            timeout=30, check=True,
        )  # fmt: skip
        for daemon in (two.a, two.b):  # one after the other: each accepts what the other signs
            reloaded = daemon.now()
            assert daemon.havpn("reload").returncode == 0
            for each in (two.a, two.b):  # frames still pass, signed with the new keys
                heard_again(each, reloaded)
            two.wait(two.a, two.b)
    assert (two.a.calls, two.b.calls) == moves
    assert two.a.events("role", began) == two.b.events("role", began) == []
    assert two.b.status().pair.frames["mac"] == 0


def test_a_key_that_others_may_read_is_refused(two):
    two.key.chmod(0o644)
    refused = subprocess.run(
        [sys.executable, "-m", "havpn_core", "run", "-c", str(two.a.file)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr
    assert two.a.havpn("check").returncode == 1


@pytest.fixture
def cable():
    program = Path(programs.__file__).with_name("cable.py")
    process = subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    devices = process.stdout.readline().split()

    def do(word):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "ok"

    yield devices, do
    process.kill()
    process.wait()


def test_a_serial_cable_alone_is_enough_and_a_pulled_one_costs_nothing_beside_udp(
    tmp_path, unused_port, cable
):
    devices, do = cable
    two = Two(tmp_path, unused_port, devices)
    try:
        moves = two.start().settle()
        two.b.wait(lambda s: all(link.alive for link in s.pair.links.values()), "both links")
        do("pull")
        two.b.wait(lambda s: not s.pair.links["cable"].alive, "a pulled cable")
        two.wait(two.a, two.b)
        assert (len(two.a.calls), len(two.b.calls)) == moves
        do("plug")
        two.b.wait(lambda s: s.pair.links["cable"].alive, "the cable again")
        for daemon in (two.a, two.b):  # now without the network
            text = daemon.file.read_text()
            first, last = text.index("[pair.link.lan]"), text.index("[pair.link.cable]")
            daemon.file.write_text(text[:first] + text[last:])
            assert daemon.havpn("reload").returncode == 0
        two.wait(two.a, two.b)
        assert len(two.a.status().pair.links) == 1
        two.a.cut()
        two.wait(two.b, two.a)
    finally:
        two.end()


def test_the_role_goes_to_the_line_that_loses_clearly_less_and_the_status_says_so(two):
    """Of the line here half of the probes are lost, and never all for long: it stays up."""
    for daemon in (two.a, two.b):
        daemon.file.write_text(daemon.file.read_text().replace("fall = 3", "fall = 100"))
    moves = two.start().settle()
    known = two.b.wait(lambda s: s.pair.loss and s.pair.partner.loss, "figures of both", 60)
    assert known.pair.moved_for_loss_s is None
    two.a.script("line", "test $(date +%N | cut -c6) -lt 5 || exit 2")
    two.wait(two.b, two.a, timeout=60)
    status = two.b.wait(
        lambda s: s.pair.moved_for_loss_s is not None, "the move for loss in the status"
    )
    assert status.pair.loss.share < status.pair.partner.loss.share
    assert status.pair.partner.loss.at_least > status.pair.loss.at_most
    assert status.pair.partner.path == "up"
    assert "loses" in status.role.reason
    assert "on the partner, at most" in status.role.reason
    said = two.a.shown()
    assert "loss line here loses" in said
    assert "the role moved for that" in said
    assert two.a.calls[moves[0] :] == ["give"]
    assert two.b.calls[moves[1] :] == ["take"]


def test_the_line_beside_a_grey_one_is_probed_more_often(two):
    """Or nothing would be sure of it: two probes a second say little within a minute."""
    for daemon in (two.a, two.b):
        text = daemon.file.read_text().replace('interval = "50ms"\ntimeout = "1s"\nfall = 3\n', "")
        daemon.file.write_text(text)
    two.b.script("line", f"date +%s.%N >> {two.b.dir}/sent")
    two.start().settle()
    two.a.script("line", "test $(date +%N | cut -c6) -lt 7 || exit 2")
    event = two.a.wait_event("path", "line grey", timeout=60)
    grey = datetime.fromisoformat(event["at"]).timestamp()

    def sent():
        return [float(line) for line in (two.b.dir / "sent").read_text().split()]

    wait_for(lambda: sent()[-1] >= grey + 4.5, 20, "probes for some seconds")
    after = [at for at in sent() if grey + 1.5 <= at < grey + 4.5]
    before = [at for at in sent() if at < grey and at > grey - 3.0]
    assert len(after) > 2 * len(before) + 4, (len(before), len(after))
