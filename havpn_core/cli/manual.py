"""``havpn pause``, ``resume``, ``switch`` and ``reload``."""

from pathlib import Path
from typing import Any

import click

from havpn_core.cli.amounts import DurationType
from havpn_core.cli.line import check, use_line
from havpn_core.cli.options import config_option, directories, run_dir_option
from havpn_core.daemon import requests
from havpn_core.durations import Duration
from havpn_core.errors import HavpnError


def _request(file: Path, run_dir: Path | None, **what: Any) -> None:
    """Send a request, and print what it did."""
    reply = requests.request(directories(file, run_dir)[0], **what)
    said = reply.get("said")  # a daemon of release 0.1 says nothing
    if said is None and what.get("clear"):
        raise HavpnError(
            "the daemon at work is older and ends no hold: restart it (a restart moves nothing)"
        )
    click.echo(said or "Done.")


@click.command()
@config_option
@run_dir_option
def pause(file: Path, run_dir: Path | None) -> None:
    """Keep the role whatever happens; probing goes on."""
    _request(file, run_dir, do="pause")


@click.command()
@config_option
@run_dir_option
def resume(file: Path, run_dir: Path | None) -> None:
    """End a pause, and stop respecting a role that somebody changed by hand."""
    _request(file, run_dir, do="resume")


@click.command()
@config_option
@run_dir_option
@click.option("--to", type=click.Choice(["standby", "active", "auto"]), help="This gateway's role.")
@click.option(
    "--line",
    type=click.IntRange(1, 2),
    help="Have both sites use line 1 (of the gateways with the higher priority) or 2, and wait "
    "until both do.",
)
@click.option(
    "--for", "for_s", type=DurationType(), help='Go back to auto after this time, such as "10m".'
)
@click.option(
    "--clear", is_flag=True, help="With --to auto: forget the flaps, which ends damping holds."
)
def switch(
    file: Path, run_dir: Path | None, to: str | None, for_s: Duration | None, **more: Any
) -> None:
    """Force a role, or one line for both sites, or go back to deciding."""
    line, clear = more["line"], more["clear"]
    check(line, to)
    if to == "auto" and for_s is not None:
        raise click.UsageError("--for goes with --to standby and --to active: auto has no end")
    if clear and to != "auto":
        given = f"--to {to}" if to else "--line"
        raise click.UsageError(f"--clear goes with --to auto, not with {given}")
    if line is not None:
        use_line(directories(file, run_dir)[0], line, for_s)
    clearing = {"clear": True} if clear else {}
    seconds = None if for_s is None else float(for_s)
    _request(file, run_dir, do="switch", to=to, for_s=seconds, **clearing)


@click.command()
@config_option
@run_dir_option
def reload(file: Path, run_dir: Path | None) -> None:
    """Take a changed configuration over as a whole, or say why not."""
    _request(file, run_dir, do="reload")
