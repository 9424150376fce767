"""Probe one path at its cadence and keep its verdict."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from havpn_core.config.instances import PathConfig
from havpn_core.daemon.timing import Timing
from havpn_core.errors import HavpnError
from havpn_core.plugging.calls import Caller
from havpn_core.plugging.contained import sample_of, unheard
from havpn_core.plugging.descriptors import Sample
from havpn_core.rules.damping import resume
from havpn_core.rules.hysteresis import Level, Outcome, State, Verdict
from havpn_core.rules.role import PathView
from havpn_core.rules.watch import Round, Watch

SYS_NET = Path("/sys/class/net")

GRACE_S = 0.05
"""What a probe may exceed its timeout by before the core answers in its place."""

HOPS = 4
"""Turns of the loop from an answer in a socket's buffer to the verdict, and one to spare."""


Open = tuple[asyncio.Future[Sample], Callable[[asyncio.Future[Sample] | None], None]]
"""A probe under way, and what takes its end, or ``None`` at its timeout."""


def has_carrier(device: str) -> bool:
    """Whether a network device is there, up and connected."""
    try:
        return (SYS_NET / device / "carrier").read_text().strip() == "1"
    except OSError:  # there is none, or it is down
        return False


@dataclass
class Tally:
    """What one probe has found so far."""

    last: Sample | None = None
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def add(self, sample: Sample) -> None:
        """Count a sample."""
        self.last = sample
        self.counts[sample.outcome] += 1


