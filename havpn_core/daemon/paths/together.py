"""Let what changes of many paths in one moment count once.

What a change costs grows with the number of paths: a thousand that go down with one provider would
keep the loop busy for many seconds if each of them had the role judged again.
"""

import asyncio
from collections.abc import Callable

from havpn_core.daemon.paths.road import Surroundings

FEW = 50
"""With so many paths each change counts at once."""
APART_S = 0.00005
"""Seconds for each path from one time to the next, with more of them."""


class Together:
    """Calls ``count`` for what changed: at once, or a moment later for many changes.

    :param paths: gives how many paths there are.
    :param count: called on the loop.
    """

    def __init__(
        self, world: Surroundings, paths: Callable[[], int], count: Callable[[], None]
    ) -> None:
        self._world, self._paths, self._count = world, paths, count
        self._counted_s, self._waits = float("-inf"), False

    def changed(self) -> None:
        """Let a change count; of many, the first one at once."""
        if self._waits:
            return
        paths = self._paths()
        pause_s = self._counted_s + paths * APART_S - self._world.clock()
        if paths <= FEW or pause_s <= 0:
            self._count_now()
        else:
            self._waits = True
            self._world.tasks.spawn("together", self._count_after(pause_s))

    async def _count_after(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        self._waits = False
        self._count_now()

    def _count_now(self) -> None:
        self._count()
        self._counted_s = self._world.clock()
