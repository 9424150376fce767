"""Pure: whether a gateway of a cluster withdraws: something is wrong here, and another serves.

Without a pair the partner says nothing of itself. What the cluster shows of it (a node of
heartbeat that is active, a node attribute of Pacemaker) decides, so that no two gateways both stop
and leave the hosts without a router:

* A gateway goes only when another is *seen* serving; what is not known keeps it.
* Nodes go one after the other: the first at once, each of the others when it has seen another
  serve in all looks of :data:`AGAIN_S` seconds more. What the first one does shows by then.
* It comes back when nothing has been wrong for :data:`AGAIN_S` seconds, or when nobody else has
  been seen serving for as long: an unfit router is better than none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from havpn_core.rules.fitness import Fitness

AGAIN_S = 5.0
"""From the turn of one node to the next one's; stopping heartbeat takes 3 to 4 s."""
FRESH_S = 3.0
"""Age from which what was seen counts as not known."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the cluster showed.

    :param serves: whether another gateway serves or would; ``None`` if that is not known.
    :param turn: how many nodes go before this one; ``None`` if that is not known, or if this
        one has nothing to give up.
    :param at_s: when the look began, in seconds of the monotonic clock.
    """

    serves: bool | None = None
    turn: int | None = None
    at_s: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Where this gateway stands.

    :param reason: why it has withdrawn, for people; empty while it has not.
    :param turn: its turn, by all looks since ``since_s``; only while something is wrong and
        another is seen serving.
    :param since_s: when the first of these looks began.
    :param gone_s: since when nobody else has been seen serving, having withdrawn.
    :param well_s: since when nothing is wrong any more, having withdrawn.
    """

    reason: str = ""
    turn: int | None = None
    since_s: float | None = None
    gone_s: float | None = None
    well_s: float | None = None


def trouble_of(fitness: Fitness, road: str = "") -> str:
    """Say why this gateway should go; empty while nothing is wrong, or nothing is known.

    :param road: why its road is of no use though the tunnel is; empty while that is not so.
    """
    return fitness.why or road


def together(looks: Iterable[Seen]) -> Seen:
    """Make one look of those that several actions took: what one does not know, nobody knows."""
    several = tuple(looks)
    if not several:
        return Seen()
    views = {look.serves for look in several}
    serves = False if False in views else None if None in views else True
    turns = [look.turn for look in several if look.turn is not None]
    turn = max(turns) if len(turns) == len(several) else None
    return Seen(serves, turn, min(look.at_s for look in several))


def withdraw(before: Withdrawal, trouble: str, seen: Seen, now_s: float) -> Withdrawal:
    """Give what follows from the latest look.

    :param trouble: why this gateway should go; empty while nothing is wrong.
    """
    if now_s - seen.at_s > FRESH_S:
        seen = Seen()
    if before.reason:
        return _withdrawn(before, trouble, seen, now_s)
    if not trouble or seen.serves is not True or seen.turn is None:
        return Withdrawal()
    since_s = seen.at_s
    if before.since_s is not None and before.turn == seen.turn:
        since_s = before.since_s
    if seen.at_s - since_s >= seen.turn * AGAIN_S:
        return Withdrawal(trouble)
    return Withdrawal(turn=seen.turn, since_s=since_s)


def _withdrawn(before: Withdrawal, trouble: str, seen: Seen, now_s: float) -> Withdrawal:
    gone_s, well_s = before.gone_s, None
    if seen.serves is not None:
        gone_s = None if seen.serves else _since(gone_s, now_s)
    if not trouble:
        well_s = _since(before.well_s, now_s)
    if any(since_s is not None and now_s - since_s >= AGAIN_S for since_s in (gone_s, well_s)):
        return Withdrawal()
    return Withdrawal(trouble or before.reason, gone_s=gone_s, well_s=well_s)


def _since(before_s: float | None, now_s: float) -> float:
    return now_s if before_s is None else before_s


def why_stays(seen: Seen) -> str:
    """Say why a gateway with which something is wrong stays all the same."""
    if seen.serves is None:
        return "whether another gateway serves is not known"
    if not seen.serves:
        return "no other gateway is seen serving"
    return "it holds nothing that another could take" if seen.turn is None else "another goes first"
