"""``havpn site verify``."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import click

from havpn_core.cli.options import json_option
from havpn_core.cli.sites.options import file_option, templates_option
from havpn_core.durations import Duration
from havpn_core.site.checking import Checked, Outcome, checked, summary
from havpn_core.site.file import tables_in
from havpn_core.site.model.problem import Problem
from havpn_core.site.plugged import registry_of, with_plugins
from havpn_core.site.rendering.paths import path_name
from havpn_core.site.rendering.templates import overridden
from havpn_core.site.rendering.whole import render
from havpn_core.site.verified import Verified, verified
from havpn_core.timing.promised import Times, in_threads, times_of


@click.command()
@file_option
@templates_option
@json_option
def verify(file: Path, templates: Path | None, as_json: bool) -> None:
    """Say all that is wrong with a site file at once, touching nothing.

    Where nothing is, the times of detection and failback of both ends of each line are shown, and
    each file that it makes is checked by its own program, as far as that is on this host: nft,
    crm or pcs, and crm_verify. Nothing is loaded anywhere.
    """
    found = verified(tables_in(file))
    times = {} if found.problems else times_by_line(found)
    checks = [] if found.problems else files_checked(found, templates)
    wrong = [each for each in checks if each.outcome is Outcome.WRONG]
    found = replace(found, problems=[*found.problems, *map(as_problem, wrong)])
    if as_json:
        click.echo(json.dumps(as_object(found, times, checks), indent=2))
    else:
        for row in rows(times):
            click.echo(row)
        for line in summary([each for each in checks if each not in wrong]):
            click.echo(line)
        for caution in found.cautions:
            click.echo(f"warning: {caution}")
        for problem in found.problems:
            click.echo(f"{file}: {problem}", err=True)
        click.echo(f"{file}: {concluded(found)}")
    sys.exit(1 if found.problems else 0)


def times_by_line(found: Verified) -> dict[str, dict[str, Times]]:
    """Give the times at each end of each line, by the names of line and gateway."""
    model = found.model
    if model is None:
        return {}
    return {
        line.name: {
            end.gateway: times_of(path, in_threads(found.configs[end.gateway], path))
            for end in line.ends
            for path in found.configs[end.gateway].paths
            if path.name == path_name(model, end.gateway, line)
        }
        for line in model.lines.values()
    }


def files_checked(found: Verified, templates: Path | None) -> list[Checked]:
    """Have each file that is rendered checked by its own program."""
    model = found.model
    if model is None:
        return []
    if find_spec("jinja2") is None:
        text = "they cannot be rendered without the package jinja2"
        return [
            Checked(name, "files", "any program", Outcome.UNCHECKED, text)
            for name in model.gateways
        ]
    texts = None if templates is None else overridden(templates)
    return checked(with_plugins(model, render(model, texts), registry_of(model)))


def as_problem(wrong: Checked) -> Problem:
    """Give what a program says of a file, as the other problems are said."""
    remedy = "correct what the site file puts into it, or the template"
    return Problem(f"{wrong.gateway}:{wrong.path}", f"{wrong.program}: {wrong.text}", remedy)


def rows(times: dict[str, dict[str, Times]]) -> Iterator[str]:
    """Lay the times of both ends side by side."""
    if not times:
        return
    table = [["line", *["gateway", "detection", "failback"] * 2]]
    for line, ends in times.items():
        row = [line]
        for gateway, each in ends.items():
            row += [gateway, _shown(each.detection_s), _shown(each.failback_s)]
        table.append(row)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    yield "The longest times from a cut and from a heal, on clean lines:"
    for cells in table:
        yield "  ".join(map(str.ljust, cells, widths)).rstrip()


def as_object(
    found: Verified, times: dict[str, dict[str, Times]], checks: Sequence[Checked] = ()
) -> dict[str, object]:
    """Give what programs read."""
    return {
        "good": not found.problems,
        "problems": [asdict(problem) for problem in found.problems],
        "warnings": [asdict(caution) for caution in found.cautions],
        "times": {
            line: {gateway: asdict(each) for gateway, each in ends.items()}
            for line, ends in times.items()
        },
        "files": [asdict(each) for each in checks],
    }


def concluded(found: Verified) -> str:
    """Say in a word whether the file is good."""
    number = len(found.problems)
    if number:
        return "1 problem" if number == 1 else f"{number} problems"
    assert found.model is not None
    sites, lines = len(found.model.sites), len(found.model.lines)
    return f"good: {sites} sites, {len(found.model.gateways)} gateways, {lines} lines"


def _shown(time_s: float) -> str:
    return str(Duration(round(time_s, 3)))
