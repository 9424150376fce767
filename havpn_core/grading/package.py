"""What is to be graded: a package, a single file or an installed plugin, brought into one form."""

import importlib
import json
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from havpn_core.errors import HavpnError
from havpn_core.grading.sources import siblings
from havpn_core.plugging.descriptors import PluginType
from havpn_core.plugging.registry import GROUP, KINDS, Registry
from havpn_core.plugging.sources import files
from havpn_core.plugging.sources.record import PluginStatus, Record


@dataclass(frozen=True)
class Package:
    """A plugin with what belongs to it.

    :param place: where it was found, for people.
    :param root: the folder that its tests run in; ``None`` if there is none.
    :param tests: arguments of pytest; empty if there are no tests.
    :param modules: its own files of Python.
    :param requires: what it depends on; ``None`` where that goes without saying.
    """

    record: Record
    types: tuple[tuple[str, PluginType], ...]
    place: str
    root: Path | None = None
    tests: tuple[str, ...] = ()
    modules: tuple[Path, ...] = ()
    readme: str = ""
    licence: bool = False
    requires: tuple[str, ...] | None = None
    single: bool = False
    sources: dict[Path, str] = field(default_factory=dict)


def of_path(path: Path) -> Package:
    """Load what a folder with a pyproject.toml, or a file, has.

    :raises HavpnError: if there is no plugin.
    """
    path = path.resolve()
    if path.is_file() and path.suffix == ".py":
        return _of_file(path)
    if not (path / "pyproject.toml").is_file():
        raise HavpnError(
            f"{path}: no plugin is there: name a folder with a pyproject.toml, or a file NAME.py"
        )
    project = _project(path)
    entries = project.get("entry-points", {}).get(GROUP, {})
    if len(entries) != 1:
        raise HavpnError(
            f"{path / 'pyproject.toml'}: it has {len(entries)} entry points in the group {GROUP}: "
            "write one, as NAME = 'havpn_NAME' in [project.entry-points.havpn]"
        )
    (name, module), *_ = entries.items()
    for folder in (path / "src", path):
        sys.path.insert(0, str(folder))
    registry, record = _loaded(name, project.get("name", path.name), module.partition(":")[0])
    return _of_project(registry, record, path, project)


def of_name(name: str, registry: Registry) -> Package:
    """Take an installed plugin, or the one that supplies a type.

    :param registry: with that plugin loaded.
    :raises HavpnError: if there is none.
    """
    records = [each for each in registry.records if each.name == name] or [
        record for kind in KINDS for each, record in registry.types(kind) if each.name == name
    ]
    if not records:
        raise HavpnError(f"no plugin and no type {name!r} is installed; see havpn plugin list")
    if len(records) > 1:
        names = ", ".join(record.name for record in records)
        raise HavpnError(f"{name!r} is of several plugins: name one of {names}")
    (record,) = records
    if record.file is not None:
        return _of_file(record.file)
    root = _source_of(record)
    if root is not None:
        return _of_project(registry, record, root, _project(root))
    return _of_installed(registry, record)


def _loaded(name: str, distribution: str, module: str) -> tuple[Registry, Record]:
    registry = Registry.load()
    record = Record(name, "", distribution, module, PluginStatus.AVAILABLE)
    registry.admit(record, lambda: importlib.import_module(module))
    return registry, record


def _of_project(registry: Registry, record: Record, root: Path, project: dict[str, Any]) -> Package:
    own = project["grade"]
    types = _types(registry, record)
    wanted = own.get("tests") or (["tests"] if (root / "tests").is_dir() else [])
    tests = [test.format(kind=kind, name=each.name) for test in wanted for kind, each in types]
    modules = _modules(record.module)
    return Package(
        record=record,
        types=types,
        place=str(root),
        root=root,
        tests=tuple(dict.fromkeys(tests or wanted)),
        modules=modules,
        readme=_text(root / str(own.get("readme") or _readme(project))),
        licence=bool(project.get("license")) and any(root.glob("LICEN[CS]E*")),
        requires=None if record.bundled else tuple(project.get("dependencies", ())),
        sources=_texts(modules),
    )


