"""What a newcomer meets first: the times of the profiles, names of plugins, the manual page."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from havpn_core.cli import havpn, options, plugin, simulate
from havpn_core.cli.check import check
from havpn_core.cli.reference import manual_of_file, markdown
from havpn_core.config.profiles import PROFILES
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.scaffold import built_in, write_package
from havpn_core.study.montecarlo import Cuts, Summary

ROOT = Path(__file__).parents[2]
FILE = """
[path.vpn1]
profile = "{profile}"
[path.vpn1.probe.echo]
type = "{type}"
host = "192.0.2.6"
[path.spare]
[path.spare.probe.echo]
type = "udp-echo"
host = "192.0.2.7"
"""


def written(folder, profile="fast", probe="udp-echo"):
    file = folder / "havpn.toml"
    file.write_text(FILE.format(profile=profile, type=probe))
    return str(file)


def checked(file):
    return CliRunner().invoke(check, ["-c", file]).output


# --- the same times everywhere -------------------------------------------------------------------


def rows_of_the_readme():
    """Give of each profile the worst times of the table in the README, written as check does."""
    lines = (ROOT / "README.md").read_text().splitlines()
    head = next(line for line in lines if line.startswith("| profile |"))
    wanted = ("detection, worst", "at 1 ms round trip", "failback, worst")
    columns = [head.split(" | ").index(name) for name in wanted[:2]]
    columns.append(len(head.split(" | ")) - 1)
    found = {}
    for line in lines[lines.index(head) + 2 :]:
        if not line.startswith("| `"):
            return found
        cells = [cell.strip().replace(" ", "") for cell in line.strip("| ").split("|")]
        found[re.search(r"`(\w+)`", line)[1]] = [cells[column] for column in columns]
    return found


def test_the_readme_names_every_profile():
    assert set(rows_of_the_readme()) == set(PROFILES)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_readme_has_the_times_that_check_says(profile, tmp_path):
    worst, quick, back = rows_of_the_readme()[profile]
    shown = checked(written(tmp_path, profile)).partition("path spare")[0]
    detection = re.search(
        r"detection within ([\w.]+)(?:, within ([\w.]+) on a line of 1ms)?", shown
    )
    assert detection[1] == worst
    assert (detection[2] or detection[1]) == quick  # `article` waits for the timeout in any case
    assert re.search(r"failback within ([\w.]+)", shown)[1] == back


def test_the_page_on_probes_has_them_too(tmp_path):
    page = (ROOT / "docs/plugins/probe.md").read_text()
    shown = checked(written(tmp_path, "fast"))
    worst = re.search(r"detection within ([\w.]+)", shown)[1]
    assert re.search(r"\(profile `fast`: ([\d.]+ \w+) at most\)", page)[1].replace(" ", "") == worst
    slow = FILE.format(profile="fast", type="exec").replace("host =", "command = ['true'] #", 1)
    (tmp_path / "slow.toml").write_text(slow)
    threaded = re.search(r"all plain `def`.*\(`fast`: ([\d.]+ \w+)\)", page)[1].replace(" ", "")
    from havpn_core.config.profiles import worst_detection_s
    from havpn_core.config.read import load

    found = load(tmp_path / "slow.toml")[0].paths[0].options
    seconds = worst_detection_s(found, float(found.timeout), serial=1, overlapping=0)
    assert threaded == f"{round(seconds, 3):g}s"


# --- the manual page -----------------------------------------------------------------------------


def test_no_key_of_a_profile_is_called_required():
    registry = Registry.load()
    page = manual_of_file(registry).partition(".SH [path.NAME]")[2].partition(".SH")[0]
    assert "required" not in page
    assert "default article 1s, balanced 500ms, fast 25ms" in page
    table = markdown(registry).partition("### `[path.NAME]`")[2].partition("###")[0]
    assert "required" not in table
    for key in {key for profile in PROFILES.values() for key in profile}:
        [row] = [line for line in table.splitlines() if line.startswith(f"| `{key}` ")]
        assert "article " in row and "balanced " in row and "fast " in row
        for profile in PROFILES.values():
            assert key not in profile or str(profile[key]).lower() in row.lower()


# --- names of plugins and types ------------------------------------------------------------------


def ran(*words):
    return CliRunner().invoke(plugin.plugin, [*words, "-c", str(ROOT / "examples/havpn.toml")])


@pytest.mark.parametrize("name", ["udp-echo", "probes.udp_echo"])
@pytest.mark.parametrize("command", ["check", "show"])
def test_types_and_plugins_are_both_names(command, name, monkeypatch):
    monkeypatch.setattr(plugin, "loaded", lambda file, *more: Registry.load(more))
    done = ran(command, name)
    assert done.exit_code == 0, done.output
    assert "probe udp-echo" in done.output


def test_a_type_of_several_kinds_is_shown_whole(monkeypatch):
    monkeypatch.setattr(plugin, "loaded", lambda file, *more: Registry.load(more))
    for command in ("check", "show"):
        shown = ran(command, "exec").output
        assert all(f"{kind} exec" in shown for kind in ("probe", "action", "notifier"))


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_name_that_is_neither(command, monkeypatch):
    monkeypatch.setattr(plugin, "loaded", lambda file, *more: Registry.load(more))
    done = ran(command, "upd-echo")
    assert isinstance(done.exception, ConfigError)
    assert "no type" in str(done.exception) or "no plugin" in str(done.exception)
    assert command != "show" or "did you mean 'udp-echo'" in str(done.exception)


def test_a_package_has_one_kind(tmp_path):
    new = ["new", "foo", "--dir", str(tmp_path)]
    done = CliRunner().invoke(plugin.plugin, [*new, "--probe", "--link"])
    assert done.exit_code == 2
    assert "--probe and --link: a package has one kind" in done.output
    assert list(tmp_path.iterdir()) == []
    assert CliRunner().invoke(plugin.plugin, [*new, "--link"]).exit_code == 0
    assert "LinkType" in (tmp_path / "havpn-foo/havpn_foo.py").read_text()
    plain = ["new", "bar", "--dir", str(tmp_path)]
    assert CliRunner().invoke(plugin.plugin, plain).exit_code == 0
    assert "ProbeType" in (tmp_path / "havpn-bar/havpn_bar.py").read_text()


def test_no_package_takes_the_name_of_a_type_that_is_there(tmp_path):
    assert {"udp-echo", "exec", "syslog", "alias-arp", "serial"} <= built_in()
    for kind in ("probe", "action"):
        with pytest.raises(HavpnError, match="choose another name"):
            write_package("udp-echo", kind, tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- simulate and the shell ----------------------------------------------------------------------


def test_fewer_cuts_than_asked_for_are_explained():
    tried = Cuts()
    for found_s, cut_s, end_s in ((0.5, 10, 11), (None, 20, 20), (None, 30, 30), (None, 40, 640)):
        tried.take(found_s, cut_s, end_s)
    summary = Summary(1.0, 0, 0.0, **vars(tried))
    assert summary.detection_s == [0.5]
    assert summary.fewer == [
        "2 more cuts came while the path was down already: nothing was to detect",
        "1 more cuts were not noticed within 600 s",
    ]
    assert Summary(1.0, 0, 0.0, [0.5]).fewer == []


def test_simulate_says_so(tmp_path):
    file = tmp_path / "havpn.toml"
    file.write_text(FILE.format(profile="article", type="udp-echo"))
    words = ["-c", str(file), "--path", "vpn1", "--hours", "0.2", "--cuts", "20"]
    done = CliRunner().invoke(simulate.simulate, [*words, "--loss", "0.8"])
    assert done.exit_code == 0, done.output
    found = [int(n) for n in re.findall(r"^(\d+)(?: more)? cuts", done.output, re.M)]
    assert len(found) > 1
    assert sum(found) == 20


@pytest.mark.parametrize("command", ["simulate", "advise", "record"])
def test_the_shell_completes_paths(command, tmp_path):
    found = havpn.get_command(click.Context(havpn), command)
    context = click.Context(found)
    context.params["file"] = Path(written(tmp_path))
    [option] = [each for each in found.params if each.name == "name"]
    assert [each.value for each in option.shell_complete(context, "")] == ["spare", "vpn1"]
    assert [each.value for each in option.shell_complete(context, "v")] == ["vpn1"]
    context.params["file"] = tmp_path / "none.toml"
    assert options.path_names(context, option, "") == []
    (tmp_path / "odd.toml").write_text("path = 3")
    context.params["file"] = tmp_path / "odd.toml"
    assert options.path_names(context, option, "") == []
