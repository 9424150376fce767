"""Plugins, bundled ones and the examples, live on what havpn_core gives to every author."""

import ast
from pathlib import Path

import pytest

import havpn_core

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file
    for folder in ("plugins", "examples")
    for file in (ROOT / folder).rglob("*.py")
    if not any(part in file.parts for part in ("tests", "build", ".venv"))
)
OPEN = {"havpn_core.testing"}
"""What else is public, for the tests of plugins."""


def reached(source):
    """Give what a file takes of havpn_core, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and any(
            isinstance(text, ast.Constant) and str(text.value).startswith("havpn_core.")
            for text in node.args[:1]
        ):
            names.add(str(node.args[0].value))  # import_module("havpn_core.…")
    return {name for name in names if name.partition(".")[0] == "havpn_core"}


def private(source):
    """Give those of them that are not public."""
    public = {f"havpn_core.{name}" for name in havpn_core.__all__} | {"havpn_core"}
    return {
        name
        for name in reached(source)
        if name not in public and not any(name.startswith(f"{place}.") for place in OPEN)
    }


def test_all_plugins_and_examples_are_looked_at():
    names = {str(file.relative_to(ROOT)) for file in FILES}
    assert {"plugins/probes/udp_echo.py", "plugins/actions/_alias/frames.py"} <= names
    assert "examples/havpn-wireguard/havpn_wireguard.py" in names


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_plugin_takes_public_names_only(file):
    assert private(file.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("name", havpn_core.__all__)
def test_every_public_name_is_there(name):
    assert getattr(havpn_core, name) is not None


@pytest.mark.parametrize(
    "line",
    [
        "from havpn_core.echo.report import EchoSession",
        "import havpn_core.echo.report",
        "from havpn_core import echo",
        "from havpn_core import *",
        'import importlib\nimportlib.import_module("havpn_core.host.disk.files")',
        "def late():\n    from havpn_core.host import held",
    ],
)
def test_what_reaches_past_the_public_names_is_noticed(line):
    assert private(line)
