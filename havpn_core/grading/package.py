"""What is to be graded: a package, a single file or an installed plugin, brought into one form."""

import json
import re
import sys
import tomllib
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from havpn_core.errors import HavpnError
from havpn_core.grading.reading import docstring_of, modules_of, sources_of, text_of
from havpn_core.plugging.descriptors import PluginType
from havpn_core.plugging.registry import GROUP, KINDS, Registry
from havpn_core.plugging.sources import files
from havpn_core.plugging.sources.record import PluginStatus, Record

_SPDX = re.compile(r"^#\s*SPDX-License-Identifier:\s*\w", re.M)


@dataclass(frozen=True)
class Package:
    """A plugin with what belongs to it.

    :param place: where it was found, for people.
    :param root: the folder that its tests run in; ``None`` if there is none.
    :param tests: arguments of pytest; empty if there are no tests.
    :param modules: its own files of Python.
    :param requires: what it depends on; ``None`` where that goes without saying.
    :param sources: the texts of those that are Python.
    :param faults: which of its files are none, and why.
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
    faults: tuple[str, ...] = ()


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
    entries = _table(_table(project, "entry-points"), GROUP)
    if len(entries) != 1:
        raise HavpnError(
            f"{path / 'pyproject.toml'}: it has {len(entries)} entry points in the group {GROUP}: "
            'write one, such as NAME = "havpn_NAME" in [project.entry-points.havpn]'
        )
    ((name, module),) = entries.items()
    for folder in (path / "src", path):
        sys.path.insert(0, str(folder))
    registry, record = _loaded(name, str(project.get("name", path.name)), str(module))
    if record.status is PluginStatus.ACTIVE:
        _require_inside(record.module.partition(":")[0].strip(), path)
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
        path = f", or write ./{name} for what is here" if Path(name).exists() else ""
        raise HavpnError(
            f"no plugin and no type {name!r} is installed; see havpn plugin list{path}"
        )
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


def _require_inside(module: str, root: Path) -> None:
    """Refuse to judge one copy of a plugin in place of another.

    :raises HavpnError: if the module does not come from the folder that was named.
    """
    place = getattr(sys.modules.get(module), "__file__", None)
    if place is None or not Path(place).resolve().is_relative_to(root):
        raise HavpnError(
            f"{root / 'pyproject.toml'}: its entry point names the module {module}, which comes "
            f"from {place or 'no file'} and not from this folder: correct the entry point, or put "
            f"{module} into {root} or {root / 'src'}"
        )


def _loaded(name: str, distribution: str, module: str) -> tuple[Registry, Record]:
    registry = Registry.load()
    record = Record(name, "", distribution, module, PluginStatus.AVAILABLE)
    registry.admit(record, metadata.EntryPoint(name, module, GROUP).load)
    return registry, record


def _of_project(registry: Registry, record: Record, root: Path, project: dict[str, Any]) -> Package:
    own = _table(project, "grade")
    types = _types(registry, record)
    wanted = _texts_of(own, "tests") or (["tests"] if (root / "tests").is_dir() else [])
    tests = [_filled_in(test, kind, each.name) for test in wanted for kind, each in types]
    modules = modules_of(record.module)
    sources, faults = sources_of(modules)
    return Package(
        record=record,
        types=types,
        place=str(root),
        root=root,
        tests=tuple(dict.fromkeys(tests or wanted)),
        modules=modules,
        readme=text_of(root / str(own.get("readme") or _readme(project))),
        licence=bool(project.get("license"))
        and any(text_of(file).strip() for file in root.glob("LICEN[CS]E*")),
        requires=None if record.bundled else tuple(_texts_of(project, "dependencies")),
        sources=sources,
        faults=faults,
    )


def _filled_in(test: str, kind: str, name: str) -> str:
    return test.replace("{kind}", kind).replace("{name}", name)


def _of_file(file: Path) -> Package:
    """Load a single file, whoever owns it: who grades it runs it on purpose."""
    name = file.stem
    registry, content = Registry.load(), file.read_bytes()
    plugin = files.PluginFile(name, file, content)
    record = Record(name, plugin.version, "", str(file), PluginStatus.AVAILABLE, file=file)
    registry.admit(record, lambda: files.load(plugin))
    text = content.decode(errors="replace")
    # Where it is no Python it is not loaded, and the record says why.
    sources, _ = sources_of((file,))
    places = [file.with_name(f"test_{file.name}"), file.parent / "tests" / f"test_{file.name}"]
    places += [each.with_name(each.name.replace("-", "_")) for each in places]
    return Package(
        record=record,
        types=_types(registry, record),
        place=str(file),
        root=file.parent,
        tests=tuple(dict.fromkeys(str(each) for each in places if each.is_file())),
        modules=(file,),
        readme=docstring_of(text),
        licence=_SPDX.search(text) is not None,
        single=True,
        sources=sources,
    )


def _of_installed(registry: Registry, record: Record) -> Package:
    """Take what a distribution's metadata says; its tests are not installed."""
    found = metadata.distribution(record.distribution)
    known = found.metadata
    text = found.read_text("METADATA") or ""
    modules = modules_of(record.module)
    sources, faults = sources_of(modules)
    licences = [each for each in found.files or () if each.name.startswith(("LICENSE", "LICENCE"))]
    return Package(
        record=record,
        types=_types(registry, record),
        place=record.source,
        modules=modules,
        readme=text.partition("\n\n")[2],
        licence=bool(licences) and ("License-Expression" in known or "License" in known),
        requires=None if record.bundled else tuple(found.requires or ()),
        sources=sources,
        faults=faults,
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
    own = _table(_table(_table(found, "tool"), "havpn"), "grade")
    return {**_table(found, "project"), "grade": own}


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    """Give a table within another one; empty where something else stands."""
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def _texts_of(table: dict[str, Any], key: str) -> list[str]:
    """Give a list of texts within a table; empty where something else stands."""
    found = table.get(key)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _types(registry: Registry, record: Record) -> tuple[tuple[str, PluginType], ...]:
    return tuple(
        (kind, each)
        for kind in KINDS
        for each, supplier in registry.types(kind)
        if supplier is record
    )


def _readme(project: dict[str, Any]) -> str:
    given = project.get("readme", "README.md")
    return str(given.get("file", "README.md") if isinstance(given, dict) else given)
