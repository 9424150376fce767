"""``havpn demo``."""

import os
import sys
from pathlib import Path

import click

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
def demo(output: Path) -> None:
    """Build the two-site network in namespaces here, cut a line and watch.

    Runs as root, or as anybody where user namespaces are allowed. Needs iproute2 and procps.
    """
    if output.suffix.lower() != ".svg":
        raise click.BadParameter(
            f"{output}: the timeline is an SVG: let the name end in .svg", param_hint="--output"
        )
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN])
    from havpn_core.host.execute import environment
    from havpn_core.study.demo import IN_OWN_USER_NAMESPACE, missing_for_demo, run_demo

    if lacking := missing_for_demo():
        click.echo("\n".join(f"havpn demo: {text}" for text in lacking), err=True)
        sys.exit(1)
    if os.geteuid() != 0:
        again = (sys.executable, "-m", "havpn_core", "demo", "-o", str(output))
        os.execvpe("unshare", (*IN_OWN_USER_NAMESPACE, *again), environment())
    run_demo(output)
