"""Probe one path at its cadence and keep its verdict."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from havpn_core.calls import CallBusy, Caller, CallOverdue
from havpn_core.config import PathConfig
from havpn_core.election import PathView
from havpn_core.errors import HavpnError
from havpn_core.hysteresis import Level, Outcome, Rules, State, Verdict, begin, expire, step
from havpn_core.plugin import Sample
from havpn_core.vote import vote

GRACE_S = 0.05
"""What a probe may exceed its timeout by before the core answers in its place."""


@dataclass
class Tally:
    """What one probe has found so far."""

    last: Sample | None = None
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def add(self, sample: Sample) -> None:
        """Count a sample."""
        self.last = sample
        self.counts[sample.outcome] += 1

    def facts(self) -> dict[str, Any]:
        """Give its part of the status."""
        last = self.last
        latency = last.latency_s if last else None
        return {
            "outcome": last.outcome.value if last else None,
            "detail": last.detail if last else "",
            "latency_ms": None if latency is None else round(latency * 1000, 3),
            **{outcome.value: count for outcome, count in self.counts.items()},
        }


@dataclass
class Round:
    """One question to all probes of the path."""

    began_s: float
    outcomes: list[Outcome | None]
    result: Outcome | None = None


class PathRun:
    """One path at work.

    :param probes: a caller for each probe, by its id.
    :param level: where the path starts.
    :param changed: called with the state before and after when the verdict changed.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        config: PathConfig,
        probes: dict[str, Caller],
        level: Level,
        changed: Callable[["PathRun", State], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.probes = probes
        self.tallies = {probe: Tally() for probe in probes}
        options = config.options
        self.rules = Rules(options.fall, options.rise, options.stale_s)
        assumed_up = options.initial == "up" and level is Level.UP
        self.state = begin(level, clock(), known=assumed_up)
        self.heard = assumed_up
        self.since = time.time()
        self.late_rounds = 0
        self._changed = changed
        self._clock = clock
        self._rounds: deque[Round] = deque()
        self._checks: set[asyncio.Task[None]] = set()

    @property
    def view(self) -> PathView:
        """What the election sees of it."""
        release = self.config.options.on_unknown == "release"
        return PathView(self.state.level, self.state.known, self.heard, release)

    async def run(self) -> None:
        """Probe for ever, at times fixed beforehand, however long an answer takes."""
        interval = float(self.config.options.interval)
        due = self._clock()
        while True:
            self._ask()
            self._take(expire(self.rules, self.state, self._clock()))
            due += interval
            late = self._clock() - due
            if late > interval:
                # Starved or suspended: the questions of that time were never asked.
                self.late_rounds += int(late / interval)
                due += int(late / interval) * interval
            await asyncio.sleep(max(0.0, due - self._clock()))

    def _ask(self) -> None:
        asked = Round(self._clock(), [None] * len(self.probes))
        self._rounds.append(asked)
        for position, name in enumerate(self.probes):
            check = asyncio.create_task(self._check(asked, position, name))
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)

    async def _check(self, asked: Round, position: int, name: str) -> None:
        timeout = float(self.config.options.timeout)
        try:
            sample = await self.probes[name].call("check", timeout, deadline_s=timeout + GRACE_S)
            if not isinstance(sample, Sample):
                sample = Sample.error(f"gave {sample!r:.60}, which is no Sample")
        except CallOverdue:
            sample = Sample.fail("no answer within the timeout")
        except CallBusy as problem:
            sample = Sample.error(str(problem))
        except HavpnError as problem:
            sample = Sample.error(str(problem))
        took = self._clock() - asked.began_s
        if sample.outcome is Outcome.FAIL and took > timeout + GRACE_S + max(GRACE_S, timeout / 4):
            self.late_rounds += 1
            sample = Sample.error(f"void: this host was {took - timeout:.2f} s late itself")
        self.tallies[name].add(sample)
        asked.outcomes[position] = sample.outcome
        if asked.result is None:
            asked.result = vote(asked.outcomes, self.config.options.require)
            self._settle()

    def _settle(self) -> None:
        """Take finished rounds in, in the order in which they were asked."""
        while self._rounds and (outcome := self._rounds[0].result) is not None:
            self._rounds.popleft()
            self._take(step(self.rules, self.state, outcome, self._clock()))

    def _take(self, after: State) -> None:
        before, self.state = self.state, after
        self.heard = self.heard or after.known
        if after.verdict is not before.verdict:
            self.since = time.time()
            self._changed(self, before)

    @property
    def verdict(self) -> Verdict:
        """What is believed of the path now."""
        return self.state.verdict

    async def close(self) -> None:
        """Cancel questions under way and close the probes."""
        for check in list(self._checks):
            check.cancel()
        for caller in self.probes.values():
            await caller.close()
