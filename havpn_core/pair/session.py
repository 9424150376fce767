"""This gateway's half of a pair, without sockets or a clock of its own.

Joins the election (:mod:`~havpn_core.pair.token`), the frames (:mod:`~havpn_core.pair.frames`) and
what is known of the links.

Pure: time comes in as seconds of the monotonic clock.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from havpn_core.pair import token
from havpn_core.pair.frames import Authenticator
from havpn_core.pair.health.facts import PairFacts, PartnerFacts, far_facts
from havpn_core.pair.health.standing import Standing
from havpn_core.pair.invariants import broken
from havpn_core.pair.lines.loss import facts_of
from havpn_core.pair.lines.resting import FOLLOW_S
from havpn_core.pair.message import Content
from havpn_core.pair.sending.broadcast import Heard
from havpn_core.pair.state import Decision, Own, PairRules, PairState
from havpn_core.rules.road.state import RoadView
from havpn_core.rules.role import Role


@dataclass(slots=True)
class LinkStats:
    """What one link brought.

    :param received_s: when the last believed frame came over it.
    :param frames: how many there were.
    :param verdicts: how many frames came over it, believed or not, by what was made of them.
    """

    received_s: float | None = None
    frames: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)


class PairSession:
    """One gateway's part in the pair.

    :param links: their names; the partner is alive while any of them brings its frames.
    :param checked: whether every step's invariants are checked, too, for :attr:`broken`.
    """

    def __init__(
        self,
        rules: PairRules,
        authenticator: Authenticator,
        own: Own,
        links: tuple[str, ...],
        now_s: float,
        *,
        checked: bool = False,
    ) -> None:
        self.rules, self.own = rules, own
        self.links = {name: LinkStats() for name in links}
        #: invariants that did not hold after a step; empty but for an error in the rules.
        self.broken: list[str] = []
        self._checked = checked
        self._authenticator = authenticator
        self._sent: Content | None = None
        self._tell_road: Callable[[RoadView], None] = lambda view: None
        self._state = token.start(rules, own, now_s)
        self.decision = self._decide(now_s, None)

    def update(self, own: Own, now_s: float) -> Decision:
        """Take this gateway's own facts and the time in."""
        self.own = own
        return self._enter(token.step(self.rules, self._state, own, now_s), now_s)

    def late(self, late_s: float, now_s: float) -> Decision:
        """Take in that this gateway did not run for so long."""
        state = token.wake_late(self.rules, self._state, self.own, late_s, now_s)
        return self._enter(state, now_s)

    def judge(self, link: str, frame: bytes, now_s: float) -> Content | None:
        """Give what a frame of a link says; ``None`` if it is not believed, or known already."""
        content = self._authenticator.judge(frame)
        # A frame that came over another link already, or was overtaken there: this link works.
        known = self._authenticator.duplicate or self._authenticator.overtaken
        if link in self.links:
            stats, verdict = self.links[link], self._authenticator.verdict
            stats.verdicts[verdict] = stats.verdicts.get(verdict, 0) + 1
            if content is not None or known:
                stats.received_s, stats.frames = now_s, stats.frames + 1
        return content

    def take(self, content: Content, now_s: float) -> Decision:
        """Take in what the partner says, as :meth:`judge` gave it."""
        return self._enter(token.receive(self.rules, self._state, self.own, content, now_s), now_s)

    def frame(self) -> bytes:
        """Make the frame to send now."""
        self._sent = self.decision.content
        return self._authenticator.sign(self.decision.content)

    @property
    def urgent(self) -> bool:
        """Whether the partner should hear at once, not at the next interval."""
        return self._sent is None or _urgent_part(self._sent) != _urgent_part(self.decision.content)

    @property
    def partner(self) -> Content | None:
        """The partner's last message, however old; ``None`` if there never was one."""
        return self._state.message

    @property
    def heard_s(self) -> float | None:
        """When the partner's last message came; ``None`` if there never was one."""
        return self._state.received_s

    def living(self, now_s: float) -> Content | None:
        """Give the living partner's last message; ``None`` while it is silent."""
        return self._state.living(self.rules, now_s)

    def heard(self, links: Iterable[str]) -> Heard:
        """Give what was heard of the partner over these links."""
        partner = self.partner
        times = [self.links[name].received_s for name in links]
        announced_s = partner.interval_ms / 1000 if partner is not None else 0.0
        return Heard(
            max((time for time in times if time is not None), default=None),
            max(self.rules.interval_s, announced_s),
            self.rival,
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many frames were given each verdict."""
        return dict(self._authenticator.counts)

    @property
    def rival(self) -> bool:
        """Whether both gateways have the role, as far as is known."""
        message = self._state.message
        return self.own.held is Role.ACTIVE and message is not None and message.held is Role.ACTIVE

    def _enter(self, state: PairState, now_s: float) -> Decision:
        before, self._state = self._state, state
        view, self.decision = self.decision.road, self._decide(now_s, before)
        if self.decision.road != view:
            self._tell_road(self.decision.road)
        return self.decision

    def tell_road(self, tell: Callable[[RoadView], None]) -> None:
        """Report at once, and at each change, what follows for the road."""
        self._tell_road = tell
        tell(self.decision.road)

    @property
    def off_road(self) -> bool:
        """Whether this gateway leaves the role, or has left it, because of the road."""
        return self.decision.road.off

    @property
    def left(self) -> bool:
        """Whether the far site is to follow to the other line: the role just moved there."""
        said = self.decision.content
        return said.off_line and (said.moved_age_s or 0.0) <= FOLLOW_S

    @property
    def maintenance(self) -> bool:
        """Whether this gateway is to stand by, by an order given here or on the partner."""
        return self.decision.content.maintenance

    @property
    def aside(self) -> bool:
        """Whether this gateway is to stand by for an order of the partner alone."""
        return self.maintenance and not self.own.maintenance

    @property
    def stuck(self) -> bool:
        """Whether the far site is to hear that the road is down here and this gateway stays."""
        return self.decision.road.stuck

    def _decide(self, now_s: float, before: PairState | None) -> Decision:
        decision = token.decide(self.rules, self._state, self.own, now_s)
        if self._checked:
            self.broken += broken(self.rules, self._state, self.own, decision, now_s, before=before)
        return decision

    def facts(self, now_s: float) -> PairFacts:
        """Give ``pair`` of the status."""
        partner = self._state.living(self.rules, now_s)
        content = self.decision.content
        return PairFacts(
            state=content.mode.value,
            wanted=content.wanted.value if content.wanted else None,
            reason=self.decision.reason,
            priority=content.priority,
            partner=None if partner is None else self._partner_facts(partner),
            links={name: self._link_facts(stats, now_s) for name, stats in self.links.items()},
            frames=self.counts,
            dead_s=round(self.decision.dead_s, 3),
            dead_raised=self.decision.dead_raised,
            loss=facts_of(content.loss),
            moved_for_loss_s=content.moved_age_s,
            heard_s=None if self.heard_s is None else round(now_s - self.heard_s, 3),
            in_use=self.own.in_use if self.decision.suspect else None,
        )

    def _partner_facts(self, partner: Content) -> PartnerFacts:
        names, far = self._authenticator.names, partner.far_stance
        return PartnerFacts(
            state=partner.mode.value,
            role=partner.held.value if partner.held else None,
            path=partner.line.value if partner.line else None,
            priority=partner.priority,
            maintenance=partner.maintenance,
            stopping=partner.stopping,
            loss=facts_of(partner.loss),
            wanted=partner.wanted.value if partner.wanted else None,
            hears=partner.hears,
            fit=partner.fit,
            failed=partner.unfit,
            forced=partner.forced,
            paused=partner.paused,
            refused=partner.refused,
            road=partner.road,
            grey=partner.grey,
            far=None if far is None else far_facts(far, names.far),
            name=names.partner or None,
        )

    def standing(self, now_s: float) -> Standing:
        """Give the facts from which :class:`~havpn_core.pair.health.troubles.Troubles` are made."""
        partner, last = self._state.living(self.rules, now_s), self._state.message
        said = self.decision
        links = {
            name: None if stats.received_s is None else now_s - stats.received_s
            for name, stats in self.links.items()
        }
        found = Standing(
            priority=self.own.priority,
            partner_priority=None,
            dead_s=said.dead_s,
            stopping=last is not None and last.stopping,
            frames=self._authenticator.counts,
            links=links,
        )
        if partner is None:
            return found
        return replace(
            found,
            partner_priority=partner.priority,
            hears=partner.hears,
            same_name=partner.node == self.own.node,
            raised=(self.rules.dead_s, said.dead_s) if said.dead_raised else None,
        )

    def _link_facts(self, stats: LinkStats, now_s: float) -> dict[str, Any]:
        silent_s = None if stats.received_s is None else now_s - stats.received_s
        return {
            "alive": silent_s is not None and silent_s < self.decision.dead_s,
            "heard_s": None if silent_s is None else round(silent_s, 3),
            "frames": stats.frames,
            "verdicts": dict(stats.verdicts),
        }


def _urgent_part(content: Content) -> Content:
    # Figures change with each probe, and a line alone moves nothing at once.
    return msgspec.structs.replace(
        content, line=None, wanted=None, loss=None, moved_age_s=None, far=None, far_stance=None
    )
