"""``havpn site verify``."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from havpn_core.cli.options import json_option
from havpn_core.cli.sites.options import file_option
from havpn_core.durations import Duration
from havpn_core.site.file import tables_in
from havpn_core.site.rendering.paths import path_name
from havpn_core.site.verified import Verified, verified
from havpn_core.timing.promised import Times, in_threads, times_of


@click.command()
@file_option
@json_option
def verify(file: Path, as_json: bool) -> None:
    """Say all that is wrong with a site file at once, touching nothing.

    Where nothing is, the times of detection and failback of both ends of each line are shown.
    """
    found = verified(tables_in(file))
    times = {} if found.problems else times_by_line(found)
    if as_json:
        click.echo(json.dumps(as_object(found, times), indent=2))
    else:
        for row in rows(times):
            click.echo(row)
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


def as_object(found: Verified, times: dict[str, dict[str, Times]]) -> dict[str, object]:
    """Give what programs read."""
    return {
        "good": not found.problems,
        "problems": [asdict(problem) for problem in found.problems],
        "warnings": [asdict(caution) for caution in found.cautions],
        "times": {
            line: {gateway: asdict(each) for gateway, each in ends.items()}
            for line, ends in times.items()
        },
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
