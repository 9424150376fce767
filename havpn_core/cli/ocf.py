"""``havpn ocf``."""

from pathlib import Path

import click

from havpn_core.pacemaker import agent

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
    """Write the agent, or write it again after an upgrade of havpn."""
    click.echo(f"{agent.NAME}: wrote {agent.install(root)}")


@ocf.command()
@root_option
def uninstall(root: Path) -> None:
    """Remove the agent, if havpn wrote it."""
    gone = agent.uninstall(root)
    click.echo(f"{agent.NAME}: removed {gone}" if gone else f"{agent.NAME}: was not installed")


@ocf.command()
def show() -> None:
    """Print the agent as it would be installed."""
    click.echo(agent.text(), nl=False)
