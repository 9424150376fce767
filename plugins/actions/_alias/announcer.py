"""Tell the LAN where the shared addresses are, now and again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from havpn_core import Context

from .announce import announcements
from .frames import Voice
from .netlink import Interface, Link, link
from .options import AliasArpOptions
from .rivals import Rivals
from .schedule import Schedule, is_late


class Announcer:
    """Announces while it is told to; a second owner is dealt with by :class:`Rivals`.

    :param held: the shared addresses that the kernel has at this moment; no other is announced.
    """

    def __init__(
        self, options: AliasArpOptions, context: Context, held: Callable[[], list[Interface]]
    ) -> None:
        self._options, self._context, self._held = options, context, held
        self._voice = Voice()
        self.rivals = Rivals(options, context, self._voice, self.round, self.begin)
        self._frames = 0
        self._schedule: Schedule | None = None
        self._timer: asyncio.TimerHandle | None = None

    def open(self, there: Link) -> None:
        """Make the sockets beforehand; without them nobody can be heard."""
        self.rivals.open(there)

    def say(self, there: Link, addresses: list[Interface]) -> None:
        """Announce some addresses once, now."""
        if there.mac is None:
            return
        router = self._forwards()
        try:
            for interface in addresses:
                frames = announcements(
                    there.mac, interface.ip, router=router, neighbours=self._options.named
                )
                self._frames += self._voice.send(self._options.device, frames)
        except OSError as problem:
            self._context.logger.warning(
                "%s: cannot announce on %s: %s",
                self._context.instance, self._options.device, problem.strerror,
            )  # fmt: skip

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
        self._voice.close()

    @property
    def announcing(self) -> bool:
        """Whether it was told to go on announcing."""
        return self._schedule is not None

    def facts(self) -> dict[str, Any]:
        """Give what status shows."""
        return {"frames": self._frames, **self.rivals.facts()}

    def round(self) -> None:
        """Announce what is held, once."""
        there = link(self._options.device)
        if there is not None and there.running:
            self.say(there, self._held())

    def _wait(self) -> None:
        """Set the timer for the next moment of the schedule."""
        if self._timer is not None:
            self._timer.cancel()
        now = self._context.clock()
        due = self._schedule.next_s(now) if self._schedule else None
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(due - now, self._due, due)

    def _due(self, due: float) -> None:
        if not is_late(due, self._context.clock()):
            self.round()
        self._wait()

    def _forwards(self) -> bool:
        """Whether this host is an IPv6 router there."""
        knob = Path(f"/proc/sys/net/ipv6/conf/{self._options.device}/forwarding")
        try:
            return knob.read_text().strip() != "0"
        except OSError:
            return False
