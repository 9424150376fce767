"""``havpn config``."""

import json
from pathlib import Path

import click

from havpn_core.cli import options
from havpn_core.cli.plugin import config_option, loaded


@click.group()
def config() -> None:
    """What the configuration may hold."""


@config.command()
@config_option
def schema(file: Path | None) -> None:
    """Print the JSON Schema of the file, with all enabled plugins; for editors."""
    from havpn_core.config.schema import of_file

    click.echo(json.dumps(of_file(loaded(file)), indent=2))


@config.command()
@options.config_option
def digest(file: Path) -> None:
    """Print the digest of the file, as havpn status shows that of what is in force.

    Comments and the order of keys do not count, and no secret is in it.
    """
    from havpn_core.config.digest import digest_of
    from havpn_core.config.read import read

    click.echo(digest_of(read(file)))
