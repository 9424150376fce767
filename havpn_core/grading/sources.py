"""What the source of a plugin says about it: types, imports, sockets, calls that block."""

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping

from havpn_core.plugging.wording import describe

BLOCKING = frozenset({
    "time.sleep", "subprocess.run", "subprocess.call", "subprocess.check_call", "os.system",
    "subprocess.check_output", "socket.create_connection", "socket.getaddrinfo", "open",
    "socket.gethostbyname", "urllib.request.urlopen", "requests.get", "requests.post", "input",
})  # fmt: skip
"""Calls that hold the loop up, by their whole name."""
RAW = frozenset({"SOCK_RAW", "AF_PACKET"})
TESTING = "havpn_core.testing"
CORE = "havpn_core"
BUNDLED = frozenset({"havpn_plugins", "havpn_ocf"})
"""Packages of havpn's own, of which nothing is public."""
BLANKET = re.compile(r"#\s*(type:\s*ignore(?!\s*\[)|mypy:\s*ignore-errors)")
"""Comments that end a checker's look at a line or at a file, whatever it may find there."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def fault(source: str) -> str | None:
    """Say why a source is no Python; ``None`` if it is."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        return describe(problem)
    return None


def untyped(source: str) -> list[str]:
    """Name what a checker of types learns nothing from.

    That is a function which does not say the type of an argument or of its result, and a comment
    that turns the checker off. Functions that say ``Any`` and nothing else are, too, where they are
    no exception: at least half of all.
    """
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, Function)]
    empty = [node for node in functions if _says_any_alone(node)]
    without = [node for node in functions if not _is_typed(node)]
    without += empty if 2 * len(empty) >= len(functions) else []
    found = [*((node.lineno, node.name) for node in without), *_blankets(source)]
    return [f"{text} (line {line})" for line, text in sorted(found)]


def _blankets(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and (found := BLANKET.search(token.string)):
            yield token.start[0], f"the comment {found[0]}"


def _is_typed(function: Function) -> bool:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    every += [each for each in (given.vararg, given.kwarg) if each is not None]
    open_ones = [each.arg for each in every if each.annotation is None]
    # __init__ gives nothing, and where an argument has a type a checker takes it as typed.
    result = function.returns is not None or (function.name == "__init__" and len(every) > 1)
    return result and open_ones in ([], ["self"], ["cls"])


def _says_any_alone(function: Function) -> bool:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    said = {
        ast.unparse(each).strip("'\"").rpartition(".")[2]
        for each in (*(one.annotation for one in every), function.returns)
        if each is not None
    }
    return said == {"Any"}


def private_names(
    source: str, public: Collection[str], foreign: Collection[str] = BUNDLED
) -> list[str]:
    """Name what a source imports of havpn that is not public.

    :param public: the names that ``havpn_core`` exports.
    :param foreign: packages of which nothing may be imported.
    """
    allowed = {CORE, TESTING, *(f"{CORE}.{name}" for name in public)}
    return sorted(
        name
        for name in set(imports(source))
        if name.partition(".")[0] in {CORE, *foreign}
        and name not in allowed
        and not name.startswith(f"{TESTING}.")
    )


def imports(source: str) -> Iterator[str]:
    """Go through what is imported, and what is taken from ``havpn_core`` by its name."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
    origins = _origins(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and origins.get(ast.unparse(node.value)) == CORE:
            yield f"{CORE}.{node.attr}"


def _origins(tree: ast.Module) -> dict[str, str]:
    """Give what each imported name stands for, with its module."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return found


def _whole_name(called: ast.expr, origins: Mapping[str, str]) -> str:
    """Give what is called by its whole name, whatever the source calls it."""
    first, dot, rest = ast.unparse(called).partition(".")
    return origins.get(first, first) + dot + rest


def siblings(source: str) -> list[tuple[int, str]]:
    """Give the relative imports of a source: how many dots, and the module's dotted name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found += [(node.level, name) for name in names]
    return found


def opens_raw(source: str) -> bool:
    """Whether a source opens a raw or packet socket, which takes a capability; netlink does not."""
    return any(
        words & RAW and "AF_NETLINK" not in words
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("socket")
        for words in [_words_in([*node.args, *(each.value for each in node.keywords)])]
    )


def _words_in(arguments: list[ast.expr]) -> set[str]:
    """Give the names in arguments, such as both of ``SOCK_RAW | SOCK_CLOEXEC``."""
    nodes = [node for each in arguments for node in ast.walk(each)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def blocking_calls(source: str) -> list[str]:
    """Name the calls in an ``async def`` that hold the loop up."""
    tree = ast.parse(source)
    origins = _origins(tree)
    return [
        f"{name} in {function.name} (line {call.lineno})"
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for call in _own_calls(function)
        if (name := _whole_name(call.func, origins)) in BLOCKING
    ]


def _own_calls(function: ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    """Go through the calls of a function, but for those of functions within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)
