"""``exec``: run a command for each event."""

from collections.abc import Iterable
from datetime import UTC

import msgspec

from havpn_core import Context, Event, HavpnError, NotifierType, hookimpl, run_command

from .._commands import Argv, missing_commands


class ExecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``exec``.

    :param only: kinds of event to run it for; empty for all.
    """

    command: Argv
    only: list[str] = []


class Exec:
    """A notifier that hands the event over in environment variables."""

    def __init__(self, options: ExecOptions, context: Context) -> None:
        self._options = options

    async def notify(self, event: Event, timeout_s: float) -> None:
        """Run the command; see :class:`havpn_core.Notifier`."""
        if self._options.only and event.kind not in self._options.only:
            return
        ended = await run_command(self._options.command, timeout_s, env=environment(event))
        if ended.status != 0:
            raise HavpnError(f"{self._options.command[0]}: status {ended.status} {ended.said}")

    def close(self) -> None:
        """Do nothing."""


def environment(event: Event) -> dict[str, str]:
    """Give the variables that carry an event."""
    return {
        "HAVPN_AT": event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "HAVPN_NODE": event.node,
        "HAVPN_KIND": event.kind,
        "HAVPN_SUBJECT": event.subject,
        "HAVPN_BEFORE": event.before,
        "HAVPN_AFTER": event.after,
        "HAVPN_SEVERITY": event.severity,
        "HAVPN_DETAIL": event.detail.replace("\0", ""),
        "HAVPN_MESSAGE": str(event).replace("\0", ""),
    }


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
