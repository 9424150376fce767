"""Keep what others read of this gateway up to date: status files, history, memory, watchdog."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Raw

from havpn_core.daemon.gateway import Gateway
from havpn_core.daemon.reporting import brief, path_status
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
RECORDS_EVERY_S = 600.0
"""What is learned of a line is written so often, and when the daemon ends."""
LEAST_PAUSE_S = 0.02
SLICE_S = 0.001
"""Of encoding many paths; a probe that is due waits so long at the most."""
ROUNDS = 4
"""Paths that change while they are encoded are encoded so often; then the next time shows them."""


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
    :param scores: gives the scores of the paths that have one.
    """

    def __init__(
        self,
        gateway: Gateway,
        world: World,
        dirty: asyncio.Event,
        scores: Callable[[], Mapping[str, int | None]] = dict,
    ) -> None:
        self._gateway, self._world, self._dirty = gateway, world, dirty
        self._scores = scores
        self._run_dir = Path(gateway.parts.config.node.run_dir)
        self._unwritable: set[Path] = set()
        self._spent_s = 0.0
        self._reported_void = (0, float("-inf"))
        gateway.show_agents = self.write_brief
        for name in (status.STATUS_FILE, status.BRIEF_FILE):
            files.sweep(self._run_dir / name)

    async def run(self) -> None:
        """Publish without end."""
        fed, pause = float("-inf"), systemd.watchdog_interval_s()
        levels: dict[str, Level] = {}
        clock, gateway = self._world.clock, self._gateway
        remembered = clock()
        while True:
            began = clock()
            if pause is not None and began - fed >= min(pause, STATUS_EVERY_S):
                systemd.notify("WATCHDOG=1")
                fed = began
            if gateway.force.role is not None:
                gateway.decide()  # its time may be over
            gateway.look()
            await asyncio.sleep(0)
            self._dirty.clear()
            self._spent_s = 0.0
            await self.publish()
            self._world.keeper.flush(gateway.state_dir)
            self._report_lateness()
            before, levels = levels, {n: run.state.level for n, run in gateway.parts.paths.items()}
            due = began - remembered >= RECORDS_EVERY_S
            if levels != before or gateway.force.drifted() or due:
                remembered = began
                await gateway.remember()
            # Not wait_for(): where the event and a cancellation meet, it forgets the latter.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATUS_EVERY_S):
                    await self._dirty.wait()
                await asyncio.sleep(pause_s(self._spent_s))

    async def publish(self) -> bytes | None:
        """Write both status files, in slices of which each leaves the loop to others.

        :returns: the status, ``None`` where it cannot be encoded.
        """
        text = None
        try:
            paths = await self._paths_in_slices()
            # From here on without a pause, so that the parts of the status belong together.
            began = self._world.clock()
            text = status.encode(self._status(self._state(), paths=False), paths)
        except Exception as problem:  # probing matters more than showing what it finds
            self._world.log.error("the status cannot be written: %s", describe(problem))
        else:
            self._spent_s += self._world.clock() - began
            await asyncio.sleep(0)
            self._write(status.STATUS_FILE, text)
            await asyncio.sleep(0)
        self.write_brief()
        return text

    async def _paths_in_slices(self) -> dict[str, Raw]:
        """Encode all paths; those whose verdict changes meanwhile once more, within limits."""
        clock, parts, roads = self._world.clock, self._gateway.parts, self._gateway.parts.roads
        marks: dict[str, tuple[object, ...]] = {}
        found: dict[str, Raw] = {}
        for _ in range(ROUNDS):
            began, now = clock(), parts.paths
            old = [n for n, run in now.items() if marks.get(n) != (run, run.verdict, run.since)]
            for name in old:
                if (run := now.get(name)) is None:
                    continue  # a reload took it away meanwhile
                marks[name] = run, run.verdict, run.since
                found[name] = status.encode_path(path_status(run, clock(), roads))
                if (spent := clock() - began) >= SLICE_S:
                    self._spent_s += spent
                    await asyncio.sleep(0)
                    began = clock()
            self._spent_s += clock() - began
            if not old:
                break
        return {name: found[name] for name in parts.paths if name in found}

    def write(self, state: str) -> None:
        """Write both status files at once, as the last thing that the daemon does.

        :param state: of the daemon.
        """
        try:
            text = status.encode(self._status(state))
        except Exception as problem:
            self._world.log.error("the status cannot be written: %s", describe(problem))
        else:
            self._write(status.STATUS_FILE, text)
        self.write_brief(state)

    def _status(self, state: str, *, paths: bool = True) -> status.Status:
        found = self._gateway.status(state, paths=paths)
        found.counts = self._world.bus.counts.facts()
        config = self._gateway.parts.config
        file = str(config.file.absolute())
        found.config = status.ConfigStatus(file=file, digest=config.digest)
        return found

    def write_brief(self, state: str | None = None) -> None:
        """Write the status for resource agents."""
        state, gateway = state or self._state(), self._gateway
        paths = {
            name: (run.verdict.value, gateway.usable(run))
            for name, run in gateway.parts.paths.items()
        }
        try:
            text = brief(state, paths, self._scores())
        except OSError as problem:
            self._failed(self._run_dir / status.BRIEF_FILE, problem)
        else:
            self._write(status.BRIEF_FILE, text)

    def _state(self) -> str:
        return "paused" if self._gateway.memory.paused else "running"

    def _write(self, name: str, content: bytes) -> None:
        """Write a file; trouble is reported once, and its end once."""
        file = self._run_dir / name
        try:
            files.write(file, content, durable=False)
        except (FileTrouble, OSError) as problem:
            self._failed(file, problem)
        else:
            if file in self._unwritable:
                self._unwritable.discard(file)
                report(self._world, f"{file}: can be written again", bad=False)

    def _failed(self, file: Path, problem: FileTrouble | OSError) -> None:
        if file not in self._unwritable:
            self._unwritable.add(file)
            text = problem if isinstance(problem, FileTrouble) else trouble_of(file, problem)
            report(self._world, f"{text}; what is read there is old", bad=True)

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
