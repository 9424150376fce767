"""What release 0.1 documented stays valid: its configurations, its state, its public names."""

import json
from pathlib import Path

import pytest

import havpn_core
from havpn_core.config.check import build
from havpn_core.config.read import read
from havpn_core.daemon.state.memory import decode
from havpn_core.host.held import decode_held
from havpn_core.plugging.registry import Registry
from havpn_core.rules.hysteresis import Level
from havpn_core.rules.role import Role

HERE = Path(__file__).parent / "release_0_1"
FILES = sorted(HERE.glob("*.toml"))
STATE = {
    "paths": {"vpn1": "up", "vpn2": "down"},
    "actions": {
        "action.gateway": {"done": "standby"},
        "action.other": {"running": "active", "foreign": "standby"},
    },
    "flaps": {"vpn1": 1.25},
    "paused": True,
    "forced": "standby",
    "forced_until": 1764000000.5,
}
NAMES = [
    "Action", "ActionError", "ActionType", "CommandTimeout", "ConfigError", "Context",
    "Duration", "Event", "Finished", "HavpnError", "Link", "LinkType", "NotResolved", "Notifier",
    "NotifierType", "Outcome", "Probe", "ProbeType", "Role", "Sample", "Verdict", "__version__",
    "hookimpl", "run_command",
]  # fmt: skip


def test_there_are_files():
    assert [file.name for file in FILES] == [
        "every.toml", "havpn.toml", "pacemaker.toml", "pair.toml",
    ]  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_documented_configuration_is_good(file, tmp_path):
    copy = tmp_path / "havpn.toml"
    copy.write_text(file.read_text())
    copy.chmod(0o600)
    config = build(read(copy), Registry.load(), copy)
    assert config.paths


def test_a_state_file_is_read_whole():
    memory, problems = decode(json.dumps(STATE).encode())
    assert problems == []
    assert memory.paths == {"vpn1": Level.UP, "vpn2": Level.DOWN}
    assert memory.actions["action.gateway"].done is Role.STANDBY
    assert memory.actions["action.other"].running is Role.ACTIVE
    assert memory.actions["action.other"].foreign is Role.STANDBY
    assert memory.flaps == {"vpn1": 1.25}
    assert memory.paused
    assert (memory.forced, memory.forced_until) == (Role.STANDBY, 1764000000.5)


def test_what_was_noted_as_held_is_read():
    held = {"action.vip": {"type": "alias-arp", "options": {"device": "lan", "addresses": []}}}
    entries, problems = decode_held(json.dumps(held).encode())
    assert problems == []
    assert entries["action.vip"].type == "alias-arp"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_still_there(name):
    assert hasattr(havpn_core, name)
    assert name in havpn_core.__all__
