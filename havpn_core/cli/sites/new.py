"""``havpn site new``."""

import os
from importlib import resources
from pathlib import Path

import click

from havpn_core.cli.sites.options import file_option
from havpn_core.errors import HavpnError
from havpn_core.host.disk import files


@click.command()
@file_option
def new(file: Path) -> None:
    """Write a site file to begin with: two sites, four gateways, two lines."""
    if os.path.lexists(file):
        raise HavpnError(f"{file}: is there already: nothing was changed; name another with -f")
    text = resources.files("havpn_core.site") / "templates" / "site.toml"
    files.write(file, text.read_bytes(), durable=False)
    click.echo(
        f"{file}: written; correct it, then run havpn site verify -f {file} and "
        f"havpn site render -f {file} --out DIR"
    )
