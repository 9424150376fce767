"""``havpn ocf``."""

from pathlib import Path

import click

from havpn_core import agents

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/"),
    show_default=True,
    help="Folder that holds usr; for building packages.",
)


@click.group()
def ocf() -> None:
    """Install the resource agent ocf:havpn:link where Pacemaker looks."""


@ocf.command()
@root_option
def install(root: Path) -> None:
    """Write the agent, or write it anew after an upgrade of havpn."""
    click.echo(f"{agents.NAME}: wrote {agents.install(root)}")


@ocf.command()
@root_option
def uninstall(root: Path) -> None:
    """Remove the agent, if havpn wrote it."""
    gone = agents.uninstall(root)
    click.echo(f"{agents.NAME}: removed {gone}" if gone else f"{agents.NAME}: was not installed")


@ocf.command()
def show() -> None:
    """Print the agent as it would be installed."""
    click.echo(agents.text(), nl=False)
