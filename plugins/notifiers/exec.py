"""``exec``: run a command for each event."""

from collections.abc import Iterable
from datetime import UTC
from typing import Annotated, Literal

import msgspec

from havpn_core import (
    Context,
    Event,
    HavpnError,
    NotifierType,
    hookimpl,
    program_of,
    run_command,
)

from .._commands import Argv, missing_commands, not_started

Kind = Literal[
    "verdict",
    "quality",
    "role",
    "action",
    "plugin",
    "daemon",
    "pair",
    "cluster",
    "path",
    "fitness",
    "road",
    "respond",
    "redundancy",
]

# The kernel refuses a variable of 128 KiB, and with it the whole command (execve(2), E2BIG).
LONGEST = 8192


class ExecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``exec``."""

    command: Annotated[Argv, msgspec.Meta(description="run once for each event")]
    only: Annotated[
        list[Kind], msgspec.Meta(description="kinds of event to run it for; empty for all")
    ] = []


class Exec:
    """A notifier that hands the event over in environment variables."""

    def __init__(self, options: ExecOptions, context: Context) -> None:
        self._options = options

    async def notify(self, event: Event, timeout_s: float) -> None:
        """Run the command; see :class:`havpn_core.Notifier`.

        :raises HavpnError: if it cannot be started, fails or overruns ``timeout_s`` seconds.
        """
        if self._options.only and event.kind not in self._options.only:
            return
        argv = self._options.command
        try:
            # What an event says is no secret: it is written to be passed on.
            ended = await run_command(argv, timeout_s, env=environment(event), private=argv[1:])
        except OSError as problem:
            raise HavpnError(not_started(argv, problem)) from None
        if ended.status != 0:
            said = f": {ended.said}" if ended.said else ""
            raise HavpnError(f"{program_of(argv)} ended with status {ended.status}{said}")

    def close(self) -> None:
        """Do nothing."""


def environment(event: Event) -> dict[str, str]:
    """Give the variables that carry an event, in a form that the kernel takes."""
    values = {
        "HAVPN_AT": event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "HAVPN_NODE": event.node,
        "HAVPN_KIND": event.kind,
        "HAVPN_SUBJECT": event.subject,
        "HAVPN_BEFORE": event.before,
        "HAVPN_AFTER": event.after,
        "HAVPN_SEVERITY": event.severity,
        "HAVPN_DETAIL": event.detail,
        "HAVPN_MESSAGE": str(event),
    }
    return {name: value.replace("\0", "")[:LONGEST] for name, value in values.items()}


@hookimpl
def havpn_register_notifiers() -> Iterable[NotifierType]:
    """Give the type."""
    yield NotifierType(
        "exec",
        "A command for each event",
        ExecOptions,
        Exec,
        missing=lambda options: missing_commands(options.command),
    )
