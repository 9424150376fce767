"""Logging that never waits for whoever reads the log, in the form that the reader understands.

The journal and the kernel's log get the priority in front of each line (sd-daemon(3)), a terminal
gets the time and colours, and whatever else standard error is gets the time and the level.
"""

import contextlib
import logging
import logging.handlers
import os
import queue
import socket
import stat
import sys
import threading
import time
from collections.abc import Mapping
from enum import Enum
from typing import TextIO

from havpn_core.plugging.wording import describe

QUEUE = 1000
END_S = 2.0
"""What writing the last records may take."""

JOURNAL = "/run/systemd/journal/stdout"
KMSG = os.makedev(1, 11)
PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
COLOURS = {"DEBUG": "2", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
"""Of SGR (ECMA-48); information has none."""


class Reader(Enum):
    """Who reads the log."""

    JOURNAL = "journal"  #: or the kernel's log: takes the priority from the line, has its own time
    TERMINAL = "terminal"
    COLOURLESS = "colourless"  #: a terminal that is to show no colours
    FILE = "file"  #: or a pipe


def reader_of(stream: TextIO, environ: Mapping[str, str]) -> Reader:
    """Find out who reads what is written to a stream."""
    try:
        number = stream.fileno()
        found = os.fstat(number)
    except (OSError, ValueError):  # closed, or none that has a descriptor
        return Reader.FILE
    kernel = stat.S_ISCHR(found.st_mode) and found.st_rdev == KMSG
    named = environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
    if kernel or named or (stat.S_ISSOCK(found.st_mode) and _peer(number) == JOURNAL):
        return Reader.JOURNAL
    if not os.isatty(number):
        return Reader.FILE
    plain = environ.get("NO_COLOR") or environ.get("TERM", "dumb") == "dumb"
    return Reader.COLOURLESS if plain else Reader.TERMINAL


def _peer(number: int) -> object:
    """Give where a socket is connected to, such as ``systemd-cat`` leaves one to the journal."""
    try:
        with socket.socket(fileno=os.dup(number)) as connected:
            return connected.getpeername()
    except OSError:
        return None


class Form(logging.Formatter):
    """Writes a record for its reader.

    :param reader: who that is.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__("%(message)s")
        self._reader = reader

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; each of its lines begins with its priority where that counts."""
        text, level = super().format(record), record.levelname
        if self._reader is Reader.JOURNAL:
            return _prioritised(text, level)
        at = time.localtime(record.created)
        when = f"{time.strftime('%Y-%m-%d %H:%M:%S', at)}.{record.msecs:03.0f}"
        line = f"{level:7} {text}"
        colour = COLOURS.get(level)
        if self._reader is Reader.TERMINAL:
            line = f"\033[{colour}m{line}\033[0m" if colour else line
            return f"\033[2m{when}\033[0m {line}"
        return f"{when} {line}"


def as_error(text: str, stream: TextIO) -> str:
    """Give what ends a program as its reader takes it: to the journal it is an error, too."""
    if reader_of(stream, os.environ) is not Reader.JOURNAL:
        return text
    return _prioritised(text, "ERROR")


def _prioritised(text: str, level: str) -> str:
    prefix = f"<{PRIORITIES.get(level, 6)}>"
    return "\n".join(prefix + line for line in text.split("\n"))


class DroppingHandler(logging.handlers.QueueHandler):
    """Queues records for a writing thread; the oldest gives way when the queue is full."""

    def __init__(self, records: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(records)
        self._records = records
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Make the text of a record now, whatever a plugin gave to be logged."""
        try:
            return super().prepare(record)  # type: ignore[no-any-return]
        except BaseException as problem:
            record.msg = "a message that cannot be written: %s"
            record.args = (describe(problem),)
            record.exc_info = record.exc_text = record.stack_info = None
            return super().prepare(record)  # type: ignore[no-any-return]

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record without waiting."""
        while True:
            with contextlib.suppress(queue.Full):
                self._records.put_nowait(record)
                return
            self.dropped += 1
            with contextlib.suppress(queue.Empty):
                self._records.get_nowait()


class Writer(logging.handlers.QueueListener):
    """Writes queued records in a thread that may be given up on."""

    def end(self, timeout_s: float = END_S) -> bool:
        """Write what is queued and end; gives whether that was possible in time.

        Whoever reads standard error may have stopped reading: then the thread hangs without end,
        and only ``os._exit`` ends the process.
        """
        thread: threading.Thread | None = getattr(self, "_thread", None)
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(None)  # what its own stop() queues, and then waits without limit
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()


def start(level: int = logging.INFO) -> tuple[logging.Logger, Writer]:
    """Log to standard error, in the form of whoever reads it; end the writer at the end."""
    records: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE)
    writer = logging.StreamHandler(sys.stderr)
    writer.setFormatter(Form(reader_of(sys.stderr, os.environ)))
    log = logging.getLogger("havpn")
    log.handlers = [DroppingHandler(records)]
    log.propagate = False
    log.setLevel(level)
    listener = Writer(records, writer)
    listener.start()
    return log, listener
