"""The deciding modules stay pure."""

import ast
from pathlib import Path

import pytest

import havpn_core

PURE = (
    "hysteresis",
    "vote",
    "election",
    "reconcile",
    "lateness",
    "quality",
    "damping",
    "watch",
    "loss",
    "pair",
    "standing",
    "limits",
    "memory",
)
ALLOWED = {"typing", "dataclasses", "enum", "collections", "collections.abc", "math", "bisect"}
ALLOWED |= {"json", "msgspec"}  # text to values and back; no file
ALLOWED |= {f"havpn_core.{name}" for name in PURE}


@pytest.mark.parametrize("name", PURE)
def test_pure_module_imports_nothing_with_side_effects(name):
    source = Path(havpn_core.__file__).with_name(f"{name}.py").read_text()
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    assert imported <= ALLOWED
