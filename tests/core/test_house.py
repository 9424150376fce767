"""The house keeps to its plan: floors, budgets, its picture, and the walk through it."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "scripts" / "house"
WALK = ROOT / "docs" / "architecture.md"
FILE = re.compile(r"`((?:havpn_core|plugins|scripts|tests)/[\w/.]*)`")


def house(*words, check=True):
    return subprocess.run(
        [HOUSE, *words], capture_output=True, text=True, check=check, timeout=60
    ).stdout


def made(folder, files):
    """Make a checkout of the named files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def faults_of(checkout):
    return json.loads(house("check", "--json", str(checkout), check=False))


def test_the_house_keeps_to_its_floors_and_budgets():
    assert json.loads(house("check", "--json", check=False)) == []


def test_the_picture_is_what_the_command_draws():
    assert (ROOT / "docs" / "house.svg").read_text() == house("draw", "-o", "-"), "make house"


def test_every_file_that_the_walk_names_is_there():
    named = set(FILE.findall(WALK.read_text()))
    assert len(named) > 40
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_room_has_a_module_and_begins_with_its_purpose():
    numbers = json.loads(house("numbers", "--json"))[str(ROOT)]
    for folder in numbers["modules_per_folder"]:
        assert (ROOT / folder / "__init__.py").read_text().startswith('"""'), folder


@pytest.mark.parametrize(
    "way",
    [
        "from havpn_core.daemon.high import x\n",
        "def f():\n    from havpn_core.daemon import high\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import havpn_core.daemon.high\n",
        "from ..daemon.high import x\n",
        "import importlib\nimportlib.import_module('havpn_core.daemon.high')\n",
    ],
)
def test_an_import_back_up_is_found_in_every_form(tmp_path, way):
    files = {
        "havpn_core/daemon/__init__.py": "",
        "havpn_core/daemon/high.py": "",
        "havpn_core/rules/__init__.py": "",
        "havpn_core/rules/low.py": way,
    }
    assert faults_of(made(tmp_path, files)) == [
        "havpn_core/rules/low.py on floor 1 imports havpn_core.daemon.high on floor 10"
    ]


def test_circles_are_found_between_modules_and_between_rooms(tmp_path):
    files = {
        "havpn_core/rules/a.py": "import havpn_core.rules.b\n",
        "havpn_core/rules/b.py": "def f():\n    from havpn_core.rules import a\n",
        "havpn_core/rules/up.py": "import havpn_core.host.one\n",
        "havpn_core/host/one.py": "",
        "havpn_core/host/two.py": "import havpn_core.rules.a\n",
    }
    found = faults_of(made(tmp_path, files))
    assert "modules import each other: havpn_core.rules.a, havpn_core.rules.b" in found
    assert "rooms import each other: havpn_core/host, havpn_core/rules" in found


def test_budgets_are_found_broken(tmp_path):
    long = "def f():\n" + "    pass\n" * 40
    files = {f"havpn_core/host/m{number}.py": "" for number in range(16)}
    files |= {
        "havpn_core/host/m0.py": "\n" * 301,
        "havpn_core/host/m1.py": long,
        "havpn_core/attic/a.py": "",
    }
    assert faults_of(made(tmp_path, files)) == [
        "havpn_core/attic/ has no row in the table of docs/architecture.md",
        "havpn_core/host/m0.py has 301 lines, more than 300",
        "havpn_core/host/ has 16 modules, more than 15",
        "havpn_core/host/m1.py:f has 41 lines, more than 40",
    ]


def test_numbers_of_two_checkouts_stand_side_by_side(tmp_path):
    one = made(tmp_path / "one", {"havpn_core/a.py": "from typing import Any\nx: Any = 1\n"})
    two = made(tmp_path / "two", {"havpn_core/rules/a.py": "def f():\n    return 1\n" * 2})
    rows = [line.split() for line in house("numbers", str(one), str(two)).splitlines()[1:]]
    assert ["any", "1", "0"] in rows
    assert ["functions", "0", "2"] in rows
    assert ["havpn_core/rules/", "-", "1"] in rows


def test_every_room_is_in_the_package():
    """A folder that pyproject.toml does not list is missing where the package is installed."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {
        str(path.parent.relative_to(ROOT)).replace("/", ".").replace("plugins", "havpn_plugins", 1)
        for top in ("havpn_core", "plugins")
        for path in (ROOT / top).rglob("*.py")
    }
    assert folders <= set(build["packages"])
