"""Two daemons as a pair whose roads fail: who asks whom, who moves, and what is said of it."""

import contextlib
import os
import signal
import socket
import threading
import time

import pytest

from havpn_core.echo.report import NO_ROAD, notice
from tests.core.daemon import Daemon
from tests.core.test_pair_daemon import Two, unused_port

__all__ = ["unused_port"]

ROAD = """
[path.vpn1.probe.near]
type = "exec"
watches = "road"
command = ["{dir}/road", "near"]
[path.vpn1.probe.other]
type = "exec"
watches = "road"
command = ["{dir}/road", "other"]
"""
DOUBTS = """
[path.vpn1.probe.far]
type = "udp-echo"
host = "127.0.0.1"
port = {far}
[respond]
listen = ["127.0.0.1:{port}"]
allow = ["127.0.0.1"]
"""
REQUEST = b"a request of one source"
LEFT = "hands over: road down here, well on the partner"


@pytest.fixture
def two(tmp_path, unused_port):
    made = Two(tmp_path, unused_port)
    for daemon in (made.a, made.b):
        with_road(daemon)
    yield made
    made.end()


def with_road(daemon):
    """Give a daemon a road with two hosts, each of which replies while its file is there."""
    daemon.script("road", f'echo "$1" >> {daemon.dir}/probed; test -e {daemon.dir}/"$1" || exit 2')
    daemon.file.write_text(daemon.file.read_text() + ROAD.format(dir=daemon.dir))
    road(daemon, near=True, other=True)


def road(daemon, **hosts):
    daemon.since = daemon.now()
    for host, replies in hosts.items():
        if replies:
            (daemon.dir / host).touch()
        else:
            (daemon.dir / host).unlink(missing_ok=True)


def verdict(daemon, word):
    return daemon.wait(lambda s: s.paths["vpn1"].road.verdict == word, f"a road that is {word}")


def test_a_road_that_fails_here_moves_the_role_and_one_that_is_back_brings_it_back(two):
    two.start().settle()
    verdict(two.a, "ok")
    status = two.b.wait(lambda s: s.paths["vpn1"].road.probing == "none", "a standby that is quiet")
    assert status.paths["vpn1"].road.stance is None
    road(two.a, near=False)
    two.a.wait(lambda s: s.paths["vpn1"].road.probes["near"].outcome == "fail", "a dead host")
    road(two.a, other=False)
    two.wait(two.b, two.a)
    two.a.wait_event("road", LEFT)
    failed = two.a.wait_event("road", "failed", subject="vpn1")
    assert (failed["before"], failed["severity"]) == ("ok", "warning")
    role = two.a.wait_event("role", "standby")
    assert "road down here, well on the partner" in role["detail"]
    status = two.a.wait(lambda s: s.paths["vpn1"].road.trial_s, "the time of the trial")
    found = status.paths["vpn1"]
    assert found.verdict == "up"
    assert 0 < found.road.trial_s <= 60
    assert found.road.probes["near"].replied_at
    shown = two.a.shown()
    assert "off the road" in shown
    assert "last reply 20" in shown
    road(two.a, other=True)
    two.wait(two.a, two.b)
    two.a.wait_event("road", "on the road again: it replied, or a trial is due")


def test_a_road_that_fails_on_both_moves_nobody(two):
    moves = two.start().settle()
    verdict(two.a, "ok")
    road(two.b, near=False, other=False)
    road(two.a, near=False, other=False)
    stays = "stays active: the road is down on the partner, too"
    two.a.wait_event("road", stays)
    two.wait(two.a, two.b)
    assert (len(two.a.calls), len(two.b.calls)) == moves
    assert two.a.status().paths["vpn1"].verdict == "up"
    assert len([e for e in two.a.events("road") if e["after"] == stays]) == 1, "said once"
    road(two.b, near=True)
    two.wait(two.b, two.a)


