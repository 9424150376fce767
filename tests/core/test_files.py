"""The one reader and writer of our files, with disks and neighbours as they can be."""

import json
import os
import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.daemon.state.events import as_line, parse_history
from havpn_core.daemon.state.reading import read, read_whole
from havpn_core.daemon.state.status import STATUS_FILE
from havpn_core.errors import HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.aside import set_aside
from havpn_core.host.disk.keys import read_keys
from havpn_core.host.disk.trouble import FileTrouble
from havpn_core.pair.keys import last_incarnation, next_incarnation
from havpn_core.plugging.descriptors import Event
from tests.core.damage import damaged, fuzz

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
OLD = b"the good old content\n"


@pytest.fixture
def size_limit():
    """Let no file grow past 64 KiB: the write that meets the limit is a short one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    yield 65536
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- writing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_a_file_and_its_folders_have_their_modes_whatever_the_umask(tmp_path, mode, durable):
    before = os.umask(0o177)
    try:
        files.write(tmp_path / "a" / "b" / "file", OLD, durable=durable, mode=mode)
    finally:
        os.umask(before)
    modes = [p.stat().st_mode & 0o7777 for p in (tmp_path / "a", tmp_path / "a" / "b")]
    assert modes == [0o755, 0o755]
    assert (tmp_path / "a" / "b" / "file").stat().st_mode & 0o7777 == mode
    assert names(tmp_path / "a" / "b") == ["file"]


@pytest.mark.parametrize("durable", [False, True])
def test_a_write_that_is_cut_short_leaves_the_old_file_and_no_draft(tmp_path, size_limit, durable):
    file = tmp_path / "file"
    file.write_bytes(OLD)
    with pytest.raises(FileTrouble, match=r"file: the limit on the size of files is too low"):
        files.write(file, b"x" * (size_limit + 1), durable=durable)
    assert file.read_bytes() == OLD
    assert names(tmp_path) == ["file"]


def test_a_block_that_raises_leaves_the_old_file_and_no_draft(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(OLD)
    with (
        pytest.raises(HavpnError, match="no good"),
        files.replacing(file, b"new", durable=True) as draft,
    ):
        assert draft.read_bytes() == b"new"
        raise HavpnError("no good")
    assert file.read_bytes() == OLD
    assert names(tmp_path) == ["file"]


def test_an_append_that_is_cut_short_adds_nothing(tmp_path, size_limit):
    file = tmp_path / "file"
    files.append(file, OLD)
    with pytest.raises(FileTrouble, match="too low"):
        files.append(file, b"x" * size_limit + b"\n")
    assert file.read_bytes() == OLD
    files.append(file, b"more\n")
    assert file.read_bytes() == OLD + b"more\n"


def test_an_append_ends_a_line_that_a_crash_cut_off(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(OLD + b'{"at": "20')
    files.append(file, b"whole\n")
    assert file.read_bytes() == OLD + b'{"at": "20\nwhole\n'


def test_drafts_of_writers_that_were_killed_are_swept_and_others_stay(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = [f".state.json.{gone.pid}", f".state.json.{gone.pid}.00c0ffee"]
    stay = [f".state.json.{os.getppid()}.00c0ffee", ".state.json.old", f".mine.{gone.pid}", "x"]
    for name in left + stay:
        (tmp_path / name).write_text("")
    own = tmp_path / f".state.json.{os.getpid()}.00c0ffee"
    own.write_text("")
    os.utime(own, (1, 1))  # a process of the same number, in a container, before this one
    files.write(tmp_path / "state.json", OLD, durable=True)
    assert names(tmp_path) == sorted([*stay, "state.json"])


FULL = """
import os, sys
from pathlib import Path
from havpn_core.host.disk import files
folder = Path(sys.argv[1])
file = folder / "state.json"
files.write(file, b"old", durable=True)
{spoil}
for attempt in (
    lambda: files.write(file, b"x" * 300_000, durable=True),
    lambda: files.write(folder / "new" / "file", b"x" * 300_000, durable=False),
    lambda: files.append(file, b"x" * 300_000),
):
    try:
        attempt()
    except files.FileTrouble as problem:
        print(problem, problem.passing)
