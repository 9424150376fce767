"""``heartbeat``: hand the shared address over through Linux-HA heartbeat 3.

Two modes. ``stop-start`` is the published way: a gateway that gives up stops its heartbeat, and
its partner takes the resources over at once. ``standby-takeover`` keeps heartbeat running and
moves the resources with ``hb_standby`` and ``hb_takeover``, so that the nodes go on seeing each
other. Heartbeat's own tools set traps; where one is avoided, a comment says which. Times in the
comments were measured on heartbeat 3.0.6 with ``keepalive 200ms`` and ``initdead 3``.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from havpn_core import ActionError, ActionType, Context, Role, hookimpl

from ._attempts import attempt, failure
from ._heartbeat import LOOK_S, POLL_S, Heartbeat, few_files
from ._linux_ha import HeartbeatOptions, auto_failback, missing, tool

AGAIN_S = 3.0
"""When a request that changed nothing is repeated; one that is taken up shows within 0.5 s."""


class StopStart(Heartbeat):
    """A gateway stands by exactly while its heartbeat is stopped."""

    def __init__(self, options: HeartbeatOptions, context: Context) -> None:
        super().__init__(options, context)
        # The daemon that was stopped. That cannot be taken back, and while it winds down
        # `heartbeat start` succeeds and does nothing.
        self._ending: int | None = None

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Start or stop heartbeat; see :class:`havpn_core.Action`.

        :raises ActionError: if it did not stop or start within ``timeout_s`` seconds.
        """
        deadline = self.context.clock() + timeout_s
        pid = await self.pid(timeout_s)
        if pid is not None and (role is Role.STANDBY or pid == self._ending):
            await self._stop(pid, deadline)
            pid = None
        if role is Role.ACTIVE and pid is None:
            await self.start(deadline)

    async def observe(self) -> Role | None:
        """Look whether heartbeat runs; running, it holds the address or lets it be held.

        One on its way out is neither: what it holds at that moment is not known.
        """
        try:
            pid = await self.pid()
        except ActionError as problem:
            self.context.logger.warning("%s: %s", self.context.instance, problem)
            return None
        if pid is None:
            self._ending = None  # its number may be given to another process
            return Role.STANDBY
        return None if pid == self._ending else Role.ACTIVE

    async def _stop(self, pid: int, deadline: float) -> None:
        """Stop heartbeat and wait until it is gone: 3 s, more while it starts or changes hands.

        The command itself polls for ever until the process is gone. Killed at the deadline, it
        leaves the daemon to its end; the same command then waits for that end.
        """
        self._ending = pid
        left = self.left(deadline, "stopping heartbeat")
        try:
            await self.control("stop", left)
        except ActionError as problem:
            raise ActionError(f"heartbeat is not stopped yet: {problem}") from None
        if await self.pid(LOOK_S) == pid:
            raise ActionError(
                "the command that stops heartbeat succeeded but heartbeat still runs: "
                f"is {self.options.config_dir}/ha.cf there?"
            )


ROLES = {"all": Role.ACTIVE, "local": Role.ACTIVE, "none": Role.STANDBY}
RESTING = (*ROLES, "foreign")


class StandbyTakeover(Heartbeat):
    """A gateway stands by while heartbeat is responsible for no resource here.

    ``cl_status rscstatus`` names the groups a node is responsible for, also where they are empty:
    the gateway that haresources does not prefer shows ``local`` in normal operation and ``none``
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
        deadline = self.context.clock() + timeout_s
        if await self.pid(timeout_s) is None:
            if role is Role.STANDBY:
                return  # a stopped heartbeat holds nothing
            await self.start(deadline)
        command, what = ("hb_takeover", "local") if role is Role.ACTIVE else ("hb_standby", "all")
        requested: float | None = None
        while True:
            left = self.left(deadline, f"waiting for {command} {what} to take effect")
            holding = await self._holding(left)
            if ROLES.get(holding) is role:
                return
            now = self.context.clock()
            # Heartbeat ignores a request while the other side is in flux, and its status says
            # nothing: look, and request it again.
            if holding in RESTING and (requested is None or now >= requested + AGAIN_S):
                if role is Role.STANDBY:
                    await self._check_partner(holding, deadline)
                await self._request(command, what, deadline)
                requested = self.context.clock()
            await asyncio.sleep(POLL_S)

    async def observe(self) -> Role | None:
        """Query which resources this node is responsible for; see the class."""
        try:
            holding = await self._holding(LOOK_S)
            if not holding and await self.pid() is None:
                return Role.STANDBY
        except ActionError as problem:
            self.context.logger.warning("%s: %s", self.context.instance, problem)
            return None
        return ROLES.get(holding)

    async def _holding(self, timeout_s: float) -> str:
        """Give the reply of ``cl_status rscstatus``, empty if there is none."""
        ended = await self.query("rscstatus", timeout_s=timeout_s)
        return "" if ended.status else ended.output.strip()

    async def _check_partner(self, holding: str, deadline: float) -> None:
        """See that giving up would help anybody.

        A dead partner takes nothing: heartbeat waits 10 s for its reply and then keeps all. A
        partner that stood by for its own dead line takes everything back when this node stands
        by too, and the address would go to and fro. It is known by its absence: with
        auto_failback on, ``all`` beside a living partner means that the partner stood by.

        :raises ActionError: if nobody is there to take over.
        """
        left = self.left(deadline, "looking for the partner")
        names = (await self.query("listnodes", "-n", timeout_s=left)).output.split()
        partners = [name for name in names if name.lower() != os.uname().nodename.lower()]
        states = [
            (await self.query("nodestatus", name, timeout_s=left)).output.strip()
            for name in partners
        ]
        if "active" not in states:
            raise ActionError("the partner's heartbeat is not active: nobody could take over")
        if holding == "all" and auto_failback(self.options) == "on":
            raise ActionError(
                "the partner stands by itself and would take the address in spite of that; it "
                "stays here until the partner is active again or heartbeat is stopped here"
            )

    async def _request(self, command: str, what: str, deadline: float) -> None:
        # The tools append to a FIFO: without a reader they hang, without a FIFO they leave a
        # plain file in its place, and succeed. The daemon was seen to run; look for the FIFO.
        if not Path(self.options.fifo).is_fifo():
            raise ActionError(f"{self.options.fifo} is no FIFO: restart heartbeat, it makes one")
        argv = few_files(tool(self.options, command), what)
        ended = await attempt(argv, min(self.left(deadline, f"running {command}"), LOOK_S))
        if ended.status != 0:
            raise ActionError(failure(f"{command} {what}", ended))


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
        needs=frozenset({"CAP_KILL"}),  # the daemon to stop is root's
        missing=missing,
    )
