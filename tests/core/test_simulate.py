import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
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


@pytest.mark.parametrize("profile", ["article", "balanced", "fast"])
@pytest.mark.parametrize("samples", ["", ".", ".?r" + 30 * "x"])
def test_samples_are_replayed_by_every_profile(file, profile, samples):
    file.write_text(CONFIG.replace("article", profile))
    ended = simulate(file, samples, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    last = [json.loads(line)["to"] for line in ended.stdout.splitlines()][-1:]
    assert last == (["down"] if "x" in samples else last)


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


def model(file, *options):
    return subprocess.run(
        [sys.executable, "-m", "havpn_core", "simulate", "-c", str(file), "--path", "vpn1",
         *options],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def last_json(ended):
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.fixture
def fast(file):
    file.write_text(CONFIG.replace("article", "fast"))
    return file


@pytest.fixture
def targeted(file):
    text = CONFIG.replace('"article"', '"fast"\nfalse_switches = "1/100h"')
    file.write_text(text)
    return file


def test_the_summary_of_a_lossy_line_is_one_object_on_the_last_line(fast):
    found = last_json(model(fast, "--loss", "0.1", "--hours", "0.5", "--seed", "7", "--json"))
    assert set(found) == {"hours", "switches", "backup_share", "detection_s"}
    assert (found["hours"], found["switches"], found["backup_share"]) == (0.5, 0, 0)
    assert 0.05 < found["detection_s"]["p50"] <= found["detection_s"]["p99"] < 0.15


def test_a_seed_repeats_and_another_differs(file):
    def run(seed):
        return last_json(model(file, "--loss", "0.4", "--hours", "1", "--seed", seed, "--json"))

    assert run("1") == run("1")
    assert run("1") != run("2")


def test_article_flaps_where_fast_does_not_notice(file):
    """Outages of 7 s every 10 min: six failures a second apart fit in."""
    options = ("--outage", "7s", "--period", "10m", "--hours", "1", "--cuts", "0", "--json")
    assert last_json(model(file, *options))["switches"] == 12
    options = ("--outage", "5s", "--period", "10m", "--hours", "1", "--cuts", "0", "--json")
    assert last_json(model(file, *options))["switches"] == 0


def test_a_recorded_line_is_replayed(fast, tmp_path):
    lines = ["# havpn record 1 path=vpn1 interval=0.05 began=2026-01-01T00:00:00.000Z"]
    lines += [f"{n / 20:.3f} {'x' if 200 <= n < 210 else '.'}" for n in range(4000)]
    trace = tmp_path / "trace"
    trace.write_text("\n".join(lines) + "\n")
    found = last_json(
        model(fast, "--trace", str(trace), "--hours", "0.05", "--cuts", "0", "--json")
    )
    assert found["switches"] == 2


def test_a_sweep_gives_an_object_for_each_value_and_a_picture(fast, tmp_path):
    picture = tmp_path / "sweep.svg"
    ended = model(fast, "--loss", "0.3", "--hours", "0.5", "--sweep", "fall=3,12", "--cuts", "20",
                  "--plot", str(picture), "--json")  # fmt: skip
    three, twelve = (json.loads(line) for line in ended.stdout.splitlines())
    assert three["sweep"] == {"fall": "3"}
    assert three["switches"] > twelve["switches"]
    assert three["detection_s"]["p50"] < twelve["detection_s"]["p50"]
    assert picture.read_text().rstrip().endswith("</svg>")


THREE = """
[path.vpn1]
profile = "article"
damping = false
fall = 2
rise = 1
require = 2
""" + "".join(
    f"""
[path.vpn1.probe.echo{number}]
type = "udp-echo"
host = "192.0.2.{number}"
"""
    for number in (6, 7, 8)
)


def test_two_of_three_probes_are_simulated_as_three(file):
    file.write_text(THREE)
    found = last_json(model(file, "--loss", "0.3", "--hours", "40", "--cuts", "0", "--json"))
    # A round fails if two or three of three packets are lost; two such rounds in a row are down.
    chance = 3 * 0.3**2 * 0.7 + 0.3**3
    cycle_s = (1 - chance**2) / (chance**2 * (1 - chance)) + 1 / (1 - chance)
    falls = 40 * 3600 / cycle_s
    assert found["switches"] == pytest.approx(2 * falls, abs=2 * 5 * falls**0.5)


def test_samples_are_votes_already(file):
    file.write_text(THREE)
    ended = simulate(file, "..xx.", "--json")
    assert [json.loads(line)["to"] for line in ended.stdout.splitlines()] == [
        "failing", "down", "up",
    ]  # fmt: skip


@pytest.mark.parametrize("example", ["havpn.toml", "pair.toml"])
def test_samples_are_an_interval_apart_also_where_the_daemon_would_send_a_burst(example):
    """As docs/decides.md has it, with its samples: no reply is late, whatever the profile."""
    options = ("--set", "fall=6", "--set", "rise=20", "--json")
    samples = "." * 14 + "xxx" + "." * 5 + "x" * 10 + "." * 27
    ended = simulate(EXAMPLES / example, samples, *options)
    assert ended.stderr == ""
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(each["sample"], each["to"]) for each in found] == [
        (1, "up"), (15, "failing"), (18, "up"), (23, "failing"), (28, "down"), (33, "recovering"),
        (52, "up"),
    ]  # fmt: skip


def test_more_than_all_probes_can_never_be_ok(file):
    for options in (("--set", "require=2"), ("--sweep", "require=1,2")):
        ended = model(file, "--loss", "0.1", "--hours", "0.01", *options)
        assert ended.returncode == 2
        assert "require: 2 of 1 probes can never be OK: write at most 1" in ended.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--samples, --loss"),
        (("--loss", "1"), "0<=x<1"),
        (("--loss", "0.1", "--set", "fall=0"), "fall"),
        (("--loss", "0.1", "--set", "fell=3"), "'fell=3': write KEY=VALUE"),
        (("--loss", "0.1", "--set", "loss_up=0.9"), "must be below loss_down"),
        (("--loss", "0.1", "--rtt", "soon"), "is no duration"),
        (("--loss", "0.1", "--plot", "x.pdf"), ".svg or .png"),
    ],
)
def test_wrong_usage_names_the_option(file, options, said):
    ended = model(file, *options)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_line_may_change_at_a_moment(targeted):
    options = ("--change", "0:0.2@3m", "--hours", "0.1", "--cuts", "10", "--json")
    found = last_json(model(targeted, *options))
    assert found["switches"] == 0
    clean = last_json(model(targeted, "--loss", "0", "--hours", "0.1", "--cuts", "10", "--json"))
    assert found["detection_s"]["p50"] > clean["detection_s"]["p50"] > 0.04


