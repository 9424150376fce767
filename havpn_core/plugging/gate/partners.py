"""Call what an action is able to say of its cluster (``PartnerSeeing``, ``Advising``).

As in :mod:`~havpn_core.plugging.gate.calls`, what comes back is of known type.
"""

from typing import Any

from havpn_core.errors import HavpnError
from havpn_core.plugging.clusters import Advising
from havpn_core.plugging.gate.calls import Caller

MOST_TURNS = 100
"""A cluster has fewer nodes."""


async def partner_serves(caller: Caller, timeout_s: float, deadline_s: float) -> bool | None:
    """Give whether another gateway serves; ``None`` if the call fails in any way."""
    try:
        return as_opinion(await caller.call("partner_serves", timeout_s, deadline_s=deadline_s))
    except HavpnError:
        return None


def turn(caller: Caller) -> int | None:
    """Give how many gateways go before this one; ``None`` if that is not known."""
    return as_turn(caller.quietly("turn"))


def advises(caller: Caller) -> bool:
    """Give whether its cluster manager may or may not follow its role; no, unless it says so."""
    return caller.able(Advising) and caller.quietly("advises") is True


def as_opinion(value: Any) -> bool | None:
    """Take the result of ``partner_serves``; what is neither true nor false is not known."""
    return value if value is True or value is False else None


def as_turn(value: Any) -> int | None:
    """Take the result of ``turn``; what is no such number is not known."""
    return value if type(value) is int and 0 <= value < MOST_TURNS else None
