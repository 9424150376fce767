"""Read the modules of a checkout: their lines, their functions and whom they import."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Where each package of the product lies in the checkout.
TOPS = {"havpn_core": "havpn_core", "havpn_plugins": "plugins"}


@dataclass(frozen=True)
class Function:
    """One function or method, nested ones included; its decorators do not count."""

    name: str
    line: int
    lines: int


@dataclass(frozen=True)
class Module:
    """One file of the product; ``imports`` has the product's modules only, itself left out."""

    name: str
    file: str
    folder: str
    lines: int
    functions: tuple[Function, ...]
    imports: frozenset[str]
    any_count: int


def read_tree(root: Path) -> dict[str, Module]:
    """Read every module below ``root``.

    :param root: a checkout.
    :raises SystemExit: if there is no product below ``root``.
    """
    files = {}
    for top, place in TOPS.items():
        for file in sorted((root / place).rglob("*.py")):
            parts = (top, *file.relative_to(root / place).with_suffix("").parts)
            files[".".join(parts).removesuffix(".__init__")] = file
    if not files:
        raise SystemExit(f"{root}: there is no havpn_core/ here; give a checkout of HA-VPN.")
    return {name: _module(name, file, root, set(files)) for name, file in files.items()}


def _module(name: str, file: Path, root: Path, known: set[str]) -> Module:
    text = file.read_text()
    nodes = list(ast.walk(ast.parse(text, str(file))))
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    imports = {one for node in nodes for one in _imported(node, package, known)}
    return Module(
        name,
        str(file.relative_to(root)),
        str(file.parent.relative_to(root)),
        len(text.splitlines()),
        tuple(sorted(_functions(nodes), key=lambda one: one.line)),
        frozenset(imports - {name}),
        sum(_is_any(node) for node in nodes),
    )


def _functions(nodes: list[ast.AST]) -> Iterator[Function]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            last = node.end_lineno or node.lineno
            yield Function(node.name, node.lineno, last - node.lineno + 1)


def _imported(node: ast.AST, package: str, known: set[str]) -> Iterator[str]:
    """Name the product's modules that one statement or ``import_module`` call imports."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, package)
        names = [f"{base}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Call):
        names = _named_in_call(node)
    else:
        return
    for name in names:
        found = name if name in known else name.rpartition(".")[0]
        if found in known:
            yield found


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def _named_in_call(node: ast.Call) -> list[str]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else None
    called = node.func.id if isinstance(node.func, ast.Name) else called
    if called not in ("import_module", "__import__") or not node.args:
        return []
    first = node.args[0]
    return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []


def _is_any(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id == "Any"
    return isinstance(node, ast.Attribute) and node.attr == "Any"
