"""The deciding modules stay pure."""

import ast
from pathlib import Path

import pytest

import havpn_core

PURE = ("rules", "pair/token.py", "pair/message.py", "study/loss.py")
ALLOWED = {"typing", "dataclasses", "enum", "collections", "collections.abc", "math", "bisect"}
ROOT = Path(havpn_core.__file__).parent


def modules():
    places = [ROOT / place for place in PURE]
    found = []
    for place in places:
        found += place.glob("*.py") if place.is_dir() else [place]
    parts = [each.relative_to(ROOT).with_suffix("").parts for each in found]
    return {".".join(("havpn_core", *p)): each for p, each in zip(parts, found, strict=True)}


@pytest.mark.parametrize("name", modules())
def test_pure_module_imports_nothing_with_side_effects(name):
    source = modules()[name].read_text()
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    assert imported <= ALLOWED | set(modules())
