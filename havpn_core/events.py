"""Hand every event to the log, the history and the notifiers, none of which may delay a thing."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from havpn_core.calls import Caller
from havpn_core.errors import HavpnError
from havpn_core.plugin import Event
from havpn_core.status import rfc3339

HISTORY_FILE = "events.jsonl"
HISTORY_BYTES = 1_000_000
QUEUE = 256

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def as_record(event: Event) -> dict[str, Any]:
    """Give the event as ``havpn events --json`` shows it."""
    return {
        "at": rfc3339(event.at),
        "node": event.node,
        "kind": event.kind,
        "subject": event.subject,
        "before": event.before,
        "after": event.after,
        "severity": event.severity,
        "detail": event.detail,
    }


def append_history(file: Path, event: Event) -> None:
    """Add one line to the history, which is turned over once at a megabyte."""
    with contextlib.suppress(FileNotFoundError):
        if file.stat().st_size > HISTORY_BYTES:
            file.replace(file.with_suffix(".jsonl.1"))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as history:
        history.write(msgspec.json.encode(as_record(event)) + b"\n")


@dataclass
class Subscriber:
    """One notifier with its queue; the oldest event gives way when it is full.

    :param deadline_s: seconds that one delivery may take.
    """

    name: str
    caller: Caller
    deadline_s: float
    queue: deque[Event] = field(default_factory=lambda: deque(maxlen=QUEUE))
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    error: str = ""

    def put(self, event: Event) -> None:
        """Queue an event."""
        self.dropped += len(self.queue) == QUEUE
        self.queue.append(event)
        self.ready.set()

    async def deliver(self, log: logging.Logger) -> None:
        """Deliver for ever; a failure is counted and reported once a row."""
        while True:
            await self.ready.wait()
            self.ready.clear()
            while self.queue:
                await self.one(self.queue.popleft(), log)

    async def one(self, event: Event, log: logging.Logger) -> None:
        """Deliver one event."""
        try:
            await self.caller.call("notify", event, self.deadline_s, deadline_s=self.deadline_s + 1)
        except HavpnError as problem:
            self.failed += 1
            if self.error != str(problem):
                log.warning("%s: %s", self.name, problem)
            self.error = str(problem)
        else:
            self.delivered += 1
            self.error = ""

    def facts(self) -> dict[str, Any]:
        """Give its part of the status."""
        counts = {"delivered": self.delivered, "failed": self.failed, "dropped": self.dropped}
        return {**counts, "error": self.error or None}


class EventBus:
    """Where events go.

    :param record: keeps an event for the history, without waiting.
    """

    def __init__(self, node: str, log: logging.Logger, record: Callable[[Event], None]) -> None:
        self.node = node
        self.log = log
        self.record = record
        self.subscribers: list[Subscriber] = []

    def emit(self, event: Event) -> None:
        """Tell everybody; returns at once."""
        self.log.log(LEVELS[event.severity], "%s", event)
        self.record(event)
        for subscriber in self.subscribers:
            subscriber.put(event)
