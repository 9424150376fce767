"""The whole of what is rendered: as it was agreed, good for the daemon, and always the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from havpn_core.config.demand import short_budgets
from havpn_core.config.kinds import without_tunnel
from havpn_core.config.roads import lone_roads
from havpn_core.errors import ConfigError
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.whole import render
from havpn_core.site.verify.whole import verify
from tests.site.figure import (
    GATEWAYS,
    HAVPN,
    MODES,
    TEXT,
    both_families,
    configuration,
    files_of,
    hub,
    tables,
)
from tests.site.golden import whole

REPO = Path(__file__).parents[3]


@pytest.mark.parametrize("mode", MODES)
def test_the_trees_of_the_figure(mode):
    """Write them anew with `python -m tests.site.golden.whole`, and look at what changed."""
    assert whole.shown(mode) == (whole.FOLDER / f"{mode}.txt").read_text()


def test_the_figure_has_at_most_40_lines_and_nothing_is_wrong_with_it():
    assert len(TEXT.splitlines()) <= 40
    assert verify(model_of(tables())) == []


@pytest.mark.parametrize("made", [tables, both_families, hub])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("probe", ["stream", "echo"])
def test_the_daemon_takes_each_configuration_and_warns_of_nothing(made, mode, probe):
    if made is hub and mode == "pacemaker":
        return
    found = files_of(made(mode=mode, line_probe=probe))
    assert set(GATEWAYS) <= set(found)
    for name, files in found.items():
        config = configuration(files[HAVPN].text)
        assert config.node.name == name
        assert [*short_budgets(config), *lone_roads(config)] == []
        assert not any(map(without_tunnel, config.paths))
        assert len(config.paths) == (2 if made is hub and name in ("gw-aa", "gw-ab") else 1)


def test_no_path_is_rendered_twice():
    for raw in (tables(mode="heartbeat", render={"conntrackd": True}), hub(), both_families()):
        for files in render(model_of(raw)).values():
            paths = [file.path for file in files]
            assert len(paths) == len(set(paths))


def test_another_process_renders_the_same():
    """Where the order of sets is another one."""
    program = (
        "import json; from tests.site.figure import *\n"
        "found = {m: {g: {p: f.text for p, f in fs.items()} for g, fs in"
        " files_of(both_families(mode=m, render={'conntrackd': True})).items()} for m in MODES}\n"
        "print(json.dumps(found))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1]
    assert set(json.loads(said[0])) == set(MODES)


def test_what_is_not_wanted_is_left_out():
    wanted = {"swanctl": False, "firewall": False, "sysctl": False}
    files = files_of(tables({"serial": ""}, {"serial": ""}, render=wanted))["gw-aa"]
    assert set(files) == {HAVPN, "/etc/havpn/pair.key", "/etc/havpn/line-vpn1.key"}
    assert "/etc/conntrackd/conntrackd.conf" not in files_of(tables())["gw-aa"]


def test_all_that_cannot_be_rendered_is_said_at_once():
    raw = hub(line_probe="echo")
    for table in raw["site"].values():
        table["mode"] = "pacemaker"
    raw["line"]["vpn2"]["ends"]["gw-bb"] = "dynamic"
    with pytest.raises(ConfigError) as raised:
        render(model_of(raw))
    text = str(raised.value)
    assert "site.a.mode: with Pacemaker one line ends at a gateway, and at gw-aa 2 do" in text
    assert "line.vpn2.ends.gw-bb: nobody can send an echo to an end that is dynamic" in text
