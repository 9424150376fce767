"""``havpn demo``."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from havpn_core.study.demo.rehearsal import Rehearsal

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian has some of what the network is built with; users have no such PATH."""


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("havpn-demo.svg"),
    show_default=True,
    help="Where to draw the timeline, as .svg.",
)
@click.option(
    "-f",
    "--file",
    "site",
    type=click.Path(path_type=Path),
    help="The site to rehearse, a site file; without it the one of the article's figure.",
)
def demo(output: Path, site: Path | None) -> None:
    """Build the two-site network in namespaces here, cut a line and watch.

    With -f it is your own site that is built: its names, addresses, networks and profile, with the
    files that havpn site render makes. What cannot be as on your gateways is said.

    Runs as root, or as anybody where user namespaces are allowed. Needs iproute2 and procps.
    """
    if output.suffix.lower() != ".svg":
        raise click.BadParameter(
            f"{output}: the timeline is an SVG: let the name end in .svg", param_hint="--output"
        )
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN])
    from havpn_core.host.execute import environment
    from havpn_core.study.demo.needs import IN_OWN_USER_NAMESPACE, missing_for_demo

    rehearsal = _rehearsal(site) if site else None
    if lacking := missing_for_demo():
        click.echo("\n".join(f"havpn demo: {text}" for text in lacking), err=True)
        sys.exit(1)
    if os.geteuid() != 0:
        again = (sys.executable, "-m", "havpn_core", "demo", "-o", str(output))
        file = ("-f", str(site)) if site else ()
        os.execvpe("unshare", (*IN_OWN_USER_NAMESPACE, *again, *file), environment())
    from havpn_core.study.demo.acts import run_demo
    from havpn_core.testing.lab.hosts.errors import LabError

    try:
        run_demo(output, rehearsal)
    except LabError as problem:
        click.echo(f"havpn demo: {problem}", err=True)
        sys.exit(1)


def _rehearsal(site: Path) -> "Rehearsal":
    """Read the site first: what is wrong in it is said before anything is built."""
    from havpn_core.study.demo.rehearsal import rehearsal_of

    return rehearsal_of(site)
