"""Let a probe report by itself what arrives (``Arriving``), and what is lost (``LossCounting``).

As in :mod:`~havpn_core.plugging.gate.calls`, what comes out of the plugin is of known type and
size, from whichever thread it comes.
"""

from collections.abc import Callable
from typing import Any

from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate import coercion
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.inlet import Inlet
from havpn_core.plugging.losing import FarLeaving, FarStanding, LossCounting
from havpn_core.plugging.protocols import Arriving
from havpn_core.plugging.stance import Stance, shown_name
from havpn_core.plugging.stance import as_number as stance_number
from havpn_core.plugging.stance import of_number as stance_of
from havpn_core.rules.target.loss import Loss, as_number, of_number

MOST_LOST = 1000


def arrives(caller: Caller) -> bool:
    """Whether a probe reports by itself."""
    return caller.able(Arriving)


def tell_arrivals(caller: Caller, take: Callable[[Sample, int], None]) -> None:
    """Have each report handed on, on the loop; an earlier ``take`` is called no more.

    :param take: called with the sample, and how many were lost before it unreported.
    """
    inlet = Inlet(_as_report, lambda report: take(*report))

    def tell(*given: Any, **named: Any) -> None:
        inlet((given, named))

    caller.quietly("tell_arrivals", tell)


def counts_loss(caller: Caller) -> bool:
    """Whether a probe says what its line loses."""
    return caller.able(LossCounting)


def line_loss(caller: Caller) -> Loss | None:
    """Give what it says, as far as it can be; ``None`` if that is nothing."""
    said = caller.quietly("line_loss")
    try:
        number = as_number(said) if isinstance(said, Loss) else None
        return None if number is None else of_number(number)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return None


def may_leave(caller: Caller) -> bool:
    """Whether a probe's target can say that its gateway left the line."""
    return caller.able(FarLeaving)


def far_left(caller: Caller) -> bool:
    """Whether it says so now."""
    return caller.quietly("far_left") is True


def far_stance(caller: Caller) -> Stance | None:
    """Give how a probe's target says that its gateway stands, as far as it can be."""
    said = caller.quietly("far_stance") if caller.able(FarStanding) else None
    try:
        if not isinstance(said, Stance):
            return None
        name = shown_name(said.name) if type(said.name) is str else ""
        return stance_of(stance_number(said), name)
    except (TypeError, ValueError):
        return None


def _as_report(report: tuple[tuple[Any, ...], dict[str, Any]]) -> tuple[Sample, int]:
    given, named = report
    sample = given[0] if given else named.get("sample")
    lost = given[1] if len(given) > 1 else named.get("lost")
    number = lost if isinstance(lost, int) and type(lost) is int else 0
    return coercion.as_sample(sample), min(max(0, number), MOST_LOST)
