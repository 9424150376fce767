"""Notice who else says that a shared address is his, and deal with it."""

import asyncio
from collections.abc import Callable
from typing import Any

from havpn_core import ActionError, Context

from .addresses import words
from .announce import Claim, show, who_has
from .frames import ClaimReceiver, FrameSender
from .netlink import Link, link
from .options import AliasArpOptions
from .schedule import defence_s, defends, is_late

REQUESTS = 2
RECHECK_S = 1.0
"""How often the owner that keeps silent looks whether the other one still replies."""
REPLY_S = 0.2
REPORT_EVERY_S = 10.0


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
        self._options, self._context, self._sender = options, context, sender
        self._round, self._anew = announce, anew
        self.report: Callable[[str], None] | None = None
        self._active = False
        self._blind = False
        self._conflicts = 0
        self._rival: bytes | None = None
        self._receiver = ClaimReceiver([i.ip for i in options.interfaces], self._claimed)
        self._defence: asyncio.TimerHandle | None = None
        self._defended_s: float | None = None
        self._reported: tuple[bytes, float] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._replies: list[asyncio.Future[bytes]] = []

    def open(self, there: Link) -> None:
        """Make all sockets beforehand; what is not allowed is said once."""
        try:
            self._sender.open()
            self._receiver.open(self._options.device, there)
        except OSError as problem:
            if not self._blind:
                self._context.logger.warning(
                    "%s: cannot watch %s for others that use its addresses: %s",
                    self._context.instance, self._options.device, words(problem),
                )  # fmt: skip
            self._blind = True
        else:
            self._blind = False

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
        }

    def _claimed(self, claim: Claim, age_s: float) -> None:
        late = is_late(0.0, age_s)
        for waiting in self._replies:
            if not waiting.done() and not late:
                waiting.set_result(claim.mac)
        if not self._active:
            return  # a partner that is active says so, of course
        self._conflicts += 1
        self._rival = claim.mac
        self._report(claim)
        own = self._own_mac()
        if late or own is None:
            return
        if defends(own, claim.mac):
            self._defend()
        elif self._watch is None or self._watch.done():
            self._watch = asyncio.ensure_future(self._outlast())

    def _own_mac(self) -> bytes | None:
        """Give this gateway's link-layer address there, if it has one."""
        try:
            there = link(self._options.device)
        except OSError:
            return self._receiver.mac  # what it was when the claim could first be heard
        return there.mac if there is not None else None

    def _report(self, claim: Claim) -> None:
        now = self._context.clock()
        known, since = self._reported or (b"", 0.0)
        if known == claim.mac and now - since < REPORT_EVERY_S:
            return
        self._reported = (claim.mac, now)
        self._context.logger.warning(
            "%s: %s says that %s is its own while this gateway is active",
            self._context.instance, show(claim.mac), claim.address,
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
                if await self.answered_by(REPLY_S) is None:
                    break
            except ActionError:
                continue
        self._watch = None
        self._round()
        self._anew()

    async def answered_by(self, timeout_s: float) -> str | None:
        """Find out on the LAN whether another host has one of the addresses.

        Two requests an address, the second after half of the time. RFC 5227 sends three over
        2 to 5 s; that is meant for hosts that come up, not for a gateway that is missed.

        :returns: the link-layer address of the first that replies, ``None`` without a reply.
        :raises ActionError: if the requests cannot be sent.
        """
        there = usable_link(self._options.device)
        if there.mac is None:
            return None
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        frames = [who_has(there.mac, i.ip) for i in self._options.interfaces]
        try:
            self._receiver.open(self._options.device, there)
            self._replies.append(reply)
            for _ in range(REQUESTS):
                self._sender.send(self._options.device, frames)
                done, _ = await asyncio.wait((reply,), timeout=timeout_s / REQUESTS)
                if done:
                    return show(reply.result())
        except OSError as problem:
            raise ActionError(
                f"cannot look on {self._options.device} who has the address: {words(problem)}"
            ) from None
        finally:
            if reply in self._replies:
                self._replies.remove(reply)
        return None


def usable_link(device: str) -> Link:
    """Look a device up that is to be used now.

    :raises ActionError: if it is not there, down or without carrier, or cannot be looked at.
    """
    try:
        there = link(device)
    except OSError as problem:
        raise ActionError(f"cannot look at device {device}: {words(problem)}") from None
    if there is None:
        raise ActionError(f"there is no device {device}: create it or correct the option device")
    if not there.up:
        raise ActionError(f"device {device} is down: run ip link set {device} up")
    if not there.running:
        raise ActionError(f"device {device} has no carrier: look at its cable and switch port")
    return there
