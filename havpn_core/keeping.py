"""Put the memory and the history on disk without ever making the loop wait for the disk."""

import asyncio
import logging
from pathlib import Path

import msgspec

from havpn_core import status
from havpn_core.calls import CallBusy, Worker
from havpn_core.errors import HavpnError
from havpn_core.events import HISTORY_FILE, append_history
from havpn_core.plugin import Event

WRITE_DEADLINE_S = 1.0
UNWRITTEN = 1000


class Keeper:
    """Writes into ``state_dir``, in threads of its own."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._disk = Worker("disk")
        self._history = Worker("history")
        self._writing = asyncio.Lock()
        self._unwritten: list[Event] = []

    async def remember(self, file: Path, memory: status.Memory) -> None:
        """Write the memory, waiting at most a second; a disk that hangs must stop nothing."""
        try:
            async with asyncio.timeout(WRITE_DEADLINE_S), self._writing:
                # Encoded when its turn comes: of several writes in a row the last has it all.
                content = msgspec.json.encode(memory)
                await self._disk.run(
                    lambda: status.write_atomically(file, content, durable=True, mode=0o600)
                )
        except (CallBusy, TimeoutError):
            self._log.warning("%s: writing takes too long; going on without", file)
        except HavpnError as problem:
            self._log.error("%s: %s", file, problem)

    def record(self, event: Event) -> None:
        """Keep an event for the history; the oldest unwritten one gives way."""
        self._unwritten.append(event)
        del self._unwritten[:-UNWRITTEN]

    def flush(self, state_dir: Path) -> None:
        """Begin to write the events kept so far."""
        if not self._unwritten or self._history.busy:
            return
        events, self._unwritten = self._unwritten, []

        def write() -> None:
            for event in events:
                append_history(state_dir / HISTORY_FILE, event)

        # A history that cannot be written is no reason to say so once a second.
        self._history.run(write).add_done_callback(lambda done: done.exception())
