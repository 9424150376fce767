"""``havpn demo``."""

import sys

import click


@click.command()
def demo() -> None:
    """Build the two-site network in namespaces here, cut a line and watch.

    Needs root and the packages that packages.txt lists; ``make demo`` installs them.
    """
    from havpn_core.demo import missing_for_demo, run_demo

    if lacking := missing_for_demo():
        click.echo("\n".join(f"havpn demo: {text}" for text in lacking), err=True)
        sys.exit(1)
    run_demo()
