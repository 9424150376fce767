"""Keep the partner heartbeat going: frames at their cadence, over every link, news at once."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from havpn_core.errors import ConfigError, HavpnError
from havpn_core.pair.beat import Beat
from havpn_core.pair.frames import Authenticator
from havpn_core.pair.health.facts import PairFacts
from havpn_core.pair.health.troubles import News, Troubles
from havpn_core.pair.lan import LanLink, Scout, Spawn, spawn_loudly
from havpn_core.pair.message import Content
from havpn_core.pair.options import PairOptions
from havpn_core.pair.sending.broadcast import Heard, disclosed
from havpn_core.pair.sending.overlan import OverLan
from havpn_core.pair.session import LinkStats, PairSession
from havpn_core.pair.state import Own
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.inlet import Inlet
from havpn_core.rules.role import Role

CHECKED = "HAVPN_CHECK_INVARIANTS"
"""Environment variable: with ``1`` the pair ends, loudly, once an invariant does not hold."""

BROADCAST = "broadcast"
"""The name of the LAN among the links of the status."""
LAST_FRAMES = 3
"""How often the last frame is sent when the daemon ends: one may be lost."""

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
        self._scout = Scout(owners, report, self.refresh, spawn, lambda: self._partner_mac)
        self._lan = LanLink(owners, self._receive_broadcast)
        self._over_lan = OverLan(self._lan, options.rules.interval_s)
        self._troubles, self._troubled = troubles or Troubles(clock()), troubled
        self._rival = False
        self.far: Role | None = None  #: what the far gateways are seen to be
        self._links: dict[str, Caller] = {}
        self._closed = False
        self._beat: Beat | None = None
        self._until_s = 0.0
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
        lan = self._scout.in_use, self._lan.mac
        return msgspec.structs.replace(self._facts(), in_use=lan[0], mac=lan[1], far=self.far)

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

    @property
    def living(self) -> Content | None:
        """The living partner's last message; ``None`` while it is silent."""
        return self.session.living(self._clock())

    async def run(self) -> None:
        """Send at fixed times and whenever there is news.

        :raises AssertionError: if invariants are checked and one does not hold.
        """
        beat = self._beat = Beat(self._options.rules.interval_s, self._clock())
        self._troubles.wake(self._clock())
        while True:
            now_s = self._update()
            self._act()
            if beat.due(now_s):
                self._send(news=False)
                self._look_for_troubles(now_s)
            elif self._over_lan.due(now_s):
                self._over_lan.send(self.session.frame(), self._heard, now_s)
            if self.session.broken:
                raise AssertionError("the pair: " + "; ".join(self.session.broken))
            self._kick.clear()
            pause_s = self._pause_s(beat)
            self._until_s = self._clock() + pause_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._kick.wait()

    def _pause_s(self, beat: Beat) -> float:
        now_s = self._clock()
        pauses = beat.pause_s(self.session.decision.wake_s, now_s), self._over_lan.pause_s(now_s)
        return min(pause for pause in pauses if pause is not None)

    def network_changed(self) -> None:
        """Take in that an address, a link or a carrier of this host came or went."""
        self._update()
        changed, came = self._lan.look()
        if came:
            self._over_lan.hurry(self._clock())
        if changed:
            self._scout.network_changed()
            self.refresh()

    def claimed(self) -> None:
        """Take in that somebody on the LAN claims an address that this gateway holds.

        Nobody signed that; but it may be the partner, and so it is spoken to at once.
        """
        self._over_lan.hurry(self._clock())
        self._kick.set()

    def refresh(self) -> None:
        """Take in that something about this gateway changed."""
        self._update()
        self._act()
        self._kick.set()

    def _update(self) -> float:
        """Take this gateway's own facts in; gives the time.

        A sleep counts first, whatever is noticed first after it: what is known is as old.
        """
        now_s = self._clock()
        if self._beat is not None and (late_s := self._beat.late_s(now_s)):
            self.session.late(late_s, now_s)
            self._troubles.wake(now_s)
        self.session.update(self._own(), now_s)
        return now_s

    def _receive(self, link: str, frame: bytes) -> None:
        if self._closed:
            return  # a closed link brings frames all the same
        content = self.session.judge(link, frame, self._clock())
        if content is None:
            return  # most frames: a second link brings what the first one brought
        self.session.take(content, self._update())
        self._act()
        if self._beat is None or self._clock() + self._pause_s(self._beat) < self._until_s:
            self._kick.set()

    def _receive_broadcast(self, sender: bytes, content: bytes) -> None:
        """Take in what came over the LAN, where everybody may send anything."""
        if self._closed:
            return
        frame, needs = disclosed(content)
        judge, now_s = self.authenticator, self._clock()
        if not judge.plausible(frame):
            self.session.judge(BROADCAST, frame, now_s)  # it is counted, at no cost
        elif self._over_lan.admits(sender, self._partner_mac, now_s):
            before = dict(judge.counts)
            self._receive(BROADCAST, frame)
            grown = {verdict for verdict, count in judge.counts.items() if count > before[verdict]}
            self._over_lan.take(grown, needs, self._heard, now_s)

    def _follow_lan(self) -> None:
        """Begin or end to send over the LAN; it is a link while an action is at home there."""
        self._lan.attend()
        links = self.session.links
        if self._lan.usable:
            links.setdefault(BROADCAST, LinkStats())
        elif BROADCAST not in self._builders:
            links.pop(BROADCAST, None)
        self._over_lan.follow(self._heard, self._clock())

    @property
    def _heard(self) -> Heard:
        """What was heard of the partner over the configured links."""
        return self.session.heard(self._builders)

    @property
    def _partner_mac(self) -> bytes:
        partner = self.session.partner
        return partner.mac if partner is not None else b""

    def _act(self) -> None:
        """Carry out what was decided: look on the LAN, send news, have another role taken."""
        self._look_for_owners()
        self._follow_lan()
        if self.session.urgent:
            self._send(news=True)
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
        for news in self._troubles.update(self.session.standing(now_s), now_s):
            self._troubled(news)

    def _send(self, *, news: bool) -> None:
        """Send a frame over every link; one that has ``news`` goes over the LAN at once, too."""
        frame = self.session.frame()
        for link in self._links.values():
            link.send(frame)
        now_s = self._clock()
        if news or self._over_lan.due(now_s):
            self._over_lan.send(frame, self._heard, now_s)

    def close(self) -> None:
        """Close the links; the last frames say so first where the daemon ends in order."""
        if not self._closed and self.session.decision.content.stopping:
            for _ in range(LAST_FRAMES):
                self._send(news=True)
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
        if BROADCAST in links:
            links[BROADCAST] |= self._over_lan.facts()
        return msgspec.structs.replace(found, links=links, troubles=self._troubles.sentences)

    def facts(self) -> dict[str, Any]:
        """Give ``pair`` of the status as the builtins that JSON is made of."""
        found: dict[str, Any] = msgspec.to_builtins(self.report())
        return found
