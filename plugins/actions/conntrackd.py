"""``conntrackd``: hand the connections of a stateful firewall over with the address.

conntrackd keeps what the partner's kernel knows of its connections in an *external cache*. Who
takes the address must write that cache into its own kernel's table before the first packet of
such a connection arrives: the firewall has never seen the SYN of it, and drops it. That is what
:class:`havpn_core.Prepares` is for. All else comes after the address and delays nothing.

What each step is for is in conntrackd(8), and in the script for a primary and a backup that
conntrack-tools brings. Times and traps in the comments were seen with conntrackd 1.4.7.
"""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from havpn_core import ActionError, ActionType, Context, Finished, Role, hookimpl

from .._commands import missing_commands
from ._attempts import attempt, failure

TAKE = (("-f",), ("-R",), ("-B",))
"""After the commit: forget both caches, read the kernel's table, send all of it to the partner.

The commit itself calls off a purge that ``-t`` has scheduled; ``-f`` during a commit is ignored.
"""
GIVE = (("-t",), ("-n",))
"""Purge the kernel's table after ``PurgeTimeout``; have the partner send all that it has."""
COMMIT_S = 60.0
"""How long a commit may take that nobody waits for: 50000 connections take a second."""
SHARE = 0.8
"""The part of the time for preparing in which a commit must end; the rest is for saying so."""
STAMP = re.compile(r"^\[[^]]*\] \(pid=\d+\) \[\w+\] ")
NOT_RUNNING = "can't connect"
COMMENT = re.compile(r"#.*")
SYNC = re.compile(r"^\s*Sync\s*\{", re.MULTILINE)


class ConntrackdOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``conntrackd``."""

    command: Annotated[
        str, msgspec.Meta(min_length=1, description="conntrackd's program, also its client")
    ] = "conntrackd"
    config: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="conntrackd's configuration file (-C), which names its control socket",
        ),
    ] = "/etc/conntrackd/conntrackd.conf"


class Conntrackd:
    """Speaks to a conntrackd that runs; starts and stops none, and owns nothing."""

    def __init__(self, options: ConntrackdOptions, context: Context) -> None:
        self._options = options
        self._clock = context.clock
        self._commit: asyncio.Task[None] | None = None
        self._commit_s: float | None = None

    async def prepare(self, role: Role, timeout_s: float) -> None:
        """Write the partner's connections into this kernel before the address comes.

        A commit that takes longer goes on while the address comes: what is not in the table yet
        loses packets until it is, and TCP sends them again.

        :raises ActionError: if it failed, or is not at its end in ``timeout_s`` seconds.
        """
        if role is not Role.ACTIVE:
            return
        if self._commit is None or self._commit.done():
            self._begin_commit()
        await self._end_of_commit(SHARE * timeout_s, "it goes on beside the address")

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Do what comes after the address; see :class:`havpn_core.Action`.

        Nothing is flushed before a commit has succeeded: what the partner knew would be lost.

        :raises ActionError: if a step failed, or all of it took over ``timeout_s`` seconds.
        """
        deadline = self._clock() + timeout_s
        if role is Role.STANDBY:
            self.close()
            await self._run(GIVE, deadline)
            return
        if self._commit is None:
            self._begin_commit()
        try:
            await self._end_of_commit(timeout_s, "it was given up")
        except ActionError:
            self.close()
            raise
        await self._run(TAKE, deadline)
        self._commit = None

    def observe(self) -> Role | None:
        """Give ``None``: conntrackd does not say, and does not know, which gateway it serves."""
        return None

    def facts(self) -> dict[str, Any]:
        """Say how long the last commit took."""
        return {} if self._commit_s is None else {"commit_ms": round(1000 * self._commit_s, 1)}

    def close(self) -> None:
        """Wait for no commit any more; conntrackd itself brings it to its end."""
        if self._commit is not None:
            self._commit.cancel()
            self._commit = None

    def _begin_commit(self) -> None:
        self._commit = asyncio.create_task(self._commit_all())
        self._commit.add_done_callback(_looked_at)

    async def _commit_all(self) -> None:
        began = self._clock()
        await self._step(("-c",), COMMIT_S)
        self._commit_s = self._clock() - began

    async def _end_of_commit(self, timeout_s: float, otherwise: str) -> None:
        """Wait for the commit, which outlives the wait.

        :raises ActionError: if it failed or takes longer.
        """
        assert self._commit is not None
        done, _ = await asyncio.wait({self._commit}, timeout=timeout_s)
        if not done:
            raise ActionError(
                "conntrackd -c has not committed all connections of the partner within "
                f"{timeout_s:.3g} s: {otherwise}"
            )
        self._commit.result()

    async def _run(self, steps: Iterable[tuple[str, ...]], deadline: float) -> None:
        for step in steps:
            left = deadline - self._clock()
            if left <= 0:
                raise ActionError(f"no time was left for conntrackd {' '.join(step)}")
            await self._step(step, left)

    async def _step(self, step: tuple[str, ...], timeout_s: float) -> None:
        argv = (self._options.command, "-C", self._options.config, *step)
        ended = await attempt(argv, timeout_s)
        if ended.status != 0:
            raise ActionError(self._explained(f"conntrackd {' '.join(step)}", ended))

    def _explained(self, what: str, ended: Finished) -> str:
        if NOT_RUNNING in ended.complaint:
            return (
                f"{what}: conntrackd does not run, or its control socket is not that of "
                f"{self._options.config}, or it is not for this user: start conntrackd with that "
                "file (systemctl start conntrackd), and run havpn as root"
            )
        said = STAMP.sub("", ended.said)
        return failure(what, Finished(ended.status, said, "", ended.private))


def _looked_at(commit: "asyncio.Task[None]") -> None:
    """Take the outcome of a commit, so that asyncio does not complain if nobody else does."""
    if not commit.cancelled():
        commit.exception()


def missing(options: ConntrackdOptions) -> list[str]:
    """Say what conntrackd lacks on this host.

    A file without a ``Sync`` section, as Debian installs it, makes a conntrackd that counts: it
    takes every command, and hands nothing over.
    """
    problems = [
        f"{problem}: install the package conntrackd"
        for problem in missing_commands((options.command,))
    ]
    try:
        text = Path(options.config).read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        return [*problems, f"conntrackd's {options.config}: {problem.strerror or problem}"]
    if not SYNC.search(COMMENT.sub("", text)):
        problems.append(
            f"{options.config} has no section Sync: conntrackd only counts, and hands no "
            "connection over; write one (docs/conntrackd.md)"
        )
    return problems


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    """Give the type."""
    yield ActionType(
        "conntrackd",
        "Hands the connections of a stateful firewall over",
        ConntrackdOptions,
        Conntrackd,
        needs=frozenset({"CAP_DAC_OVERRIDE"}),  # the control socket is root's
        missing=missing,
    )
