"""Send one path's probes as the daemon would, and write down what comes back instead of acting.

For looking at a line before its rules are chosen, and for replaying it with others. Touches no
role and needs no daemon.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from logging import Logger

from havpn_core.config.instances import Config, PathConfig
from havpn_core.daemon.building.built import build_new
from havpn_core.errors import CallOverdue, ConfigError, HavpnError
from havpn_core.host.context import context
from havpn_core.host.netwatch import NetWatch
from havpn_core.host.resolve import Resolver
from havpn_core.plugging.descriptors import Context, Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules import cadence
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.vote import Kinds, Sent
from havpn_core.study.traces import format_line


def build_probes(
    config: Config, path: PathConfig, netwatch: NetWatch, log: Logger, clock: Callable[[], float]
) -> dict[str, Caller]:
    """Build the probes of one path and nothing else.

    :raises ConfigError: naming each probe that could not be built.
    """
    resolver = Resolver(clock)

    def context_of(instance: str) -> Context:
        return context(
            instance,
            node=config.node.name,
            logger=log,
            clock=clock,
            resolve=resolver.address,
            network_changes=netwatch.count,
            run_dir=config.node.run_dir,
        )

    alone = replace(config, paths=(path,), actions=(), notifiers=())
    built = build_new(alone, context_of, {}, {})
    if built.problems:
        raise ConfigError(built.problems)
    return built.paths[path.name]


@dataclass
class Moment:
    """One moment of the cadence.

    :param due_s: when it was due, in seconds since the beginning.
    :param line: what the file says of it, once that is known.
    """

    due_s: float
    sent: Sent
    line: str | None = None


class Recorder:
    """One path being recorded.

    :param write: takes one finished line, without its end; lines come in order of sending.
    :param complain: takes why a probe could not test, which the file has no room for.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        path: PathConfig,
        probes: dict[str, Caller],
        *,
        write: Callable[[str], None],
        complain: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._options = path.options
        self._probes = probes
        self._write = write
        self._complain = complain
        self._clock = clock
        self._complaints: dict[str, str] = {}
        self._turns = cadence.Turns(len(probes))
        self._kinds = Kinds.of([path.watches.get(name, "line") for name in probes])
        self._moments: deque[Moment] = deque()
        self._checks: set[asyncio.Task[None]] = set()

    async def run(self, for_s: float | None, stop: asyncio.Event) -> None:
        """Send until ``stop`` is set or ``for_s`` seconds are over, then await what is under way.

        The moments are fixed beforehand, however long a reply takes. Left out is a moment that
        this host slept through, and one that comes while the path's probes all run in a thread
        and have not ended.
        """
        interval, began = float(self._options.interval), self._clock()
        number = 0
        while not stop.is_set() and (for_s is None or number * interval < for_s - 1e-9):
            self._send(number * interval)
            number += 1
            with contextlib.suppress(TimeoutError):
                pause = max(0.0, began + number * interval - self._clock())
                await asyncio.wait_for(stop.wait(), pause)
            number += cadence.missed(began + number * interval, self._clock(), interval)
        if self._checks:
            await asyncio.wait(self._checks)

    async def close(self) -> None:
        """Cancel calls under way and close the probes."""
        for check in list(self._checks):
            check.cancel()
        for caller in self._probes.values():
            await caller.close()

    def _send(self, due_s: float) -> None:
        turns = self._turns
        callers = enumerate(self._probes.values())
        turns.serial = frozenset(n for n, caller in callers if not caller.overlaps)
        if turns.held_back:
            return
        now, left_out = self._clock(), turns.left_out
        sent = Sent(now, len(self._probes), regular=True, kinds=self._kinds)
        sent.leave_out(left_out)
        sent.serial = turns.sent()
        moment = Moment(due_s, sent)
        self._moments.append(moment)
        for position, name in enumerate(self._probes):
            if position not in left_out:
                check = asyncio.create_task(self._check(moment, position, name))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)

    async def _check(self, moment: Moment, position: int, name: str) -> None:
        sent = moment.sent
        sample = await self._sample(sent.sent_s, name)
        if position in sent.serial:
            self._turns.ended(self._clock())
        refused = sample.refused and self._options.refused == "hold"
        outcome = Outcome.REFUSED if refused else sample.outcome
        result = sent.take(position, outcome, self._options.require)
        self._note(name, sample)
        if moment.line is not None or result is None:
            return
        # Of several replies the one that decided: it is the slowest of those that were needed.
        latency_s = sample.latency_s if result is Outcome.OK else None
        moment.line = format_line(moment.due_s, result, latency_s)
        while self._moments and (line := self._moments[0].line) is not None:
            self._moments.popleft()
            self._write(line)

    def _note(self, name: str, sample: Sample) -> None:
        """Pass an error on, once a row."""
        complaint = sample.detail if sample.outcome is Outcome.ERROR else ""
        if complaint and complaint != self._complaints.get(name):
            self._complain(f"probe {name}: {complaint}")
        self._complaints[name] = complaint

    async def _sample(self, sent_s: float, name: str) -> Sample:
        timeout = float(self._options.timeout)
        try:
            sample = await self._probes[name].check(timeout, timeout + cadence.GRACE_S)
        except CallOverdue:
            sample = Sample.fail("no reply within the timeout")
        except HavpnError as problem:
            return Sample.error(str(problem))
        if sample.outcome is Outcome.FAIL and cadence.void(timeout, self._clock() - sent_s):
            return Sample.error("void: this host was late itself")
        return sample
