"""What a probe must hold to that reports arrivals by itself (:class:`havpn_core.Arriving`)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.protocols import Arriving
from havpn_core.rules.hysteresis import Outcome
from havpn_core.testing.made import GRACE_S, until

PAUSE_S = 0.05
PATIENCE_S = 5.0
"""A report is due at least once a second; a busy machine has some more."""
AFTER_S = 0.3
"""How long nothing may come of a probe that was closed, or whose arrivals another one takes."""


class Inbox:
    """Takes reports, from any thread."""

    def __init__(self) -> None:
        self.reports: list[tuple[Any, Any]] = []

    def __call__(self, sample: Any = None, lost: Any = 0) -> None:
        """Take a report."""
        self.reports.append((sample, lost))

    def has(self, outcome: Outcome) -> bool:
        """Whether such a sample was reported; what is no report is said at once."""
        for sample, lost in self.reports:
            assert isinstance(sample, Sample), f"reported {sample!r}, which is no Sample"
            good = type(lost) is int and lost >= 0
            assert good, f"reported {lost!r} lost before it, which is no number from 0 up"
        return any(sample.outcome is outcome for sample, _ in self.reports)


async def heard(caller: Caller, timeout_s: float) -> None:
    """Wait until a check is OK, or for ``timeout_s`` seconds: what arrives begins by itself."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        sample = await caller.call("check", timeout_s, deadline_s=timeout_s + GRACE_S)
        if isinstance(sample, Sample) and sample.outcome is Outcome.OK:
            return
        await asyncio.sleep(PAUSE_S)


async def check_arriving(
    caller: Caller, lost: Caller, close: Callable[[], Awaitable[str | None]]
) -> None:
    """Arrivals are reported, to the last taker, until the probe is closed.

    :param caller: of a probe whose far end is there.
    :param lost: of one whose far end is not.
    :param close: closes the former.
    """
    if not caller.able(Arriving):
        return
    first, second, nobody = Inbox(), Inbox(), Inbox()
    await _tell(lost, nobody)
    await _tell(caller, first)
    await until(
        lambda: first.has(Outcome.OK),
        "reachable: no arrival was reported as OK",
        timeout_s=PATIENCE_S,
    )
    await _tell(caller, second)
    before = len(first.reports)
    await until(
        lambda: second.has(Outcome.OK),
        "tell_arrivals, called again: the later function is not called",
        timeout_s=PATIENCE_S,
    )
    assert len(first.reports) == before, "tell_arrivals: an earlier function is called on"
    await until(
        lambda: bool(nobody.reports),
        "unreachable: nothing is reported; that is ERROR, at least once a second",
        timeout_s=PATIENCE_S,
    )
    assert not nobody.has(Outcome.OK), "unreachable: an arrival was reported"
    assert await close() is None, "close failed"
    before = len(second.reports)
    await asyncio.sleep(AFTER_S)
    assert len(second.reports) == before, "closed, it reports on"


async def _tell(caller: Caller, inbox: Inbox) -> None:
    caller.instance.tell_arrivals(inbox)
    await asyncio.sleep(0)
