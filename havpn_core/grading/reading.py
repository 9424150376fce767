"""Read the files of a plugin: which there are, and what stands in them."""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from havpn_core.grading.sources import BUNDLED, CORE, fault, imports, siblings

HAVPN = BUNDLED | {CORE}
"""Packages that belong to no plugin of somebody else's."""


def modules_of(name: str) -> tuple[Path, ...]:
    """Give the files of a plugin: its module, its package, and what it imports of what is its own.

    :param name: of the module, as an entry point has it.
    """
    name = name.partition(":")[0]
    start = getattr(sys.modules.get(name), "__file__", None)
    if start is None:
        return ()
    first, top = Path(start), name.partition(".")[0]
    base = first.parents[name.count(".") + (first.name == "__init__.py")]
    waiting = [first]
    if top not in HAVPN and (base / top / "__init__.py").is_file():
        waiting += [base / top / "__init__.py", *sorted((base / top).rglob("*.py"))]
    found: dict[Path, None] = {}
    while waiting:
        file = waiting.pop(0)
        if file in found or not file.is_file():
            continue
        found[file] = None
        text = text_of(file)
        if fault(text) is None:
            waiting += _beside(text, file, base, top)
    return tuple(found)


def _beside(source: str, file: Path, base: Path, top: str) -> Iterator[Path]:
    """Go through the files that an import of a plugin's own modules may mean."""
    places = [(file.parents[dots - 1], dotted) for dots, dotted in siblings(source)]
    # Where other distributions are installed, too, the name says what belongs to this one.
    crowded = any(base.glob("*.dist-info"))
    for dotted in imports(source):
        of = dotted.partition(".")[0]
        if of not in HAVPN and (not crowded or of == top or of.startswith(f"{top}_")):
            places += [(base, dotted), (base, dotted.rpartition(".")[0] or dotted)]
    for folder, dotted in places:
        place = folder.joinpath(*dotted.split("."))
        yield from (place.with_suffix(".py"), place / "__init__.py")


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
