"""``syslog``: one line an event, and with fields to the journal where there is one.

Both get one datagram that never waits. Nothing stays connected, so a syslogd that was restarted
gets the next event.
"""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from havpn_core import Context, Event, HavpnError, NotifierType, hookimpl

from .._sockets import words

FACILITIES = {"user": 1, "daemon": 3, "local0": 16, "local1": 17, "local2": 18, "local3": 19}
FACILITIES |= {"local4": 20, "local5": 21, "local6": 22, "local7": 23}
SEVERITIES = {"info": 6, "warning": 4, "error": 3}
# English in every locale: RFC 3164, section 4.1.2
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST = 2048
"""Bytes of a value that are kept: what every syslogd takes, and far below a send buffer."""


Facility = Literal[
    "user", "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"
]  # fmt: skip


class SyslogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``syslog``."""

    tag: Annotated[
        str,
        msgspec.Meta(
            pattern=r"\A[A-Za-z0-9_./-]{1,32}\Z", description="the name in front of each line"
        ),
    ] = "HA-VPN"
    facility: Annotated[Facility, msgspec.Meta(description="syslog facility")] = "daemon"
    socket: Annotated[str, msgspec.Meta(description="where syslogd listens")] = "/dev/log"
    journal_socket: Annotated[
        str, msgspec.Meta(description="where the journal listens, if there is one")
    ] = "/run/systemd/journal/socket"


class Syslog:
    """A notifier over one datagram an event; a restarted syslogd is found again by itself."""

    def __init__(self, options: SyslogOptions, context: Context) -> None:
        self._options = options

    async def notify(self, event: Event, timeout_s: float) -> None:
        """Send the event to every receiver there is, without waiting.

        :raises HavpnError: if one of them does not listen or does not keep up.
        """
        problems = []
        for address, datagram in self._datagrams(event):
            try:
                _send(address, datagram)
            except OSError as problem:
                problems.append(f"{address} took no message: {words(problem)}")
        if problems:
            raise HavpnError("; ".join(problems))

    def _datagrams(self, event: Event) -> Iterable[tuple[str, bytes]]:
        journal, syslog = Path(self._options.journal_socket), Path(self._options.socket)
        if journal.exists():
            yield str(journal), journal_entry(event, self._options)
            # Where the journal itself serves /dev/log, a line there would be a second entry;
            # the first one it hands on to a syslogd behind it.
            if syslog.resolve().parent == journal.resolve().parent:
                return
        yield str(syslog), syslog_line(event, self._options)

    def close(self) -> None:
        """Do nothing."""


def syslog_line(event: Event, options: SyslogOptions) -> bytes:
    """Write the event as a local syslog line (RFC 3164, section 4.1, without a host name)."""
    priority = FACILITIES[options.facility] * 8 + _severity(event)
    at = event.at.astimezone()
    when = f"{MONTHS[at.month - 1]} {at.day:2d} {at:%H:%M:%S}"
    text = "".join(c if c.isprintable() else " " for c in str(event))
    return f"<{priority}>{when} {options.tag}[{os.getpid()}]: ".encode() + _cut(text)


def journal_entry(event: Event, options: SyslogOptions) -> bytes:
    """Write the event in the journal's native format."""
    fields = {
        "MESSAGE": str(event),
        "PRIORITY": str(_severity(event)),
        "SYSLOG_FACILITY": str(FACILITIES[options.facility]),
        "SYSLOG_IDENTIFIER": options.tag,
        "HAVPN_NODE": event.node,
        "HAVPN_KIND": event.kind,
        "HAVPN_SUBJECT": event.subject,
        "HAVPN_BEFORE": event.before,
        "HAVPN_AFTER": event.after,
    }
    entry = b""
    for name, value in fields.items():
        content = _cut(value)
        # The form with a length is safe whatever the value holds, line ends included.
        entry += name.encode() + b"\n" + len(content).to_bytes(8, "little") + content + b"\n"
    return entry


def _severity(event: Event) -> int:
    return SEVERITIES.get(event.severity, SEVERITIES["warning"])


def _cut(text: str) -> bytes:
    """Encode, and cut what is too long between two characters."""
    content = text.encode(errors="replace")
    return content[:LONGEST].decode(errors="ignore").encode()


def _send(address: str, datagram: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(datagram, address)


def missing(options: SyslogOptions) -> list[str]:
    """Say if nobody would take the messages."""
    if Path(options.socket).exists() or Path(options.journal_socket).exists():
        return []
    return [f"neither {options.socket} nor {options.journal_socket} is there: no syslogd runs"]


@hookimpl
def havpn_register_notifiers() -> Iterable[NotifierType]:
    """Give the type."""
    yield NotifierType(
        "syslog", "The system log and the journal", SyslogOptions, Syslog, missing=missing
    )
