"""What one gateway of a pair knows, remembers and decides; the rules are in ``token``.

Pure: no clock, socket or thread here; every time is in seconds of this gateway's monotonic clock.
"""

from enum import Enum

import msgspec

from havpn_core.pair.lines.resting import NOWHERE, LineRules, LineState
from havpn_core.pair.lines.resting import USUAL as USUAL_LINES
from havpn_core.pair.message import Content, Line
from havpn_core.plugging.stance import Stance
from havpn_core.rules.road.state import (
    NO_LOOK,
    NO_VIEW,
    NOTHING,
    USUAL,
    Look,
    RoadRules,
    RoadState,
    RoadView,
)
from havpn_core.rules.role import Role
from havpn_core.rules.target.loss import Loss

LOST = 3
"""Intervals without a frame that are a death."""
MOST_DOUBLINGS = 6
ROUNDED_S = 1e-6
"""Three intervals written as decimals are no more than they seem: 3 x 0.2 is above 0.6."""
STARTED = "started"
"""The reason of a state in which nothing has happened yet."""


class Token(Enum):
    """Where the right to be active is, as far as this gateway knows."""

    ELSEWHERE = "elsewhere"  #: the partner has it, or nobody
    OWNED = "owned"
    DOUBTED = "doubted"  #: owned, but this gateway slept or restarted: the partner may have it, too
    OFFERED = "offered"  #: given to the partner, who has not said yet that it has it


OWNING = (Token.OWNED, Token.DOUBTED)
"""Where the token is while this gateway has the right to be active."""


class Preempt(Enum):
    """Whether the gateway with the higher priority takes the role back when it is well."""

    AUTO = "auto"  #: at once
    DELAY = "delay"  #: after some time
    MANUAL = "manual"  #: never by itself


class PairRules(msgspec.Struct, frozen=True):
    """How this gateway plays its part; all times in seconds.

    :param interval_s: from one frame to the next.
    :param dead_s: the least silence after which the partner counts as dead; what is in force
        follows from the partner's interval, too: :meth:`PairState.silence_s`.
    :param preempt_delay_s: how long this gateway must be well before it takes the role back.
    :param takeover_s: how long taking the role may last before the partner gets it back.
    :param rest_s: how long a gateway that could not take the role does not try again, as long
        as the partner can have it; twice as long after each failure more.
    :param check_s: how long before the partner counts as dead it is suspected: time to check
        on the LAN whether it still has the address.
    :param explicit: whether ``dead_s`` was written in the configuration.
    :param unannounced_s: the least ``dead_s`` as long as the partner announced no interval.
    :param start_s: how long a gateway that starts and holds nothing listens for a first frame of
        the partner, at least: gateways that boot together are not up at the same moment.
    :param road: how long everything about the road takes.
    :param lines: whether and how often the role moves for the loss of a line.
    """

    interval_s: float
    dead_s: float
    preempt: Preempt = Preempt.AUTO
    preempt_delay_s: float = 0.0
    takeover_s: float = 2.0
    rest_s: float = 30.0
    check_s: float = 0.0
    explicit: bool = False
    unannounced_s: float = 0.6
    start_s: float = 3.0
    road: RoadRules = USUAL
    lines: LineRules = USUAL_LINES


class Own(msgspec.Struct, frozen=True):
    """What this gateway knows of itself; the fields mean what they mean in ``Content``.

    ``held`` must be ``None`` while a change of the role is under way.

    :param in_use: whether somebody on the LAN has the address that must not be taken then;
        ``None`` if that was not checked yet, or cannot be: the LAN has no carrier. Matters only
        while the partner is suspected.
    :param road_look: the look that ``road`` is the verdict of.
    :param road_probes: it has probes of the road.
    :param doubted: a far gateway says that the road is down there and it stays.
    :param loss: what its line loses recently; ``None`` while that is not known, or old.
    :param grey: its line is grey.
    :param far_stance: how the far gateway of its line says that it stands.
    :param far_left: the far gateway of its line says that it has just left it for a better one.
    :param this_line: an operator wants both sites on its line.
    :param far: what the far gateway of its line is seen to be.
    :param aside: it stood by for such an order of its partner when it last ran.
    """

    node: int
    priority: int
    line: Line | None = None
    held: Role | None = None
    maintenance: bool = False
    forced: bool = False
    paused: bool = False
    in_use: bool | None = False
    mac: bytes = b""
    stopping: bool = False
    refused: bool = False
    fit: bool | None = None
    road: bool | None = None
    road_look: Look = NO_LOOK
    road_probes: bool = False
    doubted: bool = False
    loss: Loss | None = None
    grey: bool = False
    far_left: bool = False
    hears_lan: bool | None = None
    this_line: bool = False
    far: Role | None = None
    far_stance: Stance | None = None
    aside: bool = False


