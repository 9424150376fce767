"""Ask the LAN, before a silent partner's addresses are taken, whether somebody still has them.

A partner that is silent on every link may be dead, or only be cut off. Its kernel answers for
the addresses as long as it has them, whatever became of its daemon, so the question finds out
(RFC 5227, section 2.1.1). It is asked in the last moments before the partner counts as dead,
and therefore costs no time.
"""

import asyncio
import contextlib
from collections.abc import Callable

from havpn_core.errors import HavpnError
from havpn_core.plugging.calls import Caller

AGAIN_S = (0.1, 1.0)
"""The first and the longest pause before the question is repeated; it doubles."""
GRACE_S = 0.5


class Scout:
    """Asks while the partner is suspected.

    :param owners: gives the actions that may be asked, by name; an action can be asked if it
        has ``answered_by`` (see :class:`havpn_core.plugging.descriptors.SharedAddress`).
    :param tell: called with a sentence when somebody answers.
    :param changed: called when there is another answer.
    """

    def __init__(
        self,
        owners: Callable[[], dict[str, Caller]],
        tell: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._owners, self._tell, self._changed = owners, tell, changed
        self._task: asyncio.Task[None] | None = None
        self._told: frozenset[str] = frozenset()
        self._answered: bool | None = None

    @property
    def answered(self) -> bool | None:
        """Whether somebody has an address that must not be taken; ``None`` if not asked yet."""
        return self._answered if self._askable() else False

    def look(self, suspect: bool, window_s: float) -> None:
        """Begin to ask when the partner is suspected, and end when it is not."""
        if not suspect:
            self.close()
        elif self._task is None and self._askable():
            self._task = asyncio.create_task(self._ask_for_ever(window_s))

    def close(self) -> None:
        """Ask no longer and forget the answer."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._answered, self._told = None, None, frozenset()

    def _askable(self) -> dict[str, Caller]:
        found = self._owners()
        return {name: each for name, each in found.items() if each.offers("answered_by")}

    async def _ask_for_ever(self, window_s: float) -> None:
        pause_s, longest_s = AGAIN_S
        while True:
            answers = await asyncio.gather(
                *(self._ask(name, caller, window_s) for name, caller in self._askable().items())
            )
            self._answered = any(answers)
            self._changed()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)

    async def _ask(self, name: str, caller: Caller, window_s: float) -> bool:
        """Ask through one action; what cannot be asked is nobody's answer."""
        who = None
        with contextlib.suppress(HavpnError):
            who = await caller.answered_by(window_s, window_s + GRACE_S)
        if who is None:
            return False
        yields = caller.yields
        if who not in self._told:
            self._told |= {who}
            then = "not taken" if yields else "taken all the same"
            self._tell(f"{name}: the partner is silent, yet {who} has the address: {then}")
        return yields
