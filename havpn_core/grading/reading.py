"""Read the files of a plugin: which there are, and what stands in them."""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

from havpn_core.grading.sources import fault, siblings


def modules_of(name: str) -> tuple[Path, ...]:
    """Give a module's file, those of the modules beside it that it imports, and of its package."""
    module = sys.modules.get(name)
    start = getattr(module, "__file__", None)
    if start is None:
        return ()
    waiting = [Path(start)]
    if waiting[0].name == "__init__.py":
        waiting += sorted(waiting[0].parent.rglob("*.py"))
    found: dict[Path, None] = {}
    while waiting:
        file = waiting.pop(0)
        if file in found or not file.is_file():
            continue
        found[file] = None
        text = text_of(file)
        for dots, dotted in [] if fault(text) else siblings(text):
            base = file.parents[dots - 1].joinpath(*dotted.split("."))
            waiting += [base.with_suffix(".py"), base / "__init__.py"]
    return tuple(found)


def docstring_of(source: str) -> str:
    """Give the docstring of a source, which is the README of a single file."""
    return "" if fault(source) else ast.get_docstring(ast.parse(source)) or ""


def text_of(file: Path) -> str:
    """Give what stands in a file; empty if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def sources_of(modules: Iterable[Path]) -> tuple[dict[Path, str], tuple[str, ...]]:
    """Give the texts of the modules that are Python, and what is wrong with the others."""
    texts = {file: text_of(file) for file in modules}
    wrong = {file: why for file, text in texts.items() if (why := fault(text))}
    faults = tuple(f"{file}: {why}: correct or remove it" for file, why in wrong.items())
    return {file: text for file, text in texts.items() if file not in wrong}, faults
