"""``alias-arp``: hold the shared addresses on a network device and announce them.

What is there is read from the kernel each time; nothing is believed. Addresses get
``preferred_lft 0``, so that IPv6 never chooses them as a source. After a crash they stay where
they are until a daemon decides otherwise, or for ``lifetime``.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from havpn_core import (
    ActionError,
    ActionType,
    Context,
    Diagnosis,
    HavpnError,
    Held,
    Role,
    hookimpl,
    note_held,
    read_held,
)

from ._alias import netlink
from ._alias.addresses import Addresses, Place, words
from ._alias.announce import show
from ._alias.announcer import AGAIN_S, Announcer
from ._alias.diagnosing import diagnosed
from ._alias.netlink import Assigned, Interface, Link
from ._alias.options import AliasArpOptions, paired
from ._alias.search import usable_link

TYPE = "alias-arp"
DAD_LOOK_S = 0.02
RENEWALS = 3
"""How often addresses are renewed in their lifetime: one that is missed or late costs none."""


class AliasArp:
    """The shared addresses of one device."""

    def __init__(self, options: AliasArpOptions, context: Context) -> None:
        self._options, self._context = options, context
        self._addresses = Addresses(options, _noted(context))
        self._announcer = Announcer(options, context, self._addresses.held)
        self._role: Role | None = None
        self._link: Link | None = None
        self._renewal: asyncio.TimerHandle | None = None
        self._adopted = False

    async def apply(self, role: Role, timeout_s: float) -> None:
        """Take or give up the addresses; see :class:`havpn_core.Action`.

        :param timeout_s: seconds that duplicate address detection may take.
        :raises ActionError: if an address could not be taken or given up; the others were.
        """
        self._role = role
        if role is Role.ACTIVE:
            await self._take(self._context.clock() + timeout_s)
        else:
            await self._give_up()

    async def observe(self) -> Role | None:
        """Look in the kernel.

        Active means that every address is there and usable, standby that none is there. What
        lies between is the opposite of the role last applied, so that it is put right.
        """
        try:
            there = netlink.link(self._options.device)
            if there is not None:
                self._announcer.open(there)
            self._follow(there)
            present = self._addresses.present()
            stale = self._addresses.stale()
        except OSError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, words(problem))
            return None
        if not present and not stale:
            return Role.STANDBY
        if self._addresses.complete(present) and not stale:
            if self._role is None and not self._adopted:
                self._adopted = self._adopt(present)
            return Role.ACTIVE
        return Role.STANDBY if self._role is Role.ACTIVE else Role.ACTIVE

    async def answered_by(self, timeout_s: float) -> str | None:
        """Find out on the LAN whether another host has one of the addresses.

        :param timeout_s: seconds to wait for a reply; 0.2 is enough for a LAN.
        :returns: the link-layer address of the first that replies; ``None`` without a reply.
        :raises ActionError: if the requests cannot be sent.
        """
        return await self._announcer.rivals.search.answered_by(timeout_s)

    async def owners_seen(self, timeout_s: float) -> tuple[str, ...]:
        """Find out all hosts on the LAN that have one of the addresses, in one round.

        :param timeout_s: seconds to wait for replies; the requests go out twice in it.
        :raises ActionError: if the requests cannot be sent, or the carrier was lost during the
            round or since the one before.
        """
        return await self._announcer.rivals.search.owners_seen(timeout_s)

    def lan_address(self) -> str | None:
        """Give the device's link-layer address; ``None`` without one, or without a carrier."""
        try:
            there = netlink.link(self._options.device)
        except OSError:
            return None
        return show(there.mac) if there is not None and there.running and there.mac else None

    def broadcast(self, frame: bytes) -> None:
        """Send a frame of the pair to everybody on the LAN, without waiting."""
        self._announcer.broadcasts.send(frame)

    def tell_broadcasts(self, tell: Callable[[str, bytes], None]) -> None:
        """Hand on such frames of others from now on.

        :param tell: called on the loop with the sender's link-layer address and the frame.
        """
        self._announcer.broadcasts.heard = tell
        try:
            there = netlink.link(self._options.device)
        except OSError:
            return  # the next look opens the socket
        if there is not None:
            self._announcer.open(there)

    @property
    def yields(self) -> bool:
        """Whether an address that another host replies for is left to it."""
        return self._options.conflict == "yield"

    def announce(self) -> None:
        """Announce once more, a whole burst, while active."""
        if self._announcer.announcing:
            self._announcer.round()
            self._announcer.begin()

    def tell_conflicts(self, tell: Callable[[str], None]) -> None:
        """Have conflicts reported besides being logged.

        :param tell: called on the loop with the link-layer address of the second owner, for the
            first three claims at once and then at most every 10 s, whoever claims.
        """
        self._announcer.rivals.report = tell

    def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Look at the device in the kernel; see :class:`havpn_core.Diagnosing`."""
        return diagnosed(self._options)

    def facts(self) -> dict[str, Any]:
        """Give what status shows."""
        options = self._options
        addresses = [str(interface) for interface in options.interfaces]
        return {"device": options.device, "addresses": addresses, **self._announcer.facts()}

    async def close(self) -> None:
        """Let go of everything but the addresses."""
        self._announcer.close()
        self._stop_renewal()

    async def _take(self, deadline: float) -> None:
        there = usable_link(self._options.device)
        problems, taken = [], []
        for interface in self._addresses.mine:
            try:
                self._addresses.put(there, interface)
            except OSError as problem:
                problems.append(f"{interface}: {words(problem)}")
                continue
            taken.append(interface)
            if interface.version == 4 or not self._options.dad:
                self._announcer.say(there, [interface])
        problems += self._addresses.remove_stale()
        self._link = there
        self._announcer.open(there)
        self._announcer.begin()
        self._renew_later()
        await self._note(taken)
        if self._options.dad:
            problems += await self._detect_duplicates(deadline)
        if problems:
            raise ActionError(f"{self._options.device}: {'; '.join(problems)}")

    async def _detect_duplicates(self, deadline: float) -> list[str]:
        """Wait for the kernel to find out; gives a sentence for each address it refused."""
        problems = []
        waiting = {i for i in self._addresses.mine if i.version == 6}
        while waiting:
            for found in [a for a in self._addresses.present() if a.interface in waiting]:
                if found.flags & netlink.DADFAILED:
                    problems.append(f"{found.interface}: another host has this address")
                    waiting.discard(found.interface)
                elif found.usable:
                    waiting.discard(found.interface)
                    self.announce()
            if waiting and self._context.clock() >= deadline:
                return [*problems, "duplicate address detection did not end in time"]
            await asyncio.sleep(DAD_LOOK_S if waiting else 0)
        return problems

    async def _give_up(self) -> None:
        self._announcer.stop()
        self._stop_renewal()
        problems = self._addresses.remove_all()
        if problems:
            raise ActionError(f"{self._options.device}: {'; '.join(problems)}")
        await self._note([])

    async def _note(self, taken: list[Interface]) -> None:
        """Write down what is held, where ``havpn release`` finds it."""
        options = {"device": self._options.device, "addresses": [str(i) for i in taken]}
        held = Held(TYPE, options) if taken else None
        try:
            await asyncio.to_thread(note_held, self._context.run_dir, self._context.instance, held)
        except (HavpnError, RuntimeError) as problem:  # the second where no thread can be started
            self._context.logger.warning(
                "%s: %s; havpn release will need the configuration",
                self._context.instance,
                problem,
            )

    def _follow(self, there: Link | None) -> None:
        """Announce again when the device comes back, or comes back as another."""
        before, self._link = self._link, there
        if before is not None and there is not None and there.running and there != before:
            self.announce()

    def _adopt(self, present: list[Assigned]) -> bool:
        """Renew what a former run took, for as long as these options say.

        Who should have it is not decided yet, and until then it must not go. Gives whether the
        kernel took it.
        """
        for_ever = all(assigned.flags & netlink.PERMANENT for assigned in present)
        return (for_ever and self._options.lifetime_s is None) or self._renew()

    def _renew_later(self, longest_s: float = math.inf) -> None:
        """Renew the addresses in time, if the kernel is to drop them."""
        lifetime_s = self._options.lifetime_s
        if lifetime_s is None or self._renewal is not None:
            return
        pause_s = min(lifetime_s / RENEWALS, longest_s)
        self._renewal = asyncio.get_running_loop().call_later(pause_s, self._renew)

    def _renew(self) -> bool:
        """Renew now, and later again; gives whether the kernel took it."""
        self._stop_renewal()
        longest_s = math.inf
        try:
            self._addresses.renew()
        except OSError as problem:
            self._context.logger.warning("%s: %s", self._context.instance, words(problem))
            longest_s = AGAIN_S
        self._renew_later(longest_s)
        return longest_s == math.inf

    def _stop_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None


def _noted(context: Context) -> list[Place]:
    """Give the addresses that a former run or configuration of this instance holds."""
    entries, problems = read_held(context.run_dir)
    for problem in problems:
        context.logger.warning("%s: %s", context.instance, problem)
    held = entries.get(context.instance)
    if held is None or held.type != TYPE:
        return []
    try:
        options = msgspec.convert(held.options, AliasArpOptions)
    except msgspec.ValidationError:
        return []
    return [(options.device, interface.ip) for interface in options.interfaces]


@hookimpl
def havpn_register_actions() -> Iterable[ActionType]:
    """Give the type."""
    yield ActionType(
        TYPE,
        "Shared addresses on a device of this gateway, announced by ARP and NDP",
        AliasArpOptions,
        AliasArp,
        needs=frozenset({"CAP_NET_ADMIN", "CAP_NET_RAW"}),
        owns=True,
        paired=paired,
        lifetime_s=lambda options: options.lifetime_s,
    )