def _of_file(file: Path) -> Package:
    """Load a single file, whoever owns it: who grades it runs it on purpose."""
    name = file.stem
    registry, content = Registry.load(), file.read_bytes()
    plugin = files.PluginFile(name, file, content)
    record = Record(name, plugin.version, "", str(file), PluginStatus.AVAILABLE, file=file)
    registry.admit(record, lambda: files.load(plugin))
    text = content.decode(errors="replace")
    places = [file.with_name(f"test_{file.name}"), file.parent / "tests" / f"test_{file.name}"]
    places += [each.with_name(each.name.replace("-", "_")) for each in places]
    return Package(
        record=record,
        types=_types(registry, record),
        place=str(file),
        root=file.parent,
        tests=tuple(dict.fromkeys(str(each) for each in places if each.is_file())),
        modules=(file,),
        readme=_docstring(text),
        licence="SPDX-License-Identifier:" in text,
        single=True,
        sources=_texts((file,)),
    )


def _of_installed(registry: Registry, record: Record) -> Package:
    """Take what a distribution's metadata says; its tests are not installed."""
    found = metadata.distribution(record.distribution)
    known = found.metadata
    text = found.read_text("METADATA") or ""
    modules = _modules(record.module)
    licences = [each for each in found.files or () if each.name.startswith(("LICENSE", "LICENCE"))]
    return Package(
        record=record,
        types=_types(registry, record),
        place=record.source,
        modules=modules,
        readme=text.partition("\n\n")[2],
        licence=bool(licences) and ("License-Expression" in known or "License" in known),
        requires=None if record.bundled else tuple(found.requires or ()),
        sources=_texts(modules),
    )


def _source_of(record: Record) -> Path | None:
    """Find the folder of the sources that a plugin is used from, if it is."""
    if record.bundled:
        root = Path(__file__).parents[2]
        return root if (root / "pyproject.toml").is_file() else None
    try:
        said = json.loads(
            metadata.distribution(record.distribution).read_text("direct_url.json") or ""
        )
    except (metadata.PackageNotFoundError, ValueError):
        return None
    root = Path(unquote(urlparse(said.get("url", "")).path))
    editable = said.get("dir_info", {}).get("editable") is True
    return root if editable and (root / "pyproject.toml").is_file() else None


def _project(root: Path) -> dict[str, Any]:
    """Read ``[project]``, and beside it as ``grade`` what ``[tool.havpn.grade]`` says.

    :raises HavpnError: if the file is none.
    """
    try:
        found = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise HavpnError(f"{root / 'pyproject.toml'}: {problem}") from None
    own = found.get("tool", {}).get("havpn", {}).get("grade", {})
    return {**found.get("project", {}), "grade": own}


def _types(registry: Registry, record: Record) -> tuple[tuple[str, PluginType], ...]:
    return tuple(
        (kind, each)
        for kind in KINDS
        for each, supplier in registry.types(kind)
        if supplier is record
    )


def _modules(name: str) -> tuple[Path, ...]:
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
        for dots, dotted in siblings(_text(file)):
            base = file.parents[dots - 1].joinpath(*dotted.split("."))
            waiting += [base.with_suffix(".py"), base / "__init__.py"]
    return tuple(found)


def _readme(project: dict[str, Any]) -> str:
    given = project.get("readme", "README.md")
    return str(given.get("file", "README.md") if isinstance(given, dict) else given)


def _docstring(source: str) -> str:
    import ast

    try:
        return ast.get_docstring(ast.parse(source)) or ""
    except SyntaxError:
        return ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _texts(modules: Iterable[Path]) -> dict[Path, str]:
    return {file: _text(file) for file in modules}
