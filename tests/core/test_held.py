"""``held.json``: what is noted there, and what of a damaged one is still believed."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core import Held, note_held, read_held
from havpn_core.daemon.state.memory import Damaged
from havpn_core.host.held import HELD_FILE, decode_held
from tests.core.damage import damaged, fuzz

GOOD = {
    "action.a": {"type": "alias-arp", "options": {"device": "lan", "addresses": ["10.0.0.1/8"]}}
}
ONE, TWO = (Held("alias-arp", {"device": name}) for name in ("lan", "dmz"))


def test_notes_keep_those_of_others(tmp_path):
    run = tmp_path / "run"
    note_held(run, "action.a", ONE)
    note_held(run, "action.b", TWO)
    assert read_held(run) == ({"action.a": ONE, "action.b": TWO}, [])
    note_held(run, "action.a", None)
    assert read_held(run) == ({"action.b": TWO}, [])
    assert (run / HELD_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in run.iterdir()] == [HELD_FILE]


def test_no_file_is_nothing_held(tmp_path):
    assert read_held(tmp_path) == ({}, [])


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"a": 1}', b"\xff", b"[" * 9999, b'{"a":{"type":']
)
def test_a_damaged_note_is_said_and_kept_aside_when_written_over(tmp_path, content):
    (tmp_path / HELD_FILE).write_bytes(content)
    entries, (problem,) = read_held(tmp_path)
    assert entries == {}
    assert problem.startswith(f"{tmp_path / HELD_FILE} is damaged (")
    assert "remove" in problem
    note_held(tmp_path, "action.a", ONE)
    assert read_held(tmp_path) == ({"action.a": ONE}, [])
    (aside,) = tmp_path.glob("held.json.corrupt-*")
    assert aside.read_bytes() == content


def test_a_bad_entry_loses_no_other(tmp_path):
    content = {"x": {"type": 7, "options": {}}, "\ud800": GOOD["action.a"], **GOOD}
    (tmp_path / HELD_FILE).write_text(json.dumps(content))
    entries, (problem,) = read_held(tmp_path)
    assert list(entries) == ["action.a"]
    assert "x:" in problem and "not the name of an action" in problem


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_note_of_somebody_else_is_not_believed(tmp_path):
    file = tmp_path / HELD_FILE
    file.write_text(json.dumps(GOOD))
    os.chown(file, 65534, 65534)
    entries, (problem,) = read_held(tmp_path)
    assert entries == {} and "user 65534" in problem
    os.chown(file, 0, 0)
    file.chmod(0o666)
    entries, (problem,) = read_held(tmp_path)
    assert entries == {} and "chmod go-w" in problem


@fuzz
@given(st.one_of(st.binary(), damaged(json.dumps(GOOD).encode())))
def test_whatever_is_in_the_file_good_entries_come_out_or_it_is_damaged(content):
    try:
        entries, _ = decode_held(content)
    except Damaged as problem:
        assert str(problem)
        return
    for name, held in entries.items():
        assert decode_held(
            json.dumps({name: {"type": held.type, "options": held.options}}).encode()
        )
