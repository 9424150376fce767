"""``havpn run``."""

import asyncio
import os
import sys
from pathlib import Path

import click

from havpn_core.cli.options import config_option
from havpn_core.errors import HavpnError

STRAY_S = 1.0
"""What calls of plugins may take to end once they are cancelled."""


@click.command()
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log debugging messages, too.")
def run(file: Path, verbose: bool) -> None:
    """Run the daemon in the foreground."""
    import logging
    import signal

    # Until the daemon takes the signal as a reload: without a handler it ends the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from havpn_core.config import read
    from havpn_core.daemon.supervisor import Supervisor
    from havpn_core.host import logs

    loaded, registry = read.load(file)
    log, writer = logs.start(logging.DEBUG if verbose else logging.INFO)

    async def work() -> int:
        supervisor = Supervisor(loaded, registry, log)
        await supervisor.run()
        status = 1 if supervisor.died else 0
        if await stray():
            # All is written down, and closing the loop would wait for them for ever.
            writer.end()
            os._exit(status)
        return status

    problem: HavpnError | None = None
    status = 1
    try:
        status = asyncio.run(work())
    except HavpnError as caught:
        problem = caught
    finally:
        written = writer.end()
    if not written:
        os._exit(status)  # the interpreter would wait for the thread that writes the log
    if problem is not None:
        raise problem
    sys.exit(status)


async def stray() -> bool:
    """Cancel every other task; gives whether one refuses to end, as of a plugin."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    return bool(others and (await asyncio.wait(others, timeout=STRAY_S))[1])
