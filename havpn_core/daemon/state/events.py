"""Hand every event to the log, the history and the notifiers, none of which may delay a thing."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from havpn_core.daemon.state.counts import Counts
from havpn_core.daemon.state.status import NotifierStatus
from havpn_core.durations import rfc3339
from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.coercion import as_event

HISTORY_FILE = "events.jsonl"
HISTORY_BYTES = 1_000_000
QUEUE = 256
END_S = 2.0
"""What a notifier may take for the events that are queued when it is to end."""

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


def as_line(event: Event) -> bytes:
    """Give the event's line of the history; text that is no Unicode is shown as ``?``."""
    try:
        return msgspec.json.encode(as_record(event)) + b"\n"
    except UnicodeEncodeError:
        sound = {key: _sound(value) for key, value in as_record(event).items()}
        return msgspec.json.encode(sound) + b"\n"


def _sound(text: str) -> str:
    return text.encode(errors="replace").decode()


class Record(msgspec.Struct):
    """A line of the history as it is read."""

    at: str
    kind: str
    subject: str
    before: str
    after: str
    severity: str
    detail: str
    node: str = ""


def parse_history(content: bytes) -> tuple[list[tuple[str, Record]], int]:
    """Read a history; gives each event with its line, and how many lines are damaged.

    A crash or a full disk may have cut a line off. Lines end with a line feed and nothing else,
    as a detail may hold any other character that ends a line.
    """
    found, damaged = [], 0
    for line in filter(None, content.split(b"\n")):
        try:
            found.append((line.decode(), msgspec.json.decode(line, type=Record)))
        except (ValueError, RecursionError):
            damaged += 1
    return found, damaged


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
    ending: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, event: Event) -> None:
        """Queue an event."""
        self.dropped += len(self.queue) == QUEUE
        self.queue.append(event)
        self.ready.set()

    async def deliver(self, log: logging.Logger) -> None:
        """Deliver until :meth:`end`; a failure is counted and logged once a row."""
        try:
            while self.queue or not self.ending:
                await self.ready.wait()
                self.ready.clear()
                while self.queue:
                    await self._deliver(self.queue.popleft(), log)
        finally:
            self.ended.set()

    async def end(self, timeout_s: float = END_S) -> None:
        """Let what is queued be delivered, for a limited time, and close the notifier."""
        self.ending = True
        self.ready.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.ended.wait()
        self.queue.clear()
        await self.caller.close()

    async def _deliver(self, event: Event, log: logging.Logger) -> None:
        """Deliver one event."""
        try:
            await self.caller.notify(event, self.deadline_s, self.deadline_s + 1)
        except HavpnError as problem:
            self.failed += 1
            if self.error != str(problem):
                log.warning("%s: %s", self.name, problem)
            self.error = str(problem)
        else:
            self.delivered += 1
            self.error = ""

    def facts(self) -> NotifierStatus:
        """Give its part of the status."""
        return NotifierStatus(
            delivered=self.delivered,
            failed=self.failed,
            dropped=self.dropped,
            error=self.error or None,
        )


class EventBus:
    """Where events go.

    :param record: keeps an event for the history, without waiting.
    """

    def __init__(self, node: str, log: logging.Logger, record: Callable[[Event], None]) -> None:
        self.node = node
        self.log = log
        self.record = record
        self.subscribers: list[Subscriber] = []
        self.counts = Counts()

    def emit(self, event: Event) -> None:
        """Hand an event to log, history and notifiers; returns at once."""
        event = as_event(event)
        self.counts.take(event)
        self.log.log(LEVELS[event.severity], "%s", event)
        self.record(event)
        for subscriber in self.subscribers:
            subscriber.put(event)