class Far:
    """A far responder that replies, and says what it is to say beside each reply."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port, self.kind = self.socket.getsockname()[1], b""
        threading.Thread(target=self.reply, daemon=True).start()

    def reply(self):
        while request := self.socket.recvfrom(2048):
            data, sender = request
            self.socket.sendto(data, sender)
            if self.kind:
                self.socket.sendto(notice(self.kind, data), sender)


def said(port, kind):
    """Probe a responder from one source until it says that beside a reply."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            probe.sendto(REQUEST, ("127.0.0.1", port))
            with contextlib.suppress(TimeoutError):
                while True:
                    if probe.recv(100) == notice(kind, REQUEST):
                        return True
    return False


def test_who_stays_without_a_road_says_so_and_leaves_where_the_far_gateway_says_the_same(
    two, unused_port
):
    far = Far()
    text = two.a.file.read_text().replace(
        "[path.vpn1.probe.near]", DOUBTS + "[path.vpn1.probe.near]"
    )
    two.a.file.write_text(text.format(far=far.port, port=unused_port + 1))
    two.start().settle()
    verdict(two.a, "ok")
    for daemon in (two.b, two.a):
        road(daemon, near=False, other=False)
    two.a.wait_event("road", "stays active: the road is down on the partner, too")
    assert said(unused_port + 1, NO_ROAD)
    assert two.a.role == "active"
    far.kind = NO_ROAD
    two.wait(two.b, two.a)
    two.a.wait_event("road", LEFT)


def test_a_partner_without_probes_of_the_road_knows_nothing_and_nobody_moves(two):
    two.b.file.write_text(two.b.file.read_text().partition("[path.vpn1.probe.near]")[0])
    moves = two.start().settle()
    verdict(two.a, "ok")
    road(two.a, near=False, other=False)
    two.a.wait_event("road", "stays active: nothing is known of the road on the partner")
    assert (len(two.a.calls), len(two.b.calls)) == moves


def test_a_dead_partner_is_nobody_to_ask_and_the_road_is_reported(two):
    two.start().settle()
    verdict(two.a, "ok")
    os.kill(two.b.process.pid, signal.SIGKILL)
    two.b.process.wait(20)
    two.a.wait(lambda s: s.pair.partner is None, "the partner's death")
    road(two.a, near=False, other=False)
    two.a.wait_event("road", "stays active: there is no partner")
    assert two.a.role == "active"


def test_a_reload_changes_the_hosts_and_closes_the_old_ones(two):
    two.start().settle()
    verdict(two.a, "ok")
    text = two.a.file.read_text()
    two.a.file.write_text(text.partition("[path.vpn1.probe.other]")[0])
    two.a.havpn("reload")
    two.a.wait(lambda s: list(s.paths["vpn1"].road.probes) == ["near"], "one host")
    verdict(two.a, "ok")
    two.a.file.write_text(text.partition("[path.vpn1.probe.near]")[0])
    two.a.havpn("reload")
    two.a.wait(lambda s: not s.paths["vpn1"].road, "no road")
    two.wait(two.a, two.b)


def test_without_a_pair_the_road_is_watched_while_active_and_only_reported(tmp_path):
    daemon = Daemon(tmp_path)
    with_road(daemon)
    daemon.start()
    try:
        daemon.wait_role("active")
        verdict(daemon, "ok")
        road(daemon, near=False, other=False)
        event = daemon.wait_event("road", "failed")
        assert event["subject"] == "vpn1"
        assert daemon.role == "active"
        daemon.havpn("switch", "--to", "standby")
        daemon.wait(lambda s: s.paths["vpn1"].road.probing == "none", "no probes on a standby")
    finally:
        daemon.end()


def test_one_host_alone_is_a_warning_and_so_is_a_road_without_a_pair(tmp_path):
    daemon = Daemon(tmp_path)
    with_road(daemon)
    found = daemon.havpn("check").stdout
    assert "path.vpn1.probe: without a [pair] the road is only reported" in found
    assert "one host" not in found
    text = daemon.file.read_text()
    daemon.file.write_text(text.partition("[path.vpn1.probe.other]")[0])
    assert "path.vpn1.probe: one host behind the far gateway is probed" in (
        daemon.havpn("check").stdout
    )
    line = text.index("[path.vpn1.probe.echo]"), text.index("[action.gateway]")
    daemon.file.write_text(text[: line[0]] + text[line[1] :])
    assert 'all probes have watches = "road"' in daemon.havpn("check").stderr
