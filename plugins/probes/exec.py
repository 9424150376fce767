"""``exec``: any program that speaks the exit codes of Nagios plugins."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from havpn_core import CommandTimeout, Context, ProbeType, Sample, hookimpl, run_command

from .._commands import Argv, missing_commands, not_started


class ExecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``exec``."""

    command: Argv
    warning: Annotated[
        Literal["ok", "fail"], msgspec.Meta(description="what exit code 1 (WARNING) counts as")
    ] = "ok"


class Exec:
    """A probe that runs a program each time."""

    def __init__(self, options: ExecOptions, context: Context) -> None:
        self._options = options
        self._context = context

    async def check(self, timeout_s: float) -> Sample:
        """Run the program; its whole process group is killed at the deadline."""
        began = self._context.clock()
        environment = {
            "HAVPN_INSTANCE": self._context.instance,
            "HAVPN_NODE": self._context.node,
            "HAVPN_TIMEOUT": f"{timeout_s:g}",
        }
        argv = self._options.command
        try:
            ended = await run_command(argv, timeout_s, env=environment, private=argv[1:])
        except CommandTimeout as problem:
            return Sample.fail(str(problem))
        except OSError as problem:
            return Sample.error(not_started(argv, problem))
        detail = ended.shown(ended.output.strip().partition("\n")[0])[:200]
        good = {0, 1} if self._options.warning == "ok" else {0}
        if ended.status in good:
            return Sample.ok(self._context.clock() - began, detail)
        if ended.status in (1, 2):
            return Sample.fail(detail or f"exit code {ended.status}")
        return Sample.error(detail or ended.said or f"exit code {ended.status}")

    def close(self) -> None:
        """Do nothing; no program outlives its probe's deadline."""


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType(
        "exec",
        "Any program with Nagios exit codes",
        ExecOptions,
        Exec,
        missing=lambda options: missing_commands(options.command),
    )
