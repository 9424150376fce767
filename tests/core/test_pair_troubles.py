"""Two daemons as a pair with something wrong: each says what, once, and when it is over."""

import os
import signal

import pytest

from tests.core.test_pair_daemon import Two


@pytest.fixture
def two(tmp_path, unused_ports):
    made = Two(tmp_path, unused_ports[0])
    made.ports = unused_ports
    for own, daemon in enumerate((made.a, made.b), 1):
        second = PAIRED.format(own=own, other=3 - own, port=unused_ports[1])
        daemon.file.write_text(daemon.file.read_text() + second)
    yield made
    made.end()


PAIRED = """
[pair.link.second]
type = "udp"
local = "127.0.0.{own}"
peer = "127.0.0.{other}"
port = {port}
"""


@pytest.fixture
def unused_ports():
    import socket

    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        for made in (one, two):
            made.bind(("127.0.0.1", 0))
        return [made.getsockname()[1] for made in (one, two)]


def edit(daemon, *changes):
    """Change the file, and have it read where the daemon runs."""
    text = daemon.file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    daemon.file.write_text(text)
    if daemon.process is not None:
        assert daemon.havpn("reload").returncode == 0


def troubles(daemon):
    return daemon.status().pair.troubles


def test_a_well_pair_has_none(two):
    two.start().wait(two.a, two.b)
    two.a.wait(lambda s: s.pair.links["lan"].frames > 100, "frames for longer than the patience")
    for daemon in (two.a, two.b):
        assert troubles(daemon) == []
        assert [e["after"] for e in daemon.events("pair")] == []


def test_equal_priorities_are_reported_and_their_end(two):
    edit(two.b, ("priority = 198", "priority = 199"))
    two.start()
    for daemon in (two.a, two.b):
        event = daemon.wait_event("pair", "equal priorities")
        assert "write another pair.priority on one of them" in event["detail"]
        assert event["severity"] == "warning"
    shown = two.a.wait(lambda s: s.pair.troubles, "the trouble in the status").pair.troubles
    assert len(shown) == 1
    assert f"trouble {shown[0]}" in two.a.shown()
    edit(two.b, ("priority = 199", "priority = 150"))
    for daemon in (two.a, two.b):
        daemon.wait_event("pair", "equal priorities over")
    two.a.wait(lambda s: not s.pair.troubles, "no trouble any more")


def test_another_key_is_reported_and_its_end(two):
    other = two.b.dir / "other-key"
    other.write_text("cd" * 32)
    other.chmod(0o600)
    edit(two.b, (str(two.key), str(other)))
    two.start()
    for daemon in (two.a, two.b):
        event = daemon.wait_event("pair", "wrong key")
        assert "pair.key_file" in event["detail"]
        daemon.wait_event("pair", "partner lost")
    edit(two.b, (str(other), str(two.key)))
    for daemon in (two.a, two.b):
        daemon.wait_event("pair", "partner back")
        daemon.wait_event("pair", "wrong key over")


def test_a_link_that_is_cut_is_reported_and_its_return(two):
    two.start().wait(two.a, two.b)
    two.a.wait(lambda s: s.pair.links["second"].frames > 10, "frames of the second link")
    edit(two.b, (f"port = {two.ports[1]}", "port = 9"))
    event = two.a.wait_event("pair", "link lost")
    assert "pair.link.second" in event["detail"]
    assert "pair.link.lan" not in event["detail"]
    edit(two.b, ("port = 9", f"port = {two.ports[1]}"))
    two.a.wait_event("pair", "link back")


def test_a_partner_that_is_killed_is_lost_and_comes_back(two):
    two.start().wait(two.a, two.b)
    two.a.wait(lambda s: s.pair.links["lan"].frames > 80, "the patience of the start to be over")
    os.kill(two.b.process.pid, signal.SIGKILL)
    two.b.process.wait(20)
    event = two.a.wait_event("pair", "partner lost")
    assert event["severity"] == "warning"
    two.b.start()
    assert two.a.wait_event("pair", "partner back")["severity"] == "info"
    assert [e["after"] for e in two.a.events("pair")] == ["partner lost", "partner back"]


def test_equal_names_are_reported(two):
    edit(two.b, ('name = "gw2"', 'name = "gw1"'))
    two.start()
    for daemon in (two.a, two.b):
        event = daemon.wait_event("pair", "equal names")
        assert "write another node.name on one of them" in event["detail"]
