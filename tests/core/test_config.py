import os
import subprocess
import sys
from pathlib import Path

import pytest

from havpn_core import ConfigError, Duration
from havpn_core.config.check import build
from havpn_core.config.read import load, read

GOOD = """
[node]
name = "gw-aa"
[path.vpn1]
interval = "500ms"
timeout = 2
rise = 60
[path.vpn1.probe.echo]
type = "udp-echo"
host = "192.0.2.6"
[action.gateway]
type = "exec"
active = ["true"]
standby = ["true"]
deadline = "3m"
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "havpn.toml"


def problems_of(file, text):
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert all(problem.startswith(f"{file}: ") for problem in caught.value.problems)
    return "\n".join(caught.value.problems)


def test_a_good_file_gives_typed_values_over_its_profile(file):
    file.write_text(GOOD)
    config, _ = load(file)
    options = config.paths[0].options
    assert (options.interval, options.timeout, options.fall, options.rise) == (0.5, 2.0, 7, 60)
    assert options.stale_s == 5.0
    assert config.paths[0].probes[0].options.host == "192.0.2.6"
    assert config.actions[0].deadline_s == 180


ALIAS = """
[path.vpn1.probe.echo]
type = "udp-echo"
host = "192.0.2.6"
[action.vip]
type = "alias-arp"
device = "lan"
addresses = ["10.1.255.254/16"]
"""
PAIR = """
[pair]
priority = 100
key_file = "/etc/havpn/key"
[pair.link.lan]
type = "udp"
local = "10.1.0.1"
peer = "10.1.0.2"
"""


@pytest.mark.parametrize(
    ("more", "written", "seconds"),
    [("", "", None), (PAIR, "", 10.0), (PAIR, 'lifetime = "off"', None),
     (PAIR, 'lifetime = "20s"', 20.0)],
)  # fmt: skip
def test_a_default_may_depend_on_the_pair(file, more, written, seconds):
    file.write_text(ALIAS + written + more)
    config, _ = load(file)
    assert config.actions[0].options.lifetime_s == seconds


def test_what_a_type_makes_of_its_options_in_a_pair_hurts_nobody(file, monkeypatch):
    from dataclasses import replace

    from havpn_core.plugging.registry import Registry

    registry = Registry.load()
    get, given = registry.get, []
    monkeypatch.setattr(
        registry, "get", lambda kind, name: replace(get(kind, name), paired=given[0])
        if kind == "action" else get(kind, name)
    )  # fmt: skip
    file.write_text(GOOD + PAIR)
    for what in (lambda options: None, lambda options: "odd"):
        given[:] = [what]
        config = build(read(file), registry, file)
        assert config.actions[0].options.active == ["true"], "what is no such struct changes none"
    given[:] = [lambda options: 1 / 0]
    with pytest.raises(ConfigError, match=r"action\.gateway: ZeroDivisionError"):
        build(read(file), registry, file)


def test_every_problem_is_reported_at_once_with_key_and_remedy(file):
    text = (
        GOOD
        + """
[nod]
[plugins]
enable = ["nonesuch"]
[path.two]
intervall = "1s"
fall = "three"
rise = 0
timeout = "5 parsecs"
require = 2
[path.two.probe.echo]
type = "udp-ecko"
[path.two.probe.ping]
type = "icmp"
hots = "x"
[path.three]
[notifier.log]
type = "syslog"
facility = "kitchen"
[respond]
listen = ["192.0.2.2"]
allow = ["192.0.2.6/32"]
"""
    )
    found = problems_of(file, text)
    for expected in (
        "nod: there is no such key, did you mean 'node'?",
        "plugins.enable: no plugin 'nonesuch' is installed",
        "path.two.intervall: there is no such key, did you mean 'interval'?",
        "path.two.fall: Expected a whole number, got a text",
        "path.two.rise: Expected a whole number >= 1",
        "path.two.timeout: '5 parsecs' is no duration: write \"50ms\"",
        "path.two.probe.echo.type: there is no probe type 'udp-ecko'",
        "path.two.probe.ping.hots: there is no such key, did you mean 'host'?",
        "path.two.probe.ping.host: is missing and has no default",
        "path.three.probe: a path needs a probe",
        'notifier.log.facility: \'kitchen\' is none of "user", "daemon", "local0", "local1", ',
        "respond: listen: '192.0.2.2' is no address",
    ):
        assert expected in found, found


def test_more_required_than_there_are_probes_is_refused(file):
    text = GOOD.replace("rise = 60", "rise = 60\nrequire = 2")
    assert "require: 2 of 1 probes can never be OK" in problems_of(file, text)


@pytest.mark.skipif(os.geteuid() != 0, reason="the rule is root's")
def test_root_refuses_a_file_that_others_may_write(file):
    file.write_text(GOOD)
    file.chmod(0o666)
    with pytest.raises(ConfigError, match="others than root may write it: run chown"):
        load(file)


def test_a_missing_and_a_mangled_file_are_explained(file):
    with pytest.raises(ConfigError, match="there is no such file"):
        load(file)
    assert "is no valid TOML" in problems_of(file, "[path")


@pytest.mark.parametrize(
    ("text", "seconds"), [("50ms", 0.05), ("1.5s", 1.5), ("3m", 180), (2, 2.0), ("1h", 3600)]
)
def test_durations(text, seconds):
    assert Duration.parse(text) == seconds
    assert Duration.parse(str(Duration.parse(text))) == seconds


@pytest.mark.parametrize("text", ["", "5", "-1s", 0, True, "1 s s", "nan", float("inf"), None])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration"):
        Duration.parse(text)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = " + b"[" * 9999, b"\x00", b"[path"])
def test_a_file_that_is_no_configuration_is_a_sentence(tmp_path, content):
    file = tmp_path / "havpn.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as problem:
        read(file)
    assert str(problem.value).startswith(f"{file}: ")


def test_a_folder_in_the_place_of_the_configuration_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="a folder is in its place: move it away"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"a = {'9' * 5000}", "is no valid TOML"),
        (f"[path.vpn1]\ninterval = 0x{'f' * 5000}", "interval: a number of that size"),
        ("a = " + "[" * 3000, "is nested too deeply"),
    ],
)
def test_numbers_and_brackets_without_end_are_refused_in_a_sentence(file, text, said):
    assert said in problems_of(file, text)


def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path, file):
    os.mkfifo(file)
    with pytest.raises(ConfigError, match=f"{file}: something else is in its place"):
        read(file)
    with pytest.raises(ConfigError, match=f"{tmp_path}: a folder is in its place"):
        read(tmp_path)
    with pytest.raises(ConfigError, match="a part of its path is no folder"):
        read(Path("/etc/hostname/havpn.toml"))


def test_a_pipe_that_the_shell_opened_is_read_to_its_end(tmp_path):
    argv = ["bash", "-c", 'exec "$0" -m havpn_core check -c <(printf "%s" "$1")']
    text = GOOD.replace("[action", "[node2]\n[action")
    done = subprocess.run(
        [*argv, sys.executable, text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "node2: there is no such key" in done.stderr
