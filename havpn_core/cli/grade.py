"""``havpn plugin grade``: how good a plugin is, and what it lacks for the next grade."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from havpn_core.grading import evidence
from havpn_core.grading.criteria import Grade
from havpn_core.grading.evidence import Evidence
from havpn_core.grading.judging import Report, judge
from havpn_core.grading.package import Package, of_name, of_path
from havpn_core.plugging.registry import Registry


def grade(name: str, load: Callable[[], Registry], at_least: str | None, as_json: bool) -> None:
    """Grade a path or a name, and print it; exits with 1 below ``at_least``.

    :param load: gives the registry with the plugin of that name, if there is one. For a path
        nothing else is loaded, so that no installed copy is judged in its place.
    :raises HavpnError: if there is no such plugin.
    """
    path = Path(name)
    known = "/" not in name and not name.endswith(".py") and name != "."
    report = graded(of_name(name, load()) if known else of_path(path))
    click.echo(json.dumps(as_object(report), indent=2) if as_json else words(report))
    sys.exit(1 if at_least and report.grade.rank < Grade(at_least).rank else 0)


def graded(package: Package) -> Report:
    """Run the tests of a package, and judge it."""
    no_tests = package.root is None or not package.tests
    found = Evidence(None) if no_tests else evidence.run(package.root, package.tests)  # type: ignore[arg-type]
    return judge(package, found)


def words(report: Report) -> str:
    """Say the grade, and what is missing: for the next grade first."""
    lines = [f"{report.package.record.name}: {report.grade} ({report.package.place})"]
    for each in list(Grade)[report.grade.rank + 1 :]:
        lacks = [j for j in report.judged if j.criterion.grade is each and j.missing]
        if lacks:
            lines.append(f"  missing for {each}:")
            lines += [f"    {j.criterion.name}: {text}" for j in lacks for text in j.missing]
    return "\n".join(lines)


def as_object(report: Report) -> dict[str, Any]:
    """Give a report as ``--json`` shows it."""
    return {
        "name": report.package.record.name,
        "place": report.package.place,
        "types": [f"{kind} {each.name}" for kind, each in report.package.types],
        "grade": report.grade,
        "next": report.next,
        "criteria": [
            {
                "name": each.criterion.name,
                "grade": each.criterion.grade,
                "met": not each.missing,
                "missing": list(each.missing),
                "text": each.criterion.text,
            }
            for each in report.judged
        ],
    }
