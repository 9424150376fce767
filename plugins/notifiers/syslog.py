"""``syslog``: one line an event, to the journal with fields where there is one."""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from havpn_core import Context, Event, NotifierType, hookimpl

FACILITIES = {"user": 1, "daemon": 3, "local0": 16, "local1": 17, "local2": 18, "local3": 19}
FACILITIES |= {"local4": 20, "local5": 21, "local6": 22, "local7": 23}
SEVERITIES = {"info": 6, "warning": 4, "error": 3}


class SyslogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``syslog``."""

    tag: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] = "HA-VPN"
    facility: Literal[
        "user", "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
        "local7",
    ] = "daemon"  # fmt: skip
    socket: str = "/dev/log"
    journal_socket: str = "/run/systemd/journal/socket"


class Syslog:
    """A notifier over one datagram an event; a restarted syslogd is found again by itself."""

    def __init__(self, options: SyslogOptions, context: Context) -> None:
        self._options = options

    async def notify(self, event: Event, timeout_s: float) -> None:
        """Send the event; :exc:`OSError` if nobody listens."""
        if Path(self._options.journal_socket).exists():
            _send(self._options.journal_socket, journal_entry(event, self._options))
        else:
            _send(self._options.socket, syslog_line(event, self._options))

    def close(self) -> None:
        """Do nothing."""


def syslog_line(event: Event, options: SyslogOptions) -> bytes:
    """Write the event as a local syslog line (RFC 3164, section 4.1, without a host name)."""
    priority = FACILITIES[options.facility] * 8 + SEVERITIES[event.severity]
    when = event.at.astimezone().strftime("%b %e %H:%M:%S")
    text = str(event).replace("\n", " ").replace("\0", "")
    return f"<{priority}>{when} {options.tag}[{os.getpid()}]: {text}".encode()


def journal_entry(event: Event, options: SyslogOptions) -> bytes:
    """Write the event in the journal's native format."""
    fields = {
        "MESSAGE": str(event),
        "PRIORITY": str(SEVERITIES[event.severity]),
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
        content = value.encode()
        # The form with a length is safe whatever the value holds, line ends included.
        entry += name.encode() + b"\n" + len(content).to_bytes(8, "little") + content + b"\n"
    return entry


def _send(address: str, datagram: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(datagram, address)


@hookimpl
def havpn_register_notifiers() -> Iterable[NotifierType]:
    """Give the type."""
    yield NotifierType("syslog", "The system log or the journal", SyslogOptions, Syslog)
