"""The calls of a path's probes: those under way, and what each probe has found so far."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from havpn_core.config.instances import PathConfig
from havpn_core.config.kinds import arrivals_of
from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.arriving import (
    arrives,
    counts_loss,
    far_left,
    line_loss,
    may_leave,
    tell_arrivals,
)
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.contained import sample_of, unheard
from havpn_core.rules.cadence import given_up_s
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.target.loss import Loss
from havpn_core.rules.vote import Sent
from havpn_core.serve.buckets import Histogram

Open = tuple["asyncio.Future[Sample]", Callable[["asyncio.Future[Sample] | None"], None]]
"""A probe under way, and what takes its end, or ``None`` when it is given up."""


@dataclass
class Tally:
    """What one probe has found so far.

    :param replied_s: when it last had a reply, in seconds of the monotonic clock.
    :param durations: how long its replies took.
    """

    last: Sample | None = None
    outcome: Outcome | None = None
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    replied_s: float | None = None
    durations: Histogram = field(default_factory=Histogram)

    def add(self, sample: Sample, outcome: Outcome | None = None) -> None:
        """Count a sample.

        :param outcome: what it counts as; its own outcome if not given.
        """
        self.last, self.outcome = sample, outcome or sample.outcome
        self.counts[self.outcome] += 1
        if self.outcome is Outcome.OK:
            self.replied_s = time.monotonic()
            if sample.latency_s is not None:
                self.durations.add(sample.latency_s)

    def facts(self) -> dict[str, Any]:
        """Give its part of the status."""
        last = self.last
        latency = last.latency_s if last else None
        return {
            "outcome": self.outcome.value if self.outcome else None,
            "detail": last.detail if last else "",
            "latency_ms": None if latency is None else round(latency * 1000, 3),
            **{outcome.value: count for outcome, count in self.counts.items()},
        }


class Probes:
    """The probes of one path.

    :param config: of the path.
    :param callers: a caller for each, by its id.
    :param ended: takes what was sent, the probe's position, and its sample; called on the loop.
    """

    def __init__(
        self,
        config: PathConfig,
        callers: dict[str, Caller],
        ended: Callable[[Sent, int, Sample], None],
    ) -> None:
        self.callers = callers
        self.tallies = {name: Tally() for name in callers}
        self._timeout_s, self._ended = float(config.options.timeout), ended
        self._in_order, self._tallied = list(callers.values()), list(self.tallies.values())
        #: positions of those that report by themselves; they are never polled.
        self.reporting: list[int] = []
        self._hurrying: list[Caller] = []
        paced = {probe.id for probe in config.probes if arrivals_of(probe) is not None}
        for position, (name, caller) in enumerate(callers.items()):
            if arrives(caller) and name in paced:
                self.reporting.append(position)
            elif arrives(caller):
                self._hurrying.append(caller)
        self._counting = [n for n, caller in enumerate(self._in_order) if counts_loss(caller)]
        self._leaving = [caller for caller in self._in_order if may_leave(caller)]
        self._on_the_loop = self._in_order
        self._under_way: deque[tuple[float, list[Open]]] = deque()

    @property
    def moved(self) -> bool:
        """Whether one more than at the last look runs in a thread, for it blocked the loop."""
        return any(not caller.overlaps for caller in self._on_the_loop)

    def serial(self) -> list[int]:
        """Look which run in a thread; gives their positions."""
        self._on_the_loop = [caller for caller in self._in_order if caller.overlaps]
        serial = [n for n, caller in enumerate(self._in_order) if not caller.overlaps]
        return [n for n in serial if n not in self.reporting]

    def count(self, position: int, sample: Sample, *, holds_refused: bool) -> Outcome:
        """Count a sample of a probe; gives what it counts as.

        :param holds_refused: a refusal is no failure.
        """
        refused = sample.refused and holds_refused
        outcome = Outcome.REFUSED if refused else sample.outcome
        self._tallied[position].add(sample, outcome)
        return outcome

    def listen(self, take: Callable[[int, Sample, int], None], hurry: Callable[[], None]) -> None:
        """Have all that probes report by themselves handed on, with the probe's position.

        :param hurry: called for a failure that one reports which is polled.
        """
        for position in self.reporting:
            tell_arrivals(self._in_order[position], partial(take, position))
        for caller in self._hurrying:
            tell_arrivals(caller, partial(_look, hurry))

    def losses(self) -> dict[int, Loss | None]:
        """Give what probes say that their line loses, by their positions."""
        return {n: line_loss(self._in_order[n]) for n in self._counting}

    def far_left(self) -> bool:
        """Whether a target says that its gateway has just left the line for a better one."""
        return any(map(far_left, self._leaving))

    def noticed(self) -> set[str | None]:
        """Give how each target that could say so says that its gateway stands."""
        return {caller.noticed() for caller in self._in_order if caller.notices}

    def refusing(self) -> Container[int]:
        """Give the positions of those whose target refuses, so that silence is a refusal."""
        return [n for n, caller in enumerate(self._in_order) if caller.refusing()]

    @property
    def given_up_s(self) -> float:
        """When the oldest calls are to be given up; infinity if there are none."""
        return self._under_way[0][0] if self._under_way else float("inf")

    def send(self, sent: Sent, *, renew: bool) -> None:
        """Send what is to be sent; each probe's end is reported once.

        :param renew: let those that can take another way.
        """
        calls: list[Open] = []
        for position, caller in enumerate(self._in_order):
            if sent.outcomes[position] is not None:
                continue  # its turn has not come
            if renew and caller.renew is not None:
                caller.renew()
            try:
                call = caller.begin_check(self._timeout_s)
            except HavpnError as problem:
                self._ended(sent, position, Sample.error(str(problem)))
                continue
            ended = partial(self._call_ended, sent, position)
            call.add_done_callback(ended)
            calls.append((call, ended))
        if calls:
            self._under_way.append((given_up_s(sent.sent_s, self._timeout_s), calls))

    def give_up(self, now_s: float) -> None:
        """Count what is still under way as lost now, whether or not it lets itself end."""
        while self._under_way and self._under_way[0][0] <= now_s:
            for call, ended in self._under_way.popleft()[1]:
                if not call.done():
                    call.remove_done_callback(ended)
                    call.add_done_callback(unheard)
                    call.cancel()
                    asyncio.get_running_loop().call_soon(ended, None)

    def cancel(self) -> None:
        """End all calls; nobody waits for them."""
        for _, calls in self._under_way:
            for call, _ in calls:
                call.cancel()

    def _call_ended(self, sent: Sent, position: int, call: "asyncio.Future[Sample] | None") -> None:
        """Take a probe's result; ``None`` stands for its timeout."""
        self._ended(sent, position, sample_of(call))
        if self._under_way and all(call.done() for call, _ in self._under_way[0][1]):
            self._under_way.popleft()


def _look(hurry: Callable[[], None], sample: Sample, lost: int) -> None:
    """Have the path look at once if something failed."""
    if sample.outcome is Outcome.FAIL:
        hurry()
