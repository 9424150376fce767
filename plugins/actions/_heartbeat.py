"""What both modes of ``heartbeat`` share: querying the daemon, starting and stopping it."""

import asyncio
import re
import resource

from havpn_core import ActionError, Context, Finished, program_of

from ._attempts import attempt
from ._linux_ha import HeartbeatOptions, daemon_program, uses_systemd

LOOK_S = 5.0
POLL_S = 0.25
SETTLE_S = 10.0
"""How long a started heartbeat is watched before it is believed to stay."""
VANISH_S = 3.0
"""How long after a start it may not be seen: systemd returns before the pid file is written."""

FILES = 1024
PID = re.compile(r"\[pid (\d+)")


def few_files(*argv: str) -> list[str]:
    """Give a command line that runs with few possible files.

    Heartbeat's programs close every descriptor up to the limit at their start; with a
    container's limit of a thousand million that takes a quarter of an hour.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft <= FILES:
        return list(argv)
    return ["prlimit", f"--nofile={FILES}:", *argv]


class Heartbeat:
    """What both modes share: whether heartbeat runs, and how to start it."""

    def __init__(self, options: HeartbeatOptions, context: Context) -> None:
        self.options = options
        self.context = context

    async def close(self) -> None:
        """Do nothing; the role stays."""

    async def pid(self, timeout_s: float = LOOK_S) -> int | None:
        """Give the daemon's pid, ``None`` if it does not run.

        ``heartbeat -s`` ends with LSB's 0, 1 (dead, its pid file is left) or 3. The init
        script is no witness: without a configuration it always succeeds.

        :raises ActionError: if it does not say.
        """
        program = daemon_program(self.options)
        ended = await attempt(few_files(program, "-s"), min(timeout_s, LOOK_S))
        if ended.status in (1, 3) and "stopped" in ended.output:
            return None
        found = PID.search(ended.output)
        if ended.status or not found:
            said = f": {ended.said}" if ended.said else ""
            raise ActionError(
                f"{program_of([program])} -s does not say whether heartbeat runs{said}"
            )
        return int(found[1])

    async def control(self, verb: str, timeout_s: float) -> None:
        """Start or stop heartbeat as the system does, so that it lives where the system looks.

        :raises ActionError: if the command failed or was not done in time.
        """
        systemd = uses_systemd(self.options)
        argv = ["systemctl", verb, "heartbeat"] if systemd else [self.options.init_script, verb]
        ended = await attempt(few_files(*argv), timeout_s)
        if ended.status != 0:
            # The init script prints its resources last and the reason in the middle.
            lines = [*ended.output.splitlines(), *ended.complaint.splitlines()]
            errors = [line.partition("ERROR: ")[2] for line in lines if "ERROR: " in line]
            reason = errors[0] if errors else ended.said
            raise ActionError(
                f"{program_of(argv)} {verb} ended with status {ended.status}: {reason}"
            )

    async def query(self, *arguments: str, timeout_s: float = LOOK_S) -> Finished:
        """Run ``cl_status``; its status is not 0 while heartbeat does not reply."""
        return await attempt([self.options.cl_status, *arguments], min(timeout_s, LOOK_S))

    def left(self, deadline: float, doing: str) -> float:
        """Give the seconds to the deadline.

        :raises ActionError: if there are none.
        """
        left = deadline - self.context.clock()
        if left <= 0:
            raise ActionError(f"no time left while {doing}")
        return left

    async def start(self, deadline: float) -> None:
        """Start heartbeat and watch that it stays.

        Status 0 of a start means no more than that the configuration was read (or that there
        is none). A daemon that replies to ``cl_status`` has opened its media. Without its partner
        it does so only after ``initdead``, often two minutes; it counts as started before.

        :raises ActionError: if it does not run or has ended again.
        """
        await self.control("start", self.left(deadline, "starting heartbeat"))
        began = self.context.clock()
        until = min(began + SETTLE_S, deadline - POLL_S)
        while True:
            pid = await self.pid(max(POLL_S, deadline - self.context.clock()))
            now = self.context.clock()
            if pid is None and now >= min(began + VANISH_S, until):
                raise ActionError("heartbeat was started but does not run; its log says why")
            left = max(POLL_S, deadline - now)
            if pid is not None and (await self.query("hbstatus", timeout_s=left)).status == 0:
                return
            if now >= until:
                self.context.logger.info("heartbeat runs and waits for its partner or initdead")
                return
            await asyncio.sleep(POLL_S)
