"""Run one command, or one call of a plugin, under a deadline that holds."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from havpn_core.errors import CommandTimeout

OUTPUT_LIMIT = 64 * 1024
"""Bytes of a command's output that are kept."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended by itself.

    :param status: its exit status; negative if a signal ended it, as in :mod:`subprocess`.
    :param output: the first 64 KiB of standard output, decoded leniently.
    :param complaint: the same of standard error.
    """

    status: int
    output: str
    complaint: str

    @property
    def said(self) -> str:
        """The last line of what it complained of, or else of what it printed."""
        lines = (self.complaint.strip() or self.output.strip()).splitlines()
        return lines[-1].strip() if lines else ""


async def run_command(
    argv: Sequence[str], timeout_s: float, *, env: Mapping[str, str] | None = None
) -> Finished:
    """Run a command in a session of its own, with no standard input.

    Output goes to memory files, not pipes: a daemon that the command leaves behind (heartbeat
    does) keeps them open, and reading a pipe to its end would wait for that daemon.

    :param timeout_s: seconds after which the whole process group gets SIGKILL. Cancelling the
        call does the same.
    :param env: variables to set on top of this process's own.
    :raises CommandTimeout: if it ran past its deadline.
    :raises OSError: if it could not be started.
    """
    import asyncio  # a third of the start-up time of a command that only lists plugins

    with _memory_file() as out, _memory_file() as err:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_s):
                status = await process.wait()
        except TimeoutError:
            raise CommandTimeout(f"{argv[0]} did not end within {timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return Finished(status, _text(out), _text(err))


@contextlib.contextmanager
def _memory_file() -> Iterator[int]:
    descriptor = os.memfd_create("havpn-output", os.MFD_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(descriptor: int) -> str:
    return os.pread(descriptor, OUTPUT_LIMIT, 0).decode(errors="replace")
