"""Let a gateway of a cluster withdraw while it cannot serve, if another is seen serving."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from havpn_core.daemon.state.memory import Memory
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate import partners
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.cluster.withdraw import (
    FRESH_S,
    Seen,
    Withdrawal,
    together,
    why_stays,
    withdraw,
)
from havpn_core.rules.role import Role

LOOK_S = 1.0
"""From one look at the other gateways to the next, and from one look at this one."""
LOOK_WITHIN_S = 2.0
GRACE_S = 0.5


class Withdrawing:
    """Whether this gateway has withdrawn; looks at others only while that matters here.

    :param emit: takes every event.
    :param clock: monotonic seconds.
    :param memory: keeps it for the next run.
    :param seeing: gives the actions that can see the others.
    :param observed: gives the role that is in force.
    :param trouble: says why this gateway should go; empty while nothing is wrong.
    :param also: whether a look is wanted though nothing is wrong.
    :param counts: whether that may decide now: there is no pair, which does it better.
    :param changed: called when :attr:`reason` came or went, or a look showed something else.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        memory: Memory,
        *,
        seeing: Callable[[], Iterable[Caller]],
        observed: Callable[[], Role | None],
        trouble: Callable[[], str],
        also: Callable[[], bool],
        counts: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._emit, self._clock, self._memory, self._seeing = emit, clock, memory, seeing
        self._observed = observed
        self._trouble, self._also = trouble, also
        self._counts, self._changed = counts, changed
        self._state, self._seen = Withdrawal(), Seen()
        self._said = ""
        self._kick = asyncio.Event()

    @property
    def reason(self) -> str:
        """Why this gateway has withdrawn; empty while it has not."""
        return f"{self._state.reason}; another gateway serves" if self._state.reason else ""

    @property
    def seen(self) -> bool | None:
        """Whether another gateway serves, by the latest look; ``None`` if that is not fresh."""
        return self._seen.serves if self._clock() - self._seen.at_s <= FRESH_S else None

    @property
    def unseen(self) -> bool:
        """Whether the latest look showed that no other gateway serves, and is fresh."""
        return self.seen is False

    def recall(self) -> None:
        """Take up what an earlier run left, unless somebody has made this gateway active since."""
        if self._counts() and self._observed() is Role.STANDBY:
            self._state = Withdrawal(self._memory.withdrawn)

    def look_soon(self) -> None:
        """Look at once, as what is wrong here may be another."""
        self._kick.set()

    async def run(self) -> None:
        """Look without end."""
        while True:
            self._kick.clear()
            seen = Seen()
            if self._counts() and (self._trouble() or self._state.reason or self._also()):
                seen = await self._look()
            self._take(seen)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._kick.wait()

    async def _look(self) -> Seen:
        callers = self._seeing()
        return together(await asyncio.gather(*(self._seen_by(each) for each in callers)))

    async def _seen_by(self, caller: Caller) -> Seen:
        began_s = self._clock()
        serves = await partners.partner_serves(caller, LOOK_WITHIN_S, LOOK_WITHIN_S + GRACE_S)
        return Seen(serves, partners.turn(caller), began_s)

    def _take(self, seen: Seen) -> None:
        """Take a look in; while an operator lets nothing be carried out, nobody goes."""
        before, known, self._seen = self._state, self._seen.serves, seen
        trouble = self._trouble() if self._counts() else ""
        if not self._counts() or (self._memory.paused and not before.reason):
            self._state = Withdrawal()
        else:
            self._state = withdraw(before, trouble, seen, self._clock())
        self._say(trouble, seen)
        if bool(self._state.reason) is not bool(before.reason):
            self._memory.withdrawn = self._state.reason
        elif seen.serves is known:
            return
        self._changed()

    def _say(self, trouble: str, seen: Seen) -> None:
        """Report once why a gateway that should go stays."""
        stays = trouble and not self._state.reason and self._observed() is not Role.STANDBY
        why = "paused" if self._memory.paused else why_stays(seen)
        said = f"{trouble}; this gateway stays: {why}" if stays else ""
        if said and said != self._said:
            self._emit(Event("role", "", "", "unfit", said, "warning"))
        self._said = said
