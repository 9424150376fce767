"""Coerce what comes out of a plugin: samples, roles, frames and facts of known type and size.

As in :mod:`~havpn_core.plugging.wording`, no function trusts a method of the value's own. None
raises but :func:`as_answer`, and that only :class:`~havpn_core.errors.HavpnError`.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Event, Retry, Sample
from havpn_core.plugging.wording import CUT, LONGEST, LONGEST_NAME, own_text, shown, words
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.role import Role

LONGEST_EVENT = 4000
"""Characters of an event's detail: it may join the texts of several plugins."""
LONGEST_FRAME = 4096
DEEPEST = 5
MOST_ITEMS = 200
"""Entries of a plugin's facts that are kept, at all depths together."""
MOST_LATENCY_S = 3600.0

_outcome_of = vars(Sample)["outcome"].__get__
_detail_of = vars(Sample)["detail"].__get__
_latency_of = vars(Sample)["latency_s"].__get__
_why_of = vars(Retry)["why"].__get__
_after_of = vars(Retry)["after_s"].__get__
_refused_of = vars(Sample)["refused"].__get__


def as_nothing(value: Any) -> None:
    """Take the result of a method that gives none."""


def as_retry(value: Any) -> Retry | None:
    """Take the result of ``notify``; anything but a :class:`Retry` means that it is delivered."""
    if not issubclass(type(value), Retry):
        return None
    try:
        why, after = _why_of(value), _after_of(value)
    except AttributeError:
        return Retry("not delivered")
    return Retry(words(why) or "not delivered", as_seconds(after, MOST_LATENCY_S))


def as_seconds(value: Any, most_s: float) -> float:
    """Take a time from 0 to ``most_s`` seconds: 0 for what is none, ``most_s`` for a longer one."""
    kind = type(value)
    if kind is bool or not issubclass(kind, int | float):
        return 0.0
    own = int.__int__(value) if issubclass(kind, int) else float.__float__(value)
    return float(min(own, most_s)) if own > 0 else 0.0


def as_sample(value: Any) -> Sample:
    """Take the result of ``check``; what is no sample is an ``ERROR`` that says so."""
    kind = type(value)
    if not issubclass(kind, Sample):
        return Sample.error(f"gave {shown(value)}, which is no Sample")
    try:
        outcome, detail, latency = _outcome_of(value), _detail_of(value), _latency_of(value)
        refused = _refused_of(value)
    except AttributeError:
        return Sample.error("gave a Sample without its fields")
    if outcome is Outcome.REFUSED:
        return Sample.refusal(words(detail))
    if outcome is not Outcome.OK and outcome is not Outcome.FAIL and outcome is not Outcome.ERROR:
        return Sample.error(f"gave a Sample with the outcome {shown(outcome)}, which is none")
    if (
        kind is Sample
        and (latency is None or (type(latency) is float and 0 <= latency <= MOST_LATENCY_S))
        and type(detail) is str
        and len(detail) <= LONGEST
        and detail.isprintable()
        and (refused is False or (refused is True and outcome is Outcome.FAIL))
    ):
        return value  # type: ignore[no-any-return]
    refused = refused is True and outcome is Outcome.FAIL
    return Sample(outcome, words(detail), _as_latency(latency), refused)


def as_role(value: Any) -> Role | None:
    """Take the result of ``observe``; what is no role means that it is not known."""
    return value if value is Role.ACTIVE or value is Role.STANDBY else None


def as_answer(value: Any) -> str | None:
    """Take the result of ``answered_by``.

    Whoever replies without a name has the address all the same. What is neither a text nor
    ``None`` says nothing, as an error does.
    """
    if value is None:
        return None
    if not issubclass(type(value), str):
        raise HavpnError(f"answered_by gave {shown(value)}, which is no text")
    return words(value, LONGEST_NAME) or "somebody"


def as_explanation(value: Any) -> str | None:
    """Take why probes are lost; what is no text says nothing."""
    return words(value) or None if issubclass(type(value), str) else None


def as_rival(value: Any) -> str:
    """Take who claims an address that is held."""
    return words(value, LONGEST_NAME) or "somebody"


