"""``havpn plugin grade``: what only looks good costs a grade, and no broken file ends it."""

import time
from pathlib import Path

import pytest

from havpn_core.errors import HavpnError
from havpn_core.grading import evidence, package
from havpn_core.grading.criteria import Grade
from havpn_core.grading.sources import untyped
from havpn_core.plugging.scaffold import write_package
from tests.grading.test_grade import change, graded, havpn, lacking

numbers = iter(range(100))


@pytest.fixture
def made(tmp_path):
    """A package of its own name: its module stays imported for the rest of the tests."""
    return write_package(f"looks-{next(numbers)}x", "probe", tmp_path)


def test_a_licence_has_a_text(made):
    (made / "LICENSE").write_text("\n")
    assert set(lacking(graded(made))) == {"licence"}


@pytest.mark.parametrize(
    ("wanted", "enough"),
    [
        ("havpn>=0.1,<1", True), ("havpn[ipsec] >= 0.1, < 1", True), ("Havpn (>=0.1,<1)", True),
        ("havpn~=0.1", True), ("havpn==0.1.*", True), ("havpn>=0.1,<1; python_version>'3'", True),
        ("havpn", False), ("havpn>=0.1", False), ("havpn<1", False), ("havpn-foo>=0.1,<1", False),
        ("havpn==0.1.0", False),
    ],
)  # fmt: skip
def test_which_versions_are_a_range(made, wanted, enough):
    change(made, '"havpn>=0.1,<1"', f'"{wanted}"', "pyproject.toml")
    assert ("versions" not in lacking(graded(made))) is enough


def test_a_type_that_is_anything_throughout_is_no_type():
    anything = "def f(a: Any) -> Any: ...\n"
    assert untyped(anything) == ["f (line 1)"]
    assert untyped(f"{anything}def g(a: int) -> int: ...\ndef h(b: int) -> int: ...\n") == []
    assert untyped("x = 1  # type: ignore[attr-defined]\ny = '# type: ignore'\n") == []


@pytest.mark.parametrize("text", ["def (", "x = 1\0", "\ufffd", "x = " + "(" * 3000])
def test_what_is_no_python_costs_the_grade_and_never_the_command(made, tmp_path, text):
    """Whether it is the plugin itself, or a file in its folder that nobody imports."""
    file = tmp_path / "single.py"
    file.write_text(text)
    assert "SyntaxError" in lacking(graded(file))["loads"][0]
    module = next(made.glob("havpn_*.py"))
    (made / module.stem).mkdir()
    module.rename(made / module.stem / "__init__.py")
    (made / module.stem / "py.typed").touch()
    (made / module.stem / "old.py").write_text(text)
    found = lacking(graded(made))
    assert set(found) == {"loads"}
    assert "old.py: SyntaxError" in found["loads"][0]


@pytest.mark.parametrize(
    "text",
    [
        "project = 3", "[project]\nentry-points = 2", "[project.entry-points]\nhavpn = ['a']",
        "[project.entry-points.havpn]\nx = 3", "tool = 3", "[tool]\nhavpn = 1",
        "[tool.havpn.grade]\ntests = ['{bogus}', '{', 3]\n[project.entry-points.havpn]\nx = 'm'",
        "[tool.havpn.grade]\ntests = 5\nreadme = 5\n[project.entry-points.havpn]\nx = ''",
        "[project]\nreadme = 3\ndependencies = 'havpn'\n[project.entry-points.havpn]\nx = 'm'",
    ],
)  # fmt: skip
def test_no_table_of_a_pyproject_ends_the_command_with_a_traceback(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    try:
        assert graded(tmp_path).grade is Grade.NONE
    except HavpnError as problem:
        assert str(tmp_path / "pyproject.toml") in str(problem)


HIDDEN = "import time\n\nasync def wait(s):\n    time.sleep(s)\n"


@pytest.mark.parametrize("layout", [("", ""), ("src", ""), ("", ":PLUGIN"), ("src", ":PLUGIN")])
@pytest.mark.parametrize(
    ("entry", "hidden", "line"),
    [
        ("{m}", "{m}_impl.py", "from {m}_impl import wait"),
        ("{m}", "impl_{m}.py", "import impl_{m}"),
        ("{m}.plugin", "{m}/sub/impl.py", "from {m}.sub import impl"),
        ("{m}.plugin", "{m}/__init__.py", "import {m}"),
        ("{m}", "{m}/sub/impl.py", "from {m}.sub.impl import wait"),
    ],
)
def test_no_module_of_a_plugin_s_own_is_overlooked(made, entry, hidden, line, layout):
    """Whatever names it: a sibling, a package within the package, an entry point with an object."""
    module = next(made.glob("havpn_*.py"))
    name, (src, attribute) = module.stem, layout
    base = made / src
    entry, hidden, line = (each.format(m=name) for each in (entry, hidden, line))
    change(made, f'"{name}"\n', f'"{entry}{attribute}"\n', "pyproject.toml")
    change(made, "import time\n", f"import time\n{line}\n")
    text = f"{module.read_text()}\n\nimport sys\nPLUGIN = sys.modules[__name__]\n"
    module.unlink()
    (base / hidden).parent.mkdir(parents=True, exist_ok=True)
    if "/" in hidden:
        for folder in (base / name, (base / hidden).parent):
            (folder / "__init__.py").touch()
            (folder / "py.typed").touch()
        place = base / name / ("plugin.py" if "." in entry else "__init__.py")
    else:
        place = base / f"{name}.py"
    (base / hidden).write_text(HIDDEN)
    place.write_text(text)
    found = lacking(graded(made))
    assert set(found) == {"loop", "types"}
    assert "time.sleep in wait" in found["loop"][0]


@pytest.mark.parametrize("module", ["json", "havpn_core"])
def test_a_module_from_elsewhere_is_not_judged_in_its_place(made, module):
    change(made, f'"{next(made.glob("havpn_*.py")).stem}"\n', f'"{module}"\n', "pyproject.toml")
    with pytest.raises(HavpnError, match=f"names the module {module}, which comes from"):
        package.of_path(made)


def test_a_folder_without_a_slash_is_recognised(made):
    ended = havpn(made.name, cwd=made.parent)
    assert ended.returncode == 1
    assert f"or write ./{made.name} for what is here" in ended.stderr


def test_what_the_tests_leave_running_delays_nothing_and_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "LONGEST_S", 60.0)
    (tmp_path / "test_it.py").write_text(
        "import pathlib, subprocess\n"
        "def test_it():\n    left = subprocess.Popen(['sleep', '1000'])\n"
        "    pathlib.Path('pid').write_text(str(left.pid))\n"
    )
    began = time.monotonic()
    assert evidence.run(tmp_path, ["-s", "test_it.py"]).problem is None
    assert time.monotonic() - began < 30
    pid = int((tmp_path / "pid").read_text())
    assert until(lambda: not running(pid))


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition, within_s=10.0):
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
