"""Plugins, good and broken, installed as real *.dist-info folders."""

import json
import signal
import subprocess
import sys
import textwrap

import pytest

GOOD = """
    import msgspec
    from havpn_core import ProbeType, Sample, hookimpl

    class Options(msgspec.Struct):
        level: int = 1

    class Probe:
        def __init__(self, options, context):
            pass
        def check(self, timeout_s):
            return Sample.ok()
        def close(self):
            pass

    @hookimpl
    def havpn_register_probes():
        yield ProbeType("{name}", "A probe", Options, Probe)
"""


class Site:
    """A folder of installed distributions, as pip would leave it."""

    def __init__(self, folder):
        self.folder = folder

    def install(self, name, source, distribution=None, module=None):
        distribution = distribution or f"havpn-{name}"
        module = module or f"havpn_{name}"
        info = self.folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        )
        (info / "entry_points.txt").write_text(f"[havpn]\n{name} = {module}\n")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(source))

    def havpn(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "havpn_core", *arguments],
            env={"PYTHONPATH": str(self.folder), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def records(self, *enable):
        config = self.folder / "havpn.toml"
        config.write_text(f"[plugins]\nenable = {json.dumps(enable)}\n")
        ended = self.havpn("plugin", "list", "--json", "-c", str(config))
        assert ended.returncode == 0, ended.stderr
        return {record["module"]: record for record in json.loads(ended.stdout)}


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_an_enabled_plugin_is_active_and_shows_what_it_provides(site):
    site.install("foo", GOOD.format(name="foo"))
    record = site.records("foo")["havpn_foo"]
    assert record == {
        "name": "foo",
        "version": "1.2",
        "distribution": "havpn-foo",
        "file": None,
        "module": "havpn_foo",
        "status": "active",
        "provides": {
            "probe": ["foo"],
            "action": [],
            "notifier": [],
            "link": [],
            "renderer": [],
        },
        "error": None,
    }


def test_installed_is_not_active_and_not_imported(site):
    site.install("foo", f"open({str(site.folder / 'imported')!r}, 'w')")
    ended = site.havpn("plugin", "list", "--json")
    assert ended.returncode == 0, ended.stderr
    found = {record["name"]: record["status"] for record in json.loads(ended.stdout)}
    assert found["foo"] == "available"
    assert not (site.folder / "imported").exists()


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ("import no_such_module", "failed", "ModuleNotFoundError: No module named"),
        ("raise RuntimeError('a\\nb')", "failed", "RuntimeError: a b"),
        ("import sys; sys.exit(3)", "failed", "tried to end the program (status 3)"),
        (
            "from havpn_core import hookimpl\n@hookimpl\n"
            "def havpn_register_probes(config):\n    return []",
            "failed",
            "PluginValidationError",
        ),
        (
            "from havpn_core import hookimpl\n@hookimpl\ndef havpn_register_tunnels():\n"
            "    return []",
            "failed",
            "unknown hook 'havpn_register_tunnels'",
        ),
        (
            "from havpn_core import hookimpl\n@hookimpl\ndef havpn_register_probes():\n"
            "    yield 'udp'",
            "failed",
            "gave 'udp', which is no ProbeType",
        ),
        (
            "from havpn_core import hookimpl\n@hookimpl\ndef havpn_register_probes():\n"
            "    yield 1/0",
            "failed",
            "ZeroDivisionError",
        ),
        (
            "from havpn_core import hookimpl\n@hookimpl\nasync def havpn_register_probes():\n"
            "    return []",
            "failed",
            "is async; it must be a plain function",
        ),
        (
            "from havpn_core import hookimpl\n@hookimpl\ndef havpn_register_probes():\n"
            "    return None",
            "failed",
            "no list or generator",
        ),
        (GOOD.format(name="Bad_Name"), "failed", "does not match [a-z][a-z0-9-]*"),
        (GOOD.format(name="udp-echo"), "duplicate", "from both havpn"),
    ],
)
def test_a_broken_plugin_is_shown_with_its_reason_and_hurts_nobody(site, source, status, reason):
    site.install("broken", source)
    site.install("zebra", GOOD.format(name="zebra"))
    records = site.records("broken", "zebra")
    assert records["havpn_broken"]["status"] == status
    assert reason in records["havpn_broken"]["error"]
    assert not any(records["havpn_broken"]["provides"].values())
    assert records["havpn_zebra"]["status"] == "active"
    assert records["havpn_plugins.probes.udp_echo"]["status"] == "active"
    table = site.havpn("plugin", "list", "-c", str(site.folder / "havpn.toml"))
    assert reason[:30] in table.stdout
    checked = site.havpn("plugin", "check", "broken")
    assert checked.returncode == 1
    assert reason[:30] in checked.stdout


