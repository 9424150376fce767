"""Show each call into an instance to those who watch; one look at an empty list if nobody does.

Everything here runs on the loop. A watcher that reads too slowly loses lines, which are counted,
and delays nobody.
"""

import asyncio
import functools
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from havpn_core.durations import rfc3339
from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Event, Retry, Sample
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.redact import MARK, redacted
from havpn_core.plugging.wording import describe, one_line, shown
from havpn_core.rules.role import Role

MOST_WAITING = 1000
"""Lines that wait for a watcher; further ones are dropped and counted."""
MOST_WATCHERS = 4
LONGEST = 300
"""Characters of the arguments, and of the result, of one call."""
TICK_S = 1.0
"""After so long without a call it is looked whether the watcher is still there."""

_SECRET = re.compile(
    r"token|pass|pwd|secret|key|auth|bearer|credential|pin\Z|url|header|body|param|env|user", re.I
)
T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """The instance that is called.

    :param name: as ``path.vpn1.probe.echo``.
    :param kind: the name of its type; empty if that is not known.
    :param options: what it was built of.
    """

    name: str
    kind: str = ""
    options: Any = None

    @functools.cached_property
    def private(self) -> tuple[str, ...] | None:
        """What of the options nobody may read: ``None`` if that cannot be known."""
        if self.options is None:
            return ()
        try:
            return tuple(_secrets(msgspec.structs.asdict(self.options)))
        except BaseException:  # the struct is the plugin's
            return None


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as a watcher sees it.

    :param ended: ``returned``, ``raised``, ``given up`` (at a deadline, or by the core) or
        ``refused`` (an earlier call has not come back).
    """

    at: str
    instance: str
    type: str
    method: str
    arguments: str
    took_ms: float
    ended: str
    result: str


class Watcher:
    """Somebody who watches the calls of the instances of one name.

    :param name: of an instance, of a part of the configuration (``path.vpn1``) or of a type.
    """

    def __init__(self, name: str) -> None:
        self._name, self._lost = name, 0
        self._waiting: deque[Call] = deque()
        self._news = asyncio.Event()

    def wants(self, name: str, kind: str) -> bool:
        """Whether the instance is one of those that it watches."""
        return self._name in (name, kind) or name.startswith(f"{self._name}.")

    def take(self, call: Call) -> None:
        """Keep a call until it is read, or count it as lost."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(call)
        else:
            self._lost += 1
        self._news.set()

    async def lines(self, for_s: float | None) -> AsyncIterator[bytes]:
        """Give each call as a line of JSON, from now on; an empty line where there is none.

        :param for_s: seconds after which it ends, with ``{"end": "time"}``; ``None``: never.
        """
        until = float("inf") if for_s is None else time.monotonic() + for_s
        watching.append(self)
        try:
            while (left := until - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(min(TICK_S, left)):
                        await self._news.wait()
                except TimeoutError:
                    yield b""
                self._news.clear()
                while self._waiting:
                    yield _line(asdict(self._waiting.popleft()))
                if self._lost:
                    lost, self._lost = self._lost, 0
                    yield _line({"lost": lost})
            yield _line({"end": "time"})
        finally:
            watching.remove(self)


watching: list[Watcher] = []
"""Those who watch now, in this process."""


def watcher(name: str) -> Watcher:
    """Make a watcher.

    :raises HavpnError: if there are too many already.
    """
    if len(watching) >= MOST_WATCHERS:
        raise HavpnError(f"{len(watching)} traces run already: end one of them first")
    return Watcher(name)


def through(subject: Subject, method: str, function: Callable[..., T]) -> Callable[..., T]:
    """Give a plain function so that its call is shown; itself while nobody watches."""
    if not watching:
        return function

    def traced(*arguments: Any) -> T:
        began = time.monotonic()
        try:
            result = function(*arguments)
        except BaseException as problem:
            _show(subject, method, arguments, began, ended="raised", result=describe(problem))
            raise
        _show(subject, method, arguments, began, ended="returned", result=result)
        return result

    return traced


def followed(
    subject: Subject,
    method: str,
    arguments: tuple[Any, ...],
    start: Callable[[], "asyncio.Future[T]"],
) -> "asyncio.Future[T]":
    """Start a call and have it shown once it has ended."""
    if not watching:
        return start()
    began = time.monotonic()

    def ended(call: "asyncio.Future[T]") -> None:
        if call.cancelled():
            _show(subject, method, arguments, began, ended="given up", result="")
        elif problem := call.exception():
            _show(subject, method, arguments, began, ended="raised", result=describe(problem))
        else:
            _show(subject, method, arguments, began, ended="returned", result=call.result())

    try:
        running = start()
    except HavpnError as problem:
        _show(subject, method, arguments, began, ended="refused", result=str(problem))
        raise
    running.add_done_callback(ended)
    return running


def _show(
    subject: Subject,
    method: str,
    arguments: tuple[Any, ...],
    began: float,
    *,
    ended: str,
    result: Any,
) -> None:
    took_ms = round(1000 * (time.monotonic() - began), 3)
    to = [each for each in watching if each.wants(subject.name, subject.kind)]
    if not to:
        return
    given = ", ".join(map(_words, arguments))
    came = "" if result is None else result if ended != "returned" else _words(result)
    call = Call(
        rfc3339(datetime.now(UTC)), subject.name, subject.kind, method,
        _open(subject, given), took_ms, ended, _open(subject, came),
    )  # fmt: skip
    for each in to:
        each.take(call)


def _open(subject: Subject, text: str) -> str:
    """Give a text without what nobody may read."""
    private = subject.private
    if private is None:
        return MARK if text else ""
    return one_line(redacted(text, private), LONGEST)


def _words(value: Any) -> str:
    """Show an argument or a result; never raises."""
    try:
        return _WORDS.get(type(value), shown)(value)
    except BaseException:  # a field of it is not what it should be
        return shown(value)


def _sample(value: Sample) -> str:
    taken = "" if value.latency_s is None else f"{1000 * value.latency_s:.3f} ms"
    return ", ".join(filter(None, (value.outcome.name, taken, value.detail)))


def _several(value: list[Any] | tuple[Any, ...]) -> str:
    return f"[{', '.join(_words(each) for each in value[:10])}]"


_WORDS: dict[type, Callable[[Any], str]] = {
    Sample: _sample,
    Role: lambda value: str(value.value),
    Event: str,
    Retry: lambda value: f"Retry: {value.why}",
    bytes: lambda value: f"{len(value)} bytes",
    float: lambda value: f"{value:.6g}",
    list: _several,
    tuple: _several,
    dict: lambda value: json.dumps(coercion.as_facts(value)),
}
"""How values of exactly these types are shown; what a plugin gave was coerced before."""


def _secrets(options: dict[str, Any]) -> Iterator[str]:
    """Go through the texts of options that may be a secret.

    Those are the arguments of command lines, all values of tables, and what its name says.
    """
    for name, value in options.items():
        if isinstance(value, str) and _SECRET.search(name):
            yield value
        elif isinstance(value, dict):
            yield from map(str, value.values())
        elif isinstance(value, list | tuple):
            texts = [each for each in value if isinstance(each, str)]
            yield from texts if _SECRET.search(name) else texts[1:]


def _line(content: dict[str, Any]) -> bytes:
    return msgspec.json.encode(content)
