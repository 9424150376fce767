"""Files that plugins add: whatever a renderer does, it adds good files or nothing is written."""

import itertools
import textwrap

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from havpn_core import RenderedFile, RendererType
from havpn_core.cli import havpn
from havpn_core.errors import CallFailed, ConfigError
from havpn_core.plugging.gate.rendered import MOST_BYTES, MOST_FILES, files_by
from havpn_core.plugging.registry import PluginStatus, Record, Registry
from havpn_core.site.plugged import registry_of, with_plugins
from havpn_core.site.reading import model_of
from havpn_core.site.rendering.digest import mark_of, unmarked
from havpn_core.site.rendering.toml import toml_of
from havpn_core.site.rendering.whole import render
from havpn_core.testing import check_renderer_type, context
from havpn_core.testing.rendered import sites
from tests.core.hostile import SURROGATE, exceptions, values
from tests.site.figure import GATEWAYS, tables

MODEL = model_of(tables())
COUNT = itertools.count()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    path: str = "/etc/own"


def renderer(files, name="own", build=None):
    """Make a type whose instances give what ``files(model, gateway)`` gives."""

    class Renderer:
        def __init__(self, options, context):
            self.options = options

        def files(self, model, gateway):
            return files(model, gateway)

    return RendererType(name, "A test's", Options, build or Renderer)


def made(files, **more):
    return files_by(renderer(files, **more), Options(), context("renderer.own"), MODEL)


def raised(files, **more):
    with pytest.raises(CallFailed) as caught:
        made(files, **more)
    text = str(caught.value)
    assert text.isprintable() and len(text) < 1000
    return text


def test_good_files_are_taken_of_each_gateway():
    found = made(lambda model, name: (RenderedFile(f"/etc/{n}", name) for n in "ab"))
    assert set(found) == set(GATEWAYS)
    assert [file.path for file in found["gw-aa"]] == ["/etc/a", "/etc/b"]
    assert all(file.text == name for name, files in found.items() for file in files)
    assert made(lambda model, name: ()) == dict.fromkeys(GATEWAYS, ())


def test_a_file_with_a_secret_is_its_owner_s_alone():
    found = made(lambda model, name: [RenderedFile("/a", "{{secret:x}}", 0o755)])
    assert found["gw-aa"][0].mode == 0o700


@given(values)
@settings(max_examples=100, deadline=None)
def test_whatever_is_given_that_is_no_list_of_files_is_refused(value):
    raised(lambda model, name: [value])
    if type(value) in (type(None), bool, int, float, str, bytes, object):
        raised(lambda model, name: value)


@given(exceptions)
@settings(max_examples=50, deadline=None)
def test_whatever_is_raised_is_contained(problem):
    def raising(*_):
        raise problem

    def late(*_):
        yield RenderedFile("/a", "x")
        raise problem

    raised(raising)
    raised(late)
    raised(None, build=raising)


def odd(**fields):
    """Give a file that was made past its own checks."""
    file = RenderedFile("/a", "x")
    for name, value in fields.items():
        object.__setattr__(file, name, value)
    return file


