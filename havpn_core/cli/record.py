"""``havpn record``."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from havpn_core.cli.amounts import DurationType
from havpn_core.cli.options import config_option, path_of, path_option
from havpn_core.config.instances import Config, PathConfig
from havpn_core.config.read import load
from havpn_core.errors import HavpnError
from havpn_core.host import logs
from havpn_core.host.disk.trouble import why
from havpn_core.host.netwatch import NetWatch
from havpn_core.study.recording import Recorder, build_probes
from havpn_core.study.traces import format_header

FLUSH_S = 1.0


@click.command()
@config_option
@path_option("The path whose probes to send.")
@click.option("--for", "for_s", type=DurationType(), help='Stop after this time, such as "10m".')
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, replacing what is there; default: standard output.",
)
def record(file: Path, name: str, for_s: float | None, output: Path | None) -> None:
    """Send a path's probes at its interval and write every result down.

    Needs no daemon and touches no role. Ends at SIGINT, SIGTERM or after --for. The file is one
    line a sample: seconds, a symbol (. reply, x lost, ? could not be tested), milliseconds.
    """
    config, _ = load(file)
    path = path_of(config, file, name)
    log, listener = logs.start(logging.WARNING)
    try:
        # What plugins print is no sample.
        with _opened(output) as out, contextlib.redirect_stdout(sys.stderr):
            asyncio.run(_record(config, path, for_s, Writer(out), log))
    except BrokenPipeError:
        raise  # whoever read has gone; click ends quietly
    except OSError as problem:
        raise HavpnError(
            f"{output or 'standard output'}: cannot be written: {why(problem)}"
        ) from None
    finally:
        listener.stop()


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
    else:
        with open(output, "w", encoding="ascii", opener=_open) as out:
            yield out


def _open(name: str, flags: int) -> int:
    """Open without waiting for the reader of a FIFO, which may never come."""
    descriptor = os.open(name, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor


class Writer:
    """Collects lines and writes them off the loop: a slow reader must not stop the probing."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lines: list[str] = []

    def put(self, line: str) -> None:
        """Collect a line."""
        self._lines.append(line + "\n")

    async def flush(self) -> None:
        """Write what was collected; raises :exc:`OSError` if that cannot be done."""
        text = "".join(self._lines)
        self._lines.clear()
        await asyncio.to_thread(self._write, text)

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


async def _record(
    config: Config, path: PathConfig, for_s: float | None, writer: Writer, log: logging.Logger
) -> None:
    stop, netwatch = asyncio.Event(), NetWatch()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.suppress(OSError):  # then sockets are reopened only after failures
        netwatch.start()
    probes = build_probes(config, path, netwatch, log, time.monotonic)
    recorder = Recorder(path, probes, write=writer.put, complain=log.warning, clock=time.monotonic)
    writer.put(format_header(path.name, path.options.interval, datetime.now(UTC)))
    ended = asyncio.Event()
    flushing = asyncio.create_task(_flush_until(ended, writer))
    flushing.add_done_callback(lambda _: stop.set())  # a full disk ends the recording
    try:
        await recorder.run(for_s, stop)
    finally:
        await recorder.close()
        netwatch.close()
        ended.set()
        await flushing


async def _flush_until(ended: asyncio.Event, writer: Writer) -> None:
    while not ended.is_set():
        await writer.flush()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), FLUSH_S)
    await writer.flush()
