"""Announce to the LAN where the shared addresses are, now and again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from havpn_core import Context

from .addresses import words
from .announce import announcements
from .broadcasts import Broadcasts
from .frames import FrameSender
from .netlink import Interface, Link, link
from .options import AliasArpOptions
from .rivals import Rivals
from .schedule import Schedule, is_late

AGAIN_S = 1.0
"""When an announcement that failed is tried again, in seconds."""


class Announcer:
    """Announces from :meth:`begin` to :meth:`stop`; :class:`Rivals` deals with a second owner.

    :param held: the shared addresses that the kernel has at this moment; no other is announced.
    """

    def __init__(
        self, options: AliasArpOptions, context: Context, held: Callable[[], list[Interface]]
    ) -> None:
        self._options, self._context, self._held = options, context, held
        self._sender = FrameSender()
        self.rivals = Rivals(options, context, self._sender, self.round, self.begin)
        self.broadcasts = Broadcasts(options.device, self._sender)
        self._frames = 0
        self._failed = self._deaf = False
        self._schedule: Schedule | None = None
        self._timer: asyncio.TimerHandle | None = None

    def open(self, there: Link) -> None:
        """Make all sockets beforehand; what is not allowed is said once.

        Without them no rival is noticed, and no partner heard on the LAN.
        """
        try:
            self._sender.open()
            self.rivals.listen(there)
            self.broadcasts.open(there)
        except OSError as problem:
            if not self._deaf:
                self._context.logger.warning(
                    "%s: cannot watch %s for others that use its addresses: %s",
                    self._context.instance, self._options.device, words(problem),
                )  # fmt: skip
            self._deaf = True
        else:
            self._deaf = False

    def say(self, there: Link, addresses: list[Interface]) -> None:
        """Announce some addresses once, now; what fails is said, and tried again by a round."""
        self._tried(lambda: self._send(there, addresses))

    def begin(self) -> None:
        """Go on announcing after a first round that was said just now."""
        self._schedule = Schedule(self._context.clock(), self._options.refresh_s)
        self.rivals.begin()
        self._wait()

    def stop(self) -> None:
        """Announce no more."""
        self._schedule = None
        self.rivals.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Stop, and let go of the sockets; may be called twice."""
        self.stop()
        self.rivals.close()
        self.broadcasts.close()
        self._sender.close()

    @property
    def announcing(self) -> bool:
        """Whether it goes on announcing."""
        return self._schedule is not None

    def facts(self) -> dict[str, Any]:
        """Give what status shows."""
        return {"frames": self._frames, **self.rivals.facts(), "lan": self.broadcasts.facts()}

    def round(self) -> None:
        """Announce what is held, once; if that fails, soon again while announcing."""
        self._tried(self._send_held)
        if self._failed:
            self._wait()

    def _tried(self, send: Callable[[], None]) -> None:
        """Send, and say it once a row if that fails."""
        try:
            send()
        except OSError as problem:
            if not self._failed:
                self._context.logger.warning(
                    "%s: cannot announce on %s, trying again: %s",
                    self._context.instance, self._options.device, words(problem),
                )  # fmt: skip
            self._failed = True
        else:
            self._failed = False

    def _send_held(self) -> None:
        there = link(self._options.device)
        if there is not None and there.running:
            self._send(there, self._held())

    def _send(self, there: Link, addresses: list[Interface]) -> None:
        if there.mac is None:
            return
        router = self._forwards()
        for interface in addresses:
            frames = announcements(
                there.mac, interface.ip, router=router, neighbours=self._options.named
            )
            self._frames += self._sender.send(self._options.device, frames)

    def _wait(self) -> None:
        """Set the timer for the next moment of the schedule, or for one more try before it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._schedule is None:
            return
        now = self._context.clock()
        moments = [self._schedule.next_s(now), now + AGAIN_S if self._failed else None]
        due = min((moment for moment in moments if moment is not None), default=None)
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(due - now, self._due, due)

    def _due(self, due: float) -> None:
        try:
            if not is_late(due, self._context.clock()):
                self.round()
        finally:
            self._wait()

    def _forwards(self) -> bool:
        """Whether this host is an IPv6 router there.

        :raises OSError: if that cannot be read. Saying no would cost clients their default router.
        """
        knob = Path(f"/proc/sys/net/ipv6/conf/{self._options.device}/forwarding")
        try:
            return knob.read_text().strip() != "0"
        except FileNotFoundError:  # a kernel without IPv6, or one that has it switched off
            return False
