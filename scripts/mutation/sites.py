"""Pure: find every place of a module that can be changed, and carry a change out."""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .changes import Change, changes, turned_round

Step = tuple[str, int | None]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
TYPES = ("annotation", "returns")
UNTOUCHED = {"decorator_list", "bases", "type_params", "format_spec"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module.

    :param line: where it is.
    :param function: the qualified name of the function or class around it, ``-`` outside.
    :param change: what becomes what; equal changes of one function are numbered from the second.
    :param mark: the :func:`mark` of the statement that reaches it; ``None`` if the import does.
    """

    line: int
    function: str
    change: str
    mark: str | None
    steps: tuple[Step, ...]
    node: ast.AST


@dataclass(frozen=True, slots=True)
class _Around:
    steps: tuple[Step, ...] = ()
    line: int = 0
    function: str = "-"
    mark: str | None = None
    inside: bool = False
    boolean: bool = False
    typed: bool = False


def mark(node: ast.stmt | ast.Lambda) -> str:
    """Name a statement or a lambda within its module."""
    return f"{node.lineno}:{node.col_offset}"


def mutants(tree: ast.Module) -> list[Mutant]:
    """Give all mutants of a module, in the order of its text."""
    found: Counter[tuple[str, str]] = Counter()
    numbered = []
    for one in _within(tree, _Around()):
        found[one.function, one.change] += 1
        count = found[one.function, one.change]
        numbered.append(replace(one, change=f"{one.change} #{count}") if count > 1 else one)
    return numbered


def mutated(tree: ast.Module, mutant: Mutant) -> ast.Module:
    """Give the module with this one change; the tree given stays as it is."""
    changed: Any = copy.deepcopy(tree)
    *steps, (field, place) = mutant.steps
    parent = changed
    for step in steps:
        parent = _child(parent, step)
    old = _child(parent, (field, place))
    new = ast.fix_missing_locations(ast.copy_location(copy.deepcopy(mutant.node), old))
    if place is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[place] = new
    assert isinstance(changed, ast.Module)
    return changed


def _child(node: Any, step: Step) -> Any:
    field, place = step
    value = getattr(node, field)
    return value if place is None else value[place]


def _within(node: ast.AST, around: _Around) -> Iterator[Mutant]:
    around = _entered(node, around)
    if not around.typed:
        for change in changes(node, boolean=around.boolean):
            yield _mutant(around, change)
        for field, at, change in turned_round(node):
            yield _mutant(replace(around, steps=(*around.steps, (field, at))), change)
    for field, value in ast.iter_fields(node):
        if field in UNTOUCHED or (isinstance(node, ast.ClassDef) and field == "keywords"):
            continue
        inner = around
        if field in TYPES:
            inner = replace(around, typed=True)
        elif isinstance(node, ast.Call) and field in ("args", "keywords"):
            inner = replace(around, typed=False)  # the bounds of an Annotated type
        elif field == "body" and isinstance(node, FUNCTIONS):
            inner = replace(around, inside=True)
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for place, child in children:
            if isinstance(child, ast.AST) and not _for_types_only(child):
                step: Step = (field, place)
                yield from _within(child, replace(inner, steps=(*around.steps, step)))


def _entered(node: ast.AST, around: _Around) -> _Around:
    if isinstance(node, ast.stmt | ast.expr):
        around = replace(around, line=node.lineno)
    if isinstance(node, ast.Lambda) or (isinstance(node, ast.stmt) and around.inside):
        around = replace(around, mark=mark(node))
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        outer = "" if around.function == "-" else f"{around.function}."
        around = replace(around, function=f"{outer}{node.name}")
    if isinstance(node, FUNCTIONS):
        boolean = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
        around = replace(around, boolean=boolean)
    return around


def _for_types_only(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def _mutant(around: _Around, change: Change) -> Mutant:
    text = f"{change.before} -> {change.after}"
    return Mutant(around.line, around.function, text, around.mark, around.steps, change.node)
