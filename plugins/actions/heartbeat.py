"""``heartbeat``: hand the shared address over through Linux-HA heartbeat 3.

Two modes. ``stop-start`` is the published way: a gateway that gives up stops its heartbeat, and
its partner takes the resources over at once. ``standby-takeover`` keeps heartbeat running and
moves the resources with ``hb_standby`` and ``hb_takeover``, so that the nodes go on seeing each
other. Heartbeat's own tools set traps; where one is avoided, a comment says which.
"""

import asyncio
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from havpn_core import ActionError, ActionType, Context, Finished, Role, hookimpl

from ._commands import attempt, carry_out

DAEMON = ("/usr/libexec/heartbeat/heartbeat", "/usr/lib/heartbeat/heartbeat")
TOOLS = ("/usr/share/heartbeat", "/usr/lib/heartbeat", "/usr/libexec/heartbeat")
LOOK_S = 5.0
POLL_S = 0.3

# At its start heartbeat closes every descriptor up to the limit; with a container's limit of a
# thousand million that takes a quarter of an hour.
FEW_FILES = ("/bin/sh", "-c", 'ulimit -n 1024; exec "$@"', "havpn")


class HeartbeatOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``heartbeat``.

    :param control: how heartbeat is started and stopped; ``auto`` takes systemd where it runs.
    """

    mode: Literal["stop-start", "standby-takeover"] = "stop-start"
    control: Literal["auto", "init", "systemd"] = "auto"
    init_script: str = "/etc/init.d/heartbeat"
    daemon: Annotated[str | None, msgspec.Meta(description="heartbeat's own program")] = None
    cl_status: str = "cl_status"
    tools: Annotated[str | None, msgspec.Meta(description="folder of hb_standby")] = None
    config_dir: str = "/etc/ha.d"


class Heartbeat:
    """What both modes share: whether heartbeat runs, and how to start it."""

    def __init__(self, options: HeartbeatOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._daemon = options.daemon or _first(DAEMON, "")
        self._tools = options.tools or _first(TOOLS, "hb_standby")

    def close(self) -> None:
        """Do nothing; the role stays."""

    async def running(self) -> bool | None:
        """Say whether the daemon runs.

        ``heartbeat -s`` answers with LSB's 0 or 3. The init script is no witness: without a
        configuration it says "running".
        """
        try:
            ended = await self._run([self._daemon, "-s"], LOOK_S)
        except ActionError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, problem)
            return None
        return {0: True, 3: False}.get(ended.status)

    async def control(self, verb: str, timeout_s: float) -> None:
        """Start or stop the daemon.

        ``stop`` polls for ever until the process is gone; the deadline is ours alone.
        """
        systemd = self._options.control == "systemd" or (
            self._options.control == "auto" and Path("/run/systemd/system").exists()
        )
        argv = ["systemctl", verb, "heartbeat"] if systemd else [self._options.init_script, verb]
        await carry_out([*FEW_FILES, *argv], timeout_s)

    async def _run(self, argv: Sequence[str], timeout_s: float) -> Finished:
        return await attempt([*FEW_FILES, *argv], timeout_s)


class StopStart(Heartbeat):
    """A gateway stands by exactly while its heartbeat is stopped."""

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Start or stop heartbeat; see :class:`havpn_core.Action`."""
        running = await self.running()
        if running is (role is Role.ACTIVE):
            return
        deadline = self._context.clock() + timeout_s
        await self.control("start" if role is Role.ACTIVE else "stop", timeout_s)
        # Status 0 of start means only that the configuration was read; see that it lives.
        while await self.running() is not (role is Role.ACTIVE):
            if self._context.clock() + POLL_S > deadline:
                raise ActionError(f"heartbeat is not {role.value} although it said so")
            await asyncio.sleep(POLL_S)

    async def observe(self) -> Role | None:
        """Look whether heartbeat runs; running, it holds the address or lets it be held."""
        running = await self.running()
        return None if running is None else Role.ACTIVE if running else Role.STANDBY