class PathRun:
    """One path at work: the I/O side of a :class:`~havpn_core.rules.watch.Watch`.

    :param probes: a caller for each probe, by its id.
    :param level: where the path starts.
    :param changed: called with the state before and after when the verdict changed.
    :param quality: called when the line became poor or good again.
    :param clock: monotonic seconds, the loop's own clock.
    :param timing: where to count how late the loop is.
    :param figure: the flap penalty to begin with.
    :param phase: share of the interval to wait before the first question, so that many paths
        do not all ask at once.
    """

    def __init__(
        self,
        config: PathConfig,
        probes: dict[str, Caller],
        level: Level,
        changed: Callable[["PathRun", State], None],
        *,
        quality: Callable[["PathRun"], None] = lambda run: None,
        clock: Callable[[], float] = time.monotonic,
        timing: Timing | None = None,
        figure: float = 0.0,
        phase: float = 0.0,
    ) -> None:
        self.config = config
        self.probes = probes
        self.tallies = {probe: Tally() for probe in probes}
        options = config.options
        settings = options.settings
        now = clock()
        assumed_up = options.initial == "up" and level is Level.UP
        flaps = resume(settings.damping, figure, now) if settings.damping and figure else None
        self.watch = Watch(
            settings,
            len(probes),
            level,
            now,
            changed=self._noted,
            known=assumed_up,
            flaps=flaps,
            offset_s=phase * float(options.interval),
        )
        self.heard = assumed_up
        self.poor = False
        self.since = time.time()
        self.flickers = 0
        self.without_carrier: list[str] = []
        self._changed, self._quality = changed, quality
        self._clock = clock
        self._timing = timing or Timing()
        self._timeout = float(options.timeout)
        self._open: deque[tuple[float, list[Open]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = now
        self._ended: asyncio.Future[None] | None = None
        self._callers = list(probes.items())
        self._bursts = settings.rules.confirm_s is not None

    @property
    def state(self) -> State:
        """What is known of the path."""
        return self.watch.state

    @property
    def verdict(self) -> Verdict:
        """What is believed of the path now."""
        return self.watch.state.verdict

    @property
    def view(self) -> PathView:
        """What the election sees of it."""
        release = self.config.options.on_unknown == "release"
        state = self.state
        # One answer may be luck; as many as it takes failures to doubt a line are none.
        back = state.verdict is Verdict.RECOVERING and state.streak >= self.watch.rules.fall
        return PathView(state.level, state.known, self.heard, release, back)

    def look_at_carrier(self) -> None:
        """Be down at once while a device that this gateway needs has no carrier."""
        lost = [name for name in self.config.options.carrier if not has_carrier(name)]
        if lost != self.without_carrier:
            self.without_carrier = lost
            self.watch.block(self._clock(), bool(lost))

    async def run(self) -> None:
        """Probe for ever, at times fixed beforehand, however long an answer takes."""
        self._ended = asyncio.get_running_loop().create_future()
        self._guarded(self._tick)
        try:
            await self._ended
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        """Let an error of ours end :meth:`run`, so that the daemon hears of it."""
        try:
            work(*arguments)
        except Exception as problem:
            if self._ended is None or self._ended.done():
                raise
            self._ended.set_exception(problem)

    def _arm(self) -> None:
        """Set the one timer of the path to what comes first."""
        due = self.watch.next_s
        if self._open and self._open[0][0] < due:
            due = self._open[0][0]
        if self._timer is not None:
            if self._due <= due:
                return  # it will find nothing to do and be set again
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_at(due, self._guarded, self._tick)

    def _tick(self) -> None:
        self._timer = None
        watch, now = self.watch, self._clock()
        due = watch.ask_s
        if due <= now:
            self._timing.add(now - due, now)
        watch.wake(now)
        if watch.ask_s <= now:
            self._ask(now)
        while self._open and self._open[0][0] <= now:
            self._give_up(self._open.popleft()[1])
        overdue = watch.overdue_s
        if overdue is not None and overdue <= now:
            self._due = 0.0
            self._hop(HOPS)
        else:
            self._arm()

    def _hop(self, hops: int) -> None:
        """Let answers that have arrived pass first: from socket to here takes some turns."""
        loop = asyncio.get_running_loop()
        if hops:
            self._timer = cast(
                asyncio.TimerHandle, loop.call_soon(self._guarded, self._hop, hops - 1)
            )
            return
        self._timer = None
        self.watch.judge(self._clock())
        self._look_at_quality()
        self._arm()

    def _ask(self, now: float) -> None:
        confirming = self.watch.state.streak and self.watch.state.level is Level.UP
        asked = self.watch.ask(now)
        calls: list[Open] = []
        for position, (name, caller) in enumerate(self._callers):
            if confirming and caller.renew is not None:
                caller.renew()
            try:
                call = caller.begin_check(self._timeout)
            except HavpnError as problem:
                self._take(asked, position, name, Sample.error(str(problem)))
                continue
            heard = partial(self._guarded, self._answered, asked, position, name)
            call.add_done_callback(heard)
            calls.append((call, heard))
        if calls:
            self._open.append((now + self._timeout + GRACE_S, calls))

    def _give_up(self, calls: list[Open]) -> None:
        """Count what is still under way as a timeout now, whether or not it lets itself end."""
        for call, heard in calls:
            if not call.done():
                call.remove_done_callback(heard)
                call.add_done_callback(unheard)
                call.cancel()
                asyncio.get_running_loop().call_soon(heard, None)

    def _answered(
        self, asked: Round, position: int, name: str, call: "asyncio.Future[Sample] | None"
    ) -> None:
        """Take a probe's result; ``None`` stands for its timeout."""
        if self._ended is not None and self._ended.done():
            return
        self._take(asked, position, name, sample_of(call))

    def _take(self, asked: Round, position: int, name: str, sample: Sample) -> None:
        now = self._clock()
        took = now - asked.asked_s
        limit = self._timeout + GRACE_S
        if sample.outcome is Outcome.FAIL and took > limit + max(GRACE_S, self._timeout / 4):
            self.watch.void_rounds += 1
            late = took - self._timeout
            sample = Sample.error(f"void: this host was {late:.2f} s late itself")
        self.tallies[name].add(sample)
        latency = sample.latency_s
        if latency is None and sample.outcome is Outcome.OK:
            latency = took
        self.watch.answer(asked, position, sample.outcome, now_s=now, latency_s=latency)
        if self._open and all(call.done() for call, _ in self._open[0][1]):
            self._open.popleft()
        self.heard = self.heard or self.watch.state.known
        self._look_at_quality()
        if self._due > self.watch.next_s:
            self._arm()

    def _look_at_quality(self) -> None:
        window = self.watch.window
        if window is not None and window.poor is not self.poor:
            self.poor = window.poor
            self._quality(self)

    def _noted(self, before: State, after: State) -> None:
        self.heard = self.heard or after.known
        if self._bursts and {before.verdict, after.verdict} == {Verdict.UP, Verdict.FAILING}:
            # Every lost packet is confirmed, on a lossy line several a second: no news yet.
            self.flickers += after.verdict is Verdict.FAILING
            return
        self.since = time.time()
        self._changed(self, before)

    async def close(self) -> None:
        """Cancel questions under way and close the probes."""
        if self._timer is not None:
            self._timer.cancel()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        for _, calls in self._open:
            for call, _ in calls:
                call.cancel()
        for caller in self.probes.values():
            await caller.close()
