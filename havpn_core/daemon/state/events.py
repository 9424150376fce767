"""Hand every event to the log, the history and the notifiers, none of which may delay a thing."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from havpn_core.config.instances import Instance
from havpn_core.daemon.state.counts import Counts
from havpn_core.daemon.state.outbox import Outbox, Waiting
from havpn_core.daemon.state.status import NotifierStatus
from havpn_core.durations import rfc3339
from havpn_core.errors import CallBusy, CallOverdue, HavpnError
from havpn_core.plugging.descriptors import Event, EventKind, NotifierType, Retry
from havpn_core.plugging.gate.building import seconds_of
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.coercion import as_event
from havpn_core.plugging.protocols import Gathering

HISTORY_FILE = "events.jsonl"
HISTORY_BYTES = 1_000_000
END_S = 2.0
"""What a notifier may take for the events that are queued when it is to end."""

APPLYING = "applying "
"""The first word of the events that an effect begins with."""
LONGEST_GATHER_S, LONGEST_RETRY_S = 3600.0, 7 * 86400.0
"""What a notifier may gather events for, and keep them for another attempt."""

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


class Subscriber:
    """One notifier with the events that wait for it; none of them delays another notifier.

    :param deadline_s: seconds that one delivery may take.
    :param gather_s: as of :class:`~havpn_core.plugging.descriptors.NotifierType`.
    :param retry_s: as there.
    """

    def __init__(
        self,
        name: str,
        caller: Caller,
        deadline_s: float,
        *,
        gather_s: float = 0.0,
        retry_s: float = 0.0,
    ) -> None:
        self.name, self.caller, self.deadline_s = name, caller, deadline_s
        self.retry_s = retry_s
        together = gather_s > 0 and caller.able(Gathering)
        self.outbox: Outbox[Event] = Outbox(together=together, gather_s=gather_s, retry_s=retry_s)
        self.ready = asyncio.Event()
        self.delivered = self.failed = 0
        self.error, self.failed_s = "", 0.0
        self.ending = False
        self.ended = asyncio.Event()

    def put(self, event: Event) -> None:
        """Queue an event."""
        self.outbox.put(event, time.monotonic())
        self.ready.set()

    async def deliver(self, log: logging.Logger) -> None:
        """Deliver until :meth:`end`; a failure is counted and logged once a row."""
        try:
            while len(self.outbox) or not self.ending:
                await self._due()
                if taken := self.outbox.take():
                    await self._deliver(taken, log)
        finally:
            self.ended.set()

    async def end(self, timeout_s: float = END_S) -> None:
        """Let what is queued be tried once more, for a limited time, and close the notifier."""
        self.ending = True
        self.ready.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.ended.wait()
        self.outbox.take()
        await self.caller.close()

    async def _due(self) -> None:
        """Wait until there is something to deliver now, or the end."""
        while not self.ending:
            self.ready.clear()
            due_s = self.outbox.due_s(time.monotonic())
            if due_s == 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due_s):
                    await self.ready.wait()

    async def _deliver(self, taken: tuple[Waiting[Event], ...], log: logging.Logger) -> None:
        """Deliver what was taken, or put it back."""
        events = tuple(each.event for each in taken)
        try:
            again = await self.caller.notify(events, self.deadline_s, self.deadline_s + 1)
        except HavpnError as problem:
            # A call that hangs holds its thread: what comes next may still be delivered later.
            again = Retry(str(problem)) if isinstance(problem, CallBusy | CallOverdue) else None
            if again is None:
                self.outbox.settled()
                self._failed(len(taken), str(problem), log)
                return
        if again is None:
            self.outbox.settled()
            self.delivered += len(taken)
            if self.error:
                log.info("%s: delivers again", self.name)
            self.error = ""
            return
        gone = len(taken)
        if not self.ending:
            gone = self.outbox.again(taken, time.monotonic(), again.after_s)
        self._failed(gone, again.why, log)

    def _failed(self, gone: int, why: str, log: logging.Logger) -> None:
        """Count the events that are given up, and log why, once for the same reason in a row."""
        self.failed += gone
        if self.error != why:
            kept = len(self.outbox) if self.retry_s else 0
            later = f"; {kept} to be tried again" if kept else ""
            log.warning("%s: %s%s", self.name, why, later)
        self.error, self.failed_s = why, time.time()

    def facts(self) -> NotifierStatus:
        """Give its part of the status."""
        return NotifierStatus(
            delivered=self.delivered,
            failed=self.failed,
            dropped=self.outbox.dropped,
            waiting=len(self.outbox),
            error=self.error or None,
            failed_at=rfc3339(datetime.fromtimestamp(self.failed_s, UTC)) if self.error else None,
        )


def subscriber_of(notifier: Instance, caller: Caller) -> Subscriber:
    """Make the subscriber of a configured notifier, with the times that its type gives it."""
    kind = notifier.type
    gather_s = retry_s = 0.0
    if isinstance(kind, NotifierType):
        gather_s = seconds_of(kind.gather_s, notifier.options, LONGEST_GATHER_S)
        retry_s = seconds_of(kind.retry_s, notifier.options, LONGEST_RETRY_S)
    return Subscriber(
        notifier.name, caller, notifier.deadline_s, gather_s=gather_s, retry_s=retry_s
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
        # The log has one line a transition: how an effect ends, and not that it begins.
        begins = event.kind == EventKind.ACTION and event.after.startswith(APPLYING)
        self.log.log(logging.DEBUG if begins else LEVELS[event.severity], "%s", event)
        self.record(event)
        for subscriber in self.subscribers:
            subscriber.put(event)
