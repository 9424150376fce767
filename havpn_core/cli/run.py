"""``havpn run``."""

import asyncio
import sys
from pathlib import Path

import click

from havpn_core.cli.options import config_option


@click.command()
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log debugging messages, too.")
def run(file: Path, verbose: bool) -> None:
    """Run the daemon in the foreground."""
    import logging

    from havpn_core import config, logs
    from havpn_core.supervisor import Supervisor

    loaded, registry = config.load(file)
    log, listener = logs.start(logging.DEBUG if verbose else logging.INFO)
    supervisor = Supervisor(loaded, registry, log)
    try:
        asyncio.run(supervisor.run())
    finally:
        listener.stop()
    sys.exit(1 if supervisor.died else 0)
