"""``havpn advise``: what the past of a line asks for, from the memory or from a record."""

import json
import random

import pytest
from click.testing import CliRunner

from havpn_core.cli import havpn
from havpn_core.rules.target.record import Record
from havpn_core.study.advice import advise, learned
from havpn_core.study.traces import latencies_s
from tests.core.profile import targeted
from tests.core.profile import targeted as profile

CONFIG = """
[node]
state_dir = "{dir}"
run_dir = "{dir}/run"
[path.vpn1]
profile = "fast"
{path}
[path.vpn1.probe.echo]
type = "udp-echo"
host = "192.0.2.6"
"""


def called(tmp_path, *words, path=""):
    file = tmp_path / "havpn.toml"
    file.write_text(CONFIG.format(dir=tmp_path, path=path))
    file.chmod(0o600)
    return CliRunner().invoke(havpn, ["advise", "-c", str(file), "--path", "vpn1", *words])


def trace(lost, seconds=600):
    """Write a record of a line that loses what the function says, with 20 ms round trip."""
    lines = ["# havpn record 1 path=vpn1 interval=0.025 began=2026-01-01T00:00:00.000Z"]
    for number in range(int(seconds / 0.025)):
        at_s = number * 0.025
        lines.append(f"{at_s:.3f} x" if lost(at_s) else f"{at_s:.3f} . 20.000")
    return "\n".join(lines)


def test_a_record_s_round_trips_are_read():
    assert latencies_s(trace(lambda at: at >= 0.05, 0.1)) == [0.02, 0.02]


def test_a_clean_record_asks_for_the_least():
    record, rtt_s = learned(profile("fast"), trace(lambda at: False))
    found = advise(profile("fast"), record, rtt_s)
    assert rtt_s == 0.02
    assert record.probes == pytest.approx(24_000, rel=0.1)
    assert [choice.target for choice in found.choices] == [
        "1/100h", "1/10h", "1/1000h", "1/10000h",
    ]  # fmt: skip
    assert {choice.limits.fall for choice in found.choices} == {7}
    assert found.choices[0].detection_s == pytest.approx(0.025 + 2 * 0.035 + 3 * 0.005, abs=0.01)


def test_a_sick_record_asks_for_more_the_rarer_the_target_is():
    chance = random.Random(5)
    record, rtt_s = learned(profile("fast"), trace(lambda at: chance.random() < 0.2))
    found = advise(profile("fast"), record, rtt_s)
    falls = {choice.target: choice.limits.fall for choice in found.choices}
    assert falls["1/10h"] < falls["1/100h"] < falls["1/1000h"] < falls["1/10000h"]
    assert record.loss == pytest.approx(0.2, abs=0.03)


def test_spells_of_a_record_are_learned_and_a_target_that_cannot_be_kept_is_said():
    record, rtt_s = learned(profile("balanced"), trace(lambda at: at % 10 < 0.6))
    found = advise(profile("balanced"), record, rtt_s)
    assert 0.4 < record.longest_s < 0.8
    assert found.choices[0].limits.silence_s > 0.7
    quick = advise(profile("fast", ceiling="500ms"), record, rtt_s)
    assert not quick.choices[0].limits.kept
    assert "not kept: about" in quick.lines()[1]


def test_a_fall_by_hand_is_judged_by_the_line():
    record = Record()
    record.count(100_000, 30_000, 2500.0)
    found = advise(profile("fast", fall=12), record, 0.001)
    assert found.written_per_s * 3600 == pytest.approx(0.054, rel=1.5)
    assert found.lines()[1].startswith("the fall in force: about 1 false switch in ")
    assert found.facts()["written_per_h"] > 0.02


def test_the_command_reads_what_the_daemon_remembers(tmp_path):
    record = Record()
    record.count(100_000, 300, 360_000.0)
    record.spell(0.2)
    memory = {"paths": {"vpn1": "up"}, "records": {"vpn1": record.to_builtins()}}
    (tmp_path / "state.json").write_text(json.dumps(memory))
    target = 'false_switches = "1/100h"'
    shown = called(tmp_path, path=target)
    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines()[0] == (
        "loss 0.3 %, spells to 0.2 s, jitter 0 ms; 100000 probes remembered"
    )
    assert shown.output.splitlines()[1].startswith('false_switches = "1/100h": ')
    found = json.loads(called(tmp_path, "--json", path=target).output)
    assert (found["probes"], found["spells_s"], found["written_per_h"]) == (100_000, 0.2, None)
    assert [each["kept"] for each in found["targets"]].count(True) >= 2


def test_without_a_memory_the_command_says_what_to_do(tmp_path):
    ended = called(tmp_path)
    assert ended.exit_code == 1
    assert "has nothing of path vpn1 yet" in str(ended.exception)


def test_the_command_reads_a_record(tmp_path):
    (tmp_path / "line").write_text(trace(lambda at: False, 60))
    found = json.loads(called(tmp_path, "--trace", str(tmp_path / "line"), "--json").output)
    assert (found["loss"], found["spells_s"]) == (0, 0)
    assert found["targets"][0]["fall"] == 7


def test_of_a_stream_it_is_said_for_its_packets_and_no_round_trip_is_waited_for():
    text = trace(lambda at: False, 60)
    record, rtt_s = learned(targeted("fast"), text, 0.01)
    assert record.probes > 5500, "a packet each 10 ms"
    choice = advise(targeted("fast"), record, rtt_s, 0.01).choices[0]
    assert choice.limits.fall == 5
    assert choice.limits.silence_s == pytest.approx(4 * 0.01 + 0.015)
    assert choice.detection_s == pytest.approx(5 * 0.01 + 0.015)
    assert advise(targeted("fast"), record, 0.2, 0.01).choices[0] == choice


def test_the_command_knows_a_path_with_a_stream(tmp_path):
    (tmp_path / "line").write_text(trace(lambda at: at % 20 < 0.05, 60))
    probe = 'type = "stream"\nhost = "192.0.2.6"\nkey_file = "key"\n'
    file = tmp_path / "havpn.toml"
    head = CONFIG.format(dir=tmp_path, path="").partition("[path.vpn1.probe.echo]")[0]
    file.write_text(f"{head}[path.vpn1.probe.line]\n{probe}")
    file.chmod(0o600)
    words = ["advise", "-c", str(file), "--path", "vpn1", "--trace", str(tmp_path / "line")]
    ended = CliRunner().invoke(havpn, [*words, "--json"])
    assert ended.exit_code == 0, ended.output
    found = json.loads(ended.output)
    assert found["probes"] > 5000
    assert found["targets"][0]["fall"] >= 5
    assert found["targets"][0]["detection_s"] < 0.15
