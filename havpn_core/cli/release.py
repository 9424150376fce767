"""``havpn release``."""

import asyncio
import logging
import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from havpn_core import status
from havpn_core.calls import Caller
from havpn_core.cli.options import config_option, directories, run_dir_option
from havpn_core.config import decode_hook, load
from havpn_core.election import Role
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.plugin import Context, PluginType
from havpn_core.registry import Registry

HELD_FILE = "held.json"
DEADLINE_S = 10.0

Owner = tuple[PluginType, msgspec.Struct, float]


@click.command()
@config_option
@run_dir_option
def release(file: Path, run_dir: Path | None) -> None:
    """Give up all addresses of this gateway without a daemon.

    For ExecStopPost. Where the configuration cannot be used, what is noted in run_dir counts.
    """
    folder = directories(file, run_dir)[0]
    if _daemon_runs(folder):
        click.echo("havpn: the daemon runs and will take them again: stop it first", err=True)
    owners = configured(file)
    for name, owner in noted(folder).items():
        owners.setdefault(name, owner)
    failed = False
    for name, owner in reversed(owners.items()):
        problem = asyncio.run(_give_up(name, owner, folder))
        failed |= problem is not None
        click.echo(f"{name}: {problem or 'released'}", err=problem is not None)
    if not owners:
        click.echo("nothing to release")
    sys.exit(1 if failed else 0)


def configured(file: Path) -> dict[str, Owner]:
    """Give the actions that own what they hold, in the order in which they take it.

    Of a configuration that cannot be used, the reasons are shown.
    """
    try:
        actions = load(file)[0].actions
    except ConfigError as problem:
        for text in problem.problems:
            click.echo(f"warning: {text}", err=True)
        return {}
    return {
        action.name: (action.type, action.options, action.deadline_s)
        for action in actions
        if getattr(action.type, "owns", False)
    }


def noted(run_dir: Path) -> dict[str, Owner]:
    """Give what instances noted down as they took it; entries that make no sense are shown."""
    try:
        entries = msgspec.json.decode((run_dir / HELD_FILE).read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as problem:
        click.echo(f"warning: {run_dir / HELD_FILE}: {problem}", err=True)
        return {}
    registry, found = Registry.load(), {}
    for name, entry in entries.items():
        try:
            owner = registry.get("action", entry["type"])
            options = msgspec.convert(entry["options"], owner.config, dec_hook=decode_hook)
            found[name] = (owner, options, DEADLINE_S)
        except (ConfigError, msgspec.ValidationError, KeyError, TypeError) as problem:
            click.echo(f"warning: {run_dir / HELD_FILE}: {name}: {problem}", err=True)
    return found


async def _give_up(name: str, owner: Owner, run_dir: Path) -> str | None:
    """Build one action and make it stand by; gives the reason if that failed."""
    plugin_type, options, deadline_s = owner
    context = Context(
        instance=name,
        node="",
        logger=logging.getLogger("havpn"),
        clock=time.monotonic,
        resolve=lambda host, family: host,
        network_changes=lambda: 0,
        run_dir=run_dir,
    )
    try:
        caller = Caller(plugin_type.build(options, context), name)
    except Exception as problem:
        return str(problem)
    try:
        await caller.call("apply", Role.STANDBY, deadline_s, deadline_s=deadline_s)
    except HavpnError as problem:
        return str(problem)
    finally:
        await caller.close()
    return None


def _daemon_runs(run_dir: Path) -> bool:
    try:
        return status.read_status(run_dir)["state"] in ("running", "paused")
    except (OSError, msgspec.DecodeError, KeyError, ValueError, TypeError):
        return False
