"""``havpn site``: one file for the gateways of both sites; one module a command."""

import click

from havpn_core.cli.lazy import Lazy

COMMANDS = {
    "new": ("new", "new", "Write a site file to begin with."),
    "render": ("render", "render", "Write the files of every gateway."),
    "verify": ("verify", "verify", "Say all that is wrong with a site file."),
    "diff": ("diff", "diff", "Name what differs from the site file."),
    "schema": ("schema", "schema", "Describe the site file for editors."),
}


@click.command(cls=Lazy, package=__name__, table=COMMANDS)
def site() -> None:
    """Make and compare the files of all gateways from one."""
