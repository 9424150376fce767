"""Pure: how a gateway stands, as it says it to the far gateway of a line."""

from dataclasses import dataclass
from functools import lru_cache

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
    :param name: of the gateway, for people only; empty if it is not known.
    """

    role: Role | None = None
    fit: bool | None = None
    maintenance: bool = False
    paused: bool = False
    away: bool = False
    no_road: bool = False
    verdict: Verdict | None = None
    left: bool = False
    name: str = ""


NO_STANCE = Stance()
"""Where nothing is known."""
MOST_NAME = 64
"""Bytes of a gateway's name, as many as a kernel lets a host's name have."""
_CUT = "…".encode()

_ROLES = (None, Role.ACTIVE, Role.STANDBY)
_FITNESS = (None, True, False)
_VERDICTS = (None, *Verdict)
_FLAGS = {"maintenance": 1, "paused": 2, "away": 4, "no_road": 8, "left": 32}
"""16 is taken in packets of a stream."""


def as_number(stance: Stance) -> int:
    """Give a stance as a number of 16 bits, all but the name.

    Role in bits 8 and 9, fitness in 10 and 11, verdict in 12 to 14, the rest in single bits.

    :raises ValueError: if it holds a word that there is not.
    """
    states = (
        _ROLES.index(stance.role)
        | _FITNESS.index(stance.fit) << 2
        | _VERDICTS.index(stance.verdict) << 4
    )
    flags = sum(bit for name, bit in _FLAGS.items() if getattr(stance, name))
    return states << 8 | flags


@lru_cache(maxsize=1024)
def of_number(number: int, name: str = "") -> Stance | None:
    """Read one; the same value again and again, for most say the same.

    :returns: ``None`` for a word that there is not, as a later release may have it.
    """
    role, fitness, verdict = number >> 8 & 3, number >> 10 & 3, number >> 12 & 7
    if role >= len(_ROLES) or fitness >= len(_FITNESS) or verdict >= len(_VERDICTS):
        return None
    flags = {name: bool(number & bit) for name, bit in _FLAGS.items()}
    words = _ROLES[role], _FITNESS[fitness], _VERDICTS[verdict]
    return Stance(role=words[0], fit=words[1], verdict=words[2], name=name, **flags)


def shown_name(name: str, most: int = MOST_NAME) -> str:
    """Give a name as it may be sent and shown: without what does not print, and not too long.

    :param most: bytes in UTF-8; a longer one is cut, and ends in an ellipsis.
    """
    name = "".join(filter(str.isprintable, name))
    if len(name.encode()) <= most:
        return name
    return name.encode()[: most - len(_CUT)].decode(errors="ignore") + _CUT.decode()
