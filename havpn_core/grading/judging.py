"""Judge a plugin by each criterion, and say what is missing with what to do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import havpn_core
from havpn_core.config.describe import options_of
from havpn_core.grading.criteria import CRITERIA, Criterion, Grade, grade_of
from havpn_core.grading.evidence import Evidence
from havpn_core.grading.package import Package
from havpn_core.grading.sources import BUNDLED, blocking_calls, opens_raw, private_names, untyped
from havpn_core.host.capabilities import NUMBERS
from havpn_core.plugging.descriptors import PluginType
from havpn_core.plugging.sources.record import PluginStatus

_HAVPN = re.compile(r"havpn\s*(\[[^\]]*\])?\s*\(?(?P<range>[<>=!~].*)", re.I)
_RANGE = re.compile(r"(?=.*>)(?=.*<)|~=|==.*\.\*")
_WORD = re.compile(r"\w{2}")
SHORTEST, LONGEST = 10, 100
"""Characters of a summary."""
SHOWN = 5
"""Findings of one kind that are named."""
CHECKS = {
    "probe": "check_probe_type",
    "renderer": "check_renderer_type",
    "action": "check_action_type",
    "notifier": "check_notifier_type",
    "link": "check_link_type",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One criterion and what came of it.

    :param missing: what is missing, with what to do; empty if it is met.
    """

    criterion: Criterion
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a plugin is, and what it lacks."""

    package: Package
    grade: Grade
    judged: tuple[Judged, ...]

    @property
    def next(self) -> Grade | None:
        """The next grade; ``None`` above gold."""
        return None if self.grade is Grade.GOLD else list(Grade)[self.grade.rank + 1]


def judge(package: Package, evidence: Evidence) -> Report:
    """Judge a plugin.

    :param evidence: what its tests showed.
    """
    judged = tuple(Judged(each, tuple(JUDGES[each.name](package, evidence))) for each in CRITERIA)
    return Report(package, grade_of([j.criterion.name for j in judged if not j.missing]), judged)


def _loads(package: Package, evidence: Evidence) -> Iterator[str]:
    if package.record.status is not PluginStatus.ACTIVE:
        yield package.record.error or "it is not loaded: see havpn plugin check"
    elif not package.types:
        yield "it supplies no type: implement a hook, such as havpn_register_probes"
    else:
        yield from package.faults


def _summary(package: Package, evidence: Evidence) -> Iterator[str]:
    for kind, each in package.types:
        length = len(each.summary.strip())
        if not SHORTEST <= length <= LONGEST:
            yield (
                f"{kind} {each.name}: its summary has {length} characters: write one line of "
                f"{SHORTEST} to {LONGEST}"
            )


def _options(package: Package, evidence: Evidence) -> Iterator[str]:
    for kind, each in package.types:
        bare = [
            option.name
            for option in options_of(each.config)
            if not _WORD.search(option.description) or option.description == option.name
        ]
        if bare:
            yield (
                f"{kind} {each.name}: no description of {', '.join(bare)}: write "
                "Annotated[..., msgspec.Meta(description=...)]"
            )


def _needs(package: Package, evidence: Evidence) -> Iterator[str]:
    raw = any(map(opens_raw, package.sources.values()))
    for kind, each in package.types:
        unknown = sorted(map(str, frozenset(each.needs) - NUMBERS.keys()))
        if unknown:
            yield f"{kind} {each.name}: needs has {', '.join(unknown)}: write as CAP_NET_RAW"
    silent = PluginType.__dataclass_fields__["missing"].default
    said = ("CAP_NET_RAW" in each.needs or each.missing is not silent for _, each in package.types)
    if raw and not any(said):
        yield (
            'it opens raw or packet sockets: add needs=frozenset({"CAP_NET_RAW"}) to the type, or '
            "have its function missing say when it lacks that"
        )


def _public(package: Package, evidence: Evidence) -> Iterator[str]:
    foreign = () if package.record.bundled else BUNDLED
    for file, text in package.sources.items():
        found = private_names(text, havpn_core.__all__, foreign)
        if found:
            yield f"{file.name}: imports {_some(found)}: use what havpn_core exports"


def _tests(package: Package, evidence: Evidence) -> Iterator[str]:
    if package.tests:
        if evidence.problem:
            yield evidence.problem
    elif package.root is None:
        yield "no tests are installed with it: grade the folder of its sources"
    elif package.single:
        yield f"there are no tests: write tests/test_{package.record.name}.py beside it"
    else:
        yield "there are no tests: write tests/test_*.py"


def _contract(package: Package, evidence: Evidence) -> Iterator[str]:
    for kind, each in package.types:
        if (kind, each.name) not in evidence.contracts:
            yield (
                f"{kind} {each.name}: no test has its contract checked: call "
                f"havpn_core.testing.{CHECKS[kind]} in one"
            )


def _loop(package: Package, evidence: Evidence) -> Iterator[str]:
    for file, text in package.sources.items():
        found = blocking_calls(text)
        if found:
            yield f"{file.name}: {_some(found)}: await, or write a plain def"


def _readme(package: Package, evidence: Evidence) -> Iterator[str]:
    where = "the docstring of the file" if package.single else "the README"
    if not package.readme.strip():
        yield f"{where} is missing: say what each type does and how to enable it"
        return
    for kind, each in package.types:
        if not _names(package.readme, each.name):
            yield f"{where} does not name the {kind} type {each.name}"
    if not package.record.bundled and not _says_how(package):
        name = package.record.name
        table = "[render] plugins" if _renders(package) else "[plugins] enable"
        yield f'{where} does not say how to enable it: {table} = ["{name}"]'


def _names(text: str, name: str) -> bool:
    """Whether a text has a name by itself, and not within another one."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _says_how(package: Package) -> bool:
    """Whether it shows the line of the file that enables the plugin."""
    key = "(enable|plugins)" if _renders(package) else "enable"
    name = re.escape(package.record.name)
    line = rf"""\b{key}\s*=\s*\[[^\]]*["']{name}["']"""
    return re.search(line, package.readme) is not None


