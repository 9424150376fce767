"""Put the memory and the history on disk without ever making the loop wait for the disk.

What cannot be written is kept and tried again until the disk takes it. Trouble is reported when
it begins and when it ends.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from havpn_core.daemon.state.events import HISTORY_BYTES, HISTORY_FILE, as_line
from havpn_core.daemon.state.memory import Memory, decode
from havpn_core.errors import CallBusy, HavpnError
from havpn_core.host.disk import files
from havpn_core.host.disk.aside import set_aside
from havpn_core.host.disk.damage import Damaged, summary
from havpn_core.host.disk.trouble import FileTrouble
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.worker import Worker

WRITE_DEADLINE_S = 1.0
RETRY_S = 5.0
FINISH_STEP_S = 0.01
UNWRITTEN = 1000


def recall(file: Path) -> tuple[Memory, str | None]:
    """Read the memory; of a damaged file what is good counts, and it is set aside.

    :returns: the memory, empty if there was none, and a warning where something was wrong.
    """
    try:
        content = files.read(file, owners=(*files.ours(), files.owner(file.parent)))
        memory, problems = (Memory(), []) if content is None else decode(content)
    except (FileTrouble, Damaged) as problem:
        text = str(problem) if isinstance(problem, FileTrouble) else f"{file}: {problem}"
        return Memory(), f"{text}; {set_aside(file)}; starting afresh"
    if not problems:
        return memory, None
    aside = set_aside(file, keep=True)
    return memory, f"{file}: {summary(problems)}; {aside}; the rest of it is used"


class Keeper:
    """Writes into ``state_dir``, in threads of its own.

    :param report: takes a sentence and whether it is bad news; called on the loop.
    """

    def __init__(self, log: logging.Logger, report: Callable[[str, bool], None]) -> None:
        self._log, self._report = log, report
        self._disk = Worker("disk")
        self._history = Worker("history")
        self._writing = asyncio.Lock()
        self._unwritten: list[bytes] = []
        self._owed: dict[Path, tuple[bytes, int]] = {}
        self._trouble: set[Path] = set()
        self._retry_s = self._history_retry_s = float("-inf")

    async def remember(self, file: Path, memory: Memory) -> None:
        """Write the memory, waiting at most a second; a disk that hangs must stop nothing."""
        content = b""
        try:
            async with asyncio.timeout(WRITE_DEADLINE_S), self._writing:
                # Encoded when its turn comes: of several writes in a row the last has it all.
                content = msgspec.json.encode(memory)
                await self._disk.run(partial(_write, file, content, 0o600))
        except (CallBusy, TimeoutError):
            self._log.warning("%s: writing takes too long; going on without", file)
            content = content or msgspec.json.encode(memory)
        except HavpnError as problem:
            self._failed(file, str(problem))
        else:
            self._owed.pop(file, None)
            self._succeeded(file)
            return
        self.owe(file, content, 0o600)

    async def save(self, file: Path, content: bytes, mode: int) -> None:
        """Write a small file, waiting at most a second.

        :param mode: its permissions.
        :raises HavpnError: if it could not be written yet; it is as soon as the disk takes it.
        """
        try:
            async with asyncio.timeout(WRITE_DEADLINE_S), self._writing:
                await self._disk.run(partial(_write, file, content, mode))
        except (CallBusy, TimeoutError):
            self.owe(file, content, mode)
            raise HavpnError(f"{file}: writing takes too long: look at the disk") from None
        except HavpnError:
            self.owe(file, content, mode)
            raise

    async def finish(self, state_dir: Path) -> None:
        """Write what is kept, waiting at most a second for the disk: the end of the daemon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WRITE_DEADLINE_S):
                while self._history.busy:
                    await asyncio.sleep(FINISH_STEP_S)
                self._history_retry_s = float("-inf")
                self.flush(state_dir)
                while self._history.busy or self._disk.busy:
                    await asyncio.sleep(FINISH_STEP_S)

    def owe(self, file: Path, content: bytes, mode: int) -> None:
        """Write a file that the disk refused as soon as it takes it.

        :param mode: its permissions.
        """
        self._trouble.add(file)
        self._owed[file] = (content, mode)
        self._retry_s = time.monotonic() + RETRY_S

    def record(self, event: Event) -> None:
        """Keep an event for the history; the oldest unwritten one gives way."""
        self._unwritten.append(as_line(event))
        del self._unwritten[:-UNWRITTEN]

    def flush(self, state_dir: Path) -> None:
        """Begin to write the events kept so far, and what the disk refused before."""
        now = time.monotonic()
        if self._owed and now >= self._retry_s and not self._disk.busy:
            self._retry_s = now + RETRY_S
            file, (content, mode) = next(iter(self._owed.items()))
            with contextlib.suppress(HavpnError):  # no thread for it now: the next time
                writing = self._disk.run(partial(_write, file, content, mode))
                writing.add_done_callback(partial(self._paid, file, content))
        if self._unwritten and now >= self._history_retry_s and not self._history.busy:
            self._flush_history(state_dir / HISTORY_FILE)

    def _flush_history(self, file: Path) -> None:
        events, self._unwritten = self._unwritten, []
        lines = b"".join(events)

        def written(done: "asyncio.Future[None]") -> None:
            if problem := _problem(done):
                self._unwritten = [*events, *self._unwritten][-UNWRITTEN:]
                self._history_retry_s = time.monotonic() + RETRY_S
                self._failed(file, problem)
            else:
                self._succeeded(file)

        try:
            self._history.run(partial(_append_history, file, lines)).add_done_callback(written)
        except HavpnError:  # no thread for it now: the next time
            self._unwritten = [*events, *self._unwritten][-UNWRITTEN:]

    def _paid(self, file: Path, content: bytes, done: "asyncio.Future[None]") -> None:
        if problem := _problem(done):
            self._failed(file, problem)
            self._owed[file] = self._owed.pop(file)  # another file is tried first
            return
        if file in self._owed and self._owed[file][0] == content:
            del self._owed[file]
        self._retry_s = float("-inf")
        self._succeeded(file)

    def _failed(self, file: Path, problem: str) -> None:
        if file not in self._trouble:
            self._trouble.add(file)
            self._report(f"{problem}; it is kept in memory and written when that is repaired", True)

    def _succeeded(self, file: Path) -> None:
        if file in self._trouble:
            self._trouble.discard(file)
            self._report(f"{file}: can be written again", False)


def _write(file: Path, content: bytes, mode: int) -> None:
    files.write(file, content, durable=True, mode=mode)


def _problem(done: "asyncio.Future[None]") -> str | None:
    """Say what went wrong with a write that is over."""
    problem = None if done.cancelled() else done.exception()
    return None if problem is None else str(problem)


def _append_history(file: Path, lines: bytes) -> None:
    """Add to the history, which is turned over once at a megabyte."""
    if files.size(file) > HISTORY_BYTES:
        files.rename(file, file.with_suffix(".jsonl.1"))
    files.append(file, lines)