print(file.read_bytes(), sorted(n for n in os.listdir(folder) if n != "new"))
"""


def on_a_small_disk(folder, program):
    script = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" -c "$3" "$1"'
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(folder), sys.executable, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@root
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("", "the disk is full: free some space True"),
        (
            "import subprocess; subprocess.run(['mount', '-o', 'remount,ro', sys.argv[1]])",
            "the file system is read-only: mount it writable True",
        ),
    ],
)
def test_a_full_or_read_only_disk_is_a_sentence_and_keeps_the_old_file(tmp_path, spoil, said):
    ended = on_a_small_disk(tmp_path, FULL.format(spoil=spoil))
    *sentences, last = ended.stdout.splitlines()
    assert len(sentences) == 3 and all(line.endswith(said) for line in sentences), ended
    assert last == "b'old' ['state.json']"


# --- reading ---------------------------------------------------------------------------------


def as_folder(file):
    file.mkdir()


def as_fifo(file):
    os.mkfifo(file)


def as_huge(file):
    file.touch()
    os.truncate(file, 1 << 40)


def as_socket(file):
    import socket

    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(file))


def as_circle(file):
    file.symlink_to(file.name)


def as_device(file):
    file.symlink_to("/dev/zero")


PLACES = [as_folder, as_fifo, as_huge, as_socket, as_circle, as_device]


@pytest.mark.parametrize("make", PLACES)
def test_what_is_no_file_of_ours_is_a_sentence_and_can_be_set_aside(tmp_path, make):
    file = tmp_path / "f"
    make(file)
    with pytest.raises(FileTrouble) as problem:
        files.read(file)
    assert str(problem.value).startswith(f"{file}: ")
    assert "Errno" not in str(problem.value) and ": " in str(problem.value)
    assert set_aside(file).startswith("set aside as f.corrupt-")
    assert files.read(file) is None


def test_a_file_that_is_not_there_is_none(tmp_path):
    assert files.read(tmp_path / "none") is None
    assert files.read(tmp_path / "no" / "such" / "folder") is None


@pytest.mark.parametrize("make", [as_folder, as_fifo])
def test_what_is_in_the_place_of_a_file_is_not_appended_to(tmp_path, make):
    make(tmp_path / "f")
    with pytest.raises(FileTrouble, match=r"f: .* is in its place: move it away"):
        files.append(tmp_path / "f", b"x\n")


def test_only_the_newest_damaged_files_are_kept(tmp_path):
    file = tmp_path / "f"
    (tmp_path / "f.corrupt-7").write_text("the oldest")
    for number in range(8):
        file.write_text(str(number))
        set_aside(file)
    kept = {p.read_text() for p in tmp_path.iterdir()}
    assert kept == {"3", "4", "5", "6", "7"}


@pytest.mark.parametrize("make", PLACES)
def test_every_reader_says_a_sentence_of_whatever_is_in_its_place(tmp_path, make):
    make(tmp_path / STATUS_FILE)
    with pytest.raises(FileTrouble, match=STATUS_FILE):
        read(tmp_path)
    make(tmp_path / "key")
    with pytest.raises(HavpnError, match="key"):
        read_keys(tmp_path / "key")
    make(tmp_path / "pair.json")
    last, warning = last_incarnation(tmp_path)
    assert last == 0 and "pair.json" in warning


# --- each file's own reader ------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"incarnation": -1}', '{"incarnation": true}', '{"incarnation": 9e99}',
     '{"incarnation": 99999999999999999999}', '{"incarnation": "7"}', '{"incarnation": NaN}',
     "[" * 99999, '{"incarnation": 17'],
)  # fmt: skip
def test_a_damaged_count_of_starts_is_set_aside(tmp_path, content):
    (tmp_path / "pair.json").write_text(content)
    last, warning = last_incarnation(tmp_path)
    assert last == 0 and "set aside as pair.json.corrupt-" in warning
    assert next_incarnation(last, 1_764_000_000.25)[0] == 1_764_000_000_250_000


def test_starts_are_counted_past_the_last_one_whatever_the_clock_says(tmp_path):
    number, content = next_incarnation(2_000_000_000_000_000, 5.0)
    assert number == 2_000_000_000_000_001
    (tmp_path / "pair.json").write_bytes(content)
    assert last_incarnation(tmp_path) == (number, None)


LINE = as_line(Event("verdict", "vpn1", "up", "down", "a\u2028b", "warning", "gw"))


def test_a_torn_line_of_the_history_costs_no_other():
    bad = [LINE[:40], b"\xff\xfe", b"7", b"{}", b'{"at": 3}', b"[" * 9999, b"\x00" * 64]
    found, count = parse_history(b"\n".join([LINE.strip(), *bad, LINE.strip()]))
    assert [record.detail for _, record in found] == ["a\u2028b"] * 2
    assert count == len(bad)


def test_an_event_with_text_that_is_no_unicode_is_a_whole_line():
    found, count = parse_history(as_line(Event("plugin", "x", "", "failed", "\ud800!")))
    assert ([record.detail for _, record in found], count) == (["?!"], 0)


@fuzz
@given(st.one_of(st.binary(), damaged(LINE * 3)))
def test_any_history_is_read(content):
    found, count = parse_history(content)
    assert len(found) + count == len([line for line in content.split(b"\n") if line])


GOOD_STATUS = b"""{"node": "gw", "state": "running", "pid": 1, "written_at":
"2026-01-01T00:00:00.000Z", "role": {"wanted": "active", "observed": null}, "paths": {"vpn1":
{"verdict": "up", "since": "x", "probes": {"echo": {"outcome": "ok", "latency_ms": 1.5, "detail":
"", "ok": 1, "fail": 0, "error": 0}}}}, "actions": {}, "notifiers": {}}"""


def test_a_status_of_a_daemon_that_is_gone_is_stale(tmp_path):
    (tmp_path / STATUS_FILE).write_bytes(GOOD_STATUS)
    assert read(tmp_path).state == "stale"


@fuzz
@given(
    content=st.one_of(st.binary(), damaged(GOOD_STATUS)),
)
def test_any_status_is_shown_or_is_a_sentence(tmp_path, content):
    from havpn_core.showing.glance import rows
    from havpn_core.showing.nagios import check_line
    from havpn_core.showing.rows import NARROW, plain
    from havpn_core.showing.site import site, site_rows

    (tmp_path / STATUS_FILE).write_bytes(content)
    try:
        found, raw = read_whole(tmp_path)
    except FileTrouble as problem:
        assert str(tmp_path / STATUS_FILE) in str(problem)
        return
    assert json.dumps(raw)
    for shown in (rows(found), site_rows(site(found))):
        assert all(len(line) <= NARROW for line in plain(shown, NARROW).splitlines())
    assert "\n" not in check_line(found)[1]


@fuzz
@given(content=st.one_of(st.binary(), damaged(b"# key\n" + b"ab" * 32 + b"\n")))
def test_any_key_file_is_keys_or_a_sentence(tmp_path, content):
    file = tmp_path / "key"
    file.write_bytes(content)
    file.chmod(0o600)
    try:
        assert 1 <= len(read_keys(file)) <= 2
    except HavpnError as problem:
        assert str(file) in str(problem)


@fuzz
@given(content=st.one_of(st.binary(), damaged(b'{"incarnation": 1764000000000000}')))
def test_any_count_of_starts_gives_a_number_that_a_frame_can_hold(tmp_path, content):
    (tmp_path / "pair.json").write_bytes(content)
    number, _ = next_incarnation(last_incarnation(tmp_path)[0], 1_764_000_000.0)
    assert len(number.to_bytes(8, "big")) == 8


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_events_leaves_damaged_lines_out_and_counts_them(tmp_path, options):
    from click.testing import CliRunner

    from havpn_core.cli.events import events

    file = tmp_path / "havpn.toml"
    file.write_text(f'[node]\nstate_dir = "{tmp_path}"\n')
    (tmp_path / "events.jsonl.1").write_bytes(LINE + b'{"kind": "\xff"}\n7\n' + LINE)
    (tmp_path / "events.jsonl").write_bytes(LINE + LINE[:30])
    ended = CliRunner().invoke(events, ["-c", str(file), *options])
    assert ended.exit_code == 0
    assert f"havpn: {tmp_path}/events.jsonl.1: 2 damaged lines are left out" in ended.stderr
    assert f"havpn: {tmp_path}/events.jsonl: 1 damaged line is left out" in ended.stderr
    assert ended.stdout.count("vpn1") == 3


def test_events_shows_one_file_where_the_other_is_something_else(tmp_path):
    from click.testing import CliRunner

    from havpn_core.cli.events import events

    file = tmp_path / "havpn.toml"
    file.write_text(f'[node]\nstate_dir = "{tmp_path}"\n')
    as_fifo(tmp_path / "events.jsonl.1")
    (tmp_path / "events.jsonl").write_bytes(LINE)
    ended = CliRunner().invoke(events, ["-c", str(file)])
    assert ended.stdout.count("vpn1") == 1
    assert isinstance(ended.exception, FileTrouble)


def test_an_event_is_one_line_that_no_terminal_obeys(tmp_path):
    from click.testing import CliRunner

    from havpn_core.cli.events import events

    file = tmp_path / "havpn.toml"
    file.write_text(f'[node]\nstate_dir = "{tmp_path}"\n')
    hostile = LINE.replace(b"vpn1", rb"vpn1\u001b[2J\nrole: active\u009b31m\ud83d\ude00")
    (tmp_path / "events.jsonl").write_bytes(hostile)
    shown = CliRunner().invoke(events, ["-c", str(file)], color=True).stdout
    assert shown.count("\n") == 1 and "vpn1 [2J role: active 31m" in shown
    assert shown[:-1].isprintable()