def _renders(package: Package) -> bool:
    """Whether it is of the making of files alone: ``[render] plugins`` names it."""
    return {kind for kind, _ in package.types} == {"renderer"}


def _licence(package: Package, evidence: Evidence) -> Iterator[str]:
    if not package.licence and package.single:
        yield "no licence: write # SPDX-License-Identifier: MIT, or another one, into the file"
    elif not package.licence:
        yield 'no licence: write license = "MIT", or another one, and its text into LICENSE'


def _types(package: Package, evidence: Evidence) -> Iterator[str]:
    for file, text in package.sources.items():
        found = untyped(text)
        if found:
            yield f"{file.name}: no types in {_some(found)}"
    heads = {_top_of(file.parent) for file in package.modules if file.name == "__init__.py"}
    for folder in sorted(heads):
        if not (folder / "py.typed").is_file():
            yield f"{folder.name}/py.typed is missing: make that file, empty, and package it"


def _top_of(folder: Path) -> Path:
    """Give the outermost package that a folder is in."""
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _versions(package: Package, evidence: Evidence) -> Iterator[str]:
    if package.requires is None or package.single:
        return
    found = map(_HAVPN.fullmatch, (each.partition(";")[0].strip(" )") for each in package.requires))
    if not any(_RANGE.search(each["range"]) for each in found if each):
        yield 'no range of versions of havpn: write dependencies = ["havpn>=0.1,<1"]'


JUDGES: dict[str, Callable[[Package, Evidence], Iterator[str]]] = {
    "loads": _loads,
    "summary": _summary,
    "options": _options,
    "needs": _needs,
    "public": _public,
    "tests": _tests,
    "contract": _contract,
    "loop": _loop,
    "readme": _readme,
    "licence": _licence,
    "types": _types,
    "versions": _versions,
}


def _some(found: list[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more
