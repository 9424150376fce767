"""``havpn ocf``: atomically, executable, never over what is not ours."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from havpn_core.cli.ocf import ocf
from havpn_core.errors import HavpnError
from havpn_core.pacemaker import agent


def test_install_writes_an_agent_that_works_and_uninstall_takes_it_away(tmp_path):
    place = agent.install(tmp_path)
    assert place == tmp_path / "usr/lib/ocf/resource.d/havpn/link"
    assert place.stat().st_mode & 0o777 == 0o755
    assert f"python='{sys.executable}'" in place.read_text()
    assert [each.name for each in place.parent.iterdir()] == ["link"]
    assert subprocess.run([place, "meta-data"], capture_output=True, check=True).stdout
    assert agent.install(tmp_path) == place, "again, over its own"
    assert agent.uninstall(tmp_path) == place
    assert not place.parent.exists()
    assert agent.uninstall(tmp_path) is None


@pytest.mark.parametrize("how", ["file", "symlink", "dangling", "folder"])
def test_what_somebody_else_put_there_stays(tmp_path, how):
    place = tmp_path / "usr/lib/ocf/resource.d/havpn/link"
    place.parent.mkdir(parents=True)
    mine = tmp_path / "mine"
    if how == "file":
        place.write_text("#!/bin/sh\nexit 0\n")
    elif how == "folder":
        place.mkdir()
    else:
        if how == "symlink":
            mine.write_text(agent.text())
        place.symlink_to(mine)
    for deed in (agent.install, agent.uninstall):
        with pytest.raises(HavpnError, match="was not written by havpn: move it away"):
            deed(tmp_path)
    assert place.is_symlink() or place.exists()


def test_an_agent_that_does_not_work_takes_nobodys_place(tmp_path, monkeypatch):
    place = agent.install(tmp_path)
    before = place.read_text()
    broken = before.replace("meta-data) meta_data ;;", "meta-data) exit 1 ;;")
    monkeypatch.setattr(agent, "text", lambda: broken)
    with pytest.raises(HavpnError, match="meta-data failed"):
        agent.install(tmp_path)
    assert place.read_text() == before
    assert [each.name for each in place.parent.iterdir()] == ["link"]


def test_the_command(tmp_path):
    run = CliRunner().invoke
    assert "wrote" in run(ocf, ["install", "--root", str(tmp_path)]).output
    assert run(ocf, ["show"]).output == agent.text()
    assert "removed" in run(ocf, ["uninstall", "--root", str(tmp_path)]).output
    assert "was not installed" in run(ocf, ["uninstall", "--root", str(tmp_path)]).output
