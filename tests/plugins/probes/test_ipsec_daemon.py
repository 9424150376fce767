"""The probe ``ipsec`` in a daemon, with a charon of the test's own; and without its library."""

import os

import pytest
from charon_world import charon_in_thread, child, ike

from tests.core.daemon import Daemon

PATH = """
[path.tunnel]
profile = "fast"
interval = "6s"
rise = 1
[path.tunnel.probe.sa]
type = "ipsec"
watches = "tunnel"
child = "lans"
socket = "unix://{dir}/charon.vici"
"""


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path, more=PATH.format(dir=tmp_path))
    yield made
    made.end()


def tunnel(status):
    return status.paths["tunnel"]


def test_a_deleted_sa_is_down_long_before_the_next_interval(daemon):
    with charon_in_thread(str(daemon.dir / "charon.vici"), [ike(child())]) as (charon, call):
        daemon.start()
        status = daemon.wait(lambda s: tunnel(s).verdict == "up", "the tunnel")
        assert tunnel(status).probes["sa"].detail.startswith("INSTALLED, in 1200 bytes")
        since = daemon.now()

        def delete():
            charon.rows = [ike()]
            charon.tell("child-updown", ike(child("DELETING")))

        call(delete)
        daemon.wait_event("verdict", "down", since=since, subject="tunnel", timeout=4)
        status = daemon.wait(lambda s: tunnel(s).probes["sa"].fail, "the failures")
        assert tunnel(status).probes["sa"].detail == "no CHILD_SA lans is INSTALLED"
        daemon.wait_role("standby")


def test_a_charon_that_is_not_there_is_no_reason_to_act(daemon):
    daemon.start()
    status = daemon.wait(lambda s: tunnel(s).probes["sa"].error, "an error")
    assert tunnel(status).probes["sa"].detail.startswith("charon is not reachable: no such file")
    assert tunnel(status).probes["sa"].fail == 0
    assert [e for e in daemon.events("verdict") if e["subject"] == "tunnel"] == []
    assert daemon.role == "active"


def test_without_its_library_the_daemon_says_what_to_install(daemon, tmp_path, monkeypatch):
    stub = tmp_path / "stub" / "vici"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("raise ImportError('not installed')\n")
    given = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{stub.parent}{os.pathsep}{given}".rstrip(os.pathsep))
    for command in ("run", "check"):
        ended = daemon.havpn(command)
        said = ended.stdout + ended.stderr
        assert ended.returncode == 1, said
        assert "path.tunnel.probe.sa" in said
        assert "pip install 'havpn[ipsec]'" in " ".join(said.split())
        assert "Traceback" not in said
    assert "ipsec" in daemon.havpn("plugin", "list").stdout
