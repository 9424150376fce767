"""``havpn plugin``."""

import difflib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from havpn_core.cli.options import json_option
from havpn_core.config import read
from havpn_core.errors import ConfigError
from havpn_core.plugging.descriptors import PluginType
from havpn_core.plugging.registry import KINDS, PluginStatus, Record, Registry

config_option = click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help=f"Load what this file enables.  [default: {read.DEFAULT_FILE}, if readable]",
)


@click.group()
def plugin() -> None:
    """List and check plugins."""


@plugin.command("list")
@json_option
@config_option
def list_plugins(as_json: bool, file: Path | None) -> None:
    """List every installed plugin; only the enabled ones are imported."""
    records = Registry.load(enabled(file)).records
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
    sys.exit(0 if all(record.status is PluginStatus.ACTIVE for record in found) else 1)


def _type_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    registry = Registry.load()
    names = {each.name for kind in KINDS for each, _ in registry.types(kind)}
    return sorted(name for name in names if name.startswith(begun))


@plugin.command("show")
@click.argument("name", shell_complete=_type_names)
@json_option
@config_option
def show_type(name: str, as_json: bool, file: Path | None) -> None:
    """Show a type's options with their types, defaults and limits, and an example."""
    from havpn_core.config.describe import example, options_of

    registry = Registry.load(enabled(file))
    found = [
        (kind, plugin_type, record)
        for kind in KINDS
        for plugin_type, record in registry.types(kind)
        if plugin_type.name == name
    ]
    if not found:
        known = [each.name for kind in KINDS for each, _ in registry.types(kind)]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise ConfigError([f"there is no type {name!r}{hint} (known: {', '.join(known)})"])
    if as_json:
        found_types = [
            {
                "kind": kind,
                "name": each.name,
                "summary": each.summary,
                "source": record.source,
                "needs": sorted(each.needs),
                "options": [asdict(option) for option in options_of(each.config)],
                "example": example(kind, each),
            }
            for kind, each, record in found
        ]
        click.echo(json.dumps(found_types, indent=2))
        return
    for kind, each, record in found:
        _show_one(kind, each, record)


def _show_one(kind: str, each: PluginType, record: Record) -> None:
    from havpn_core.config.describe import example, options_of

    click.echo(f"{kind} {each.name}: {each.summary} ({record.source})")
    if each.needs:
        click.echo(f"needs {', '.join(sorted(each.needs))}")
    for option in options_of(each.config):
        default = "required" if option.required else f"default {option.default}"
        limits = f", {option.limits}" if option.limits else ""
        click.echo(f"  {option.name}: {option.type}{limits}; {default}")
        click.echo(f"      {option.description}")
    click.echo(f"\n{example(kind, each)}\n")


@plugin.command("new")
@click.argument("name")
@click.option("--probe", "kind", flag_value="probe", default=True, help="A probe (default).")
@click.option("--action", "kind", flag_value="action", help="An action.")
@click.option("--notifier", "kind", flag_value="notifier", help="A notifier.")
@click.option("--link", "kind", flag_value="link", help="A link.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to make the package's folder; default: here.",
)
def new_plugin(name: str, kind: str, folder: Path) -> None:
    """Write a package with a plugin, havpn-NAME, that passes its own tests at once."""
    from havpn_core.plugging.scaffold import write_package

    made = write_package(name, kind, folder)
    click.echo(f"wrote {made}\n\n  cd {made}\n  pip install --editable '.[test]'\n  pytest")


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


def enabled(file: Path | None) -> tuple[str, ...]:
    """Read only which plugins are enabled; the rest of the file may be anything."""
    try:
        return read.enabled_plugins(read.read(file or read.DEFAULT_FILE))
    except ConfigError:
        if file is not None:
            raise
        return ()
