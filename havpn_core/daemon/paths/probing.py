"""The calls of a path's probes: those under way, and what each probe has found so far."""

import asyncio
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.contained import sample_of, unheard
from havpn_core.rules.cadence import given_up_s
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.vote import Sent

Open = tuple["asyncio.Future[Sample]", Callable[["asyncio.Future[Sample] | None"], None]]
"""A probe under way, and what takes its end, or ``None`` when it is given up."""


@dataclass
class Tally:
    """What one probe has found so far."""

    last: Sample | None = None
    outcome: Outcome | None = None
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def add(self, sample: Sample, outcome: Outcome | None = None) -> None:
        """Count a sample.

        :param outcome: what it counts as; its own outcome if not given.
        """
        self.last, self.outcome = sample, outcome or sample.outcome
        self.counts[self.outcome] += 1

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

    :param callers: a caller for each, by its id.
    :param timeout_s: how long a reply may take.
    :param ended: takes what was sent, the probe's position, and its sample; called on the loop.
    """

    def __init__(
        self,
        callers: dict[str, Caller],
        timeout_s: float,
        ended: Callable[[Sent, int, Sample], None],
    ) -> None:
        self.callers = callers
        self.tallies = {name: Tally() for name in callers}
        self._timeout_s, self._ended = timeout_s, ended
        self._in_order = list(callers.values())
        self._on_the_loop = self._in_order
        self._under_way: deque[tuple[float, list[Open]]] = deque()

    @property
    def moved(self) -> bool:
        """Whether one more than at the last look runs in a thread, for it blocked the loop."""
        return any(not caller.overlaps for caller in self._on_the_loop)

    def serial(self) -> list[int]:
        """Look which run in a thread; gives their positions."""
        self._on_the_loop = [caller for caller in self._in_order if caller.overlaps]
        return [n for n, caller in enumerate(self._in_order) if not caller.overlaps]

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
