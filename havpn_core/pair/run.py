"""Keep the partner heartbeat going: frames at their cadence, over every link, news at once."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.pair.beat import Beat
from havpn_core.pair.frames import Authenticator
from havpn_core.pair.health.troubles import News, Troubles
from havpn_core.pair.lan import Scout, Spawn, spawn_loudly
from havpn_core.pair.options import PairOptions
from havpn_core.pair.session import PairFacts, PairSession
from havpn_core.pair.state import Own
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.inlet import Inlet
from havpn_core.rules.role import Role

CHECKED = "HAVPN_CHECK_INVARIANTS"
"""Environment variable: with ``1`` the pair ends, loudly, once an invariant does not hold."""

LinkBuilder = Callable[[Inlet[bytes]], Caller]
"""Builds a link that brings its frames to an inlet; raises :class:`HavpnError`."""


class PairRun:
    """The pair at work.

    :param own: gives this gateway's own facts.
    :param changed: called when another role is wanted.
    :param links: what builds each link, by its name.
    :param owners: gives the actions that alone own what they hold, by name.
    :param report: takes sentences about conflicts.
    :param spawn: starts a task whose failure the owner notices.
    :param troubles: what is wrong so far, which outlives a reload.
    :param troubled: takes what goes wrong with the pair, and its end.
    """

    def __init__(
        self,
        options: PairOptions,
        authenticator: Authenticator,
        own: Callable[[], Own],
        changed: Callable[[], None],
        clock: Callable[[], float],
        *,
        links: Mapping[str, LinkBuilder],
        owners: Callable[[], dict[str, Caller]],
        report: Callable[[str], None],
        spawn: Spawn = spawn_loudly,
        troubles: Troubles | None = None,
        troubled: Callable[[News], None] = lambda news: None,
    ) -> None:
        self.authenticator = authenticator
        self._options = options
        self._facts, self._changed, self._clock = own, changed, clock
        self._builders, self._owners = links, owners
        self._scout = Scout(owners, report, self.refresh, spawn)
        self._troubles, self._troubled = troubles or Troubles(clock()), troubled
        self._rival = False
        self._links: dict[str, Caller] = {}
        self._closed = False
        self._kick = asyncio.Event()
        self._wanted: Role | None = None
        self.session = PairSession(
            options.rules,
            authenticator,
            own(),
            tuple(links),
            clock(),
            checked=os.environ.get(CHECKED) == "1",
        )

    def _own(self) -> Own:
        return replace(self._facts(), in_use=self._scout.in_use)

    def connect(self) -> None:
        """Build the links.

        :raises ConfigError: naming those that could not be built; the others are closed.
        """
        problems = []
        for name, build in self._builders.items():
            received = Inlet(coercion.as_frame, partial(self._receive, name))
            try:
                self._links[name] = build(received)
            except HavpnError as problem:
                problems.append(f"pair.link.{name}: {problem}")
        if problems:
            self.close()
            raise ConfigError(problems)

    @property
    def wanted(self) -> Role | None:
        """The role to have."""
        return self.session.decision.wanted

    @property
    def reason(self) -> str:
        """Why that is the role to have, a sentence for people."""
        return self.session.decision.reason

    async def run(self) -> None:
        """Send at fixed times and whenever there is news.

        :raises AssertionError: if invariants are checked and one does not hold.
        """
        beat = Beat(self._options.rules.interval_s, self._clock())
        self._troubles.wake(self._clock())
        while True:
            now_s = self._clock()
            if late_s := beat.late_s(now_s):
                self.session.late(late_s, now_s)
                self._troubles.wake(now_s)
            self.session.update(self._own(), now_s)
            self._act()
            if beat.due(now_s):
                self._send()
                self._look_for_troubles(now_s)
            if self.session.broken:
                raise AssertionError("the pair: " + "; ".join(self.session.broken))
            self._kick.clear()
            pause_s = beat.pause_s(self.session.decision.wake_s, self._clock())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._kick.wait()

    def refresh(self) -> None:
        """Take in that something about this gateway changed."""
        self.session.update(self._own(), self._clock())
        self._act()
        self._kick.set()

    def _receive(self, link: str, frame: bytes) -> None:
        if self._closed:
            return  # a link that was closed and brings frames all the same
        self.session.update(self._own(), self._clock())
        self.session.receive(link, frame, self._clock())
        self._act()
        self._kick.set()

    def _act(self) -> None:
        """Carry out what was decided: look on the LAN, send news, have another role taken."""
        self._look_for_owners()
        if self.session.urgent:
            self._send()
        if self.wanted is not self._wanted:
            self._wanted = self.wanted
            self._changed()

    def _look_for_owners(self) -> None:
        """Look on the LAN while the partner is suspected; announce once a rival is gone.

        Hosts may have learnt the link-layer address of a second owner, so after its end the
        address is announced to them once more.
        """
        self._scout.look(self.session.decision.suspect, self._options.check_s)
        before, self._rival = self._rival, self.session.rival
        if before and not self._rival and self._facts().held is Role.ACTIVE:
            for caller in self._owners().values():
                caller.announce()

    def _look_for_troubles(self, now_s: float) -> None:
        written = self._options.dead
        standing = self.session.standing(None if written is None else float(written), now_s)
        for news in self._troubles.update(standing, now_s):
            self._troubled(news)

    def _send(self) -> None:
        frame = self.session.frame()
        for link in self._links.values():
            link.send(frame)

    def close(self) -> None:
        """Close the links."""
        self._scout.close()
        self._closed = True
        for link in self._links.values():
            link.close_link()

    def report(self) -> PairFacts:
        """Give ``pair`` of the status, with what each link says of itself."""
        found = self.session.facts(self._clock())
        links = {
            name: (self._links[name].facts() if name in self._links else {}) | facts
            for name, facts in found.links.items()
        }
        return msgspec.structs.replace(found, links=links, troubles=self._troubles.sentences)

    def facts(self) -> dict[str, Any]:
        """Give ``pair`` of the status as the builtins that JSON is made of."""
        found: dict[str, Any] = msgspec.to_builtins(self.report())
        return found
