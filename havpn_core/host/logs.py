"""Logging that never waits for whoever reads the log."""

import contextlib
import logging
import logging.handlers
import queue
import sys
import threading

from havpn_core.plugging.wording import describe

QUEUE = 1000
END_S = 2.0
"""What writing the last records may take."""


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

        Whoever reads standard error may have stopped reading: then the thread hangs for ever,
        and only ``os._exit`` ends the process.
        """
        thread: threading.Thread | None = getattr(self, "_thread", None)
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(None)  # what its own stop() queues, and then waits without limit
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()


def start(level: int = logging.INFO) -> tuple[logging.Logger, Writer]:
    """Log to standard error, where systemd listens; end the writer at the end."""
    records: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE)
    writer = logging.StreamHandler(sys.stderr)
    writer.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log = logging.getLogger("havpn")
    log.handlers = [DroppingHandler(records)]
    log.propagate = False
    log.setLevel(level)
    listener = Writer(records, writer)
    listener.start()
    return log, listener
