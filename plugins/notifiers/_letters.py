"""Pure: the mail that tells of a burst of events."""

import re
from collections.abc import Sequence

from havpn_core import Event

from ._choice import gravity, values_of

_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
LONGEST_SUBJECT = 150
LONGEST_LINE = 900
"""Characters; SMTP takes lines of 998 (RFC 5321, section 4.5.3.1.6)."""


def greeting_name(node: str) -> str:
    """Give the name for EHLO; without one smtplib would query a name server for it."""
    return node if _HOST_NAME.match(node) else "localhost"


def subject_of(events: Sequence[Event]) -> str:
    """Give the subject: the most severe event, the last of these, and how many others there are.

    :param events: at least one, oldest first.
    """
    gravest = max(enumerate(events), key=lambda each: (gravity(each[1]), each[0]))[1]
    more = f" (+{len(events) - 1})" if len(events) > 1 else ""
    text = _plain(f"HA-VPN {gravest.node}, {gravest.severity}: {gravest}")
    room = LONGEST_SUBJECT - len(more)
    return (text if len(text) <= room else text[: room - 3] + "...") + more


def text_of(events: Sequence[Event]) -> str:
    """Give the text: a line each event, oldest first, with its time in UTC."""
    lines = []
    for event in events:
        values = values_of(event)
        line = _plain(f"{values['at']} {event.severity:7} {values['message']}")
        lines.append(line[:LONGEST_LINE])
    nodes = ", ".join(dict.fromkeys(_plain(event.node) for event in events))
    return "\n".join([*lines, "", f"HA-VPN on {nodes}"]) + "\n"


def _plain(text: str) -> str:
    """Give a text as one line that every mail can hold."""
    sound = text.encode(errors="replace").decode()
    return "".join(c if c.isprintable() else " " for c in sound)
