"""Pure: the body of a webhook, in the form that a service wants.

A body is built as values and encoded as JSON at the end, so that no text of an event can break it.
"""

import string
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Literal

from havpn_core import Event

from ._choice import gravity, values_of

Format = Literal["event", "ntfy", "slack", "alertmanager", "own"]

NAMES = (
    "at", "node", "kind", "subject", "before", "after", "severity", "detail", "message",
)  # fmt: skip
"""What may stand in braces in a text of ``body``."""
PRIORITIES = (2, 4, 5)
"""Of ntfy, from 1 to 5 ("Publish as JSON" in its documentation), by gravity."""
TAGS = ("information_source", "warning", "rotating_light")
LASTS = timedelta(hours=24)
"""An alert ends by itself when nothing says so; a gateway may have died meanwhile."""

_FORMATTER = string.Formatter()


def problem_of(body: Any, key: str = "body") -> str | None:
    """Say what is wrong with the table of ``body``; ``None`` if nothing is.

    :param key: where the value stands, for the sentence.
    """
    if isinstance(body, Mapping):
        rows = [(f"{key}.{name}", value) for name, value in body.items()]
    elif isinstance(body, list | tuple):
        rows = [(f"{key}[{number}]", value) for number, value in enumerate(body)]
    elif isinstance(body, str):
        return _problem_of_text(body, key)
    elif isinstance(body, bool | int | float):
        return None
    else:
        return f"{key}: write a text, a number, true, false, a list or a table"
    return next(filter(None, (problem_of(value, name) for name, value in rows)), None)


def _problem_of_text(text: str, key: str) -> str | None:
    try:
        parts = list(_FORMATTER.parse(text))
    except ValueError:
        return f"{key}: a brace stands alone: write {{{{ or }}}} for a brace of the text"
    for _, name, form, conversion in parts:
        if name is not None and (name not in NAMES or form or conversion):
            known = ", ".join(f"{{{each}}}" for each in NAMES)
            return f"{key}: {{{name}}} is not known: write one of {known}, or {{{{ for a brace"
    return None


def body_of(event: Event, form: Format, more: Mapping[str, Any]) -> Any:
    """Give the values of a body.

    :param more: fields that are added to those of the form, or replace them, table by table; names
        in braces in their texts are replaced.
    """
    values = values_of(event)
    made = _FORMS[form](event, values)
    added = _filled(more, values)
    if isinstance(made, list):
        return [_merged(each, added) for each in made]
    return _merged(made, added)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(each, values) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, values) for each in value]
    if not isinstance(value, str):
        return value
    parts = _FORMATTER.parse(value)
    return "".join(text + (str(values[name]) if name else "") for text, name, _, _ in parts)


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {name: _merged(below.get(name), each) for name, each in above.items()}
    return above


def _event(event: Event, values: Mapping[str, Any]) -> Any:
    return dict(values)


def _own(event: Event, values: Mapping[str, Any]) -> Any:
    return {}


def _slack(event: Event, values: Mapping[str, Any]) -> Any:
    # "Escaping text" of Slack's reference: these three, and no others.
    text = f"{values['node']}: {values['message']}"
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _ntfy(event: Event, values: Mapping[str, Any]) -> Any:
    grave = gravity(event)
    return {
        "title": f"HA-VPN on {values['node']}",
        "message": values["message"],
        "priority": PRIORITIES[grave],
        "tags": [TAGS[grave]],
    }


def _alertmanager(event: Event, values: Mapping[str, Any]) -> Any:
    """An alert that a later event of kind ``info`` on the same subject ends."""
    begins = event.at.astimezone(UTC)
    ends = begins + LASTS if gravity(event) else begins
    labels = {
        "alertname": "HAVPN",
        "instance": values["node"],
        "kind": values["kind"],
        "subject": values["subject"],
    }
    return [
        {
            # A label without a value is none to Alertmanager.
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": {"summary": values["message"], "severity": values["severity"]},
            "startsAt": begins.isoformat(),
            "endsAt": ends.isoformat(),
        }
    ]


_FORMS: dict[str, Callable[[Event, Mapping[str, Any]], Any]] = {
    "event": _event,
    "own": _own,
    "slack": _slack,
    "ntfy": _ntfy,
    "alertmanager": _alertmanager,
}
