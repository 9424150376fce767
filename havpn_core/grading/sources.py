"""What the source of a plugin says about it: types, imports, sockets, calls that block."""

import ast
from collections.abc import Collection, Iterator

BLOCKING = frozenset({
    "time.sleep", "subprocess.run", "subprocess.call", "subprocess.check_call", "os.system",
    "subprocess.check_output", "socket.create_connection", "socket.getaddrinfo", "open",
    "socket.gethostbyname", "urllib.request.urlopen", "requests.get", "requests.post", "input",
})  # fmt: skip
"""Calls that hold the loop up, by their whole name."""
RAW = frozenset({"SOCK_RAW", "AF_PACKET"})
TESTING = "havpn_core.testing"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def untyped(source: str) -> list[str]:
    """Name the functions that do not say the type of an argument or of their result."""
    return [
        f"{node.name} (line {node.lineno})"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Function) and not _is_typed(node)
    ]


def _is_typed(function: Function) -> bool:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    every += [each for each in (given.vararg, given.kwarg) if each is not None]
    open_ones = [each.arg for each in every if each.annotation is None]
    # __init__ gives nothing, and where an argument has a type a checker takes it as typed.
    result = function.returns is not None or (function.name == "__init__" and len(every) > 1)
    return result and open_ones in ([], ["self"], ["cls"])


def private_names(source: str, public: Collection[str]) -> list[str]:
    """Name what a source imports of ``havpn_core`` that is not public.

    :param public: the names that ``havpn_core`` exports.
    """
    allowed = {"havpn_core", TESTING, *(f"havpn_core.{name}" for name in public)}
    return sorted(
        name
        for name in _imports(source)
        if name.partition(".")[0] == "havpn_core"
        and name not in allowed
        and not name.startswith(f"{TESTING}.")
    )


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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
        for words in [{ast.unparse(each).rpartition(".")[2] for each in node.args}]
    )


def blocking_calls(source: str) -> list[str]:
    """Name the calls in an ``async def`` that hold the loop up."""
    return [
        f"{name} in {function.name} (line {call.lineno})"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.AsyncFunctionDef)
        for call in _own_calls(function)
        if (name := ast.unparse(call.func)) in BLOCKING
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
