"""``havpn site diff``."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from havpn_core.cli.sites.options import (
    file_option,
    secrets_of,
    secrets_option,
    templates_option,
)
from havpn_core.site import secrets
from havpn_core.site.carrying import entries
from havpn_core.site.drift.whole import Comparison, Rendered, compare
from havpn_core.site.live.copies import beside_trees, in_copies, in_tree
from havpn_core.site.live.remote import over_ssh
from havpn_core.site.making import model_from, rendered_from
from havpn_core.site.rendering.templates import overridden

SCHEMA = 1
"""Grows when a key goes or means something else; a release that only adds keys leaves it."""
RENDER = "run havpn site render"
CARRY = "carry the rendered tree over"


@click.command()
@file_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Compare with the tree that havpn site render wrote there.",
)
@click.option(
    "--live",
    type=click.Path(path_type=Path),
    help="Compare with trees that were copied from the gateways, such as DIR/gw-aa/etc/havpn/...",
)
@click.option("--ssh", is_flag=True, help="Compare with the gateways themselves, by ssh NAME.")
@secrets_option
@templates_option
@click.option("--lines", is_flag=True, help="Show the lines of files that differ, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(
    file: Path,
    out: Path | None,
    live: Path | None,
    folder: Path | None,
    templates: Path | None,
    *,
    ssh: bool,
    lines: bool,
    as_json: bool,
) -> None:
    """Name everything in which the gateways are not what the site file says.

    Compared are the files that are rendered, others that once were, the configuration that each
    daemon has in force, and the tunnels that charon has loaded. Nothing is changed, here or there.
    Secrets are compared where their folder is there, and else with each other; none is shown.
    The exit status is 1 where something differs.
    """
    if sum((out is not None, live is not None, ssh)) != 1:
        raise click.UsageError("name what to compare with: one of --out DIR, --live DIR and --ssh")
    texts = None if templates is None else overridden(templates)
    model = model_from(file)
    rendered = rendered_from(file, model, texts)
    known = _known(secrets_of(file, folder), rendered)
    if out is not None:
        found = compare(rendered, in_tree(out, rendered), known, RENDER)
        beside = beside_trees(out, entries(model, rendered, texts), RENDER)
        found = replace(found, differences=(*found.differences, *beside))
    else:
        places = in_copies(live, rendered) if live is not None else over_ssh(rendered)
        found = compare(rendered, places, known, CARRY)
    if as_json:
        click.echo(json.dumps(_document(file, found), indent=2))
    else:
        _show(file, found, lines=lines)
    sys.exit(1 if found.differences else 0)


def _known(folder: Path, rendered: Rendered) -> dict[str, str]:
    """Read the secrets that there are; none is made by looking."""
    names = secrets.names_in(each.text for files in rendered.values() for each in files)
    there = [name for name in names if (folder / f"{name}{secrets.SUFFIX}").exists()]
    return secrets.secrets_of(folder, there)


def _document(file: Path, found: Comparison) -> dict[str, Any]:
    """Give the object of ``--json``."""
    return {
        "schema": SCHEMA,
        "file": str(file),
        "differences": [
            {**asdict(each), "what": each.what.value, "lines": list(each.lines)}
            for each in found.differences
        ],
        "unseen": list(found.unseen),
    }


def _show(file: Path, found: Comparison, *, lines: bool) -> None:
    for each in found.differences:
        click.echo(str(each))
        if lines:
            for line in each.lines:
                click.echo(f"    {line}")
    for text in found.unseen:
        click.echo(f"not compared: {text}")
    number = len(found.differences)
    words = {0: "no difference", 1: "1 difference"}.get(number, f"{number} differences")
    click.echo(f"{file}: {words}")
