"""What decides stays pure, and new modules of its rooms are tested without being listed."""

import ast
import functools
import importlib.util
from pathlib import Path

import pytest

import havpn_core

ROOT = Path(havpn_core.__file__).parent
PLUGINS = Path(importlib.util.find_spec("havpn_plugins").origin).parent
# What of pair/ does the I/O: clocks, key files, the plugins that look at the LAN, the links.
DOES_IO = {"pair/run.py", "pair/keys.py", "pair/lan.py"}
ALLOWED = {
    "abc", "array", "bisect", "collections", "collections.abc", "dataclasses", "enum", "functools",
    "heapq", "itertools", "math", "operator", "re", "statistics", "string", "struct",
    "types", "typing",
    # Bytes or text in, bytes or text out: signatures, checksums, encodings.
    "base64", "binascii", "hashlib", "hmac", "html", "json", "shlex", "textwrap", "tomllib",
    "urllib.parse", "zlib",
    # Options are structs; an address is a value.
    "datetime", "difflib", "ipaddress", "msgspec", "msgspec.structs",
}  # fmt: skip
# Of these only what is a type: chance comes in as a seeded generator, and an error may be judged.
TYPES = {"random.Random", "subprocess.CalledProcessError", "subprocess.TimeoutExpired"}
TYPED = {name.partition(".")[0] for name in TYPES}
# What reads the clock of a type that is allowed, and what a plugin's pure module may not use.
CLOCKS = {"now", "utcnow", "today"}
PUBLIC_IO = {"note_held", "read_held", "read_keys", "read_secret", "run_command"}
CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}


# The lowest floor, and the public names.
COMMON = {ROOT / "errors.py", ROOT / "durations.py", ROOT / "version.py", ROOT / "__init__.py"}


def docstring(file):
    return ast.get_docstring(ast.parse(file.read_text())) or ""


@functools.cache
def pure_files():
    rooms = [*ROOT.glob("rules/**/*.py"), *ROOT.glob("pair/**/*.py"), *ROOT.glob("stream/**/*.py")]
    files = {file for file in rooms if str(file.relative_to(ROOT)) not in DOES_IO}
    everything = [*ROOT.rglob("*.py"), *PLUGINS.rglob("*.py")]
    return sorted(files | {file for file in everything if docstring(file).startswith("Pure")})


def label(file):
    return str(file.relative_to(ROOT.parent if ROOT in file.parents else PLUGINS.parent))


def imported(tree, package):
    """Name every module that is imported anywhere in the file, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*base, node.module] if node.module else base)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if own_file(whole) or base in TYPED else base


def own_file(name):
    """Find the file of one of our modules."""
    top, *rest = name.split(".")
    root = {"havpn_core": ROOT, "havpn_plugins": PLUGINS}.get(top)
    if root is None:
        return None
    place = root.joinpath(*rest)
    module = place.with_name(place.name + ".py")
    return place / "__init__.py" if (place / "__init__.py").exists() else (
        module if rest and module.exists() else None
    )  # fmt: skip


def package_of(file):
    root, top = (ROOT, "havpn_core") if ROOT in file.parents else (PLUGINS, "havpn_plugins")
    return ".".join((top, *file.relative_to(root).parent.parts))


def impurities(text, package, pure):
    """Name each thing in the module that reaches the world outside."""
    tree = ast.parse(text)
    names = set(imported(tree, package))
    for name in sorted(names):
        own = own_file(name)
        if own is None and name not in ALLOWED | TYPES | TYPED:
            yield f"imports {name}"
        if own is not None and own not in pure and own not in COMMON:
            yield f"imports {name}, which is not pure"
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=called)) if called in CALLS:
                yield f"calls {called}()"
            case ast.Attribute(value=ast.Name(id=module), attr=attr) if module in TYPED & names:
                if f"{module}.{attr}" not in TYPES:
                    yield f"uses {module}.{attr}"
            case ast.Attribute(attr=attr) if attr in CLOCKS and "datetime" in names:
                yield f"reads the clock by {attr}()"
            case ast.ImportFrom(module="havpn_core", names=public):
                yield from (f"uses {one.name}" for one in public if one.name in PUBLIC_IO)


@pytest.mark.parametrize("file", pure_files(), ids=label)
def test_a_pure_module_reaches_nothing_outside(file):
    assert list(impurities(file.read_text(), package_of(file), pure_files())) == []


def test_the_rooms_of_pure_modules_are_there():
    names = {label(file) for file in pure_files()}
    assert {"havpn_core/rules/watch.py", "havpn_core/pair/token.py"} <= names


@pytest.mark.parametrize("name", sorted(DOES_IO))
def test_no_pure_module_is_excepted(name):
    file = ROOT / name
    if file.exists():
        assert list(impurities(file.read_text(), package_of(file), pure_files())), "take it out"


@pytest.mark.parametrize(
    "line",
    [
        "import time",
        "def f():\n    from socket import socket",
        "from os.path import join",
        "import asyncio.events",
        "from havpn_core.host import files",
        "from ..daemon import memory",
        "print(1)",
        "x = open('f')",
        "import random\nx = random.random()",
        "from random import choice",
        "import subprocess\nsubprocess.run(['true'])",
        "from datetime import datetime\nx = datetime.now()",
        "from havpn_core import run_command",
    ],
)
def test_what_is_not_pure_is_found(line):
    found = list(impurities(line, "havpn_core.rules", pure_files()))
    assert len(found) == 1, found
