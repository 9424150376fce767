"""Probe one path at its cadence and keep its verdict.

The I/O side of a :class:`~havpn_core.rules.watch.Watch`: each turn gets from it what is due, hands
it what happened, and passes on what changed by that.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from havpn_core.config.instances import PathConfig
from havpn_core.daemon.paths.making import Mood, Past, promised_s, watch_of
from havpn_core.daemon.paths.probing import Probes
from havpn_core.daemon.paths.timing import Timing
from havpn_core.host.netwatch import has_carrier
from havpn_core.pair.lines.record import Records
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import NOTICES, Caller
from havpn_core.rules import cadence
from havpn_core.rules.cadence import NOBODY
from havpn_core.rules.hysteresis import Level, Outcome, PathState, Transition, Verdict
from havpn_core.rules.refusal import News
from havpn_core.rules.role import PathView
from havpn_core.rules.target.loss import Loss
from havpn_core.rules.target.record import Record
from havpn_core.rules.vote import Sent
from havpn_core.stream.reported import ReportedWatch

AWAY, STANDBY, NO_ROAD = NOTICES
HOPS = 4
"""Turns of the loop from a reply in a socket's buffer to the verdict, and one to spare."""


class PathRun:
    """One path at work.

    :param probes: a caller for each probe, by its id.
    :param level: where the path starts.
    :param changed: takes each change of verdict that is news.
    :param quality: called when the line became poor, grey or good again, with what it was before.
    :param refusal: takes what is to be said of the far host's refusals; called with nothing to
        say, too, when the hold of them is over or ends.
    :param lifetime_s: how long the shared address outlives its owner, in seconds, which bounds
        the hold of refusals; ``None``: no bound.
    :param clock: monotonic seconds, the loop's own clock.
    :param timing: where to count how late the loop is.
    :param assumed: whether the level is an assumption, neither remembered nor seen.
    :param figure: the flap penalty to begin with.
    :param record: the line's past to begin with.
    :param phase: share of the interval before the first probe: many do not all send at once.
    """

    def __init__(
        self,
        config: PathConfig,
        probes: dict[str, Caller],
        level: Level,
        changed: Callable[["PathRun", Transition], None],
        *,
        quality: Callable[["PathRun", Mood], None] = lambda run, before: None,
        refusal: Callable[["PathRun", Sequence[News]], None] = lambda run, news: None,
        lifetime_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        timing: Timing | None = None,
        assumed: bool = False,
        figure: float = 0.0,
        record: Record | None = None,
        phase: float = 0.0,
    ) -> None:
        self.config, self.probes = config, probes
        options, now = config.options, clock()
        self._timeout = float(options.timeout)
        self._probes = Probes(config, probes, partial(self._guarded, self._take))
        begun = config, list(probes), level, now, Past(assumed, figure, record, phase)
        self.watch = watch_of(*begun, reporting=self._probes.reporting)
        self.losses = Records(self.watch.kinds, float(options.interval))
        self.heard, self.mood = self.watch.state.known, Mood()
        self.since, self.flickers, self.refused_long, self.cause = time.time(), 0, False, ""
        self.without_carrier: list[str] = []
        self._changed, self._quality, self._refusal = changed, quality, refusal
        self._refused_hold_s = options.refused_hold_s(lifetime_s)
        self._holds_refused = options.refused == "hold"
        self._clock, self._timing, self._due = clock, timing or Timing(), now
        self.tallies = self._probes.tallies
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[None] | None = None
        confirms = options.settings.rules.confirm_s is not None
        self._flickers = confirms or bool(self._probes.reporting)
        self._look_at_modes()

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
        release, state = self.config.options.on_unknown == "release", self.state
        # One reply may be luck; as many as it takes failures to doubt a line are none.
        back = state.verdict is Verdict.RECOVERING and state.streak >= self.watch.rules.fall
        refused = self.watch.refusals.since_s, self.refused_long
        return PathView(
            state.level, state.known, self.heard, release, back, *refused, self.watch.assumed
        )

    @property
    def detection_s(self) -> float:
        """The longest time in seconds from a silent cut to ``down``, as the probes run now."""
        return promised_s(self.config, self.watch.rules, len(self._serial))

    @property
    def far_stands_by(self) -> bool:
        """Whether the far gateway says that it stands by, or fell silent to every probe for it."""
        said = self._probes.noticed()
        return STANDBY in said or said == {AWAY}

    @property
    def far_without_road(self) -> bool:
        """Whether the far gateway says that its road is down and it serves all the same."""
        return NO_ROAD in self._probes.noticed()

    @property
    def far_left(self) -> bool:
        """Whether the far gateway says that it has just left this line for a better one."""
        return self._probes.far_left()

    def loss(self, now_s: float) -> Loss | None:
        """Give what the line loses recently; ``None`` while that is not known, or old."""
        return self.losses.found(now_s, self._probes.losses())

    def look_at_carrier(self) -> None:
        """Be down at once while a device that this gateway needs has no carrier."""
        lost = [name for name in self.config.options.carrier if not has_carrier(name)]
        if lost != self.without_carrier:
            self.without_carrier = lost
            self.watch.block(self._clock(), bool(lost))
            self._pass_on()

    def hurry(self) -> None:
        """Send the next probes now, for one of them knows of a change."""
        if self._ended is not None and not self._ended.done():
            self.watch.hurry(self._clock())
            self._guarded(self._arm)

    async def run(self) -> None:
        """Probe without end, at times fixed beforehand, however long a reply takes."""
        self._ended = asyncio.get_running_loop().create_future()
        # Until now other paths may have been made: that is no lateness of this one.
        self.watch.cadence_s += self._clock() - self._due
        self._probes.listen(partial(self._guarded, self._report), self.hurry)
        self._guarded(self._tick)
        try:
            await self._ended
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def stop(self) -> None:
        """Send nothing any more, and cancel calls under way."""
        if self._timer is not None:
            self._timer.cancel()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        self._probes.cancel()

    async def close(self) -> None:
        """Stop, and close the probes."""
        self.stop()
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
        due = watch.next_s
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
        if AWAY in self._probes.noticed():
            self.watch.memory.excuse(self._clock(), self.detection_s)
        self.watch.judge(self._clock(), self._probes.refusing() if self._holds_refused else NOBODY)
        self._pass_on()
        self._arm()

    def _send(self, now: float) -> None:
        if self._probes.moved:
            self._look_at_modes()
        confirming = self.watch.state.streak > 0 and self.watch.state.level is Level.UP
        self._probes.send(self.losses.send(self.watch.send(now)), renew=confirming)

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
            sample = Sample.error(f"void: this host was {took - self._timeout:.2f} s late itself")
        outcome = self._probes.count(position, sample, holds_refused=self._holds_refused)
        timed = sample.latency_s is not None or sample.outcome is not Outcome.OK
        latency = sample.latency_s if timed else took
        self.watch.reply(sent, position, outcome, now_s=now, latency_s=latency)
        self.losses.look(now, up=self.watch.state.level is Level.UP)
        self._pass_on()
        if self._due > self.watch.next_s:
            self._arm()

    def _report(self, position: int, sample: Sample, lost: int) -> None:
        """Take what a probe reports by itself."""
        if self._ended is None or self._ended.done():
            return
        outcome = self._probes.count(position, sample, holds_refused=self._holds_refused)
        watch = cast(ReportedWatch, self.watch)  # a path has it if any of its probes reports
        now = self._clock()
        known = watch.report(position, outcome, lost, now_s=now, latency_s=sample.latency_s)
        if len(self.probes) == 1:
            self.losses.report(outcome, lost, now, up=watch.state.level is Level.UP)
        if known:
            self._pass_on()
            if self._due > self.watch.next_s:
                self._arm()

    def _pass_on(self) -> None:
        """Pass on what changed, in its order."""
        watch = self.watch
        self.heard = self.heard or watch.state.known
        for change in watch.changes():
            before, after = change.before.verdict, change.after.verdict
            if self._flickers and {before, after} == {Verdict.UP, Verdict.FAILING}:
                # Every lost packet is confirmed, on a lossy line several a second: no news yet.
                self.flickers += after is Verdict.FAILING
                continue
            self.since = time.time()
            self._changed(self, change)
        mood = Mood(watch.feed is not None and watch.feed.poor, watch.calm.is_grey)
        if mood != self.mood:
            was, self.mood = self.mood, mood
            self._quality(self, was)
        self._pass_on_refusals()

    def _pass_on_refusals(self) -> None:
        refusals = self.watch.refusals
        long = refusals.lasts(self._refused_hold_s, self._clock())
        news = refusals.news()
        if news or long is not self.refused_long:
            self.refused_long = long
            self._refusal(self, news)
