"""The probe ``exec``: a command that exits as a Nagios plugin does."""

import shutil
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from havpn_core import CommandTimeout, Context, ProbeType, Sample, hookimpl, run_command

DETAIL_LIMIT = 200
"""Characters of the command's first line that are kept."""


class ExecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``exec``."""

    command: Annotated[
        list[str],
        msgspec.Meta(min_length=1, description="the command and its arguments; no shell reads it"),
    ]
    warning: Annotated[
        Literal["ok", "fail"],
        msgspec.Meta(description="what exit status 1 (Nagios: warning) counts as"),
    ] = "ok"


class Exec:
    """Runs a command; its exit status is the sample.

    0 is OK, 1 what ``warning`` says, 2 FAIL; 3 and anything else, a signal included, is ERROR,
    as the command then could not tell. The command finds its instance's name in HAVPN_INSTANCE
    and its deadline in seconds in HAVPN_TIMEOUT.
    """

    def __init__(self, options: ExecOptions, context: Context) -> None:
        self._command = options.command
        self._instance = context.instance
        self._samples = {
            0: lambda said: Sample.ok(None, said),
            1: Sample.fail if options.warning == "fail" else lambda said: Sample.ok(None, said),
            2: Sample.fail,
        }

    async def check(self, timeout_s: float) -> Sample:
        """Run it once; at the deadline its whole process group is killed, which is a FAIL."""
        env = {"HAVPN_INSTANCE": self._instance, "HAVPN_TIMEOUT": f"{timeout_s:g}"}
        try:
            finished = await run_command(self._command, timeout_s, env=env)
        except CommandTimeout as error:
            return Sample.fail(str(error))
        except OSError as error:
            return Sample.error(f"cannot run {self._command[0]}: {error.strerror or error}")
        said = _first_line(finished.output)
        judge = self._samples.get(finished.status)
        if judge is not None:
            return judge(said)
        return Sample.error(said or _ending(finished.status, finished.said))

    async def close(self) -> None:
        """Nothing outlives a check."""


def _first_line(output: str) -> str:
    # What follows a bar is performance data, for graphs and not for people.
    line = output.lstrip().partition("\n")[0].partition("|")[0]
    return line.strip()[:DETAIL_LIMIT]


def _ending(status: int, complaint: str) -> str:
    how = f"ended by signal {-status}" if status < 0 else f"exit status {status}"
    return f"{how}: {complaint[:DETAIL_LIMIT]}" if complaint else how


def _missing(options: ExecOptions) -> list[str]:
    name = options.command[0]
    return [] if shutil.which(name) else [f"command {name} is missing, or not executable"]


@hookimpl
def havpn_register_probes() -> Iterator[ProbeType]:
    """Supply ``exec``."""
    yield ProbeType("exec", "Runs a Nagios-like command", ExecOptions, Exec, missing=_missing)
