"""When to look on the LAN for a silent partner's addresses, and what follows from the replies.

A partner that is silent on every link may be dead, or only be cut off. Its kernel replies for
the addresses as long as it has them, whatever became of its daemon, so a request finds out
(RFC 5227, section 2.1.1). It goes out in the last moments before the partner counts as dead,
and therefore costs no time.

Pure: no clock, socket or task here; :mod:`~havpn_core.pair.lan` sends the requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What one action found.

    :param action: its name.
    :param who: who replies for an address of it, for people; ``None`` if nobody does.
    :param yields: whether the address is left to whoever replies.
    """

    action: str
    who: str | None
    yields: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of the LAN while the partner is suspected.

    :param in_use: whether an address that must not be taken then is in use; ``None`` before the
        first round.
    :param reported: whoever was reported to people already.
    :param pause_s: how long to wait before the next round.
    """

    in_use: bool | None = None
    reported: frozenset[str] = frozenset()
    pause_s: float = FIRST_PAUSE_S


def concluded(before: Findings, replies: Sequence[Reply]) -> tuple[Findings, list[str]]:
    """Take the replies of one round in.

    :returns: what is known now, the pause doubled, and sentences on whoever is new.
    """
    reported, said = set(before.reported), []
    for reply in replies:
        if reply.who is not None and reply.who not in reported:
            reported.add(reply.who)
            then = "not taken" if reply.yields else "taken all the same"
            said.append(
                f"{reply.action}: the partner is silent, yet {reply.who} has the address: {then}"
            )
    in_use = any(reply.who is not None and reply.yields for reply in replies)
    pause_s = min(2 * before.pause_s, LONGEST_PAUSE_S)
    return Findings(in_use, frozenset(reported), pause_s), said
