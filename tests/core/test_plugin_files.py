"""Single-file plugins: trusted by owner and mode, enabled by name, loaded once."""

import errno
import json
import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from havpn_core.config.check import build
from havpn_core.config.read import plugin_folder
from havpn_core.errors import ConfigError
from havpn_core.plugging.registry import Registry
from havpn_core.plugging.sources import files
from havpn_core.plugging.sources.record import PluginStatus
from tests.core.daemon import Daemon

SOURCE = """
    from typing import Annotated

    import msgspec
    from havpn_core import ProbeType, Sample, hookimpl

    class Options(msgspec.Struct):
        level: Annotated[int, msgspec.Meta(description="how much")] = 1

    class Probe:
        def __init__(self, options, context):
            pass
        async def check(self, timeout_s):
            return Sample.ok(detail="of the first text")
        def close(self):
            pass

    @hookimpl
    def havpn_register_probes():
        yield ProbeType("{name}", "A probe", Options, Probe)
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "plugins.d"
    made.mkdir(mode=0o755)
    return made


def put(folder, name, source=None):
    file = folder / f"{name}.py"
    file.write_text(textwrap.dedent(source or SOURCE.format(name=name)))
    file.chmod(0o644)
    return file


def record(folder, name, *enable):
    return next(r for r in Registry.load(enable, folder).records if r.name == name)


def test_an_enabled_file_is_active_and_its_types_are_there(folder):
    file = put(folder, "foo")
    registry = Registry.load(["foo"], folder)
    found = next(r for r in registry.records if r.name == "foo")
    assert (found.status, found.provides["probe"], found.source) == ("active", ["foo"], str(file))
    assert registry.get("probe", "foo").config(level=3).level == 3
    assert registry.problems() == []


def test_a_file_is_not_imported_unless_it_is_enabled(folder):
    put(folder, "foo", "raise RuntimeError('imported')")
    assert record(folder, "foo").status is PluginStatus.AVAILABLE
    assert "imported" in record(folder, "foo", "foo").error


def test_what_is_no_plugin_in_the_folder_is_left_alone(folder, tmp_path):
    for name in (".foo.py", "_shared.py", "foo.py~", "readme.txt", "test_foo.py"):
        (folder / name).touch()
    assert files.files_in(folder) == []
    assert files.files_in(tmp_path / "missing") == []


@pytest.mark.parametrize("name", ["Foo", "foo_bar", "1st", "a b"])
def test_a_name_that_cannot_stand_in_the_list_is_refused(folder, name):
    put(folder, name)
    assert "rename the file" in record(folder, name, name).error


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_refused_with_the_remedy(folder, mode):
    file = put(folder, "foo")
    file.chmod(mode)
    found = record(folder, "foo", "foo")
    assert found.status is PluginStatus.FAILED
    assert found.error.endswith(f"run chmod go-w {file}")


@pytest.mark.parametrize("mode", [0o775, 0o777])
def test_a_folder_that_others_may_write_makes_each_of_its_files_refused(folder, mode):
    put(folder, "foo")
    folder.chmod(mode)
    assert record(folder, "foo", "foo").error.endswith(f"run chmod go-w {folder}")


@pytest.mark.parametrize(
    ("user", "owner", "trusted"),
    [(0, 0, True), (0, 1000, False), (1000, 1000, True), (1000, 0, True), (1000, 1001, False)],
)
def test_only_root_and_the_own_user_are_trusted(monkeypatch, folder, user, owner, trusted):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    said = files._distrust(folder, SimpleNamespace(st_uid=owner, st_mode=0o40755))
    assert (said is None) is trusted
    if said:
        assert f"run chown {'root' if user == 0 else user} {folder}" in said


def test_a_link_is_judged_by_its_target(folder, tmp_path):
    target = put(tmp_path, "elsewhere")
    target.write_text(target.read_text().replace('"elsewhere"', '"foo"'))
    (folder / "foo.py").symlink_to(target)
    assert record(folder, "foo", "foo").status is PluginStatus.ACTIVE
    target.chmod(0o666)
    assert "others than its owner may write it" in record(folder, "foo", "foo").error


@pytest.mark.parametrize("kind", ["folder", "pipe", "nowhere", "large"])
def test_what_is_no_file_of_a_plugin_is_refused_and_never_waited_for(folder, kind, monkeypatch):
    file = folder / "foo.py"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file, 0o644)
    elif kind == "nowhere":
        file.symlink_to(folder / "missing")
    else:
        put(folder, "foo")
        monkeypatch.setattr(files, "LARGEST", 10)
    found = record(folder, "foo", "foo")
    assert found.status is PluginStatus.FAILED
    assert str(file) in found.error


def test_a_broken_file_is_recorded_and_hurts_nobody(folder):
    put(folder, "broken", "import no_such_module")
    put(folder, "foo")
    registry = Registry.load(["broken", "foo"], folder)
    found = {r.name: r for r in registry.records}
    assert found["broken"].error.startswith("ModuleNotFoundError")
    assert found["foo"].status is PluginStatus.ACTIVE
    assert not any(name.startswith("havpn_file_broken") for name in sys.modules)
    put(folder, "broken")
    assert Registry.load(["broken"], folder).get("probe", "broken")


def test_the_name_of_a_built_in_type_is_taken(folder):
    file = put(folder, "udp-echo")
    found = record(folder, "udp-echo", "udp-echo")
    assert found.status is PluginStatus.DUPLICATE
    assert str(file) in found.error
    assert "havpn itself" in found.error
    raw = {"plugins": {"enable": ["udp-echo"], "folder": str(folder)}}
    with pytest.raises(ConfigError, match=r"plugins\.enable: .* rename the file"):
        build(raw, Registry.load(["udp-echo"], folder), folder / "havpn.toml")


def test_a_type_that_a_file_and_the_bundled_ones_supply_is_named_with_the_file(folder):
    file = put(folder, "foo", SOURCE.format(name="udp-echo"))
    assert f"comes from both havpn (plugin probes.udp_echo) and {file}" in (
        record(folder, "foo", "foo").error
    )


def test_the_name_of_an_installed_plugin_is_taken(folder, tmp_path):
    info = tmp_path / "havpn_foo-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-foo\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[havpn]\nfoo = havpn_foo\n")
    (tmp_path / "havpn_foo.py").write_text(textwrap.dedent(SOURCE.format(name="foo")))
    file = put(folder, "foo", SOURCE.format(name="other"))
    config = tmp_path / "havpn.toml"
    config.write_text(f'[plugins]\nenable = ["foo"]\nfolder = "{folder}"\n')

    def havpn(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "havpn_core", *arguments, "-c", str(config)],
            env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    ended = havpn("check")
    assert ended.returncode == 1
    assert f"plugins.enable: {file} and havpn-foo both have the name 'foo'" in ended.stderr
    listed = json.loads(havpn("plugin", "list", "--json").stdout)
    assert [r["status"] for r in listed if r["name"] == "foo"] == ["active", "duplicate"]
    assert [r["file"] for r in listed if r["name"] == "foo"] == [None, str(file)]


def test_commands_show_the_file(folder, tmp_path):
    file = put(folder, "foo")
    config = tmp_path / "havpn.toml"
    config.write_text(f'[plugins]\nfolder = "{folder}"\n')
    for command, *name in (("list",), ("check", "foo"), ("show", "foo")):
        ended = subprocess.run(
            [sys.executable, "-m", "havpn_core", "plugin", command, *name, "-c", str(config)],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        assert str(file) in ended.stdout.replace("\n", ""), command


@pytest.mark.parametrize("name", ["two\nlines", "red\x1b[31m", "bad\udcff"])
def test_a_name_that_a_terminal_would_act_on_is_one_printable_line(folder, name):
    (folder / f"{name}.py").write_text("")
    (found,) = [r for r in Registry.load((), folder).records if r.file]
    assert all(text.isprintable() for text in (found.name, found.source, found.error))


def test_a_file_that_cannot_be_read_is_said_with_what_lets_it_be(folder, monkeypatch):
    file = put(folder, "foo")

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files, "_read", refuse)
    assert "have the daemon's user read it" in record(folder, "foo", "foo").error
    assert str(file) in record(folder, "foo", "foo").error


def test_a_hook_without_its_mark_is_no_plugin_that_silently_supplies_nothing(folder):
    put(folder, "foo", SOURCE.format(name="foo").replace("@hookimpl\n", "\n"))
    found = record(folder, "foo", "foo")
    assert found.status is PluginStatus.FAILED
    assert "havpn_register_probes is no hook yet: write @hookimpl above it" in found.error


LOUD = SOURCE.replace("        def __init__", "        print(1)\n        def __init__")
LOUD = LOUD.replace("yield", "print(2)\n        yield").replace("pass\n", "print(3)\n")
LOUD = LOUD.replace("return Sample", "print(4)\n            return Sample")


@pytest.mark.parametrize(
    "command", ["plugin list --json", "plugin show foo --json", "config schema", "doctor --json"]
)
def test_what_a_plugin_prints_does_not_get_into_what_a_command_gives(folder, tmp_path, command):
    put(folder, "foo", LOUD.format(name="foo"))
    config = tmp_path / "havpn.toml"
    config.write_text(
        f'[plugins]\nenable = ["foo"]\nfolder = "{folder}"\n[path.a.probe.b]\ntype = "foo"\n'
        '[action.a]\ntype = "exec"\nactive = ["true"]\nstandby = ["true"]\n'
    )
    ended = subprocess.run(
        [sys.executable, "-m", "havpn_core", *command.split(), "-c", str(config)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(ended.stdout), ended.stderr
    assert "1\n2\n" in ended.stderr
    assert ("3\n" in ended.stderr) is (command == "doctor --json")


def test_a_folder_that_is_none_is_an_error_of_the_file(folder):
    with pytest.raises(ConfigError, match=r"plugins\.folder: write a folder from the root"):
        build({"plugins": {"folder": "plugins.d"}}, Registry.load(), folder / "havpn.toml")
    assert plugin_folder({"plugins": {"folder": 3}}) == files.FOLDER


def test_the_version_is_the_same_where_the_content_is(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    put(folder, "foo")
    put(other, "foo")
    assert record(folder, "foo").version == record(other, "foo").version
    put(other, "foo", "# another\n")
    assert record(folder, "foo").version != record(other, "foo").version


def test_a_daemon_keeps_the_code_that_it_loaded_and_says_that_a_file_has_changed(folder, tmp_path):
    file = put(folder, "foo")
    more = f'[plugins]\nenable = ["foo"]\nfolder = "{folder}"\n'
    gateway = Daemon(tmp_path, more=f'{more}[path.vpn1.probe.own]\ntype = "foo"\n')
    try:
        gateway.start()
        gateway.wait_verdict("up")
        put(folder, "foo", SOURCE.format(name="foo").replace("the first text", "another text"))
        gateway.since = gateway.now()
        ended = gateway.havpn("reload")
        assert ended.returncode == 0, ended.stderr
        assert f"Plugin 'foo': {file} has changed since it was loaded: restart" in ended.stdout
        assert gateway.wait_event("plugin", "trouble")["detail"].startswith("plugin 'foo'")
        assert gateway.status().paths["vpn1"].probes["own"].detail == "of the first text"
        file.write_text(textwrap.dedent(SOURCE.format(name="foo")))
        assert "since it was loaded" not in gateway.havpn("reload").stdout
        file.chmod(0o666)
        refused = gateway.havpn("reload")
        assert refused.returncode == 1
        assert "others than its owner may write it" in refused.stderr
        assert gateway.status().paths["vpn1"].probes["own"].detail == "of the first text"
    finally:
        gateway.end()