def as_flag(value: Any) -> bool:
    """Take a property that is true unless it says otherwise."""
    try:
        return bool(value)
    except BaseException:
        return True


def as_frame(value: Any) -> bytes:
    """Take what a link brought; what is no frame is an empty one, which nobody believes."""
    kind = type(value)
    if kind is bytes and len(value) <= LONGEST_FRAME:
        return value  # type: ignore[no-any-return]
    if not issubclass(kind, bytes | bytearray | memoryview):
        return b""
    try:
        return memoryview(value)[:LONGEST_FRAME].tobytes()
    except BaseException:
        return b""


def as_lines(value: Any) -> list[str]:
    """Take a list of sentences; one text alone is one sentence."""
    kind = type(value)
    if issubclass(kind, str):
        return [words(value)]
    if issubclass(kind, list | tuple):
        return [words(each) for each in _items(value)[:MOST_ITEMS]]
    return [] if value is None else [f"gave {shown(value)}, which is no list of texts"]


def as_facts(value: Any) -> dict[str, Any]:
    """Take the result of ``facts``: at most :data:`MOST_ITEMS` entries that JSON can hold.

    What is no dictionary gives an empty one.
    """
    if not issubclass(type(value), dict):
        return {}
    try:
        return _Facts().table(value, DEEPEST)
    except BaseException:  # another thread changes it meanwhile
        return {}


def as_event(event: Event) -> Event:
    """Give an event whose texts every file can hold."""
    fields = {"kind": LONGEST_NAME, "subject": LONGEST, "before": LONGEST, "after": LONGEST}
    fields |= {"detail": LONGEST_EVENT, "node": LONGEST}
    changed = {}
    for name, limit in fields.items():
        text = getattr(event, name)
        if (line := words(text, limit)) is not text:
            changed[name] = line
    return replace(event, **changed) if changed else event  # type: ignore[arg-type]


class _Facts:
    """Copies a structure that may be deep, wide, cyclic and hostile."""

    def __init__(self) -> None:
        self._left = MOST_ITEMS

    def table(self, value: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in dict.items(value):
            if self._left <= 0:
                break
            self._left -= 1
            found[self._key(key)] = self._plain(item, depth - 1)
        return found

    def _key(self, key: Any) -> str:
        return (
            words(key, LONGEST_NAME) if issubclass(type(key), str) else own_text(key, LONGEST_NAME)
        )

    def _row(self, items: Iterable[Any], depth: int) -> list[Any]:
        found = []
        for item in items:
            if self._left <= 0:
                break
            self._left -= 1
            found.append(self._plain(item, depth - 1))
        return found

    def _plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if issubclass(kind, Enum):
            value = object.__getattribute__(value, "_value_")
            kind = type(value)
        if not issubclass(kind, dict | list | tuple | set | frozenset):
            return _scalar(value)
        if depth <= 0:
            return CUT
        if issubclass(kind, dict):
            return self.table(value, depth)
        return self._row(_items(value), depth)


def _scalar(value: Any) -> str | int | float | bool | None:
    kind = type(value)
    if value is None or kind is bool:
        return value  # type: ignore[no-any-return]
    if issubclass(kind, str | bytes):
        return words(value)
    if issubclass(kind, int):
        number = int.__int__(value)
        return number if -(2**63) <= number < 2**63 else shown(value)
    if issubclass(kind, float):
        measure = float.__float__(value)
        return measure if math.isfinite(measure) else None
    return own_text(value)


def _items(value: Any) -> list[Any]:
    """Give the first items of a list, tuple or set, past whatever a subclass makes of them."""
    for base in (list, tuple, set, frozenset):
        if issubclass(type(value), base):
            return [item for item, _ in zip(base.__iter__(value), range(MOST_ITEMS), strict=False)]
    return []


def _as_latency(value: Any) -> float | None:
    """Give a time in seconds, or ``None`` if it is no number that a time can be."""
    kind = type(value)
    if kind is bool or not issubclass(kind, int | float):
        return None
    if issubclass(kind, int):
        value = int.__int__(value)
        return float(value) if 0 <= value <= MOST_LATENCY_S else None
    value = float.__float__(value)
    return value if 0 <= value <= MOST_LATENCY_S else None
