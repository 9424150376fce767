"""The folder: only what was rendered is ever replaced or removed."""

import os
import stat
from pathlib import PurePosixPath

import pytest

from havpn_core.errors import ConfigError
from havpn_core.host.disk.trouble import FileTrouble
from havpn_core.site.rendering.digest import marked
from havpn_core.site.tree import Entry, carry_out, planned

HAVPN = "gw/etc/havpn/havpn.toml"


def entry(place, text="x\n", mode=0o644):
    return Entry(PurePosixPath(place), marked(text), mode)


def render(folder, *entries):
    plan = planned(folder, entries)
    carry_out(plan)
    return len(plan.write), plan.same, len(plan.remove)


def seen(folder):
    return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}


def test_files_get_their_modes_whatever_the_umask_says(tmp_path):
    before = os.umask(0o077)
    try:
        render(tmp_path / "out", entry(HAVPN), entry("gw/etc/key", mode=0o600))
    finally:
        os.umask(before)
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "out/gw/etc").rglob("*")}
    assert modes == {"havpn": 0o755, "havpn.toml": 0o644, "key": 0o600}


def test_what_is_the_same_is_left_alone(tmp_path):
    assert render(tmp_path, entry(HAVPN), entry("README")) == (2, 0, 0)
    before = (tmp_path / HAVPN).stat().st_mtime_ns
    assert render(tmp_path, entry(HAVPN), entry("README", "y\n")) == (1, 1, 0)
    assert (tmp_path / HAVPN).stat().st_mtime_ns == before
    (tmp_path / HAVPN).chmod(0o666)
    assert render(tmp_path, entry(HAVPN), entry("README", "y\n")) == (1, 1, 0)
    assert stat.S_IMODE((tmp_path / HAVPN).stat().st_mode) == 0o644


def test_what_is_not_rendered_any_more_goes_with_its_folders(tmp_path):
    render(tmp_path, entry(HAVPN), entry("gw/etc/ha.d/ha.cf"), entry("old/etc/havpn/havpn.toml"))
    (tmp_path / "gw/etc/mine").write_text("mine\n")
    (tmp_path / "old/notes").write_text("mine\n")
    assert render(tmp_path, entry(HAVPN)) == (0, 1, 2)
    assert set(seen(tmp_path)) == {HAVPN, "gw/etc/mine", "old/notes"}
    assert not (tmp_path / "gw/etc/ha.d").exists()
    assert not (tmp_path / "old/etc").exists()


def test_a_folder_that_is_no_gateway_s_tree_is_never_searched(tmp_path):
    """As that of another site's trees beside, or / itself."""
    (tmp_path / "etc/havpn").mkdir(parents=True)
    live = marked("live\n")
    (tmp_path / "etc/havpn/havpn.toml").write_text(live)
    (tmp_path / "site2/gw/etc/havpn").mkdir(parents=True)
    (tmp_path / "site2/gw/etc/havpn/havpn.toml").write_text(live)
    assert render(tmp_path, entry(HAVPN)) == (1, 0, 0)
    assert set(seen(tmp_path)) == {
        HAVPN, "etc/havpn/havpn.toml", "site2/gw/etc/havpn/havpn.toml",
    }  # fmt: skip


def test_every_foreign_file_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "gw/etc/havpn").mkdir(parents=True)
    (tmp_path / HAVPN).write_text("mine\n")
    (tmp_path / "README").write_text("mine, too\n")
    with pytest.raises(ConfigError) as raised:
        planned(tmp_path, [entry(HAVPN), entry("README"), entry("gw/etc/new")])
    assert len(raised.value.problems) == 2
    assert all("bears no mark of HA-VPN" in each for each in raised.value.problems)
    assert seen(tmp_path) == {HAVPN: "mine\n", "README": "mine, too\n"}


@pytest.mark.parametrize("what", ["link", "folder", "fifo", "folder link", "file above"])
def test_what_is_no_file_in_a_file_s_place_is_refused(tmp_path, what):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    file = out / HAVPN
    if what == "folder link":
        (out / "gw").mkdir(parents=True)
        (out / "gw/etc").symlink_to(outside)
    elif what == "file above":
        (out / "gw").mkdir(parents=True)
        (out / "gw/etc").write_text("mine\n")
    else:
        file.parent.mkdir(parents=True)
    match what:
        case "link":
            (outside / "file").write_text(marked("theirs\n"))
            file.symlink_to(outside / "file")
        case "folder":
            file.mkdir()
        case "fifo":
            os.mkfifo(file)
    with pytest.raises(ConfigError, match=r"move it away|remove it"):
        planned(out, [entry(HAVPN)])
    assert seen(outside) in ({}, {"file": marked("theirs\n")})


def test_files_behind_a_link_are_neither_ours_nor_removed(tmp_path):
    outside = tmp_path / "outside"
    render(outside, entry(HAVPN))
    out = tmp_path / "out"
    out.mkdir()
    (out / "gw").symlink_to(outside / "gw")
    (out / "other").mkdir()
    assert render(out, entry("new/etc/havpn/havpn.toml")) == (1, 0, 0)
    assert (outside / HAVPN).exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "out").write_text("mine\n")
    with pytest.raises((ConfigError, FileTrouble), match=r"no folder: move"):
        render(tmp_path / "out", entry(HAVPN))
