"""Logging that never waits for whoever reads the log."""

import contextlib
import logging
import logging.handlers
import queue
import sys

from havpn_core.plugging.wording import describe

QUEUE = 1000


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


def start(level: int = logging.INFO) -> tuple[logging.Logger, logging.handlers.QueueListener]:
    """Log to standard error, where systemd listens; stop the listener at the end."""
    records: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE)
    writer = logging.StreamHandler(sys.stderr)
    writer.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log = logging.getLogger("havpn")
    log.handlers = [DroppingHandler(records)]
    log.propagate = False
    log.setLevel(level)
    listener = logging.handlers.QueueListener(records, writer)
    listener.start()
    return log, listener
