"""Keep what others read of this gateway up to date: status files, history, memory, watchdog."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from havpn_core.daemon.gateway import Gateway
from havpn_core.daemon.reporting import brief
from havpn_core.daemon.state import status
from havpn_core.daemon.world import World
from havpn_core.host import systemd
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble, trouble_of
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.wording import describe
from havpn_core.rules.hysteresis import Level

STATUS_EVERY_S = 1.0
LATE_EVERY_S = 60.0
LEAST_PAUSE_S = 0.02


def pause_s(spent_s: float) -> float:
    """Give the seconds until the next write: one file for a burst of changes.

    Many paths may take a tenth of the time. A host that was suspended while it wrote seems to have
    taken hours; the status and the watchdog are due all the same.

    :param spent_s: seconds that the last write took.
    """
    return min(max(LEAST_PAUSE_S, 10 * spent_s), STATUS_EVERY_S)


class Publisher:
    """Writes when something changed, and once a second at least.

    :param dirty: set whenever something changed.
    """

    def __init__(self, gateway: Gateway, world: World, dirty: asyncio.Event) -> None:
        self._gateway, self._world, self._dirty = gateway, world, dirty
        self._run_dir = Path(gateway.parts.config.node.run_dir)
        self._unwritable: set[str] = set()
        self._reported_void = (0, float("-inf"))
        gateway.show_agents = self.write_brief
        for name in (status.STATUS_FILE, status.BRIEF_FILE):
            files.sweep(self._run_dir / name)

    async def run(self) -> None:
        """Publish for ever."""
        fed, pause = float("-inf"), systemd.watchdog_interval_s()
        levels: dict[str, Level] = {}
        clock, gateway = self._world.clock, self._gateway
        while True:
            began = clock()
            if pause is not None and began - fed >= min(pause, STATUS_EVERY_S):
                systemd.notify("WATCHDOG=1")
                fed = began
            self.write()
            spent = clock() - began
            self._world.keeper.flush(gateway.state_dir)
            self._report_lateness()
            before, levels = levels, {n: run.state.level for n, run in gateway.parts.paths.items()}
            if levels != before or gateway.force.drifted():
                await gateway.remember()
            if gateway.force.role is not None:
                gateway.decide()  # its time may be over
            self._dirty.clear()
            # Not wait_for(): where the event and a cancellation meet, it forgets the latter.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATUS_EVERY_S):
                    await self._dirty.wait()
                await asyncio.sleep(pause_s(spent))

    def write(self, state: str | None = None) -> bytes | None:
        """Write both status files; gives the status, ``None`` where it cannot be encoded.

        :param state: of the daemon; running or paused if not given.
        """
        state, text = state or self._state(), None
        try:
            text = status.encode(self._gateway.status(state))
        except Exception as problem:  # probing matters more than showing what it finds
            self._world.log.error("the status cannot be written: %s", describe(problem))
        else:
            self._write(status.STATUS_FILE, lambda: text)
        self.write_brief(state)
        return text

    def write_brief(self, state: str | None = None) -> None:
        """Write the status for resource agents."""
        state, gateway = state or self._state(), self._gateway
        paths = {
            name: (run.verdict.value, gateway.usable(run))
            for name, run in gateway.parts.paths.items()
        }
        self._write(status.BRIEF_FILE, lambda: brief(state, paths))

    def _state(self) -> str:
        return "paused" if self._gateway.memory.paused else "running"

    def _write(self, name: str, content: Callable[[], bytes]) -> None:
        """Write a file; trouble is reported once, and its end once."""
        file = self._run_dir / name
        try:
            files.write(file, content(), durable=False)
        except (FileTrouble, OSError) as problem:
            if name not in self._unwritable:
                self._unwritable.add(name)
                text = problem if isinstance(problem, FileTrouble) else trouble_of(file, problem)
                report(self._world, f"{text}; what is read there is old", bad=True)
        else:
            if name in self._unwritable:
                self._unwritable.discard(name)
                report(self._world, f"{file}: can be written again", bad=False)

    def _report_lateness(self) -> None:
        """Report, once a minute at the most, that this host itself was late."""
        now = self._world.clock()
        void = sum(run.watch.void_rounds for run in self._gateway.parts.paths.values())
        reported, at = self._reported_void
        if void > reported and now - at >= LATE_EVERY_S:
            text = f"{void - reported} rounds of probes are void: this host was late itself"
            self._reported_void = (void, now)
            self._world.emit(Event("daemon", "", "", "late", text, "warning"))
        elif void < reported:
            self._reported_void = (void, at)


def report(world: World, text: str, *, bad: bool) -> None:
    """Report that the daemon has some trouble, or that it is over."""
    if bad:
        world.emit(Event("daemon", "", "", "trouble", text, "warning"))
    else:
        world.emit(Event("daemon", "", "trouble", "over", text))
