"""Notice who else says that a shared address is his, and deal with it."""

import asyncio
from collections.abc import Callable
from typing import Any

from havpn_core import ActionError, Context

from .announce import Claim, show
from .frames import ClaimReceiver, FrameSender
from .netlink import Link
from .options import AliasArpOptions
from .schedule import Reports, defence_s, defends, is_late
from .search import Search

RECHECK_S = 1.0
"""How often the owner that keeps silent looks whether the other one still replies."""
REPLY_S = 0.2


class Rivals:
    """Listens for a second owner.

    Of two owners the one with the lower link-layer address announces again, at most once a
    second. The other keeps silent, looks once a second whether its rival still replies, and
    announces when it does not. What arrived more than a quarter of a second ago is reported
    only: this daemon was stopped in the meantime and does not know who should be active.

    :param announce: announces once what is held.
    :param anew: begins the announcements of a tenure afresh.
    """

    def __init__(
        self,
        options: AliasArpOptions,
        context: Context,
        sender: FrameSender,
        announce: Callable[[], None],
        anew: Callable[[], None],
    ) -> None:
        self._options, self._context = options, context
        self._round, self._anew = announce, anew
        self.report: Callable[[str], None] | None = None
        self._active = False
        self._conflicts = 0
        self._reports = Reports()
        self._rival: bytes | None = None
        self._claimed_s = 0.0
        self._receiver = ClaimReceiver([i.ip for i in options.interfaces], self._claimed)
        self._defence: asyncio.TimerHandle | None = None
        self._defended_s: float | None = None
        self._watch: asyncio.Task[None] | None = None
        self.search = Search(options, context, sender, self.listen)

    def listen(self, there: Link) -> None:
        """Hear claims on the device, now if not already.

        :raises OSError: if that is not allowed or the device goes away.
        """
        self._receiver.open(self._options.device, there)

    def begin(self) -> None:
        """From now on this gateway is active, and whoever claims an address a rival."""
        self._active = True

    def stop(self) -> None:
        """From now on it is not."""
        self._active = False
        for handle in (self._defence, self._watch):
            if handle is not None:
                handle.cancel()
        self._defence = self._watch = None

    def close(self) -> None:
        """Stop listening; may be called twice."""
        self.stop()
        self._receiver.close()

    def facts(self) -> dict[str, Any]:
        """Give what status shows."""
        return {
            "conflicts": self._conflicts,
            "rival": show(self._rival) if self._rival else None,
            "rival_s": round(self._context.clock() - self._claimed_s, 3) if self._rival else None,
        }

    def _claimed(self, claim: Claim, age_s: float) -> None:
        late = is_late(0.0, age_s)
        self.search.heard(claim.mac, age_s)
        if not self._active:
            return  # a partner that is active says so, of course
        self._conflicts += 1
        self._rival, self._claimed_s = claim.mac, self._context.clock()
        self._report(claim)
        own = self._receiver.mac
        if late or own is None:
            return
        if defends(own, claim.mac):
            self._defend()
        elif self._watch is None or self._watch.done():
            self._watch = asyncio.ensure_future(self._outlast())

    def _report(self, claim: Claim) -> None:
        if not self._reports.due(claim.mac, self._context.clock()):
            return
        untold = self._reports.told()
        more = f"; {untold} more claims were counted only" if untold else ""
        self._context.logger.warning(
            "%s: %s says that %s is its own while this gateway is active%s",
            self._context.instance, show(claim.mac), claim.address, more,
        )  # fmt: skip
        if self.report is not None:
            self.report(show(claim.mac))

    def _defend(self) -> None:
        if self._defence is not None:
            return
        now = self._context.clock()
        due = defence_s(self._defended_s, now)

        def defend() -> None:
            self._defence = None
            if is_late(due, self._context.clock()):
                return
            self._defended_s = self._context.clock()
            self._round()

        if due > now:
            self._defence = asyncio.get_running_loop().call_later(due - now, defend)
        else:
            defend()

    async def _outlast(self) -> None:
        """Wait until the rival is silent, and announce then."""
        while True:
            due = self._context.clock() + RECHECK_S
            await asyncio.sleep(RECHECK_S)
            if is_late(due, self._context.clock()):
                continue
            try:
                if await self.search.answered_by(REPLY_S) is None:
                    break
            except ActionError:
                continue
        self._watch = None
        self._round()
        self._anew()
