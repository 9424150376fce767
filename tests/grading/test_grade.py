"""``havpn plugin grade``: a new package is gold, and what is taken away costs a grade."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from havpn_core.errors import HavpnError
from havpn_core.grading import evidence, package
from havpn_core.grading.criteria import CRITERIA, Grade, grade_of
from havpn_core.grading.evidence import Evidence
from havpn_core.grading.judging import JUDGES, judge
from havpn_core.grading.sources import blocking_calls, opens_raw, private_names, untyped
from havpn_core.plugging.registry import KINDS, Registry
from havpn_core.plugging.scaffold import write_package

ROOT = Path(__file__).parents[2]
NAMES = [each.name for each in CRITERIA]


def havpn(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "havpn_core", "plugin", "grade", *arguments],
        capture_output=True, text=True, timeout=120, check=False, **more,
    )  # fmt: skip


def lacking(report):
    """Give what each criterion that is not met says."""
    return {each.criterion.name: each.missing for each in report.judged if each.missing}


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_gold_at_once(kind, tmp_path):
    made = write_package(f"graded-{kind}", kind, tmp_path)
    ended = havpn(str(made), "--json", "--at-least", "gold")
    found = json.loads(ended.stdout)
    assert (found["grade"], found["next"], ended.returncode) == ("gold", None, 0)
    assert found["types"] == [f"{kind} graded-{kind}"]
    assert [each["name"] for each in found["criteria"]] == NAMES


def test_below_the_grade_that_is_asked_for_the_status_is_1(tmp_path):
    made = write_package("graded-low", "probe", tmp_path)
    (made / "LICENSE").unlink()
    (made / "tests" / "test_havpn_graded_low.py").write_text("def test_nothing():\n    assert 0\n")
    for least, status in (("bronze", 0), ("silver", 1), ("gold", 1)):
        ended = havpn(str(made), "--at-least", least)
        assert ended.returncode == status
    assert ended.stdout.splitlines()[0] == f"graded-low: bronze ({made})"
    assert "tests: the tests do not pass (1 failed" in ended.stdout
    assert "contract: probe graded-low: no test has its contract checked: call " in ended.stdout
    assert "  missing for gold:\n    licence: no licence: write license" in ended.stdout


numbers = iter(range(100))


@pytest.fixture
def made(tmp_path):
    """A package of its own name: its module stays imported for the rest of the tests."""
    return write_package(f"graded-{next(numbers)}x", "probe", tmp_path)


def graded(folder, problem=None, contracts=None):
    found = package.of_path(folder)
    shown = frozenset((kind, each.name) for kind, each in found.types)
    return judge(found, Evidence(problem, shown if contracts is None else contracts))


def change(folder, old, new, file=None):
    place = folder / file if file else next(folder.glob("havpn_*.py"))
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))


LOST = [
    ("loads", "import time\n", "import no_such_module\n", "ModuleNotFoundError"),
    ("loads", "    yield ProbeType", "    return\n    yield ProbeType", "it supplies no type"),
    ("summary", '"Whether a file is fresh"', '"Fresh"', "has 5 characters"),
    ("options", 'Meta(description="age from which it is stale")', "Meta()", "of max_age"),
    ("needs", "Options, Graded", 'needs=frozenset({"NET_RAW"}), config=Options, build=Graded',
     "needs has NET_RAW"),
    ("needs", "        self._options = options",
     "        import socket\n        self._make = lambda: socket.socket(socket.AF_PACKET, 3)\n"
     "        self._options = options", "raw or packet sockets"),
    ("public", "import time\n", "import time\nfrom havpn_core.host.disk import files\n",
     "imports havpn_core.host.disk.files"),
    ("needs", "        self._options = options",
     "        import socket as s\n        self._make = lambda: s.socket(family=s.AF_PACKET, type="
     "s.SOCK_RAW | s.SOCK_CLOEXEC)\n        self._options = options", "raw or packet sockets"),
    ("public", "import time\n", "import time\nimport havpn_core as core\nX = core.host\n",
     "imports havpn_core.host"),
    ("public", "import time\n", "import time\nfrom havpn_plugins.probes import tcp\n",
     "imports havpn_plugins.probes.tcp"),
    ("loop", "        try:\n", "        time.sleep(0)\n        try:\n", "time.sleep in check"),
    ("loop", "        try:\n", "        from time import sleep as wait\n        wait(0)\n"
     "        try:\n", "time.sleep in check"),
    ("types", "import time\n", "# mypy: ignore-errors\nimport time\n", "mypy: ignore-errors"),
    ("types", "-> Sample:", "-> Sample:  # type: ignore", "type: ignore (line"),
    ("types", "timeout_s: float) -> Sample", "timeout_s) -> Sample", "no types in check"),
    ("types", "def close(self) -> None", "def close(self)", "no types in close"),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "old", "new", "said"), LOST)
def test_what_the_source_lacks_is_said(made, criterion, old, new, said):
    change(made, old, new)
    found = lacking(graded(made))
    assert any(said in text for text in found[criterion])
    assert criterion == "loads" or set(found) == {criterion}


@pytest.mark.parametrize(
    ("criterion", "file", "changed", "said"),
    [
        ("versions", "pyproject.toml", (",<1", ""), "no range of versions"),
        ("versions", "pyproject.toml", (",<1", "; python_version < '4'"), "no range of versions"),
        ("licence", "pyproject.toml", ('license = "MIT"', ""), "no licence"),
        ("readme", "README.md", ("enable", "use"), "how to enable it"),
        ("readme", "README.md", ("graded", "other"), "does not name the probe type"),
        ("readme", "README.md", ("enable = [", "enabled: ["), "how to enable it"),
    ],
)
def test_what_the_package_lacks_is_said(made, criterion, file, changed, said):
    change(made, *changed, file)
    found = lacking(graded(made))
    assert set(found) == {criterion}
    assert any(said in text for text in found[criterion])


def test_a_package_that_is_a_folder_needs_py_typed(made):
    module = next(made.glob("havpn_*.py"))
    (made / module.stem).mkdir()
    module.rename(made / module.stem / "__init__.py")
    assert lacking(graded(made))["types"][0].startswith(f"{module.stem}/py.typed is missing")
    (made / module.stem / "py.typed").touch()
    assert lacking(graded(made)) == {}


def test_the_grade_is_the_highest_without_a_gap():
    every = set(NAMES)
    assert grade_of(every) is Grade.GOLD
    assert grade_of(every - {"licence"}) is Grade.SILVER
    assert grade_of(every - {"tests"}) is Grade.BRONZE
    assert grade_of(every - {"loads"}) is Grade.NONE
    assert set(JUDGES) == every


SINGLE = '''# SPDX-License-Identifier: MIT
"""The probe one: whether nothing is wrong; enable = ["one"] in [plugins]."""

from collections.abc import Iterable

from havpn_core import Context, ProbeType, Sample, hookimpl
from msgspec import Struct


class Options(Struct):
    """Options of one."""

    good: bool = True


class One:
    def __init__(self, options: Options, context: Context) -> None:
        self._good = options.good

    async def check(self, timeout_s: float) -> Sample:
        return Sample.ok() if self._good else Sample.fail("bad")

    def close(self) -> None: ...


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    yield ProbeType("one", "Whether nothing is wrong", Options, One)
'''
TEST_OF_SINGLE = """
from pathlib import Path
from types import SimpleNamespace
from havpn_core.plugging.sources import files
from havpn_core.testing import check_probe_type, plugin_type

