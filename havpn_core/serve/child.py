"""Keep the process that serves HTTP running beside the daemon.

It is a process, not a thread: threads share Python's lock with the probes, and a scrape would hold
it for milliseconds. The daemon hands it nothing but the files that it writes anyway, so that no
client, however slow, is anything that the daemon could wait for.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path

import msgspec

from havpn_core.host import execute
from havpn_core.host.disk.trouble import why
from havpn_core.serve.options import MetricsOptions

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 60.0
"""A process that ran for so long was no failure to start."""
END_S = 1.0


class Said(msgspec.Struct):
    """What the process says, a line of JSON each."""

    text: str
    bad: bool


class Serving:
    """The process, or none.

    :param run_dir: where the status is.
    :param state_dir: where the history is.
    :param report: takes a sentence, and whether it is bad news.
    """

    def __init__(self, run_dir: Path, state_dir: Path, report: Callable[[str, bool], None]) -> None:
        self._run_dir, self._state_dir, self._report = run_dir, state_dir, report
        self._wanted: MetricsOptions | None = None
        self._changed = asyncio.Event()
        self._failed = False

    def use(self, options: MetricsOptions | None) -> None:
        """Serve by these options from now on; ``None``: not at all."""
        if options != self._wanted:
            self._wanted = options
            self._changed.set()

    async def run(self) -> None:
        """Keep it running without end, with growing pauses while it fails."""
        pause_s = FIRST_PAUSE_S
        while True:
            self._changed.clear()
            if self._wanted is None:
                await self._changed.wait()
                continue
            began = time.monotonic()
            reason = await self._run_once(self._wanted)
            if self._changed.is_set():
                pause_s = FIRST_PAUSE_S
                continue
            if time.monotonic() - began >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            self._failed = True
            self._report(f"metrics: {reason}; it is started again in {pause_s:g} s", True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _run_once(self, options: MetricsOptions) -> str:
        """Run it until it ends or other options are wanted; gives why it ended."""
        try:
            process = await self._start(options)
        except OSError as problem:
            return f"its process cannot be started: {why(problem)}"
        listening = asyncio.ensure_future(self._hear(process))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait([listening, changed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            changed.cancel()
            await _end(process)
        return f"its process ended with status {process.returncode}"

    async def _start(self, options: MetricsOptions) -> Process:
        path = os.pathsep.join(filter(None, sys.path))
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "havpn_core.serve"),
            *("--run-dir", str(self._run_dir), "--state-dir", str(self._state_dir)),
            *options.listen,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL if sys.stderr is None else None,
            env=execute.environment() | {"PYTHONPATH": path},
            start_new_session=True,
        )

    async def _hear(self, process: Process) -> None:
        """Pass on what it says, until it ends."""
        assert process.stdout is not None
        while line := await process.stdout.readline():
            with contextlib.suppress(ValueError):
                said = msgspec.json.decode(line, type=Said)
                self._report(said.text, said.bad)


async def _end(process: Process) -> None:
    """End it; it keeps nothing, so nothing is lost by that."""
    if process.returncode is None:
        # Process.kill would reap what has just ended before asyncio does, and its status were lost.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            await process.wait()
