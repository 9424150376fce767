"""Read what the daemon published: its status file and its history, each only when it changed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from havpn_core.host import boot
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble
from havpn_core.serve.document import Stalled, believed, scrubbed
from havpn_core.serve.request import LARGEST_LIMIT

STATUS_FILE, HISTORY_FILE = "status.json", "events.jsonl"
DISK_S = 3.0
"""What reading the history may take; a disk that hangs keeps nothing else from being served."""

Mark = tuple[int, ...]


class Sources:
    """The files of one daemon.

    :param run_dir: where its status is.
    :param state_dir: where its history is.
    """

    def __init__(self, run_dir: Path, state_dir: Path) -> None:
        self._status, self._history = run_dir / STATUS_FILE, state_dir / HISTORY_FILE
        self._text: bytes | None = None
        self._mark: Mark = ()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._reading: asyncio.Future[tuple[Mark, list[bytes]]] | None = None
        self._lines: tuple[Mark, list[bytes]] = ((), [])

    def document(self) -> tuple[Mark, dict[str, Any]]:
        """Give the status, and a mark that another status does not have.

        :raises Stalled: if there is none to be believed.
        """
        mark = _mark(self._status)
        if mark != self._mark or self._text is None:
            try:
                self._text, self._mark = files.read(self._status), mark
            except FileTrouble as problem:
                raise Stalled(str(problem)) from None
        return self._mark, believed(self._text, boot.clocks())

    async def history(self, limit: int) -> tuple[Mark, list[bytes]]:
        """Give the last events, the oldest first, and a mark that another history does not have.

        :param limit: how many at the most.
        :raises Stalled: if the disk does not give it in time.
        """
        if self._reading is None or self._reading.done():
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(self._disk, self._read_history)
        try:
            async with asyncio.timeout(DISK_S):
                mark, lines = await asyncio.shield(self._reading)
        except (TimeoutError, FileTrouble) as problem:
            text = str(problem) or f"{self._history}: the disk does not reply: look at it"
            raise Stalled(text) from None
        return mark, lines[-limit:]

    def _read_history(self) -> tuple[Mark, list[bytes]]:
        """Read the newest events; in a thread."""
        older = self._history.with_suffix(".jsonl.1")
        mark = _mark(self._history) + _mark(older)
        if mark != self._lines[0]:
            lines = _lines(self._history)
            if len(lines) < LARGEST_LIMIT:
                lines = _lines(older) + lines
            self._lines = mark, lines[-LARGEST_LIMIT:]
        return self._lines


def _lines(file: Path) -> list[bytes]:
    """Give the events of a history, with nothing private; what a crash damaged is left out."""
    lines = (files.read(file) or b"").split(b"\n")[:-1][-LARGEST_LIMIT:]
    return [scrubbed(line) for line in lines if _is_event(line)]


def _is_event(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=dict)
    except (ValueError, RecursionError):
        return False
    return True


def _mark(file: Path) -> Mark:
    try:
        facts = file.stat()
    except (OSError, ValueError):
        return ()
    return facts.st_ino, facts.st_mtime_ns, facts.st_size
