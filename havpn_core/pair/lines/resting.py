"""How often the role moves for loss: once, and then not for a while, whichever gateway has it.

Pure: no clock here; time comes in as seconds of this gateway's monotonic clock.

Both gateways remember the last such move. A gateway that restarted and forgot it has it from what
the partner says; what the partner remembers beside one's own memory does not count, or the time
that each frame takes would be added without end.
"""

import msgspec

NEARLY_OVER = 0.01
"""A rest of which only this share is left is not taken over from the partner any more."""
FOLLOW_S = 10.0
"""So long after it moved the role a site lets the other one know, which moves then, too."""


class LineRules(msgspec.Struct, frozen=True):
    """What counts of the lines.

    :param on: whether the role moves for loss at all.
    :param rest_s: how long it does not again, in seconds.
    """

    on: bool = True
    rest_s: float = 600.0


class LineState(msgspec.Struct, frozen=True):
    """What is remembered of the last move for loss.

    :param moved_s: when it was; ``None`` if that is longer ago than a rest.
    :param off: it was from here, and the role has not come back since: this gateway leaves the
        role, or has left it.
    :param followed: the far site had moved before.
    """

    moved_s: float | None = None
    off: bool = False
    followed: bool = False

    def age_s(self, now_s: float) -> float | None:
        """Say how long ago the move was, in seconds; ``None`` if there was none recently."""
        return None if self.moved_s is None else now_s - self.moved_s

    @property
    def back(self) -> "LineState":
        """The same once the role is here, or stays."""
        return LineState(self.moved_s)


USUAL, NOWHERE = LineRules(), LineState()


def kept(
    rules: LineRules, state: LineState, partner_age_s: float | None, now_s: float
) -> LineState:
    """Forget a move that is long ago, and learn of one that only the partner remembers.

    :param partner_age_s: how long ago it says that the last move was, in seconds.
    """
    age_s = state.age_s(now_s)
    if age_s is not None and age_s >= rules.rest_s:
        state, age_s = NOWHERE, None
    if age_s is None and partner_age_s is not None:
        left_s = rules.rest_s - partner_age_s
        return LineState(now_s - partner_age_s) if left_s > NEARLY_OVER * rules.rest_s else state
    return state


def over_s(rules: LineRules, state: LineState) -> float | None:
    """Say when the rest is over; ``None`` if there is none."""
    return None if state.moved_s is None else state.moved_s + rules.rest_s