class StandbyTakeover(Heartbeat):
    """A gateway stands by while it has handed its own resources to its partner."""

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Move the resources and wait until they have moved."""
        deadline = self._context.clock() + timeout_s
        # Without a daemon hb_standby hangs on a FIFO without reader, or leaves a plain file in
        # its place; so heartbeat must be seen to run first.
        if not await self.running():
            if role is Role.STANDBY:
                return  # a stopped heartbeat holds nothing
            await self.control("start", timeout_s)
        command, argument = ("hb_standby", "all")
        if role is Role.ACTIVE:
            command, argument = ("hb_takeover", "local")
        while await self.observe() is not role:
            left = deadline - self._context.clock()
            if left <= POLL_S:
                raise ActionError(f"{command} {argument} moved nothing within {timeout_s:g} s")
            # Its status says nothing, and it is ignored while the other side is in flux: ask,
            # look for a while, ask again.
            await self._run([f"{self._tools}/{command}", argument], min(left, LOOK_S))
            await self._settle(role, min(deadline, self._context.clock() + LOOK_S))

    async def observe(self) -> Role | None:
        """Ask which resources this node holds.

        ``local`` and ``all`` include this node's own: active. ``foreign`` and ``none``: its own
        are with the partner. A node that owns none in haresources shows ``local`` or ``none``
        for an empty set, so that it cannot be told to stand by; use stop-start there.
        """
        try:
            ended = await attempt([self._options.cl_status, "rscstatus"], LOOK_S)
        except ActionError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, problem)
            return None
        if ended.status != 0:
            return Role.STANDBY if await self.running() is False else None
        roles = {"all": Role.ACTIVE, "local": Role.ACTIVE}
        roles |= {"foreign": Role.STANDBY, "none": Role.STANDBY}
        return roles.get(ended.output.strip())

    async def _settle(self, role: Role, until_s: float) -> None:
        while self._context.clock() < until_s and await self.observe() is not role:
            await asyncio.sleep(POLL_S)


def build(options: HeartbeatOptions, context: Context) -> Heartbeat:
    """Make the action for the mode."""
    kind = StopStart if options.mode == "stop-start" else StandbyTakeover
    return kind(options, context)


def missing(options: HeartbeatOptions) -> list[str]:
    """Say what heartbeat lacks on this host."""
    folder = Path(options.config_dir)
    problems = [
        f"{folder / name} is not there: configure heartbeat"
        for name in ("ha.cf", "haresources", "authkeys")
        if not (folder / name).exists()
    ]
    keys = folder / "authkeys"
    if keys.exists() and keys.stat().st_mode & 0o077:
        problems.append(f"{keys} must have mode 600, or heartbeat refuses to start")
    if not Path(options.daemon or _first(DAEMON, "")).exists():
        problems.append("heartbeat's daemon is not there: install the package heartbeat")
    if options.mode == "standby-takeover":
        if not shutil.which(options.cl_status):
            problems.append(f"command {options.cl_status} is not there")
        if (folder / "ha.cf").exists() and _auto_failback(folder / "ha.cf") == "legacy":
            problems.append(
                f"{folder / 'ha.cf'}: auto_failback legacy (the default) makes heartbeat ignore "
                "hb_standby: write auto_failback on"
            )
    return problems


def _auto_failback(file: Path) -> str:
    words = [line.split() for line in file.read_text(errors="replace").splitlines()]
    values = [line[1] for line in words if len(line) > 1 and line[0] == "auto_failback"]
    return values[-1] if values else "legacy"


def _first(folders: Sequence[str], name: str) -> str:
    """Give the first of several places that exists, else the first, for the message."""
    return next((folder for folder in folders if (Path(folder) / name).exists()), folders[0])


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    """Give the type."""
    yield ActionType("heartbeat", "Linux-HA heartbeat 3", HeartbeatOptions, build, missing=missing)
