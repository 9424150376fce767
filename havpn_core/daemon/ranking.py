"""Say how good this gateway's lines are to the actions that pass it on to a cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from havpn_core.daemon.gateway import Gateway
from havpn_core.daemon.state.memory import Memory
from havpn_core.daemon.world import World
from havpn_core.errors import CallBusy, HavpnError
from havpn_core.pair.lines.score import (
    GOOD,
    GOOD_RANK,
    STEP,
    Rank,
    Seen,
    follow,
    of_paths,
    score_of,
    words,
)
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.role import Role

LOOK_S = 1.0
"""From one look at the lines to the next."""
AGAIN_S = 5.0
"""A score is written again so often, as the cluster may have forgotten it."""
WITHIN_S, GRACE_S = 5.0, 0.5
Line = tuple[Seen, bool | None]
"""What is seen of a path, and whether a cluster should rely on it."""


class Ranking:
    """The scores of the paths, which are only computed while an action passes them on.

    :param emit: takes every event.
    :param clock: monotonic seconds.
    :param memory: keeps on which step each line is, for the next run.
    :param ranking: gives the actions that pass a score on, by their names.
    :param lines: gives what is seen of each path now, and whether a cluster should rely on it.
    :param forced: whether an operator wants this gateway to serve.
    :param give_up_on: ``any`` or ``all``.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        memory: Memory,
        *,
        ranking: Callable[[], Mapping[str, Caller]],
        lines: Callable[[], Mapping[str, Line]],
        forced: Callable[[], bool],
        give_up_on: Callable[[], str],
    ) -> None:
        self._emit, self._clock, self._memory = emit, clock, memory
        self._ranking, self._lines = ranking, lines
        self._forced, self._give_up_on = forced, give_up_on
        self._ranks = {name: Rank(step) for name, step in memory.steps.items()}
        self._passed: dict[str, tuple[Caller, int, float]] = {}
        self._failing: set[str] = set()

    @property
    def scores(self) -> dict[str, int | None]:
        """The score of each path; ``None``: what was said before stands.

        Empty while nobody passes it on.
        """
        if not self._ranking():
            return {}
        return {name: self._score(name, line) for name, line in self._lines().items()}

    def _score(self, name: str, line: Line) -> int | None:
        seen, usable = line
        rank = self._ranks.get(name, GOOD_RANK)
        return score_of(rank, seen.verdict, usable=usable, forced=self._forced())

    async def run(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Look without end.

        :param changed: awaited when a line is on another step, before that is passed on.
        """
        while True:
            await self.turn(changed)
            await asyncio.sleep(LOOK_S)

    async def turn(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Look at the lines once, and pass on what is to be."""
        callers = self._ranking()
        if not callers:
            return
        if self.look():
            await changed()
        score = of_paths(self.scores.values(), self._give_up_on())
        if score is not None:
            await asyncio.gather(*(self._pass_on(*each, score) for each in callers.items()))

    def look(self) -> bool:
        """Look at the lines once; gives whether one of them is on another step."""
        now, before = self._clock(), self._ranks
        self._ranks = {}
        for name, (seen, _) in self._lines().items():
            old = before.get(name, GOOD_RANK)
            new = self._ranks[name] = follow(old, seen, now)
            if new.step != old.step:
                grades = [f"score {GOOD - STEP * rank.step}" for rank in (old, new)]
                self._emit(Event("quality", name, grades[0], grades[1], words(seen.loss)))
        steps = {name: rank.step for name, rank in self._ranks.items() if rank.step}
        moved, self._memory.steps = steps != self._memory.steps, steps
        return moved

    async def _pass_on(self, name: str, caller: Caller, score: int) -> None:
        """Pass the score on, where it is another or was passed on long ago."""
        now = self._clock()
        known, last, at = self._passed.get(name, (None, None, 0.0))
        if known is caller and last == score and now - at < AGAIN_S:
            return
        try:
            await caller.call("rank", score, WITHIN_S, deadline_s=WITHIN_S + GRACE_S)
            self._failing.discard(name)
        except CallBusy:
            return
        except HavpnError as problem:
            if name not in self._failing:
                self._failing.add(name)
                text = f"score {score}: {problem}"
                self._emit(Event("action", name, "", "failed", text, "warning"))
        self._passed[name] = (caller, score, now)


def ranking_of(gateway: Gateway, world: World) -> Ranking:
    """Make the ranking of a gateway."""

    def lines() -> dict[str, Line]:
        now = world.clock()
        return {
            name: (
                Seen(run.verdict, run.watch.calm.is_grey, run.loss(now)),
                gateway.usable(run),
            )
            for name, run in gateway.parts.paths.items()
        }

    return Ranking(
        world.emit,
        world.clock,
        gateway.memory,
        ranking=lambda: gateway.acting.ranking,
        lines=lines,
        forced=lambda: gateway.force.role is Role.ACTIVE,
        give_up_on=lambda: gateway.parts.config.node.give_up_on,
    )
