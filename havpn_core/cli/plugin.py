"""``havpn plugin``."""

import difflib
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from havpn_core.cli import options
from havpn_core.cli.amounts import DurationType
from havpn_core.cli.options import json_option
from havpn_core.config import read
from havpn_core.durations import Duration
from havpn_core.errors import ConfigError
from havpn_core.plugging.descriptors import PluginType
from havpn_core.plugging.registry import KINDS, Registry
from havpn_core.plugging.sources.record import PluginStatus, Record

NOTHING = "nothing: implement a hook, such as havpn_register_probes"

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
    records = loaded(file).records
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


def _names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Complete the name of a type or of a plugin; imports none that is not bundled."""
    registry = Registry.load((), read.plugin_folder({}))
    names = {each.name for kind in KINDS for each, _ in registry.types(kind)}
    names |= {record.name for record in registry.records}
    return sorted(name for name in names if name.startswith(begun))


@plugin.command("check")
@click.argument("name", shell_complete=_names)
@config_option
def check_plugin(name: str, file: Path | None) -> None:
    """Load a plugin as if it were enabled and say what it provides.

    NAME is that of a plugin, of an installed package, or of a type: then the plugins that provide
    it are loaded.
    """
    registry = _with(name, file)
    records = _of(registry, name) or [record for _, _, record in _types(registry, name)]
    if not records:
        raise ConfigError([f"no plugin and no type {name!r} is installed; see havpn plugin list"])
    for record in records:
        click.echo(f"{record.name} {record.version} ({record.source}): {record.status}")
        click.echo(f"  {record.error or f'provides {provides(record) or NOTHING}'}")
    sys.exit(0 if all(record.status is PluginStatus.ACTIVE for record in records) else 1)


def _with(name: str, file: Path | None) -> Registry:
    """Load what a file enables, and the plugins of that name if there are some."""
    return loaded(file, *(record.name for record in _of(loaded(file), name)))


def _of(registry: Registry, name: str) -> list[Record]:
    """Give the plugins of a name, or else those of the installed package that has the name."""
    named = [each for each in registry.records if each.name == name]
    package = _normal(name)
    return named or [each for each in registry.records if _normal(each.distribution) == package]


def _normal(package: str) -> str:
    """Give the name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()


def _types(registry: Registry, name: str) -> list[tuple[str, PluginType, Record]]:
    """Give the types of a name, of all kinds, or else those of the plugin that has the name."""
    every = [
        (kind, plugin_type, record)
        for kind in KINDS
        for plugin_type, record in registry.types(kind)
    ]
    found = [each for each in every if each[1].name == name]
    return found or [each for each in every if each[2] in _of(registry, name)]


@plugin.command("show")
@click.argument("name", shell_complete=_names)
@json_option
@config_option
def show_type(name: str, as_json: bool, file: Path | None) -> None:
    """Show options with their types, defaults and limits, and an example.

    NAME is that of a type, or of a plugin or an installed package: then all types that it provides
    are shown.
    """
    from havpn_core.config.describe import example, options_of

    registry = _with(name, file)
    found = _types(registry, name)
    if not found:
        raise ConfigError([_unknown(registry, name)])
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


def _unknown(registry: Registry, name: str) -> str:
    """Say that there is no type of a name, which one may be meant, and why a plugin has none."""
    for record in _of(registry, name):
        if record.error:
            return f"plugin {name!r} has no types, as it is {record.status}: {record.error}"
    every = [each.name for kind in KINDS for each, _ in registry.types(kind)]
    known = list(dict.fromkeys(every))
    close = difflib.get_close_matches(name, known, n=1)
    hint = f", did you mean {close[0]!r}?" if close else ""
    return f"there is no type and no plugin {name!r}{hint} (known types: {', '.join(known)})"


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
@click.option("--probe", is_flag=True, help="A probe (default).")
@click.option("--action", is_flag=True, help="An action.")
@click.option("--notifier", is_flag=True, help="A notifier.")
@click.option("--link", is_flag=True, help="A link.")
@click.option("--renderer", is_flag=True, help="A renderer of files of a site.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to make the package's folder; default: here.",
)
def new_plugin(name: str, folder: Path, **kinds: bool) -> None:
    """Write a package with a plugin, havpn-NAME, that passes its own tests at once."""
    from havpn_core.plugging.scaffold import write_package

    wanted = [kind for kind in KINDS if kinds.get(kind)]
    if len(wanted) > 1:
        every = " and ".join(f"--{kind}" for kind in wanted)
        raise click.UsageError(f"{every}: a package has one kind: write one of them")
    kind = wanted[0] if wanted else "probe"
    made = write_package(name, kind, folder)
    click.echo(f"wrote {made}\n\n  cd {made}\n  pip install --editable '.[test]'\n  pytest")


@plugin.command("grade")
@click.argument("name", metavar="PATH|NAME", shell_complete=_names)
@json_option
@config_option
@click.option(
    "--at-least", type=click.Choice(["bronze", "silver", "gold"]), help="Exit with 1 below that."
)
def grade_plugin(name: str, as_json: bool, file: Path | None, at_least: str | None) -> None:
    """Say how good a plugin is, from none to gold, and what it lacks; runs its tests.

    PATH is a folder with a pyproject.toml or a file NAME.py (write ./ before a name), NAME that
    of an installed plugin or of a type. Its code is run.
    """
    from havpn_core.cli.grade import grade

    grade(name, lambda: _with(name, file), at_least, as_json)


@plugin.command("trace")
@click.argument("name", shell_complete=_names)
@options.config_option
@options.run_dir_option
@options.json_option
@click.option(
    "--for",
    "for_s",
    type=DurationType(),
    help='End after this time, such as "10s"; default: Ctrl-C.',
)
def trace(
    name: str, file: Path, run_dir: Path | None, as_json: bool, for_s: Duration | None
) -> None:
    """Show each call of the running daemon into a plugin, live: arguments, result and time.

    NAME is that of an instance (path.vpn1.probe.echo), of a part of the configuration
    (path.vpn1) or of a type. Secrets of the configuration are left out.
    """
    from havpn_core.cli.trace import show

    show(options.directories(file, run_dir)[0], name, as_json, for_s)


def as_object(record: Record) -> dict[str, Any]:
    """Give the record as ``--json`` shows it."""
    return {
        "name": record.name,
        "version": record.version,
        "distribution": record.distribution,
        "file": None if record.file is None else str(record.file),
        "module": record.module,
        "status": record.status,
        "provides": record.provides,
        "error": record.error,
    }


def provides(record: Record) -> str:
    """List the types of a plugin."""
    return ", ".join(f"{kind} {name}" for kind, names in record.provides.items() for name in names)


def loaded(file: Path | None, *more: str) -> Registry:
    """Load what a file enables; the rest of the file may be anything.

    :param more: further plugins to load.
    """
    try:
        raw = read.read(file or read.DEFAULT_FILE)
    except ConfigError:
        if file is not None:
            raise
        raw = {}
    wanted = dict.fromkeys((*read.enabled_plugins(raw), *more))
    return Registry.load(wanted, read.plugin_folder(raw))
