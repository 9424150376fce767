"""``heartbeat``: hand the shared address over through Linux-HA heartbeat 3.

Two modes. ``stop-start`` is the published way: a gateway that gives up stops its heartbeat, and
its partner takes the resources over at once. ``standby-takeover`` keeps heartbeat running and
moves the resources with ``hb_standby`` and ``hb_takeover``, so that the nodes go on seeing each
other. Heartbeat's own tools set traps; where one is avoided, a comment says which. Times in the
comments were measured on heartbeat 3.0.6 with ``keepalive 200ms`` and ``initdead 3``.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import psutil

from havpn_core import ActionError, ActionType, Context, Role, hookimpl

from ._attempts import attempt, failure
from ._heartbeat import LOOK_S, POLL_S, Heartbeat, few_files
from ._heartbeat_partner import Seeing
from ._linux_ha import HeartbeatOptions, auto_failback, missing, shared_addresses, tool

AGAIN_S = 3.0
"""When a request that changed nothing is repeated; one that is taken up shows within 0.5 s."""
REST_S = 4.0
"""How long the end of one that stops is waited for when the daemon ends."""
GIVEN_S = 0.05
"""From one look at the addresses of a heartbeat that stops to the next."""


class StopStart(Seeing):
    """A gateway stands by exactly while its heartbeat is stopped.

    One that stops gives its addresses up within half a second and needs 3 s for the rest. It
    stands by as soon as it has given up those that it had, so that the far site, which sees
    it, follows then.
    """

    def __init__(self, options: HeartbeatOptions, context: Context) -> None:
        super().__init__(options, context)
        # The daemon that was stopped. That cannot be taken back, and while it winds down
        # `heartbeat start` succeeds and does nothing.
        self._ending: int | None = None
        self._had: frozenset[str] = frozenset()
        self._rest: asyncio.Task[None] | None = None

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Start or stop heartbeat; see :class:`havpn_core.Action`.

        :raises ActionError: if it did not stop or start within ``timeout_s`` seconds.
        """
        deadline = self.context.clock() + timeout_s
        pid = await self.pid(timeout_s)
        if pid is not None and (role is Role.STANDBY or pid == self._ending):
            await self._stop(pid, deadline, wholly=role is Role.ACTIVE)
            pid = None
        if role is Role.ACTIVE and pid is None:
            await self.start(deadline)

    async def observe(self) -> Role | None:
        """Look whether heartbeat runs; running, it holds the address or lets it be held.

        One on its way out is neither, until it has given up what it held.
        """
        try:
            pid = await self.pid()
        except ActionError as problem:
            self.context.logger.warning("%s: %s", self.context.instance, problem)
            return None
        if pid is None:
            self._ending = None  # its number may be given to another process
            return Role.STANDBY
        if pid == self._ending:
            return Role.STANDBY if self._gave_up() else None
        return Role.ACTIVE

    async def close(self) -> None:
        """Wait for the end of a heartbeat that stops, so that the next run sees none.

        Where that takes long it goes on stopping by itself.
        """
        if self._rest is not None:
            await asyncio.wait({self._rest}, timeout=REST_S)
            self._rest.cancel()

    async def _stop(self, pid: int, deadline: float, *, wholly: bool) -> None:
        """Stop heartbeat and wait until it holds nothing, or is gone.

        Gone it is after 3 s, after more while it starts or changes hands. The command itself
        polls without end until then. Killed at the deadline, it leaves the daemon to its end; the
        same command then waits for that end.

        :param wholly: wait until it is gone.
        """
        left = self.left(deadline, "stopping heartbeat")
        if pid != self._ending:
            self._ending, self._had = pid, self._addresses()
        if self._rest is None or self._rest.done():
            self._rest = asyncio.create_task(self._end(pid, left))
        rest = self._rest
        try:
            while not rest.done() and (wholly or not self._gave_up()):
                left = deadline - self.context.clock()
                if left <= 0:
                    rest.cancel()
                    raise ActionError("heartbeat is not stopped yet: no time left")
                await asyncio.wait({rest}, timeout=min(GIVEN_S, left))
        except asyncio.CancelledError:
            rest.cancel()
            raise
        if rest.done():
            rest.result()
        else:
            rest.add_done_callback(self._note)

    async def _end(self, pid: int, timeout_s: float) -> None:
        try:
            await self.control("stop", timeout_s)
        except ActionError as problem:
            raise ActionError(f"heartbeat is not stopped yet: {problem}") from None
        if await self.pid(LOOK_S) == pid:
            raise ActionError(
                "the command that stops heartbeat succeeded but heartbeat still runs: "
                f"is {self.options.config_dir}/ha.cf there?"
            )

    def _note(self, rest: "asyncio.Task[None]") -> None:
        """Report a stop that went wrong when all addresses were given up already."""
        if not rest.cancelled() and rest.exception() is not None:
            self.context.logger.warning("%s: %s", self.context.instance, rest.exception())

    def _gave_up(self) -> bool:
        """Whether it had addresses when it was stopped, and has none of them any more."""
        return bool(self._had) and not self._had & self._addresses()

    def _addresses(self) -> frozenset[str]:
        """Give the addresses of haresources that are on this host now."""
        own = (entry.address for each in psutil.net_if_addrs().values() for entry in each)
        return shared_addresses(self.options) & frozenset(own)


ROLES = {"all": Role.ACTIVE, "local": Role.ACTIVE, "none": Role.STANDBY}
RESTING = (*ROLES, "foreign")


class StandbyTakeover(Seeing):
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
            holding = await self.holding(left)
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
            holding = await self.holding(LOOK_S)
            if not holding and await self.pid() is None:
                return Role.STANDBY
        except ActionError as problem:
            self.context.logger.warning("%s: %s", self.context.instance, problem)
            return None
        return ROLES.get(holding)

    async def _check_partner(self, holding: str, deadline: float) -> None:
        """See that giving up would help anybody.

        A dead partner takes nothing: heartbeat waits 10 s for its reply and then keeps all. A
        partner that stood by for its own dead line takes everything back when this node stands
        by too, and the address would go back and forth. It is known by its absence: with
        auto_failback on, ``all`` beside a living partner means that the partner stood by.

        :raises ActionError: if nobody is there to take over.
        """
        if "active" not in await self.partner_states(deadline):
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
