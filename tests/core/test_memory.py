"""The state file: what of a damaged one is still believed, and what stays as it was."""

import json
import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from havpn_core.daemon.state.keeping import recall
from havpn_core.daemon.state.memory import ActionMemory, Damaged, Memory, decode
from havpn_core.rules.hysteresis import Level
from havpn_core.rules.role import Role
from tests.core.damage import damaged, fuzz

TODAY = {
    "paths": {"vpn1": "down", "vpn2": "up"},
    "actions": {"action.gateway": {"done": "standby"}, "action.b": {"foreign": "active"}},
    "flaps": {"vpn1": 1.25},
    "paused": True,
    "forced": "standby",
    "forced_until": 1764000000.5,
}
WHOLE = Memory(
    {"vpn1": Level.DOWN, "vpn2": Level.UP},
    {
        "action.gateway": ActionMemory(done=Role.STANDBY),
        "action.b": ActionMemory(foreign=Role.ACTIVE),
    },
    {"vpn1": 1.25},
    True,
    Role.STANDBY,
    1764000000.5,
)


def read(**changes):
    return decode(json.dumps(TODAY | changes).encode())


def test_a_state_file_of_the_release_before_loads_and_is_written_with_the_same_words():
    memory, problems = read()
    assert (memory, problems) == (WHOLE, [])
    assert TODAY.items() <= json.loads(msgspec.json.encode(memory)).items()


@pytest.mark.parametrize(
    ("changes", "said", "good"),
    [
        ({"steps": {"vpn1": 0}}, "steps.vpn1: 0 is no whole number from 1 to 7", "paths"),
        ({"steps": {"vpn1": 8}}, "steps.vpn1: 8 is no whole number from 1 to 7", "paths"),
        ({"steps": {"vpn1": True}}, "steps.vpn1: True is no whole number from 1 to 7", "paths"),
        (
            {"paths": {"vpn1": "sideways", "vpn2": "up"}},
            "paths.vpn1: 'sideways' is not up or down",
            "actions",
        ),
        ({"paths": ["up"]}, "paths: a list is no object", "flaps"),
        (
            {"actions": {"a": {"done": "banana"}}},
            "actions.a: 'banana' is not active or standby",
            "paths",
        ),
        ({"actions": {"a": 3}}, "actions.a: 3 is no object", "paths"),
        ({"flaps": {"vpn1": float("nan")}}, "flaps.vpn1: nan is no number from 0 up", "paths"),
        ({"flaps": {"vpn1": -1}}, "flaps.vpn1: -1 is no number", "paths"),
        ({"flaps": {"vpn1": True}}, "flaps.vpn1: True is no number", "paths"),
        ({"paused": "yes"}, "paused: 'yes' is not true or false", "paths"),
        ({"forced": "banana"}, "the force is forgotten", "paths"),
        ({"forced_until": -5}, "the force is forgotten", "actions"),
        ({"forced_until": 10**400}, "the force is forgotten", "actions"),
    ],
)
def test_one_bad_entry_is_named_and_loses_no_other(changes, said, good):
    memory, problems = read(**changes)
    assert said in "; ".join(problems)
    assert getattr(memory, good) == getattr(WHOLE, good)
    if "the force" in said:
        assert (memory.forced, memory.forced_until) == (None, None)


def test_a_byte_that_is_no_text_costs_its_own_entry_only():
    memory, problems = decode(json.dumps(TODAY).encode().replace(b"vpn1", b"vp\xff1"))
    assert memory.paths == {"vpn2": Level.UP}
    assert memory.actions == WHOLE.actions
    assert "no UTF-8" in problems[0]


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"[]", b"7", b'{"paths": {"vpn1": "do', b"[" * 99999]
)
def test_nothing_to_believe_is_said_in_a_sentence_and_set_aside(tmp_path, content):
    file = tmp_path / "state.json"
    file.write_bytes(content)
    with pytest.raises(Damaged):
        decode(content)
    memory, warning = recall(file)
    assert memory == Memory()
    assert str(file) in warning and "starting afresh" in warning
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("state.json.corrupt-")
    assert aside.read_bytes() == content


def test_a_file_that_is_good_in_part_stays_until_it_is_written_again(tmp_path):
    file = tmp_path / "state.json"
    file.write_text(json.dumps(TODAY | {"paused": 1}))
    memory, warning = recall(file)
    assert memory.paths == WHOLE.paths
    assert "paused: 1 is not true or false" in warning and "set aside as" in warning
    assert recall(file)[0] == memory
    assert len(list(tmp_path.glob("state.json.corrupt-*"))) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_state_file_of_somebody_else_is_set_aside_unless_the_folder_is_his(tmp_path):
    file = tmp_path / "state.json"
    file.write_text(json.dumps(TODAY))
    os.chown(file, 65534, 65534)
    os.chown(tmp_path, 65534, 65534)
    assert recall(file) == (WHOLE, None)
    os.chown(tmp_path, 0, 0)
    memory, warning = recall(file)
    assert memory == Memory() and "it belongs to user 65534" in warning
    assert not file.exists()


@fuzz
@given(st.one_of(st.binary(), damaged(json.dumps(TODAY).encode())))
def test_whatever_is_in_the_file_it_is_memory_or_damaged(content):
    try:
        memory, _ = decode(content)
    except Damaged as problem:
        assert str(problem)
        return
    again, problems = decode(msgspec.json.encode(memory))
    assert (again, problems) == (memory, [])


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["up", "active"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@fuzz
@given(
    st.dictionaries(st.sampled_from([*TODAY, "forced_left", "forced_boot", "forced_end"]), values)
)
def test_any_json_object_is_memory(found):
    memory, _ = decode(json.dumps(found).encode())
    assert decode(msgspec.json.encode(memory)) == (memory, [])


LINE = {
    "version": 2,
    "probes": 5000.0,
    "lost": 50.0,
    "watched_s": 7200.0,
    "jitter_s": 0.001,
    "spells": [[18, 2.0, 0.9]],
    "given_up": [],
}


def test_the_past_of_each_line_outlives_a_restart(tmp_path):
    file = tmp_path / "state.json"
    memory, problems = read(records={"vpn1": LINE})
    assert (memory.records, problems) == ({"vpn1": LINE}, [])
    file.write_bytes(msgspec.json.encode(memory))
    assert recall(file) == (memory, None)


def test_a_damaged_past_of_one_line_is_named_and_loses_no_other(tmp_path):
    file = tmp_path / "state.json"
    bad = LINE | {"spells": [[99, 1, 1]]}
    file.write_text(json.dumps(TODAY | {"records": {"vpn1": bad, "vpn2": LINE}}))
    memory, warning = recall(file)
    assert memory.records == {"vpn2": LINE}
    assert "records.vpn1: the first of an entry of spells is not from 0 to" in warning
    assert memory.paths == WHOLE.paths