@pytest.mark.parametrize("name", ["havpn-foo", "havpn_foo", "Havpn.Foo"])
def test_a_plugin_is_found_by_the_name_of_its_package(site, name):
    """It is what the operator has installed."""
    site.install("foo", GOOD.format(name="far-echo"))
    config = site.folder / "havpn.toml"
    config.write_text("")
    checked = site.havpn("plugin", "check", name, "-c", str(config))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "provides probe far-echo" in checked.stdout
    shown = site.havpn("plugin", "show", name, "-c", str(config))
    assert shown.stdout.startswith("probe far-echo: A probe (havpn-foo 1.2)")
    unknown = site.havpn("plugin", "show", "havpn-goo", "-c", str(config))
    assert unknown.returncode == 1 and unknown.stderr.count(" exec,") == 1


def test_a_package_that_cannot_be_loaded_says_why(site):
    site.install("broken", "import no_such_module")
    shown = site.havpn("plugin", "show", "havpn-broken")
    assert shown.returncode == 1 and "ModuleNotFoundError" in shown.stderr


def test_two_distributions_with_one_plugin_name_are_both_named(site):
    site.install("foo", GOOD.format(name="foo"))
    site.install("foo", GOOD.format(name="foo2"), "havpn-other", "havpn_other")
    records = site.records("foo")
    assert records["havpn_foo"]["status"] == "active"
    assert records["havpn_other"]["status"] == "duplicate"
    assert "havpn-foo and havpn-other" in records["havpn_other"]["error"]


def test_two_suppliers_of_one_type_are_named_and_the_type_is_refused(site):
    site.install("foo", GOOD.format(name="same"))
    site.install("goo", GOOD.format(name="same"))
    records = site.records("foo", "goo")
    assert records["havpn_goo"]["status"] == "duplicate"
    for name in ("havpn-foo", "havpn-goo"):
        assert name in records["havpn_goo"]["error"]
    config = site.folder / "havpn.toml"
    config.write_text('[plugins]\nenable = ["foo", "goo"]\n[path.a.probe.b]\ntype = "same"\n')
    ended = site.havpn("check", "-c", str(config))
    assert ended.returncode == 1
    assert "path.a.probe.b.type: probe type 'same' comes from both" in ended.stderr


def test_a_missing_type_is_explained(site):
    site.install("foo", GOOD.format(name="foo"))
    site.install("broken", "import no_such_module")
    config = site.folder / "havpn.toml"
    config.write_text('[plugins]\nenable = ["broken"]\n[path.a.probe.b]\ntype = "foo"\n')
    ended = site.havpn("run", "-c", str(config))
    assert ended.returncode == 1
    assert "there is no probe type 'foo'" in ended.stderr
    assert "failed to load: broken: ModuleNotFoundError" in ended.stderr
    assert "installed but not enabled: foo" in ended.stderr


SLOW = {
    "plain": "time.sleep(30)",
    "suppresses": "try: time.sleep(30)\n    except BaseException: pass",
    "wraps": "try: time.sleep(30)\n    except BaseException as e: raise RuntimeError from e",
}


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize("where", ["import", "missing"])
def test_ctrl_c_in_a_plugin_ends_the_program(site, how, where):
    body = f"    print('here', file=sys.stderr, flush=True)\n    {SLOW[how]}\n    return []\n"
    slow = f"import sys, time\ndef slow(options=None):\n{body}"
    source = textwrap.dedent(GOOD.format(name="foo"))
    source += slow + ("slow()\n" if where == "import" else "")
    source = source.replace("Options, Probe)", "Options, Probe, missing=lambda o: slow())")
    site.install("foo", source)
    site.install("zebra", GOOD.format(name="zebra"))
    config = site.folder / "havpn.toml"
    config.write_text(
        '[plugins]\nenable = ["foo", "zebra"]\n[path.a.probe.b]\ntype = "foo"\n'
        '[path.a.probe.c]\ntype = "zebra"\n'
    )
    # A shell's background job ignores SIGINT, and so would what it starts.
    argv = ["env", "--default-signal=INT", sys.executable, "-m", "havpn_core", "check", "-c"]
    with subprocess.Popen(
        [*argv, str(config)],
        env={"PYTHONPATH": str(site.folder), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr.readline() == "here\n"
        running.send_signal(signal.SIGINT)
        said = "".join(running.communicate(timeout=25))
    assert running.returncode == 1
    assert "KeyboardInterrupt" not in said
    assert "good" not in said


def test_a_keyboard_interrupt_of_a_plugins_own_is_contained(site):
    site.install("foo", "raise KeyboardInterrupt")
    site.install("zebra", GOOD.format(name="zebra"))
    records = site.records("foo", "zebra")
    assert records["havpn_foo"]["error"] == "KeyboardInterrupt"
    assert records["havpn_zebra"]["status"] == "active"
