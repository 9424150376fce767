"""Probe one path at its cadence and keep its verdict.

The I/O side of a :class:`~havpn_core.rules.watch.Watch`: each turn asks it what is due, hands it
what happened, and passes on what changed by that.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from havpn_core.config.instances import PathConfig
from havpn_core.config.options import PathOptions
from havpn_core.daemon.paths.probing import Probes
from havpn_core.daemon.paths.timing import Timing
from havpn_core.host.netwatch import has_carrier
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules import cadence
from havpn_core.rules.cadence import NOBODY
from havpn_core.rules.damping import resume
from havpn_core.rules.hysteresis import Level, Outcome, PathState, Transition, Verdict
from havpn_core.rules.refusal import News
from havpn_core.rules.role import PathView
from havpn_core.rules.vote import Sent
from havpn_core.rules.watch import Watch

HOPS = 4
"""Turns of the loop from a reply in a socket's buffer to the verdict, and one to spare."""


class PathRun:
    """One path at work.

    :param probes: a caller for each probe, by its id.
    :param level: where the path starts.
    :param changed: takes each change of verdict that is news.
    :param quality: called when the line became poor or good again.
    :param refusal: takes what is to be said of the far host's refusals; called with nothing to
        say, too, when the hold of them is over or ends.
    :param lifetime_s: how long the shared address outlives its owner, in seconds, which bounds
        the hold of refusals; ``None``: no bound.
    :param clock: monotonic seconds, the loop's own clock.
    :param timing: where to count how late the loop is.
    :param assumed: whether the level is an assumption, neither remembered nor seen.
    :param figure: the flap penalty to begin with.
    :param phase: share of the interval to wait before the first probe, so that many paths do
        not all send at once.
    """

    def __init__(
        self,
        config: PathConfig,
        probes: dict[str, Caller],
        level: Level,
        changed: Callable[["PathRun", Transition], None],
        *,
        quality: Callable[["PathRun"], None] = lambda run: None,
        refusal: Callable[["PathRun", Sequence[News]], None] = lambda run, news: None,
        lifetime_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        timing: Timing | None = None,
        assumed: bool = False,
        figure: float = 0.0,
        phase: float = 0.0,
    ) -> None:
        self.config = config
        self.probes = probes
        options, now = config.options, clock()
        self.watch = _watch(
            options, len(probes), level, now, assumed=assumed, figure=figure, phase=phase
        )
        self.heard = self.watch.state.known
        self.poor = False
        self.since, self.flickers = time.time(), 0
        self.without_carrier: list[str] = []
        self._changed, self._quality, self._refusal = changed, quality, refusal
        self._refused_hold_s = options.refused_hold_s(lifetime_s)
        self._holds_refused = options.refused == "hold"
        self.refused_long = False
        self._clock, self._timing = clock, timing or Timing()
        self._timeout = float(options.timeout)
        self._probes = Probes(probes, self._timeout, partial(self._guarded, self._take))
        self.tallies = self._probes.tallies
        self._tallied = list(self.tallies.values())
        self._timer: asyncio.TimerHandle | None = None
        self._due = now
        self._ended: asyncio.Future[None] | None = None
        self._bursts = options.settings.rules.confirm_s is not None
        self._look_at_modes()

    # --- what is known ------------------------------------------------------------------------

    @property
    def state(self) -> PathState:
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
        # One reply may be luck; as many as it takes failures to doubt a line are none.
        back = state.verdict is Verdict.RECOVERING and state.streak >= self.watch.rules.fall
        since_s = self.watch.refusals.since_s
        return PathView(
            state.level,
            state.known,
            self.heard,
            release,
            back,
            since_s,
            self.refused_long,
            self.watch.assumed,
        )

    @property
    def detection_s(self) -> float:
        """The longest time in seconds from a silent cut to ``down``, as the probes run now."""
        serial = len(self._serial)
        return cadence.detection_s(
            self.watch.settings.rules,
            self._timeout,
            serial=serial,
            overlapping=len(self.probes) - serial,
        )

    # --- from outside -------------------------------------------------------------------------

    def look_at_carrier(self) -> None:
        """Be down at once while a device that this gateway needs has no carrier."""
        lost = [name for name in self.config.options.carrier if not has_carrier(name)]
        if lost != self.without_carrier:
            self.without_carrier = lost
            self.watch.block(self._clock(), bool(lost))
            self._pass_on()

    async def run(self) -> None:
        """Probe for ever, at times fixed beforehand, however long a reply takes."""
        self._ended = asyncio.get_running_loop().create_future()
        self._guarded(self._tick)
        try:
            await self._ended
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def close(self) -> None:
        """Cancel calls under way and close the probes."""
        if self._timer is not None:
            self._timer.cancel()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        self._probes.cancel()
        for caller in self.probes.values():
            await caller.close()

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        """Let an error of ours end :meth:`run`, so that the daemon hears of it."""
        try:
            work(*arguments)
        except Exception as problem:
            if self._ended is None or self._ended.done():
                raise
            self._ended.set_exception(problem)

    # --- one cycle: when next, what happened, what changed -------------------------------------

    def _arm(self) -> None:
        """Set the one timer of the path to what comes first."""
        due = min(self.watch.next_s, self._probes.given_up_s)
        if self._timer is not None:
            if self._due <= due:
                return  # it will find nothing to do and be set again
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_at(due, self._guarded, self._tick)

    def _tick(self) -> None:
        self._timer = None
        watch, now = self.watch, self._clock()
        due = watch.send_s
        if due <= now:
            self._timing.add(now - due, now)
        watch.wake(now)
        self._pass_on()
        if watch.send_s <= now:
            self._send(now)
        self._probes.give_up(now)
        deadline = watch.deadline_s
        if deadline is not None and deadline <= now:
            self._due = 0.0
            self._hop(HOPS)
        else:
            self._arm()

    def _hop(self, hops: int) -> None:
        """Let replies that have arrived pass first: from socket to here takes some turns."""
        loop = asyncio.get_running_loop()
        if hops:
            self._timer = cast(
                asyncio.TimerHandle, loop.call_soon(self._guarded, self._hop, hops - 1)
            )
            return
        self._timer = None
        self.watch.judge(self._clock(), self._probes.refusing() if self._holds_refused else NOBODY)
        self._pass_on()
        self._arm()

    def _send(self, now: float) -> None:
        if self._probes.moved:
            self._look_at_modes()
        confirming = self.watch.state.streak > 0 and self.watch.state.level is Level.UP
        self._probes.send(self.watch.send(now), renew=confirming)

    def _look_at_modes(self) -> None:
        """Notice which probes run in a thread."""
        self._serial = self._probes.serial()
        self.watch.take_turns(self._serial)

    def _take(self, sent: Sent, position: int, sample: Sample) -> None:
        if self._ended is not None and self._ended.done():
            return
        now = self._clock()
        took = now - sent.sent_s
        refused = sample.refused and self._holds_refused
        if sample.outcome is Outcome.FAIL and not refused and cadence.void(self._timeout, took):
            self.watch.void_rounds += 1
            late = took - self._timeout
            sample = Sample.error(f"void: this host was {late:.2f} s late itself")
        outcome = Outcome.REFUSED if refused else sample.outcome
        self._tallied[position].add(sample, outcome)
        latency = sample.latency_s
        if latency is None and sample.outcome is Outcome.OK:
            latency = took
        self.watch.reply(sent, position, outcome, now_s=now, latency_s=latency)
        self._pass_on()
        if self._due > self.watch.next_s:
            self._arm()

    def _pass_on(self) -> None:
        """Pass on what changed, in its order."""
        watch = self.watch
        self.heard = self.heard or watch.state.known
        for change in watch.changes():
            before, after = change.before.verdict, change.after.verdict
            if self._bursts and {before, after} == {Verdict.UP, Verdict.FAILING}:
                # Every lost packet is confirmed, on a lossy line several a second: no news yet.
                self.flickers += after is Verdict.FAILING
                continue
            self.since = time.time()
            self._changed(self, change)
        if watch.feed is not None and watch.feed.window.poor is not self.poor:
            self.poor = not self.poor
            self._quality(self)
        self._pass_on_refusals()

    def _pass_on_refusals(self) -> None:
        refusals = self.watch.refusals
        long = refusals.lasts(self._refused_hold_s, self._clock())
        news = refusals.news()
        if news or long is not self.refused_long:
            self.refused_long = long
            self._refusal(self, news)


def _watch(
    options: PathOptions,
    probes: int,
    level: Level,
    now_s: float,
    *,
    assumed: bool,
    figure: float,
    phase: float,
) -> Watch:
    """Make the rules of a path, with the flaps that are remembered of it."""
    settings = options.settings
    remembered = settings.damping is not None and figure
    return Watch(
        settings,
        probes,
        level,
        now_s,
        known=options.initial == "up" and level is Level.UP,
        assumed=assumed,
        flaps=resume(settings.damping, figure, now_s) if remembered and settings.damping else None,
        offset_s=phase * float(options.interval),
    )