def test_cuts_meet_a_path_that_knows_its_line(fast):
    by_hand = ("--loss", "0.36", "--hours", "0.1", "--cuts", "30", "--json", "--set")
    found = last_json(model(fast, *by_hand, "false_switches=1/100h"))["detection_s"]
    assert found["p50"] > last_json(model(fast, *by_hand, "fall=6"))["detection_s"]["p50"]


@pytest.mark.parametrize("text", ["0.1", "0.1:0.2", "0.1:2@1m", "0.1:0.2@soon", "a:b@1m"])
def test_a_change_that_is_none_is_a_usage_error(fast, text):
    ended = model(fast, "--change", text)
    assert ended.returncode == 2
    assert "write A:B@TIME, such as 0.01:0.2@30m" in ended.stderr


STREAM = """
[path.vpn1]
profile = "fast"
false_switches = "1/100h"
[path.vpn1.probe.line]
type = "stream"
host = "192.0.2.6"
key_file = "{key}"
"""


def test_a_stream_is_simulated_at_both_ends(targeted):
    options = ("--loss", "0.05", "--hours", "1", "--cuts", "10", "--one-way", "40ms", "--json")
    found = last_json(model(targeted, "--stream", *options))
    assert set(found) == {"hours", "switches", "far_switches", "backup_share", "detection_s"}
    assert (found["switches"], found["far_switches"]) == (0, 0)
    assert 0.08 < found["detection_s"]["p50"] < 0.15
    ended = model(targeted, "--loss", "0.05", "--one-way", "40ms")
    assert ended.returncode == 2 and "--one-way is of a stream" in ended.stderr


def test_a_path_whose_only_probe_is_a_stream_needs_no_option(file, tmp_path):
    file.write_text(STREAM.format(key=tmp_path / "key"))
    options = ("--loss", "0", "--hours", "0.1", "--cuts", "5")
    assert last_json(model(file, *options, "--json"))["far_switches"] == 0
    assert "0 changes of role at the far end" in model(file, *options).stdout
