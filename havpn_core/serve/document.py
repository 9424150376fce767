"""Pure: what the status says to those who read it over HTTP: its age, and nothing private.

A status that is too old says nothing at all: a gateway that is shown as active though nobody knows
is worse than one that is not shown.
"""

import re
from typing import Any

import msgspec

from havpn_core.rules.limits import Clocks

STALLED_S = 5.0
"""A status is written once a second; one that is older was left by a daemon that hangs or ended."""

_URL = re.compile(rb'((?:https?|smtps?|wss?|ftps?)://)(?:[^/\s"@\\]*@)?([^/\s"?#\\]*)[^\s"\\]*')


class Stalled(Exception):
    """There is no status that can be believed; its text says why."""


def scrubbed(text: bytes) -> bytes:
    """Leave of each URL its scheme and host: what else stands in one may be a key or a token."""
    return _URL.sub(rb"\1\2", text) if b"://" in text else text


def believed(text: bytes | None, now: Clocks) -> dict[str, Any]:
    """Give the status with its age, if it is one to be believed.

    :param text: of the status file; ``None`` if there is none.
    :raises Stalled: if there is none, it is damaged, too old, or the daemon ended.
    """
    if text is None:
        raise Stalled("there is no status: the daemon has not started yet")
    try:
        found: dict[str, Any] = msgspec.json.decode(scrubbed(text), type=dict)
        state, at_s, boot = found["state"], float(found["written_uptime_s"]), found["boot"]
    except (ValueError, TypeError, KeyError):
        raise Stalled("the status is damaged: the daemon writes it again") from None
    if state == "stopped":
        raise Stalled("the daemon ended")
    if boot != now.boot:
        raise Stalled("the status is of another boot: the daemon has not started yet")
    age_s = max(0.0, now.boot_s - at_s)
    if age_s > STALLED_S:
        raise Stalled(
            f"the status is {age_s:.0f} s old: the daemon hangs, ended, or cannot write it"
        )
    found["age_s"] = round(age_s, 3)
    return found


def active(document: dict[str, Any]) -> tuple[bool, str]:
    """Whether this gateway is active, as far as its actions can see; and a word for people."""
    observed = document.get("role", {}).get("observed")
    return observed == "active", observed or "unknown"
