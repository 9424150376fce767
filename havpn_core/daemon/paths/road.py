"""Probe the road of one path as long as somebody wants to know of it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec

from havpn_core.config.instances import PathConfig
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import by_hand
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.probing import Tally
from havpn_core.daemon.paths.timing import Timing
from havpn_core.durations import Duration
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.hysteresis import Level, Outcome, Transition, Verdict
from havpn_core.rules.road.state import NO_LOOK, Look, Pace
from havpn_core.rules.target.grey import Share

SLOW_S = 1.0
SLOW_FALL = 3


class Spawner(Protocol):
    """Who starts tasks and hears how they end."""

    def spawn(self, key: object, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task."""


class Surroundings(Protocol):
    """What a road needs of the daemon; :class:`~havpn_core.daemon.world.World` has it."""

    @property
    def clock(self) -> Callable[[], float]:
        """Monotonic seconds."""

    @property
    def emit(self) -> Callable[[Event], None]:
        """Takes every event."""

    @property
    def timing(self) -> Timing:
        """Counts how late the loop is."""

    @property
    def tasks(self) -> Spawner:
        """Starts tasks."""


class RoadRun:
    """The road of one path; its probes run only while there is a look.

    :param callers: a caller for each probe of the road, by its id.
    :param changed: called when there is another verdict.
    """

    def __init__(
        self,
        world: Surroundings,
        config: PathConfig,
        callers: dict[str, Caller],
        changed: Callable[["RoadRun"], None],
    ) -> None:
        self.config, self.callers = config, callers
        self.look = NO_LOOK
        self.said: bool | None = None  #: the verdict that was last reported
        #: when each host last replied, seconds since 1970
        self.replied_s: dict[str, float] = {}
        self._world, self._changed = world, changed
        self._run: PathRun | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def well(self) -> bool | None:
        """Whether one of the hosts replies; ``None`` while that is not known in this look."""
        run = self._run
        if run is None or self.look.pace is Pace.NONE:
            return None
        match run.verdict:
            case Verdict.UP:
                return True
            case Verdict.FAILING:
                return True if any(t.counts[Outcome.OK] for t in run.tallies.values()) else None
            case Verdict.UNKNOWN:
                return None
            case _:
                return False

    @property
    def tallies(self) -> dict[str, Tally]:
        """What each probe found in this look, or in the last one."""
        return self._run.tallies if self._run is not None else {}

    def use(self, look: Look) -> None:
        """Look in this way from now on; what another look found does not count in it."""
        if look == self.look:
            return
        self._stop()
        self.look, self.said = look, None
        if look.pace is Pace.NONE:
            return
        world = self._world
        run = self._run = PathRun(
            _paced(self.config, look.pace),
            self.callers,
            Level.UP,
            self._verdict_changed,
            clock=world.clock,
            timing=world.timing,
        )
        self._task = world.tasks.spawn(("road", self.config.name), run.run())

    def _verdict_changed(self, run: PathRun, change: Transition) -> None:
        if run is self._run:
            self._changed(self)

    def note_replies(self) -> dict[str, float]:
        """Give when each host last replied, seconds since 1970."""
        now_s, clock_s = time.time(), time.monotonic()
        for name, tally in self.tallies.items():
            if tally.replied_s is not None:
                self.replied_s[name] = now_s - (clock_s - tally.replied_s)
        return self.replied_s

    def _stop(self) -> None:
        self.note_replies()
        if self._run is not None:
            self._run.stop()
        if self._task is not None:
            self._task.cancel()
        self._task = None

    async def close(self) -> None:
        """Stop, and close the probes."""
        self._stop()
        self.look = NO_LOOK
        for caller in self.callers.values():
            await caller.close()


def _paced(config: PathConfig, pace: Pace) -> PathConfig:
    """Give the path that the probes of a road are: one reply of any host is enough.

    A verdict begins with nothing known, is not held by flaps or loss, and is as quick up as down.
    """
    own = by_hand(config.options)
    options = msgspec.structs.replace(
        own,
        rise=own.fall,
        require=1,
        initial="unknown",
        damping=False,
        on_poor="report",
        on_unknown="hold",
        refused="hold",
        grey=Share(0.0),
        carrier=[],
    )
    if pace is Pace.SLOW:
        options = _slowly(options)
    return PathConfig(config.name, options, config.road)


def _slowly(options: PathOptions) -> PathOptions:
    longest = Duration(max(SLOW_S, float(options.interval)))
    return msgspec.structs.replace(
        options, interval=longest, confirm=None, fall=SLOW_FALL, rise=1, stale=None
    )