class Text(str):
    pass


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (odd(path="a"), "is no absolute path"),
        (odd(path="/a/../b"), "is no absolute path"),
        (odd(path="/a//b"), "write '/a/b'"),
        (odd(path="/a/"), "write '/a'"),
        (odd(path="/a\n"), "is no plain path"),
        (odd(path=b"/a"), "the path of a file is"),
        (odd(path=Text("/a")), "the path of a file is"),
        (odd(text=None), "the text of a file is None"),
        (odd(text=Text("x")), "the text of a file is"),
        (odd(text=SURROGATE), "cannot be written as UTF-8"),
        (odd(text="x" * (MOST_BYTES + 1)), "has more than"),
        (odd(mode="644"), "its mode is '644'"),
        (odd(mode=True), "its mode is True"),
        (odd(mode=0o4755), "are no permission bits"),
        (odd(comment=""), "begins no comment"),
        (odd(comment="# "), "begins no comment"),
        (odd(comment=None), "the comment of a file is None"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(file, said):
    assert said in raised(lambda model, name: [file])


def test_too_many_files_and_one_twice_are_refused():
    endless = (RenderedFile(f"/a{n}", "x") for n in itertools.count())
    assert f"more than {MOST_FILES}" in raised(lambda model, name: endless)
    assert "/a twice" in raised(lambda model, name: [RenderedFile("/a", "x")] * 2)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_async_renderer_is_refused():
    async def files(model, name):
        return []

    assert "it must be a plain function" in raised(files)


# --- beside the files of HA-VPN ---------------------------------------------------------------


class Known(Registry):
    """A registry with these renderers and no others."""

    def __init__(self, *types):
        super().__init__()
        record = Record("toy", "1", "havpn-toy", "toy", PluginStatus.ACTIVE)
        for each in types:
            self._types["renderer", each.name] = (each, record)


def added(*types, **tables_of):
    model = model_of(tables(renderer=tables_of or {each.name: {} for each in types}))
    return with_plugins(model, render(model), Known(*types))


def problems(*types, **tables_of):
    with pytest.raises(ConfigError) as caught:
        added(*types, **tables_of)
    return caught.value.problems


def test_their_files_are_marked_as_ours_are():
    found = added(renderer(lambda m, name: [RenderedFile("/etc/own", "#!/bin/x\na\n", 0o755, ";")]))
    last = found["gw-ba"][-1]
    assert (last.path, last.mode) == ("/etc/own", 0o755)
    assert mark_of(last.text) and last.text.splitlines()[1].startswith("; Rendered by")
    assert unmarked(last.text) == "#!/bin/x\na\n"
    assert len(found["gw-ba"]) == len(render(MODEL)["gw-ba"]) + 1


def test_one_that_the_site_file_does_not_name_renders_nothing():
    model = model_of(tables())
    own = render(model)
    assert with_plugins(model, own, Known(renderer(lambda m, n: 1 / 0))) == own


def test_every_problem_names_its_renderer():
    def files(path):
        return lambda model, name: [RenderedFile(path, name)] if name == "gw-aa" else []

    types = (
        renderer(files("/etc/havpn/havpn.toml"), "usurper"),
        renderer(files("/etc/own"), "one"),
        renderer(files("/etc/own"), "two"),
        renderer(lambda model, name: 1 / 0, "broken"),
    )
    said = problems(*types, usurper={}, one={}, two={}, broken={}, none={})
    assert said[0].startswith(
        "renderer.usurper: gw-aa: /etc/havpn/havpn.toml is rendered by HA-VPN"
    )
    assert said[1].startswith("renderer.two: gw-aa: /etc/own is rendered by renderer.one, too")
    assert said[2].startswith("renderer.broken (plugin toy): ZeroDivisionError")
    assert said[3].startswith("renderer.none: there is no renderer type 'none' (known: broken, one")
    assert len(said) == 4


def test_options_are_checked_with_their_keys():
    type_ = renderer(lambda model, name: [])
    assert problems(type_, own={"path": 1, "pth": ""}) == [
        "renderer.own.pth: there is no such key, did you mean 'path'? (known: path)",
        "renderer.own.path: Expected a text, got a whole number",
    ]


def test_a_plugin_that_is_not_installed_is_named():
    model = model_of(tables(render={"plugins": ["none"]}))
    with pytest.raises(ConfigError, match=r"render.plugins: no plugin 'none' is installed"):
        registry_of(model)


# --- the contract -----------------------------------------------------------------------------


def test_the_sites_of_the_contract_are_of_each_kind():
    found = list(sites())
    assert {next(iter(model.sites.values())).mode for model in found} == {
        "pair", "heartbeat", "pacemaker",
    }  # fmt: skip
    assert max(len(model.lines_of("gw-aa")) for model in found) == 2
    assert {network.version for m in found for network in m.sites["a"].networks} == {4, 6}
    assert all(render(model) for model in found)


@pytest.mark.parametrize(
    ("files", "broken"),
    [
        (lambda m, n: [RenderedFile("/a", str(next(COUNT)))], "use no clock"),
        (lambda m, n: [RenderedFile("/etc/havpn/havpn.toml", "")], "is rendered by HA-VPN itself"),
        (lambda m, n: [RenderedFile("a", "")], "is no absolute path"),
        (lambda m, n: "/a", "no list of files"),
    ],
)
def test_the_contract_names_what_is_broken(files, broken):
    with pytest.raises(AssertionError, match=broken):
        check_renderer_type(renderer(files), config={"path": "/a"})


def test_the_contract_passes_a_good_one():
    good = renderer(lambda model, name: [RenderedFile("/etc/own", model.site_of(name).name)])
    check_renderer_type(good, config={}, hostile=[{"path": 1}])


# --- the command ------------------------------------------------------------------------------

PLUGIN = """
import msgspec
from havpn_core import RenderedFile, RendererType, hookimpl

class Options(msgspec.Struct):
    text: str = "x"

class Toy:
    def __init__(self, options, context):
        self.text = options.text
    def files(self, model, gateway):
        yield RenderedFile(f"/etc/{self.text}", "{{secret:toy}}\\n")

@hookimpl
def havpn_register_renderers():
    yield RendererType("toy", "A toy", Options, Toy)
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Install a plugin, as a package that is found by its entry point."""
    (tmp_path / "havpn_toy.py").write_text(textwrap.dedent(PLUGIN))
    info = tmp_path / "havpn_toy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-toy\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[havpn]\ntoy = havpn_toy\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def command(folder, **more):
    (folder / "site.toml").write_text(toml_of(tables(**more)))
    arguments = ["site", "render", "-f", str(folder / "site.toml"), "--out", str(folder / "out")]
    return CliRunner().invoke(havpn, arguments)


def test_a_plugin_of_the_site_file_renders_and_reaches_no_gateway(toy):
    done = command(toy, render={"plugins": ["toy"]}, renderer={"toy": {"text": "own"}})
    assert done.exit_code == 0, done.output
    file = toy / "out/gw-aa/etc/own"
    secret = (toy / "secrets/toy.key").read_text().splitlines()[-1]
    assert file.read_text().splitlines()[1] == secret
    assert file.stat().st_mode & 0o777 == 0o600
    assert "toy" not in (toy / "out/gw-aa/etc/havpn/havpn.toml").read_text()


def test_a_plugin_of_the_gateways_renders_and_is_enabled_there(toy):
    done = command(toy, plugins={"enable": ["toy"]}, renderer={"toy": {}})
    assert done.exit_code == 0, done.output
    assert 'enable = ["toy"]' in (toy / "out/gw-aa/etc/havpn/havpn.toml").read_text()


def test_what_it_does_wrong_is_said_with_its_name_and_nothing_is_written(toy):
    done = command(toy, render={"plugins": ["toy"]}, renderer={"toy": {"text": "../x"}})
    assert isinstance(done.exception, ConfigError)
    [problem] = done.exception.problems
    assert "renderer.toy (plugin toy): " in problem and "'/etc/../x'" in problem
    assert not (toy / "out").exists() and not (toy / "secrets").exists()
    done = command(toy, renderer={"toy": {}})
    [problem] = done.exception.problems
    assert "installed but not enabled: " in problem and "toy" in problem
