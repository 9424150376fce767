"""``havpn site diff``."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from havpn_core.site.drift.whole import Comparison

SCHEMA = 1
"""Grows when a key goes or means something else; a release that only adds keys leaves it."""
RENDER = "run havpn site render"
CARRY = "carry the rendered tree over"


@click.command()
@click.option("-f", "--file", required=True, type=click.Path(path_type=Path), help="The site file.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Compare with the tree that havpn site render wrote there.",
)
@click.option(
    "--live",
    type=click.Path(path_type=Path),
    help="Compare with trees that were copied from the gateways, as DIR/gw-aa/etc/havpn/...",
)
@click.option("--ssh", is_flag=True, help="Compare with the gateways themselves, by ssh NAME.")
@click.option(
    "--secrets",
    type=click.Path(path_type=Path),
    help="The folder of secrets, to compare them, too; none is shown. Without it those of the "
    "gateways are compared with each other.",
)
@click.option(
    "--templates", type=click.Path(path_type=Path), help="Own templates, as for havpn site render."
)
@click.option("--lines", is_flag=True, help="Show the lines of files that differ, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(
    file: Path,
    out: Path | None,
    live: Path | None,
    secrets: Path | None,
    templates: Path | None,
    *,
    ssh: bool,
    lines: bool,
    as_json: bool,
) -> None:
    """Name everything in which the gateways are not what the site file says.

    Compared are the files that are rendered, others that once were, the configuration that each
    daemon has in force, and the tunnels that charon has loaded. Nothing is changed, here or there.
    The exit status is 1 where something differs.
    """
    places = [out is not None, live is not None, ssh]
    if sum(places) != 1:
        raise click.UsageError("name what to compare with: one of --out DIR, --live DIR and --ssh")
    found = _compared(file, (out, live), secrets, templates)
    if as_json:
        click.echo(json.dumps(_document(file, found), indent=2))
    else:
        _show(file, found, lines=lines)
    sys.exit(1 if found.differences else 0)


def _compared(
    file: Path, folders: tuple[Path | None, Path | None], secrets: Path | None, own: Path | None
) -> "Comparison":
    from havpn_core.config.read import read
    from havpn_core.site.drift.whole import compare
    from havpn_core.site.live import in_copies, in_tree
    from havpn_core.site.reading import model_of
    from havpn_core.site.remote import over_ssh
    from havpn_core.site.rendering.templates import overridden
    from havpn_core.site.rendering.whole import render

    rendered = render(model_of(read(file)), overridden(own) if own else None)
    known = _known(secrets, rendered) if secrets else {}
    out, live = folders
    if out is not None:
        return compare(rendered, in_tree(out, rendered), known, RENDER)
    if live is not None:
        return compare(rendered, in_copies(live, rendered), known, CARRY)
    return compare(rendered, over_ssh(rendered), known, CARRY)


def _known(folder: Path, rendered: Any) -> dict[str, str]:
    """Read the secrets that there are; none is made by looking."""
    from havpn_core.site.secrets import SUFFIX, names_in, secrets_of

    names = names_in(each.text for files in rendered.values() for each in files)
    return secrets_of(folder, [n for n in names if (folder / f"{n}{SUFFIX}").exists()])


def _document(file: Path, found: "Comparison") -> dict[str, Any]:
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


def _show(file: Path, found: "Comparison", *, lines: bool) -> None:
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
