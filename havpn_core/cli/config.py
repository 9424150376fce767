"""``havpn config``."""

import json
from pathlib import Path

import click

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
