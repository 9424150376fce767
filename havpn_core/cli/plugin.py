"""``havpn plugin``."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from havpn_core import config
from havpn_core.cli.options import json_option
from havpn_core.errors import ConfigError
from havpn_core.registry import Record, Registry

config_option = click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help=f"Load what this file enables.  [default: {config.DEFAULT_FILE}, if readable]",
)


@click.group()
def plugin() -> None:
    """List and check plugins."""


@plugin.command("list")
@json_option
@config_option
def list_plugins(as_json: bool, file: Path | None) -> None:
    """List every installed plugin; only the enabled ones are imported."""
    records = Registry.load(_enabled(file)).records
    if as_json:
        click.echo(json.dumps([as_object(record) for record in records], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Name", "Version", "Status", "Provides", "Source", box=None)
    for record in records:
        table.add_row(record.name, record.version, record.status, provides(record), record.source)
    width = None if sys.stdout.isatty() else 160
    Console(width=width, highlight=False).print(table)
    for record in records:
        if record.error:
            click.echo(f"{record.name} {record.status}: {record.error}")


@plugin.command("check")
@click.argument("name")
def check_plugin(name: str) -> None:
    """Load one plugin as if it were enabled and say what it provides."""
    found = [r for r in Registry.load([name]).records if r.name == name]
    if not found:
        raise ConfigError([f"no plugin {name!r} is installed; see havpn plugin list"])
    for record in found:
        click.echo(f"{record.name} {record.version} ({record.source}): {record.status}")
        click.echo(f"  {record.error}" if record.error else f"  provides {provides(record)}")
    sys.exit(0 if all(record.status == "active" for record in found) else 1)


def as_object(record: Record) -> dict[str, Any]:
    """Give the record as ``--json`` shows it."""
    return {
        "name": record.name,
        "version": record.version,
        "distribution": record.distribution,
        "module": record.module,
        "status": record.status,
        "provides": record.provides,
        "error": record.error,
    }


def provides(record: Record) -> str:
    """List the types of a plugin."""
    return ", ".join(f"{kind} {name}" for kind, names in record.provides.items() for name in names)


def _enabled(file: Path | None) -> tuple[str, ...]:
    """Read only which plugins are enabled; the rest of the file may be anything."""
    try:
        return config.enabled_plugins(config.read(file or config.DEFAULT_FILE))
    except ConfigError:
        if file is not None:
            raise
        return ()
