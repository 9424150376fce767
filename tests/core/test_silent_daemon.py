"""A live daemon that an operator takes out: its responder falls silent and replies again."""

import socket

import pytest

from havpn_core.echo.report import AWAY
from tests.core.daemon import Daemon
from tests.ports import free_port

WHY = "in maintenance, and standing by"
RESPOND = """
[respond]
listen = ["127.0.0.1:{port}"]
allow = ["127.0.0.0/8"]
{more}
"""


def heard(port, timeout_s=0.5):
    """Send one request; gives the first bytes that come back, empty for silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout_s)
        sock.connect(("127.0.0.1", port))  # a refusal would be an error
        sock.send(b"a request of 16b")
        try:
            return sock.recv(100)[:4]
        except TimeoutError:
            return b""


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path)
    yield made
    made.end()


def started(daemon, more=""):
    port = free_port()
    daemon.configure(more=RESPOND.format(port=port, more=more))
    daemon.start()
    daemon.wait(lambda s: s.role.observed == "active" and s.paths["vpn1"].verdict == "up", "calm")
    return port


def test_a_gateway_that_is_taken_out_is_silent_while_it_stands_by(daemon):
    port = started(daemon)
    assert heard(port, 5) == b"a re"
    daemon.since = daemon.now()
    daemon.havpn("switch", "--to", "standby")
    daemon.wait(lambda s: s.respond.silence == WHY, "its silence")
    said = heard(port)
    assert said in (AWAY, b"")
    silent = daemon.wait_event("respond", "silent")
    assert (silent["before"], silent["detail"], silent["severity"]) == ("replying", WHY, "warning")
    assert daemon.wait(lambda s: s.respond.silent, "a request that got no reply")
    assert f"respond silent: {WHY}" in daemon.shown()
    daemon.havpn("switch", "--to", "auto")
    daemon.wait(lambda s: not s.respond.silence and s.role.observed == "active", "its replies")
    assert heard(port, 5) == b"a re"
    assert daemon.wait_event("respond", "replying")["before"] == "silent"
    assert "silent:" not in daemon.shown().partition(" event ")[0]


def test_a_restart_and_a_reload_leave_it_silent(daemon):
    port = started(daemon)
    daemon.havpn("switch", "--to", "standby")
    daemon.wait(lambda s: s.respond.silence == WHY, "its silence")
    daemon.end()
    daemon.start()
    daemon.wait(lambda s: s.respond and s.respond.silence == WHY, "its silence after a restart")
    daemon.configure(more=RESPOND.format(port=port, more="rate = 50"))
    daemon.since = daemon.now()
    daemon.havpn("reload")
    daemon.wait_event("daemon", "reloaded")
    assert heard(port) in (AWAY, b"")
    assert daemon.wait(lambda s: s.respond.silence == WHY and s.respond.silent, "its silence")


def test_one_that_always_replies_replies(daemon):
    port = started(daemon, 'when = "always"')
    daemon.havpn("switch", "--to", "standby")
    daemon.wait(lambda s: s.role.observed == "standby", "the standby")
    assert heard(port, 5) == b"a re"
    assert daemon.status().respond.silence == ""
    assert daemon.events("respond") == []


def test_a_standby_whose_line_is_down_replies(daemon):
    """Silence is never caused by the far end's silence."""
    port = started(daemon)
    daemon.cut()
    daemon.wait(lambda s: s.role.observed == "standby", "the standby")
    assert heard(port, 5) == b"a re"
    assert daemon.events("respond") == []
