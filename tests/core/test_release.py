"""``havpn release`` acts on ``held.json`` only where nobody else can have written it."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from havpn_core.cli import release as release_module
from havpn_core.cli.release import release
from havpn_core.errors import HavpnError

ENTRY = {"type": "alias-arp", "options": {"device": "no-such0", "addresses": ["10.9.9.9/24"]}}
OTHER = 4711


@pytest.fixture
def run_dir(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    return folder


def write(run_dir, content):
    file = run_dir / "held.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    file.chmod(0o600)
    return file


def ran(run_dir):
    nowhere = str(run_dir / "none.toml")
    return CliRunner().invoke(release, ["-c", nowhere, "--run-dir", str(run_dir)])


def test_what_the_daemon_wrote_is_given_up(run_dir):
    write(run_dir, {"action.vip": ENTRY})
    done = ran(run_dir)
    assert "action.vip: released" in done.output
    assert done.exit_code == 0


def test_where_nothing_is_noted_nothing_is_wrong(run_dir):
    assert ran(run_dir).exit_code == 0
    write(run_dir, {})
    assert ran(run_dir).exit_code == 0


def refused(run_dir, *words):
    done = ran(run_dir)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "action.vip: released" not in done.output
    for word in ("held.json" if "run" not in words else "run", *words):
        assert word in done.output, done.output
    assert "[Errno" not in done.output


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602, 0o777])
def test_what_others_can_write_is_not_acted_on(run_dir, mode):
    write(run_dir, {"action.vip": ENTRY}).chmod(mode)
    refused(run_dir, "others may write it", "chmod go-w")


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o1777])
def test_nor_what_is_in_a_folder_that_others_can_write(run_dir, mode):
    write(run_dir, {"action.vip": ENTRY})
    run_dir.chmod(mode)
    refused(run_dir, "run", "others may write it", "chmod go-w")


@pytest.mark.lab  # it gives files to other users
@pytest.mark.parametrize("what", ["file", "folder", "both"])
def test_nor_what_belongs_to_somebody_else(run_dir, what):
    file = write(run_dir, {"action.vip": ENTRY})
    if what != "folder":
        os.chown(file, OTHER, -1)
    if what != "file":
        os.chown(run_dir, OTHER, -1)
    refused(run_dir, "run", f"belongs to user {OTHER}", "run the command as that user")


@pytest.mark.parametrize("what", ["link", "fifo", "folder"])
def test_nor_what_is_no_regular_file(run_dir, tmp_path, what):
    file = run_dir / "held.json"
    if what == "link":
        write(tmp_path, {"action.vip": ENTRY})
        file.symlink_to(Path("..") / "held.json")
    elif what == "fifo":
        os.mkfifo(file, 0o600)
    else:
        file.mkdir()
    refused(run_dir)


def test_nor_what_is_endless(run_dir):
    with write(run_dir, b"{}").open("ab") as file:
        file.truncate(3_000_000_000)
    refused(run_dir, "more than", "remove it")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b"null", b"\xff", b'{"action.vip": "\xff"}', b"\x00" * 100,
     b"[" * 200_000, b'{"a":' * 100_000],
)  # fmt: skip
def test_what_is_damaged_is_said_in_a_sentence(run_dir, content):
    write(run_dir, content)
    refused(run_dir, "by hand")


@pytest.mark.parametrize(
    ("name", "entry", "words"),
    [
        ("action.x", {"type": "exec", "options": {"active": ["touch"], "standby": ["touch"]}},
         "owns no address"),
        ("action.x", {"type": "heartbeat", "options": {}}, "owns no address"),
        ("action.x", {"type": "no-such-type", "options": {}}, "no-such-type"),
        ("action.x", {"type": 5, "options": {}}, "by hand"),
        ("action.x", {"type": "alias-arp", "options": []}, "by hand"),
        ("action.x", {"type": "alias-arp", "options": {}}, "by hand"),
        ("action.x", {"type": "alias-arp", "options": {"device": 1, "addresses": []}}, "by hand"),
        ("action.x", {"type": "alias-arp"}, "by hand"),
        ("action.x", {**ENTRY, "more": 1}, "by hand"),
        ("action.x", [], "by hand"),
        ("action.x", None, "by hand"),
        ("../x", ENTRY, "not the name of an action"),
        ("action.\x1b[2J", ENTRY, "not the name of an action"),
        ("", ENTRY, "not the name of an action"),
    ],
)  # fmt: skip
def test_an_entry_that_no_daemon_wrote_is_passed_over_and_the_others_given_up(
    run_dir, name, entry, words
):
    write(run_dir, {name: entry, "action.good": ENTRY})
    done = ran(run_dir)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert words in done.output
    assert "by hand" in done.output
    assert "\x1b" not in done.output
    assert "action.good: released" in done.output


def test_beside_a_running_daemon_it_takes_force(run_dir, monkeypatch):
    """It takes the addresses again at once, so that nothing is gained but an outage."""
    write(run_dir, {"action.vip": ENTRY})
    monkeypatch.setattr(release_module, "_daemon_runs", lambda folder: True)
    nowhere = ["-c", str(run_dir / "none.toml"), "--run-dir", str(run_dir)]
    refused_ = CliRunner().invoke(release, nowhere)
    assert isinstance(refused_.exception, HavpnError)
    assert "the daemon runs" in str(refused_.exception)
    assert "--force" in str(refused_.exception)
    assert "released" not in refused_.output
    forced = CliRunner().invoke(release, [*nowhere, "--force"])
    assert forced.exit_code == 0
    assert "action.vip: released" in forced.output
