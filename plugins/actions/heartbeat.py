"""``heartbeat``: hand the shared address over through Linux-HA heartbeat 3.

Two modes. ``stop-start`` is the published way: a gateway that gives up stops its heartbeat, and
its partner takes the resources over at once. ``standby-takeover`` keeps heartbeat running and
moves the resources with ``hb_standby`` and ``hb_takeover``, so that the nodes go on seeing each
other. Heartbeat's own tools set traps; where one is avoided, a comment says which. Times in the
comments were measured on heartbeat 3.0.6 with ``keepalive 200ms`` and ``initdead 3``.
"""

import asyncio
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from havpn_core import ActionError, ActionType, Context, Finished, Role, hookimpl

from ._commands import attempt, carry_out
from ._linux_ha import (
    HeartbeatOptions,
    auto_failback,
    daemon_program,
    missing,
    tool,
    uses_systemd,
)

LOOK_S = 5.0
POLL_S = 0.25
SETTLE_S = 10.0
"""How long a started heartbeat is watched before it is believed to stay."""
VANISH_S = 3.0
"""How long after a start it may not be seen: systemd returns before the pid file is written."""
AGAIN_S = 3.0
"""When a request that changed nothing is repeated; one that is heard shows within 0.5 s."""

# At its start heartbeat closes every descriptor up to the limit; with a container's limit of a
# thousand million that takes a quarter of an hour.
FEW_FILES = ("/bin/sh", "-c", 'ulimit -S -n 1024 2>/dev/null; exec "$@"', "havpn")
PID = re.compile(r"\[pid (\d+)")


class Heartbeat:
    """What both modes share: whether heartbeat runs, and how to start it."""

    def __init__(self, options: HeartbeatOptions, context: Context) -> None:
        self._options = options
        self._context = context

    async def close(self) -> None:
        """Do nothing; the role stays."""

    async def _pid(self, timeout_s: float = LOOK_S) -> int | None:
        """Give the daemon's pid, ``None`` if it does not run.

        ``heartbeat -s`` answers with LSB's 0, 1 (dead, its pid file is left) or 3. The init
        script is no witness: without a configuration it always succeeds.

        :raises ActionError: if it cannot be told.
        """
        program = daemon_program(self._options)
        ended = await attempt([*FEW_FILES, program, "-s"], min(timeout_s, LOOK_S))
        if ended.status in (1, 3):
            return None
        found = PID.search(ended.output)
        if ended.status or not found:
            said = f": {ended.said}" if ended.said else ""
            raise ActionError(f"{program} -s does not say whether heartbeat runs{said}")
        return int(found[1])

    async def _control(self, verb: str, timeout_s: float) -> None:
        systemd = uses_systemd(self._options)
        argv = ["systemctl", verb, "heartbeat"] if systemd else [self._options.init_script, verb]
        await carry_out([*FEW_FILES, *argv], timeout_s)

    async def _ask(self, *question: str, timeout_s: float = LOOK_S) -> Finished:
        return await attempt([self._options.cl_status, *question], min(timeout_s, LOOK_S))

    def _left(self, deadline: float, doing: str) -> float:
        """Give the seconds to the deadline.

        :raises ActionError: if there are none.
        """
        left = deadline - self._context.clock()
        if left <= 0:
            raise ActionError(f"no time left while {doing}")
        return left

    async def _start(self, deadline: float) -> None:
        """Start heartbeat and watch that it stays.

        Status 0 of a start means no more than that the configuration was read (or that there
        is none). A daemon that answers ``cl_status`` has opened its media. Without its partner
        it does so only after ``initdead``, often two minutes; it counts as started before.

        :raises ActionError: if it does not run or has ended again.
        """
        await self._control("start", self._left(deadline, "starting heartbeat"))
        began = self._context.clock()
        until = min(began + SETTLE_S, deadline - POLL_S)
        while True:
            pid = await self._pid()
            now = self._context.clock()
            if pid is None and now >= min(began + VANISH_S, until):
                raise ActionError("heartbeat was started but does not run; its log says why")
            if pid is not None and (await self._ask("hbstatus")).status == 0:
                return
            if now >= until:
                self._context.logger.info("heartbeat runs and waits for its partner or initdead")
                return
            await asyncio.sleep(POLL_S)


