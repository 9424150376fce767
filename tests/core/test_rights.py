"""Who may read a key: its owner, and the group of the service if it belongs to root."""

import errno
import os
import stat
from pathlib import Path

import pytest

from havpn_core.cli import main
from havpn_core.host.disk import files, keys, rights
from havpn_core.host.disk.keys import read_keys, read_secret
from havpn_core.host.disk.trouble import FileTrouble

GROUP = 997


def facts(mode, uid=0, gid=GROUP):
    return os.stat_result((stat.S_IFREG | mode, 1, 1, 1, uid, gid, 10, 0, 0, 0))


def check(monkeypatch, found, group):
    monkeypatch.setattr(rights, "service_group", lambda: group)
    rights.check_rights(Path("key"), found, (), sealed=False, private=True)


@pytest.mark.parametrize("found", [facts(0o600), facts(0o640), facts(0o400, uid=7)])
def test_its_owner_and_the_service_may_read_it(monkeypatch, found):
    check(monkeypatch, found, GROUP)


@pytest.mark.parametrize(
    ("found", "group"),
    [
        (facts(0o640, gid=7), GROUP),
        (facts(0o640), None),
        (facts(0o640, uid=7), GROUP),
        (facts(0o660), GROUP),
        (facts(0o644), GROUP),
        (facts(0o604), GROUP),
    ],
)
def test_nobody_else_may(monkeypatch, found, group):
    with pytest.raises(FileTrouble, match="others may read it: run chmod 600 key") as caught:
        check(monkeypatch, found, group)
    assert ("chown root:havpn and chmod 640" in str(caught.value)) == (group is not None)


@pytest.mark.lab  # only root gives a file to a group
def test_a_key_that_root_makes_is_for_the_service(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("havpn_core.cli.keygen.service_group", lambda: GROUP)
    with pytest.raises(SystemExit) as ended:
        main(["keygen", str(tmp_path / "key")])
    assert ended.value.code == 0
    found = (tmp_path / "key").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, GROUP, 0o640)
    assert "root:havpn, mode 640" in capsys.readouterr().out


@pytest.mark.parametrize("read", [read_keys, read_secret])
@pytest.mark.parametrize(("group", "said"), [(GROUP, "chown root:havpn and chmod 640"), (None, "")])
def test_a_daemon_that_may_not_read_a_secret_says_who_may(monkeypatch, read, group, said):
    def refused(file, **more):
        raise FileTrouble(f"{file}: not permitted", errno.EACCES)

    monkeypatch.setattr(files, "read_text", refused)
    monkeypatch.setattr(keys, "service_group", lambda: group)
    with pytest.raises(FileTrouble, match="key: not permitted") as caught:
        read(Path("key"))
    assert said in str(caught.value)
    assert ("chown" in str(caught.value)) == (group is not None)
