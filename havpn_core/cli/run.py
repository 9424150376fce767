"""``havpn run``."""

import asyncio
import os
import sys
from pathlib import Path

import click

from havpn_core.cli.options import config_option

STRAY_S = 1.0
"""What calls of plugins may take to end once they are cancelled."""


@click.command()
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log debugging messages, too.")
def run(file: Path, verbose: bool) -> None:
    """Run the daemon in the foreground."""
    import logging

    from havpn_core.config import read
    from havpn_core.daemon.supervisor import Supervisor
    from havpn_core.host import logs

    loaded, registry = read.load(file)
    log, listener = logs.start(logging.DEBUG if verbose else logging.INFO)
    supervisor = Supervisor(loaded, registry, log)

    async def work() -> None:
        await supervisor.run()
        if await _stray():
            # All is written down, and closing the loop would wait for them for ever.
            listener.stop()
            os._exit(1 if supervisor.died else 0)

    try:
        asyncio.run(work())
    finally:
        listener.stop()
    sys.exit(1 if supervisor.died else 0)


async def _stray() -> bool:
    """Cancel every other task; gives whether one refuses to end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    return bool(others and (await asyncio.wait(others, timeout=STRAY_S))[1])