class StopStart(Heartbeat):
    """A gateway stands by exactly while its heartbeat is stopped."""

    def __init__(self, options: HeartbeatOptions, context: Context) -> None:
        super().__init__(options, context)
        # The daemon that was told to stop. It cannot be talked out of it, and while it winds
        # down `heartbeat start` succeeds and does nothing.
        self._ending: int | None = None

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Start or stop heartbeat; see :class:`havpn_core.Action`.

        :raises ActionError: if it did not stop or start within ``timeout_s`` seconds.
        """
        deadline = self._context.clock() + timeout_s
        pid = await self._pid(timeout_s)
        if pid is not None and (role is Role.STANDBY or pid == self._ending):
            await self._stop(pid, deadline)
            pid = None
        if role is Role.ACTIVE and pid is None:
            await self._start(deadline)

    async def observe(self) -> Role | None:
        """Look whether heartbeat runs; running, it holds the address or lets it be held.

        One on its way out is neither: what it holds at that moment cannot be told.
        """
        try:
            pid = await self._pid()
        except ActionError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, problem)
            return None
        if pid is None:
            return Role.STANDBY
        return None if pid == self._ending else Role.ACTIVE

    async def _stop(self, pid: int, deadline: float) -> None:
        """Stop heartbeat and wait until it is gone: 3 s, more while it starts or changes hands.

        The command itself polls for ever until the process is gone. Killed at the deadline, it
        leaves the daemon to its end; the same command then waits for that end.
        """
        self._ending = pid
        left = self._left(deadline, "stopping heartbeat")
        try:
            await self._control("stop", left)
        except ActionError as problem:
            raise ActionError(f"heartbeat is not stopped yet: {problem}") from None
        if await self._pid(LOOK_S) == pid:
            raise ActionError(
                "the command that stops heartbeat succeeded but heartbeat still runs: "
                f"is {self._options.config_dir}/ha.cf there?"
            )


ROLES = {"all": Role.ACTIVE, "local": Role.ACTIVE, "none": Role.STANDBY}
RESTING = (*ROLES, "foreign")


class StandbyTakeover(Heartbeat):
    """A gateway stands by while heartbeat is responsible for no resource here.

    ``cl_status rscstatus`` names the groups a node answers for, be they ever so empty: the
    gateway that haresources does not prefer shows ``local`` in normal operation and ``none``
    after ``hb_standby``. So ``local`` is active on both gateways, whoever has the address;
    ``all`` is active and ``none`` standby. ``foreign`` (``hb_standby local`` by hand: its own
    given up, its partner's kept) and ``transition`` are neither.

    To become active a gateway takes back its own groups (``hb_takeover local``). With ``all``
    a backup gateway whose line recovers would rob its healthy partner.
    """

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Move the resources and wait until heartbeat says that they have moved.

        :raises ActionError: if they have not within ``timeout_s`` seconds, or if the partner
            could not take them.
        """
        deadline = self._context.clock() + timeout_s
        if await self._pid(timeout_s) is None:
            if role is Role.STANDBY:
                return  # a stopped heartbeat holds nothing
            await self._start(deadline)
        command, what = ("hb_takeover", "local") if role is Role.ACTIVE else ("hb_standby", "all")
        asked: float | None = None
        while True:
            left = self._left(deadline, f"waiting for {command} {what} to take effect")
            holding = await self._holding(left)
            if ROLES.get(holding) is role:
                return
            now = self._context.clock()
            # Heartbeat ignores a request while the other side is in flux, and its status says
            # nothing: look, and ask again.
            if holding in RESTING and (asked is None or now >= asked + AGAIN_S):
                if role is Role.STANDBY:
                    await self._check_partner(holding, deadline)
                await self._request(command, what, deadline)
                asked = self._context.clock()
            await asyncio.sleep(POLL_S)

    async def observe(self) -> Role | None:
        """Ask which resources this node answers for; see the class."""
        try:
            holding = await self._holding(LOOK_S)
            if not holding and await self._pid() is None:
                return Role.STANDBY
        except ActionError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, problem)
            return None
        return ROLES.get(holding)

    async def _holding(self, timeout_s: float) -> str:
        """Give the answer of ``cl_status rscstatus``, empty if there is none."""
        ended = await self._ask("rscstatus", timeout_s=timeout_s)
        return "" if ended.status else ended.output.strip()

    async def _check_partner(self, holding: str, deadline: float) -> None:
        """See that giving up would help anybody.

        A dead partner takes nothing: heartbeat waits 10 s for its answer and then keeps all. A
        partner that stood by for its own dead line takes everything back when this node stands
        by too, and the address would go to and fro. It is known by its absence: with
        auto_failback on, ``all`` beside a living partner means that the partner stood by.

        :raises ActionError: if nobody is there to take over.
        """
        left = self._left(deadline, "looking for the partner")
        names = (await self._ask("listnodes", "-n", timeout_s=left)).output.split()
        partners = [name for name in names if name.lower() != os.uname().nodename.lower()]
        states = [
            (await self._ask("nodestatus", name, timeout_s=left)).output.strip()
            for name in partners
        ]
        if "active" not in states:
            raise ActionError("the partner's heartbeat is not active: nobody could take over")
        if holding == "all" and auto_failback(self._options) == "on":
            raise ActionError(
                "the partner stands by itself and would take the address in spite of that; it "
                "stays here until the partner is active again or heartbeat is stopped here"
            )

    async def _request(self, command: str, what: str, deadline: float) -> None:
        # The tools append to a FIFO: without a reader they hang, without a FIFO they leave a
        # plain file in its place, and succeed. The daemon was seen to run; look for the FIFO.
        if not Path(self._options.fifo).is_fifo():
            raise ActionError(f"{self._options.fifo} is no FIFO: restart heartbeat, it makes one")
        argv: Sequence[str] = [*FEW_FILES, tool(self._options, command), what]
        await carry_out(argv, min(self._left(deadline, f"asking with {command}"), LOOK_S))


def build(options: HeartbeatOptions, context: Context) -> Heartbeat:
    """Make the action for the mode."""
    kind = StopStart if options.mode == "stop-start" else StandbyTakeover
    return kind(options, context)


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    """Give the type."""
    yield ActionType(
        "heartbeat",
        "Linux-HA heartbeat 3",
        HeartbeatOptions,
        build,
        needs=frozenset({"CAP_KILL", "CAP_DAC_OVERRIDE"}),  # its daemon and its FIFO are root's
        missing=missing,
    )
