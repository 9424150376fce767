"""Pure: whether this gateway's responder keeps silent, so that the far site leaves it, too.

Both sites must use one line. A gateway that cannot serve, or is to be let alone, gives its role to
its partner; the far gateway of its line sees the silence of the responder and does the same.
"""

from havpn_core.rules.fitness import Fitness
from havpn_core.rules.role import Role

MAINTENANCE = "in maintenance, and standing by"
ROAD = "handed over, for hosts behind the far gateway are not reached from here"
ANNOUNCED_S = 1.0
"""For so many seconds a silence is announced to each address, from its first request in it."""
NOTICE_S = 1.0
"""Seconds from one notice of a standby to the next, to each source."""
LONG_APART_S = 10.0
"""Seconds after which sites that use different lines are worth an event: a failback takes some."""


def why_silent(
    observed: Role | None, fitness: Fitness, *, maintenance: bool, left_road: bool
) -> str:
    """Say why the responder is silent; empty while it replies.

    A gateway that serves replies, whatever else it is: its partner may be dead. Certain unfitness
    is the exception, for what comes to it by the line cannot reach anybody. Silence never follows
    from the state of a path: two sites that keep silent for each other's silence stay so without
    end.

    :param observed: the role that is seen to be in force; ``None`` if it is not known, as without
        an action.
    :param maintenance: an operator wishes this gateway to stand by.
    :param left_road: it gave the role away for the road.
    """
    if fitness.certain and fitness.why:
        return fitness.why
    if observed is not Role.STANDBY:
        return ""
    if fitness.why:
        return fitness.why
    if maintenance:
        return MAINTENANCE
    return ROAD if left_road else ""


def known_role(observed: Role | None, *, advised: bool, seen: bool | None) -> Role | None:
    """Give the role that counts towards the far site.

    A cluster manager that is advised to move the addresses keeps them here if no other gateway
    is better, and this one goes on serving: it stands by only while another is seen serving.

    :param advised: what is observed is the advice, not where the addresses are.
    :param seen: whether another gateway is seen serving; ``None`` if that is not known.
    """
    return None if observed is Role.STANDBY and advised and not seen else observed


class Apart:
    """Since when this gateway serves though the far gateway of its path stands by."""

    __slots__ = ("_said", "_since_s")

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._said = False

    def look(self, apart: bool, now_s: float) -> bool | None:
        """Take in how it is now; gives what is to be said: that it lasts, that it is over."""
        if not apart:
            said, self._since_s, self._said = self._said, None, False
            return False if said else None
        if self._since_s is None:
            self._since_s = now_s
        if self._said or now_s - self._since_s < LONG_APART_S:
            return None
        self._said = True
        return True
