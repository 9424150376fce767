"""Compare both gateways of this site and what they hear of the far ones, line by line."""

from typing import Any

import msgspec

from havpn_core.daemon.state.pair_status import LineStatus
from havpn_core.pair.lines.order import LINES, Side, far_moved, site_moved, why_not
from havpn_core.pair.message import Content, carries, tie
from havpn_core.pair.run import PairRun
from havpn_core.rules.role import Role

NO_PAIR = (
    "this gateway has no [pair], so it does not know which line is whose: on the gateway of the "
    "line to be left run havpn switch --to standby, and the far site follows"
)
SILENT = "the partner is silent: see its links and its daemon (havpn status)"


def side_of(one: Content) -> Side:
    """Give what counts of a gateway where a line is ordered."""
    return Side(
        one.held,
        one.far,
        maintenance=one.maintenance and not one.this_line,
        forced=one.forced,
        orders=one.this_line,
        paused=one.paused,
        unfit=one.unfit or one.fit is False,
        carries=carries(one),
        hears=one.hears,
        knows=one.reads_2,
    )


def number(own: Content, partner: Content) -> int:
    """Give the number of this gateway's line."""
    mine, its = (tie(one.node, one.priority, one.mac) for one in (own, partner))
    return 1 if mine > its else 2


def order(pair: PairRun | None, line: int) -> tuple[Role, str]:
    """Give the role to force here so that both sites use a line, and why that cannot be.

    :param line: 1 or 2.
    :returns: the role, and an empty text where nothing is against it.
    """
    if pair is None:
        return Role.STANDBY, NO_PAIR
    own, partner = pair.session.decision.content, pair.living
    if partner is None:
        return Role.STANDBY, SILENT
    here, there = side_of(own), side_of(partner)
    if number(own, partner) == line:
        return Role.ACTIVE, why_not(here, there, here=True)
    return Role.STANDBY, why_not(there, here, here=False)


def lines_of(own: Content, partner: Content, ordered: int | None) -> LineStatus:
    """Give which line is whose, and which one each site uses.

    :param ordered: the line that this gateway was ordered to have both sites use.
    """
    mine = number(own, partner)
    here, there = side_of(own), side_of(partner)
    sides = {mine: (here, there), LINES[0] + LINES[1] - mine: (there, here)}
    return LineStatus(
        number=mine,
        ordered=ordered,
        by_partner=partner.this_line,
        site=next((n for n, both in sides.items() if site_moved(*both)), None),
        far_site=next((n for n, both in sides.items() if far_moved(*both)), None),
    )


def pair_facts(pair: PairRun | None, ordered: int | None) -> dict[str, Any] | None:
    """Give ``pair`` of the status with its lines; ``None`` without a pair.

    :param ordered: as for :func:`lines_of`.
    """
    if pair is None:
        return None
    partner, found = pair.living, pair.facts()
    if partner is not None:
        own = pair.session.decision.content
        found["line"] = msgspec.to_builtins(lines_of(own, partner, ordered))
    return found
