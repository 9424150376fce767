"""``havpn site render``."""

from pathlib import Path

import click

from havpn_core.cli.sites.options import (
    file_option,
    secrets_of,
    secrets_option,
    templates_option,
)
from havpn_core.site import secrets
from havpn_core.site.making import entries_of, model_from, rendered_from
from havpn_core.site.rendering.templates import overridden
from havpn_core.site.tree import carry_out, planned


@click.command()
@file_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write into: a tree for each gateway, and what carries it over.",
)
@secrets_option
@templates_option
def render(file: Path, out: Path, folder: Path | None, templates: Path | None) -> None:
    """Write the files of every gateway, as they stand below / there.

    Nothing is written unless all is well: the site file, every rendered file, and what is in the
    folder. Only files that were rendered are ever replaced or removed. Secrets that are not there
    are made, once; keep their folder.
    """
    texts = None if templates is None else overridden(templates)
    model = model_from(file)
    rendered = rendered_from(file, model, texts)
    names = secrets.names_in(each.text for files in rendered.values() for each in files)
    # All that can be refused is, before the first secret is made.
    stand_in = dict.fromkeys(names, "")
    planned(out, entries_of(model, rendered, stand_in, texts))
    known = secrets.secrets_of(secrets_of(file, folder), names)
    plan = planned(out, entries_of(model, rendered, known, texts))
    carry_out(plan)
    written, removed = len(plan.write), len(plan.remove)
    click.echo(
        f"{out}: {len(rendered)} gateways: {written} files written, {plan.same} unchanged, "
        f"{removed} removed; {out / 'README'} says how to carry them over"
    )
