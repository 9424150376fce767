"""A live daemon whose line and tunnel are two files, and what ``check`` says of it."""

import pytest

from tests.core.daemon import Daemon

TUNNEL = """
[path.vpn1.probe.tunnel]
type = "exec"
command = ["{dir}/inside"]
watches = "tunnel"
"""


@pytest.fixture
def gateway(tmp_path):
    daemon = Daemon(tmp_path, more=TUNNEL.format(dir=tmp_path))
    daemon.script("inside", f"test -e {tmp_path}/tunnel || exit 2")
    (tmp_path / "tunnel").touch()
    yield daemon
    daemon.end()


def test_a_dead_tunnel_on_a_good_line_gives_the_role_away_and_back(gateway):
    gateway.start()
    gateway.wait_verdict("up")
    gateway.wait_role("active")
    gateway.since = gateway.now()
    (gateway.dir / "tunnel").unlink()
    event = gateway.wait_event("verdict", "down")
    assert event["detail"].startswith("tunnel: ")
    assert event["detail"].endswith("; the line is well")
    gateway.wait_role("standby")
    shown = gateway.shown()
    assert "line probe echo: ok" in shown
    assert "tunnel probe tunnel: fail" in shown
    assert " tunnel: " in shown
    assert "; the line is well" in shown
    gateway.since = gateway.now()
    (gateway.dir / "tunnel").touch()
    gateway.wait_role("active")
    assert gateway.status().paths["vpn1"].failing is None


def test_check_warns_while_nothing_watches_the_tunnel(gateway):
    warning = "path.vpn1: no probe watches the tunnel"
    assert warning not in gateway.havpn("check").stdout
    gateway.configure()
    found = gateway.havpn("check")
    assert warning in found.stdout
    assert found.returncode == 0
