"""This gateway's half of a pair, without sockets or a clock of its own.

Joins the election (:mod:`~havpn_core.pair.token`), the frames (:mod:`~havpn_core.pair.frames`) and
what is known of the links.
"""

from dataclasses import dataclass, replace
from typing import Any

from havpn_core.pair import token
from havpn_core.pair.frames import Authenticator
from havpn_core.pair.message import Content
from havpn_core.pair.token import Decision, Own, Rules
from havpn_core.rules.role import Role


@dataclass(slots=True)
class Ear:
    """What one link brought.

    :param heard_s: when the last believed frame came over it.
    """

    heard_s: float | None = None
    frames: int = 0


class Pairing:
    """One gateway's part in the pair.

    :param links: their names; the partner is alive while any of them brings its frames.
    """

    def __init__(
        self,
        rules: Rules,
        authenticator: Authenticator,
        own: Own,
        links: tuple[str, ...],
        now_s: float,
    ) -> None:
        self.rules, self.own = rules, own
        self.ears = {name: Ear() for name in links}
        self._authenticator = authenticator
        self._state = token.begin(rules, own, now_s)
        self._said: Content | None = None
        self.decision = self._decide(now_s)

    def update(self, own: Own, now_s: float) -> Decision:
        """Take this gateway's own facts and the time in."""
        self.own = own
        self._state = token.step(self.rules, self._state, own, now_s)
        return self._decide(now_s)

    def late(self, late_s: float, now_s: float) -> Decision:
        """Take in that this gateway did not run for so long."""
        self._state = token.wake_late(self.rules, self._state, self.own, late_s, now_s)
        return self._decide(now_s)

    def receive(self, link: str, frame: bytes, now_s: float) -> Decision:
        """Take in what a link brought."""
        heard = self._authenticator.judge(frame)
        ear = self.ears.get(link)
        if heard is None:
            # The same frame over a second link is a replay, and yet that link works.
            if ear is not None and self._authenticator.duplicate:
                ear.heard_s, ear.frames = now_s, ear.frames + 1
            return self.decision
        if ear is not None:
            ear.heard_s, ear.frames = now_s, ear.frames + 1
        self._state = token.hear(self.rules, self._state, self.own, heard.content, now_s)
        return self._decide(now_s)

    def frame(self) -> bytes:
        """Make the frame to send now."""
        self._said = self.decision.content
        return self._authenticator.sign(self.decision.content)

    @property
    def news(self) -> bool:
        """Whether the partner should hear at once, not at the next interval."""
        return self._said is None or _news(self._said) != _news(self.decision.content)

    @property
    def rival(self) -> bool:
        """Whether both gateways have the role, as far as is known."""
        told = self._state.told
        return self.own.held is Role.ACTIVE and told is not None and told.held is Role.ACTIVE

    @property
    def alone(self) -> bool:
        """Whether the partner is silent on every link."""
        return not self.decision.content.hears

    def _decide(self, now_s: float) -> Decision:
        self.decision = token.decide(self.rules, self._state, self.own, now_s)
        return self.decision

    def facts(self, now_s: float) -> dict[str, Any]:
        """Give ``pair`` of the status."""
        told = token.partner(self.rules, self._state, now_s)
        content = self.decision.content
        return {
            "state": content.mode.value,
            "wanted": content.wanted.value if content.wanted else None,
            "reason": self.decision.reason,
            "priority": content.priority,
            "partner": None
            if told is None
            else {
                "state": told.mode.value,
                "role": told.held.value if told.held else None,
                "path": told.line.value if told.line else None,
                "priority": told.priority,
                "maintenance": told.maintenance,
            },
            "links": {
                name: {
                    "alive": _alive(ear, self.rules, now_s),
                    "heard_s": None if ear.heard_s is None else round(now_s - ear.heard_s, 3),
                    "frames": ear.frames,
                }
                for name, ear in self.ears.items()
            },
            "frames": dict(self._authenticator.counts),
        }


def _alive(ear: Ear, rules: Rules, now_s: float) -> bool:
    return ear.heard_s is not None and now_s - ear.heard_s < rules.dead_s


def _news(content: Content) -> Content:
    return replace(content, line=None, wanted=None)
