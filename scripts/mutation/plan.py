"""Which modules are changed, which tests are theirs, and what is known to change nothing."""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class PlanError(Exception):
    """The plan does not fit the checkout; its text says how."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mutant that no test can catch, for it does the same.

    :param module: the file, from the root of the checkout.
    :param function: as the report names it.
    :param change: as the report names it.
    :param reason: why it does the same.
    """

    module: str
    function: str
    change: str
    reason: str


@dataclass(frozen=True, slots=True)
class Target:
    """One module to be changed.

    :param file: from the root of the checkout.
    :param name: as it is imported.
    :param tests: its own tests, files from the root of the checkout.
    """

    file: str
    name: str
    tree: ast.Module
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be tried.

    :param root: the checkout.
    :param equivalents: those of the targets.
    """

    root: Path
    targets: tuple[Target, ...]
    equivalents: tuple[Equivalent, ...]


def read_plan(root: Path, file: Path, chosen: list[str]) -> Plan:
    """Read the plan and find the modules and their tests.

    :param chosen: files or folders from the root; all modules of the plan if empty.
    :raises PlanError: if a file is not there, or a module has no tests.
    """
    words = tomllib.loads(file.read_text())
    files = sorted(
        {str(each.relative_to(root)) for one in words["modules"] for each in _modules(root / one)}
    )
    listed: Mapping[str, list[str]] = words.get("tests", {})
    known = [Equivalent(**each) for each in words.get("equivalent", [])]
    gone = [each for each in sorted({*listed, *(e.module for e in known)}) if each not in files]
    if gone:
        raise PlanError(f"{file} names {gone[0]}, which is no module of the plan: take it out")
    wanted = [each for each in files if not chosen or _is_chosen(each, chosen)]
    if not wanted:
        raise PlanError(f"no module of {file} is in {' '.join(chosen)}")
    targets = tuple(_target(root, each, listed.get(each)) for each in wanted)
    return Plan(root, targets, tuple(each for each in known if each.module in wanted))


def _modules(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from path.rglob("*.py")
    elif path.exists():
        yield path
    else:
        raise PlanError(f"{path} is not there: correct the plan's `modules`")


def _is_chosen(file: str, chosen: list[str]) -> bool:
    return any(file == one or file.startswith(f"{one.rstrip('/')}/") for one in chosen)


def _target(root: Path, file: str, listed: list[str] | None) -> Target:
    name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    tree = ast.parse((root / file).read_text())
    tests = _found(root, name) if listed is None else listed
    for each in tests:
        if not (root / each).exists():
            raise PlanError(f"{each}, which is to test {file}, is not there: correct the plan")
    if not tests and len(tree.body) > 1:
        raise PlanError(f"no test names {file}: write one, or name its tests in the plan")
    return Target(file, name, tree, tuple(tests))


def _found(root: Path, name: str) -> list[str]:
    """Give the tests named after a module, or else those that import it."""
    every = sorted((root / "tests").rglob("test_*.py"))
    last = name.rpartition(".")[2]
    named = [each for each in every if each.stem == f"test_{last}"]
    found = named or [each for each in every if name in _imports(ast.parse(each.read_text()))]
    return [str(each.relative_to(root)) for each in found]


def _imports(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    node: Any
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names
