"""Search the LAN for whoever has the shared addresses, by ARP (RFC 5227) and NDP (RFC 4862)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from havpn_core import ActionError, Context

from .addresses import words
from .announce import show, who_has
from .frames import FrameSender
from .netlink import Link, carrier_changes, link
from .options import AliasArpOptions

REQUESTS = 2
MOST_REPLIES = 10_000
"""Repliers that one round can tell apart; a flood must not push the true owner out."""
ROUNDS_APART_S = 5.0
"""Rounds that are closer belong together: no carrier may be lost between them."""


class Search:
    """Looks who else has the addresses, while this gateway has none of them.

    :param listen: makes sure that replies on the device are heard; raises :class:`OSError`.
    """

    def __init__(
        self,
        options: AliasArpOptions,
        context: Context,
        sender: FrameSender,
        listen: Callable[[Link], None],
    ) -> None:
        self._options, self._context, self._sender = options, context, sender
        self._listen = listen
        self._round_before: _Carrier | None = None
        self._replies: list[_Replies] = []

    def heard(self, mac: bytes, age_s: float) -> None:
        """Take in that somebody says that an address is its own.

        A busy machine reads a reply late; what came before the round began is no reply to it.

        :param age_s: how long ago that came, in seconds.
        """
        came_s = self._context.clock() - age_s
        for waiting in self._replies:
            if came_s >= waiting.begun_s:
                waiting.add(mac)

    async def answered_by(self, timeout_s: float) -> str | None:
        """Find out on the LAN whether another host has one of the addresses.

        :returns: the link-layer address of the first that replies, ``None`` without a reply.
        :raises ActionError: if the requests cannot be sent.
        """
        replies = await self._probe(timeout_s, first=True)
        return next(iter(replies.shown()), None)

    async def owners_seen(self, timeout_s: float) -> tuple[str, ...]:
        """Find out who on the LAN has one of the addresses: all that reply.

        :returns: their link-layer addresses.
        :raises ActionError: if the requests cannot be sent, or the carrier was lost meanwhile or
            since the last round: what nobody heard has no meaning then.
        """
        last, self._round_before = self._round_before, None
        before = self._carrier_now()
        if last is not None and _lost_between(last, before):
            raise ActionError(f"device {self._options.device} lost its carrier since the last look")
        replies = await self._probe(timeout_s, first=False)
        after = self._carrier_now()
        if after.changes != before.changes:
            raise ActionError(f"device {self._options.device} lost its carrier during the look")
        self._round_before = after
        return replies.shown()

    def _carrier_now(self) -> "_Carrier":
        """Look at the carrier.

        :raises ActionError: if there is none.
        """
        there = usable_link(self._options.device)
        try:
            changes = carrier_changes(there.index)
        except OSError as problem:
            raise ActionError(
                f"cannot look at device {self._options.device}: {words(problem)}"
            ) from None
        return _Carrier((there.index, changes), self._context.clock())

    async def _probe(self, timeout_s: float, *, first: bool) -> "_Replies":
        """Send two requests an address, the second after half of the time.

        RFC 5227 sends three over 2 to 5 s; that is meant for hosts that come up, not for a gateway
        that is missed.

        :param first: whether the first reply is enough.
        :raises ActionError: if the requests cannot be sent.
        """
        replies = _Replies(self._context.clock())
        there = usable_link(self._options.device)
        if there.mac is None:
            return replies  # a device without neighbours
        frames = [who_has(there.mac, i.ip) for i in self._options.interfaces]
        self._replies.append(replies)
        try:
            self._listen(there)
            for _ in range(REQUESTS):
                self._sender.send(self._options.device, frames)
                if not first:
                    await asyncio.sleep(timeout_s / REQUESTS)
                elif (await asyncio.wait((replies.some,), timeout=timeout_s / REQUESTS))[0]:
                    break
        except OSError as problem:
            raise ActionError(
                f"cannot look on {self._options.device} who has the address: {words(problem)}"
            ) from None
        finally:
            self._replies.remove(replies)
        return replies


class _Replies:
    """Who replied in one round.

    :param begun_s: when it began, in seconds of the monotonic clock.
    """

    def __init__(self, begun_s: float) -> None:
        self.begun_s = begun_s
        self._macs: dict[bytes, None] = {}
        self.some: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, mac: bytes) -> None:
        """Take one in."""
        if len(self._macs) < MOST_REPLIES:
            self._macs[mac] = None
        if not self.some.done():
            self.some.set_result(None)

    def shown(self) -> tuple[str, ...]:
        """Give them in the order of their first reply."""
        return tuple(show(mac) for mac in self._macs)


@dataclass(frozen=True, slots=True)
class _Carrier:
    """A moment at which a device had a carrier.

    :param changes: the device's number, and how often its carrier came or went until then.
    """

    changes: tuple[int, int | None]
    at_s: float


def _lost_between(before: _Carrier, now: _Carrier) -> bool:
    """Whether it was lost between two rounds that belong together."""
    return now.at_s - before.at_s <= ROUNDS_APART_S and before.changes != now.changes


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
