"""``havpn release``."""

import asyncio
import os
import pwd
import sys
from pathlib import Path

import click
import msgspec

from havpn_core.cli.options import config_option, directories, run_dir_option
from havpn_core.config.convert import decode_hook
from havpn_core.config.read import load
from havpn_core.daemon.state import reading
from havpn_core.errors import ConfigError, HavpnError
from havpn_core.host.context import context
from havpn_core.host.disk import files
from havpn_core.host.disk.rights import SERVICE
from havpn_core.host.held import HELD_FILE, read_held
from havpn_core.plugging.descriptors import PluginType
from havpn_core.plugging.gate.building import build
from havpn_core.plugging.registry import Registry
from havpn_core.rules.role import Role

DEADLINE_S = 10.0
KEPT = "+net_admin,+net_raw"
"""What the service has of the rights of root, and needs to give an address up."""

Owner = tuple[PluginType, msgspec.Struct, float]


@click.command()
@config_option
@run_dir_option
@click.option("--force", is_flag=True, help="Also while the daemon runs, which takes them again.")
def release(file: Path, run_dir: Path | None, force: bool) -> None:
    """Give up all addresses of this gateway without a daemon.

    For a gateway that is to stay without a daemon. Where the configuration cannot be used, what
    is noted in run_dir counts.
    """
    folder = directories(file, run_dir, always=True)[0]
    become_service(folder)
    if _daemon_runs(folder):
        text = "the daemon runs and takes them again"
        if not force:
            raise HavpnError(
                f"{text}: stop it first, let it stand by with havpn switch --to standby, or write "
                "--force"
            )
        click.echo(f"havpn: {text}: stop it", err=True)
    owners = configured(file)
    found, problems = noted(folder)
    for text in problems:
        click.echo(f"havpn: {text}", err=True)
    for name, owner in found.items():
        owners.setdefault(name, owner)
    failed = bool(problems)
    for name, owner in reversed(owners.items()):
        problem = asyncio.run(_give_up(name, owner, folder))
        failed |= problem is not None
        click.echo(f"{name}: {problem or 'released'}", err=problem is not None)
    if not owners and not failed:
        click.echo("nothing to release")
    sys.exit(1 if failed else 0)


def become_service(run_dir: Path) -> None:
    """Go on as the user of the service where root calls and ``run_dir`` is that user's.

    What is noted there is then done with the rights of the one who noted it, not those of root.
    """
    if os.geteuid() != 0:
        return
    try:
        service = pwd.getpwnam(SERVICE)
    except KeyError:
        return
    if service.pw_uid == 0 or files.owner(run_dir) != service.pw_uid:
        return
    rights = [f"--inh-caps={KEPT}", f"--ambient-caps={KEPT}", f"--bounding-set=-all,{KEPT}"]
    user = [f"--reuid={service.pw_uid}", f"--regid={service.pw_gid}", "--init-groups"]
    again = [sys.executable, *sys.orig_argv[1:]]
    os.execvp("setpriv", ["setpriv", *user, *rights, "--no-new-privs", "--", *again])


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


def noted(run_dir: Path) -> tuple[dict[str, Owner], list[str]]:
    """Give what instances noted down as they took it, and what is wrong with other entries."""
    entries, problems = read_held(run_dir)
    if not entries:
        return {}, problems
    registry, found, file = Registry.load(), {}, run_dir / HELD_FILE
    for name, entry in entries.items():
        try:
            owner = registry.get("action", entry.type)
            options = msgspec.convert(entry.options, owner.config, dec_hook=decode_hook)
        except (HavpnError, ValueError, TypeError) as problem:
            problems.append(f"{file}: {name}: {problem}: give up by hand what it holds")
            continue
        if getattr(owner, "owns", False):
            found[name] = (owner, options, DEADLINE_S)
        else:
            problems.append(
                f"{file}: {name}: type {entry.type!r} owns no address and is not believed: give up "
                "by hand what it names, then remove the file"
            )
    return found, problems


async def _give_up(name: str, owner: Owner, run_dir: Path) -> str | None:
    """Build one action and make it stand by; gives the reason if that failed."""
    plugin_type, options, deadline_s = owner
    try:
        caller = build(plugin_type, options, context(name, node="", run_dir=run_dir), name)
    except HavpnError as problem:
        return str(problem)
    try:
        await caller.apply(Role.STANDBY, deadline_s, deadline_s)
    except HavpnError as problem:
        return str(problem)
    finally:
        await caller.close()
    return None


def _daemon_runs(run_dir: Path) -> bool:
    try:
        found = reading.read(run_dir)
    except HavpnError:
        return False
    return found is not None and found.works
