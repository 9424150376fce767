"""Pure: which events a notifier passes on, and what it knows of one by name."""

import dataclasses
from datetime import UTC
from typing import Annotated, Any

import msgspec

from havpn_core import Event, EventKind, Severity

GRAVITY = (Severity.INFO, Severity.WARNING, Severity.ERROR)
"""From the least to the most severe."""


class ChoiceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of all notifiers that may pass on less than everything."""

    only: Annotated[
        list[EventKind], msgspec.Meta(description="kinds of event to pass on; empty for all")
    ] = []
    least: Annotated[
        Severity, msgspec.Meta(description="the least severe events that are passed on")
    ] = Severity.INFO


def wanted(event: Event, options: ChoiceOptions) -> bool:
    """Whether an event is to be passed on."""
    if options.only and event.kind not in options.only:
        return False
    return gravity(event) >= GRAVITY.index(options.least)


def gravity(event: Event) -> int:
    """Give 0 for ``info``, 1 for ``warning``, 2 for ``error``; a word of later versions is 1."""
    known = [each.value for each in GRAVITY]
    return known.index(event.severity) if event.severity in known else 1


def values_of(event: Event) -> dict[str, Any]:
    """Give what ``havpn events --json`` shows of an event, and ``message``, a sentence.

    ``at`` is in UTC, such as ``2026-01-01T00:00:00.000Z``.
    """
    found = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    moment = event.at.astimezone(UTC).isoformat(timespec="milliseconds")
    return found | {"at": moment.replace("+00:00", "Z"), "message": str(event)}
