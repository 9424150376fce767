"""Pure: how a gateway stands, as it says it to the far gateway of a line."""

from dataclasses import dataclass

from havpn_core.rules.hysteresis import Verdict
from havpn_core.rules.role import Role


@dataclass(frozen=True, slots=True)
class Stance:
    """How a gateway stands.

    :param role: the role that is seen to be in force; ``None`` if it is not known.
    :param fit: whether it can serve, its lines aside; ``None``: not known, which counts as fit.
    :param maintenance: an operator wishes it to stand by.
    :param paused: an operator lets it change no role.
    :param away: it is not to be used, so that the far site should leave this line.
    :param no_road: it serves, though it reaches no host behind the far gateway.
    :param verdict: what it believes of the line; ``None`` if it has no verdict.
    :param left: it has just left the line for one that loses less, and the far site is to follow.
    """

    role: Role | None = None
    fit: bool | None = None
    maintenance: bool = False
    paused: bool = False
    away: bool = False
    no_road: bool = False
    verdict: Verdict | None = None
    left: bool = False


NO_STANCE = Stance()
"""Where nothing is known."""
