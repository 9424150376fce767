import json
import subprocess
import sys

import pytest

CONFIG = """
[path.vpn1]
profile = "article"
[path.vpn1.probe.echo]
type = "udp-echo"
host = "192.0.2.6"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "havpn.toml"
    path.write_text(CONFIG)
    return path


def simulate(file, samples, *options):
    return subprocess.run(
        [sys.executable, "-m", "havpn_core", "simulate", "-c", str(file), "--path", "vpn1",
         "--samples", "-", *options],
        input=samples, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_json_is_one_object_a_change_and_nothing_else(file):
    ended = simulate(file, "xxx xxx" + "." * 180, "--json")
    assert [json.loads(line) for line in ended.stdout.splitlines()] == [
        {"sample": 1, "time_s": 0.0, "from": "up", "to": "failing", "role": "active"},
        {"sample": 6, "time_s": 5.0, "from": "failing", "to": "down", "role": "standby"},
        {"sample": 7, "time_s": 6.0, "from": "down", "to": "recovering", "role": "standby"},
        {"sample": 186, "time_s": 185.0, "from": "recovering", "to": "up", "role": "active"},
    ]
    assert ended.returncode == 0


def test_a_bad_character_is_named(file):
    ended = simulate(file, "..!")
    assert ended.returncode == 1
    assert "character 3 is '!'" in ended.stderr


def test_an_unknown_path_is_named_with_the_known_ones(file):
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", "simulate", "-c", str(file), "--path", "vpn9",
         "--samples", "/dev/null"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "no path 'vpn9' (known: vpn1)" in ended.stderr