def test_contract():
    file = Path(__file__).with_name("one.py")
    module = files.load(files.PluginFile("one", file, file.read_bytes()))
    check_probe_type(
        plugin_type(module, "probe", "one"), reachable={}, unreachable={"good": False}
    )
"""


def test_a_single_file_is_graded_with_what_is_beside_it(tmp_path):
    file = tmp_path / "one.py"
    file.write_text(SINGLE)
    ended = havpn("./one.py", cwd=tmp_path)
    assert ended.stdout.startswith("one: none"), ended.stderr
    assert "options: probe one: no description of good" in ended.stdout
    assert "tests: there are no tests: write tests/test_one.py beside it" in ended.stdout
    file.write_text(SINGLE.replace("    good: bool = True", "\n    good: bool = True").replace(
        '"""Options of one."""', '"""Options of one.\n\n    :param good: what it finds\n    """'
    ))  # fmt: skip
    (tmp_path / "test_one.py").write_text(TEST_OF_SINGLE)
    ended = havpn("./one.py", "--at-least", "gold", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout
    file.write_text(file.read_text().replace("# SPDX", "# "))
    assert "write # SPDX-License-Identifier: MIT" in havpn("./one.py", cwd=tmp_path).stdout


def test_what_is_no_plugin_is_an_error_with_what_to_name(tmp_path):
    for name, said in (
        (str(tmp_path), "no plugin is there: name a folder with a pyproject.toml"),
        ("nonesuch", "no plugin and no type 'nonesuch' is installed"),
        ("exec", "name one of probes.exec, actions.exec, notifiers.exec"),
    ):
        ended = havpn(name)
        assert ended.returncode == 1
        assert said in ended.stderr
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(HavpnError, match="it has 0 entry points"):
        package.of_path(tmp_path)


def test_a_bundled_type_is_graded_by_its_own_tests():
    ended = havpn("syslog", "--at-least", "gold")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout == f"notifiers.syslog: gold ({ROOT})\n"


def test_an_installed_package_is_graded_by_its_metadata(tmp_path, monkeypatch):
    info = tmp_path / "havpn_metal-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: havpn-metal\nVersion: 1.2\nLicense-Expression: MIT\n"
        'Requires-Dist: havpn<1,>=0.1\n\nThe probe metal: enable = ["metal"]\n'
    )
    (info / "entry_points.txt").write_text("[havpn]\nmetal = havpn_metal\n")
    (info / "RECORD").write_text("havpn_metal-1.2.dist-info/LICENSE,,\nhavpn_metal.py,,\n")
    (tmp_path / "havpn_metal.py").write_text(
        SINGLE.replace('"one"', '"metal"')
        .replace("    good: bool = True\n", "")
        .replace("options.good", "True")
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    report = judge(package.of_name("metal", Registry.load(["metal"])), Evidence(None))
    assert lacking(report) == {
        "tests": ("no tests are installed with it: grade the folder of its sources",),
        "contract": (
            "probe metal: no test has its contract checked: call "
            "havpn_core.testing.check_probe_type in one",
        ),
    }
    assert report.grade is Grade.BRONZE


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("def test_it():\n    pass\n", None),
        ("def test_it():\n    assert 0\n", "the tests do not pass (1 failed"),
        ("def it():\n    pass\n", "no test was run"),
        ("import pytest\ndef test_it():\n    pytest.skip('no')\n", "all tests were skipped"),
        ("import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert 0\n", "skipped"),
        ("import time\ndef test_it():\n    time.sleep(60)\n", "do not end within 3 s"),
    ],
)
def test_tests_that_show_nothing_do_not_count(tmp_path, monkeypatch, test, said):
    monkeypatch.setattr(evidence, "LONGEST_S", 3.0 if "sleep" in test else 60.0)
    (tmp_path / "test_it.py").write_text(test)
    found = evidence.run(tmp_path, ["test_it.py"]).problem
    assert found is None if said is None else said in found


def test_what_is_read_in_a_source():
    assert untyped("def f(self) -> None: ...\ndef g(*a): ...\ndef h(a: int) -> int: ...") == [
        "g (line 2)"
    ]
    assert untyped("class A:\n  def __init__(self, a: int): ...\n  def __init__(self): ...") == [
        "__init__ (line 3)"
    ]
    assert opens_raw("import socket as s\ns.socket(s.AF_INET, s.SOCK_RAW)")
    assert not opens_raw("import socket as s\ns.socket(s.AF_NETLINK, s.SOCK_RAW)")
    assert not opens_raw("import socket as s\ns.SOCK_RAW == 3")
    assert private_names("from havpn_core.testing import contracts\nimport havpn_core", []) == []
    assert private_names("from havpn_core import Sample", ["Role"]) == ["havpn_core.Sample"]
    assert blocking_calls("async def f():\n  def g():\n    open('x')\n  await g(open('y'))") == [
        "open in f (line 4)"
    ]


def test_the_page_lists_the_criteria_as_they_are():
    text = (ROOT / "docs" / "plugins" / "grade.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert rows == [f"| {c.grade} | {c.name} | {c.text} | {c.why} |" for c in CRITERIA]
