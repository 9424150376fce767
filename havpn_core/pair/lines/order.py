"""An operator's order that both sites use one line: what is against it, and what came of it.

Line 1 is that of the gateway with the higher priority, line 2 that of the other one. A site moves
as its gateway of the other line stands by as in maintenance; the far gateway of that line hears no
reply any more, or that it stands by, and its site follows.

Pure: no clock here.
"""

import msgspec

from havpn_core.rules.role import Role

LINES = (1, 2)


class Side(msgspec.Struct, frozen=True):
    """One gateway of this site.

    :param held: the role in force; ``None`` while it is not known or is being changed.
    :param far: what the far gateway of its line is seen to be; ``None`` while that is not known.
    :param maintenance: it stands by already, by an operator's order of its own.
    :param forced: an operator holds it active.
    :param orders: it was ordered that both sites use its line.
    :param paused: it carries nothing out.
    :param unfit: it cannot serve, its line aside.
    :param carries: its path is up, and the far responder replies.
    :param hears: it receives what the other one sends.
    :param knows: it can take such an order.
    """

    held: Role | None = None
    far: Role | None = None
    maintenance: bool = False
    forced: bool = False
    orders: bool = False
    paused: bool = False
    unfit: bool = False
    carries: bool = True
    hears: bool = True
    knows: bool = True


def why_not(to: Side, other: Side, *, here: bool) -> str:
    """Say why a site cannot be moved to a line; empty if it can.

    :param to: the gateway of that line.
    :param other: that of the line to be left.
    :param here: the order is given on the gateway ``to``; otherwise it is the partner.
    """
    there, left = ("this gateway", "the partner") if here else ("the partner", "this gateway")
    end = "; end that there first (havpn switch --to auto)"
    reasons = (
        (to.paused, f"{there} is paused: havpn resume"),
        (other.paused, f"{left} is paused, and lets go of nothing: havpn resume"),
        (here and other.forced, f"{left} is forced to active{end}"),
        (not here and to.maintenance and not other.orders, f"{there} is in maintenance{end}"),
        (here and other.orders, f"{left} was ordered to use its own line{end}"),
        (to.unfit, f"{there} is unfit: see there (havpn status)"),
        (not to.carries, f"the path of {there} is not up: see there (havpn status)"),
        (not to.hears, f"{there} does not hear {left}: see its links (havpn status)"),
        (here and not other.knows, f"{left} runs an older release: give the order there"),
    )
    return next((text for holds, text in reasons if holds), "")


def site_moved(to: Side, other: Side) -> bool:
    """Whether this site uses the line of the gateway ``to``."""
    return to.held is Role.ACTIVE and other.held is Role.STANDBY


def far_moved(to: Side, other: Side) -> bool | None:
    """Whether the far site uses the line of the gateway ``to``; ``None`` if that is not seen.

    Each far gateway says of itself that it stands by. That the one of the line is active is
    heard of an end of that, so it takes as long as such a notice counts.
    """
    if to.far is Role.STANDBY or other.far is Role.ACTIVE:
        return False
    return True if to.far is Role.ACTIVE or other.far is Role.STANDBY else None