class PairState(msgspec.Struct, frozen=True):
    """What is remembered between two events.

    :param patience_s: nothing is taken for the partner's silence before this time.
    :param token: where the right to be active is.
    :param term: the token's number.
    :param seized: this owner took the right from silence and has not held the role since, or it
        lost the role while the partner is silent: the right is void unless the address is known
        to be free.
    :param leaving: this owner lets go of the role, to give the token away once it is gone.
    :param challenge: number of the last challenge to the partner, 0 to 255.
    :param message: the partner's last message; :data:`None` if there never was one.
    :param received_s: when that came.
    :param doubt_s: since when this owner doubts its right.
    :param unheard_s: since when the partner has been saying that it does not hear us.
    :param taking_s: since when this owner has wanted the role without holding it.
    :param unfit_until_s: this gateway failed to take the role and rests until then.
    :param failures: how often it failed so since it last held the role.
    :param well_s: since when this gateway could take the role back.
    :param reason: why the role is to be had, or not, for people.
    :param road: what it knows of the road.
    :param lines: what it knows of moves for loss.
    """

    patience_s: float
    token: Token = Token.ELSEWHERE
    term: int = 0
    seized: bool = False
    leaving: bool = False
    challenge: int = 0
    message: Content | None = None
    received_s: float | None = None
    doubt_s: float | None = None
    unheard_s: float | None = None
    taking_s: float | None = None
    unfit_until_s: float | None = None
    failures: int = 0
    well_s: float | None = None
    reason: str = STARTED
    road: RoadState = NOTHING
    lines: LineState = NOWHERE

    @property
    def owner(self) -> bool:
        """Whether this gateway has the right to be active, in doubt or not."""
        return self.token in OWNING

    @property
    def offering(self) -> bool:
        """Whether the token is given away and not known to have arrived."""
        return self.token is Token.OFFERED

    def living(self, rules: PairRules, now_s: float) -> Content | None:
        """Give the living partner's last message; ``None`` if it is silent."""
        if self.received_s is None or now_s - self.received_s >= self.silence_s(rules):
            return None
        return self.message

    def silence_s(self, rules: PairRules) -> float:
        """Give the silence in force that is the partner's death, in seconds."""
        return max(rules.dead_s, self.least_silence_s(rules))

    def least_silence_s(self, rules: PairRules) -> float:
        """Give the silence that two lost frames make, by the slower interval, in seconds."""
        announced_s = self.message.interval_ms / 1000 if self.message is not None else 0.0
        least_s = LOST * max(rules.interval_s, announced_s)
        return least_s if announced_s else max(least_s, rules.unannounced_s)

    def rest_s(self, rules: PairRules) -> float:
        """Give how long to rest after one more failure, in seconds.

        Each try is a time without an owner, so the rest grows, up to 64 times the first one.
        """
        return rules.rest_s * 2.0 ** min(self.failures, MOST_DOUBLINGS)

    def raised(self, rules: PairRules) -> bool:
        """Whether the configuration's ``dead`` is too short for the intervals and not in force."""
        return rules.explicit and rules.dead_s < self.silence_s(rules) - ROUNDED_S

    def dead_s(self, rules: PairRules) -> float:
        """When the silence of the partner is its death, in seconds of the clock."""
        if self.received_s is None:
            return self.patience_s
        return max(self.patience_s, self.received_s + self.silence_s(rules))

    def suspected_s(self, rules: PairRules) -> float:
        """When the silence of the partner becomes suspicious, in seconds of the clock."""
        times = [self.dead_s(rules)]
        if self.unheard_s is not None and (self.deserted or self.stranded):
            times.append(self.unheard_s + self.silence_s(rules))
        return min(times) - rules.check_s

    @property
    def deserted(self) -> bool:
        """Whether the partner says that it neither has the role nor the right to it."""
        message = self.message
        return message is not None and not message.owner and message.held is not Role.ACTIVE

    @property
    def stranded(self) -> bool:
        """Whether the partner says that it has the right, cannot serve and hears nobody."""
        message = self.message
        return message is not None and message.owner and message.fit is False and not message.hears

    def deaf(self, rules: PairRules, now_s: float) -> bool:
        """Whether the partner has not heard this gateway for so long that it counts as dead."""
        return self.unheard_s is not None and now_s - self.unheard_s >= self.silence_s(rules)

    @property
    def looks(self) -> bool:
        """Whether it matters who has the address: the role may be taken from silence."""
        return not self.owner or self.seized


class Decision(msgspec.Struct, frozen=True):
    """What follows from a state.

    :param wanted: the role to have; ``None`` while nothing may be done.
    :param content: what to say in the next frame; a change of it should be said at once.
    :param wake_s: when something changes by itself; ``None`` if nothing does.
    :param reason: why it is so, a sentence for people.
    :param suspect: whether the LAN should be checked for somebody who has the address.
    :param dead_s: the silence in force that is the partner's death, in seconds.
    :param dead_raised: whether that is longer than the configuration's ``dead``.
    :param road: what follows for the road.
    """

    wanted: Role | None
    content: Content
    wake_s: float | None
    reason: str
    suspect: bool
    dead_s: float = 0.0
    dead_raised: bool = False
    road: RoadView = NO_VIEW
