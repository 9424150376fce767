"""Run one command, or one call of a plugin, under a deadline that holds."""

import contextlib
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from havpn_core.errors import CommandTimeout
from havpn_core.plugging.redact import program_of, redacted

if TYPE_CHECKING:
    from asyncio.subprocess import Process

OUTPUT_LIMIT = 64 * 1024
"""Bytes of a command's output that are kept."""
LINE_LIMIT, SAID_LIMIT = 4096, 500
"""Characters of a line that are looked at, and that are shown."""

SERVICE_VARIABLES = frozenset(
    {
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
        "LISTEN_PID",
        "LISTEN_PIDFDID",
        # There where the resource agent starts the daemon; attrd_updater -A names that node alone.
        "OCF_RESKEY_CRM_meta_on_node",
    }
)
"""Variables by which systemd or Pacemaker addresses one process: a child that accepts them speaks
for us."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended by itself.

    :param status: its exit status; negative if a signal ended it, as in :mod:`subprocess`.
    :param output: the first 64 KiB of standard output, decoded leniently.
    :param complaint: the same of standard error.
    :param private: texts that must not be shown: what stood on its command line.
    """

    status: int
    output: str = field(repr=False)
    complaint: str = field(repr=False)
    private: tuple[str, ...] = field(default=(), repr=False)

    @property
    def said(self) -> str:
        """The last line of what it complained of, or else of what it printed, to be shown."""
        lines = (self.complaint.strip() or self.output.strip()).splitlines()
        return self.shown(lines[-1]) if lines else ""

    def shown(self, line: str) -> str:
        """Give a line of the output as the log, the history and the status may have it.

        :returns: up to 500 characters, with ``***`` in place of what stood on the command line.
        """
        return redacted(line.strip()[:LINE_LIMIT], self.private)[:SAID_LIMIT]


async def run_command(
    argv: Sequence[str],
    timeout_s: float,
    *,
    env: Mapping[str, str] | None = None,
    private: Iterable[str] | None = None,
) -> Finished:
    """Run a command in a session of its own, with no standard input.

    Its output is read while it runs and kept up to the limit. A daemon that the command leaves
    behind (heartbeat does) keeps the output open; nothing waits for that daemon. What the service
    manager set for this process alone (:data:`SERVICE_VARIABLES`) the command does not get.

    :param timeout_s: seconds after which the whole process group gets SIGKILL. Cancelling the
        call does the same.
    :param env: variables to set on top of this process's own.
    :param private: texts that :attr:`Finished.said` must not show; by default all arguments and
        the values of ``env``. Fewer where they are not from the configuration.
    :raises CommandTimeout: if it ran past its deadline.
    :raises OSError: if it could not be started.
    """
    kept_back = (*argv[1:], *(env or {}).values()) if private is None else tuple(private)
    import asyncio  # a third of the start-up time of a command that only lists plugins

    from havpn_core.host.output import Intake

    with Intake(OUTPUT_LIMIT) as out, Intake(OUTPUT_LIMIT) as err:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out.theirs,
            stderr=err.theirs,
            env={**environment(), **(env or {})},
            start_new_session=True,
        )
        status = await _ended(process, program_of(argv), timeout_s)
        return Finished(status, _text(out.finish()), _text(err.finish()), kept_back)


async def _ended(process: "Process", program: str, timeout_s: float) -> int:
    """Give a process's exit status; whatever ends the waiting ends its whole group."""
    import asyncio

    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait()
    except TimeoutError:
        raise CommandTimeout(f"{program} did not end within {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def environment() -> dict[str, str]:
    """Give this process's own variables for a child, but for those that are meant for it alone."""
    return {name: value for name, value in os.environ.items() if name not in SERVICE_VARIABLES}


def _text(content: bytes) -> str:
    return content.decode(errors="replace")
