"""When to look on the LAN for a silent partner's addresses, and what follows from the replies.

A partner that is silent on every link may be dead, or only be cut off. Its kernel replies for
the addresses as long as it has them, whatever happened to its daemon, so a probe finds out
(RFC 5227, section 2.1.1). One round of probes may be lost, so the addresses count as free after
:data:`ROUNDS` empty rounds in a row. They are sent in the last moments before the partner counts
as dead, and therefore cost no time. Probing goes on until the role is held: in use at any time
means not taken.

Pure: no clock, socket or task here; :mod:`~havpn_core.pair.lan` sends the probes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

ROUNDS = 3
"""Empty rounds in a row after which nobody has the addresses."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
MOST_REPORTED = 8
"""A stranger that claims the addresses with ever new link-layer addresses makes no more events."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one action found in one round.

    :param action: its name.
    :param owners: all that reply for an address of it; none if nobody does; ``None`` if no probe
        could be sent, as without a carrier: that is not known, and nothing follows from it.
    :param yields: whether the address is left to whoever replies.
    :param addressed: the owners are the link-layer addresses of all that reply, in the form
        ``02:00:00:00:00:01``, so that the partner is no stranger; otherwise they are for
        people only, and each of them blocks.
    """

    action: str
    owners: tuple[str, ...] | None
    yields: bool
    addressed: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of the LAN while the partner is suspected.

    :param in_use: whether an address that must not be taken then is in use; ``None`` before
        :data:`ROUNDS` empty rounds in a row, and after a round that could not be sent.
    :param empty: empty rounds in a row.
    :param rounds: all rounds since the first one or the last change of the network.
    :param reported: what was reported to people already.
    """

    in_use: bool | None = None
    empty: int = 0
    rounds: int = 0
    reported: frozenset[str] = frozenset()

    @property
    def pause_s(self) -> float:
        """How long to wait before the next round, in seconds: 0 to :data:`LONGEST_PAUSE_S`."""
        if 0 < self.empty < ROUNDS or not self.rounds:
            return 0.0
        return min(FIRST_PAUSE_S * 2.0 ** min(self.rounds - 1, 9), LONGEST_PAUSE_S)


def renewed(before: Findings) -> Findings:
    """Begin again, as the network changed (a carrier that is back): what was found is void."""
    return Findings(reported=before.reported)


def concluded(
    before: Findings, replies: Sequence[Reply], partner_mac: bytes = b""
) -> tuple[Findings, list[str]]:
    """Take the replies of one round in.

    :param partner_mac: the partner's link-layer address on this LAN, from its frames; empty if
        that is not known. While it is known and does not reply, a stranger blocks nothing.
    :returns: what is known now, and sentences on whatever is new.
    """
    partner = partner_mac.hex(":")
    reported, said = set(before.reported), []
    for reply in replies:
        for who, text in _sentences(reply, partner):
            if who not in reported and len(reported) < MOST_REPORTED:
                reported.add(who)
                said.append(f"{reply.action}: {text}")
    found = Findings(rounds=before.rounds + 1, reported=frozenset(reported))
    if any(_blocks(reply, partner) for reply in replies):
        return replace(found, in_use=True), said
    if any(reply.owners is None for reply in replies):
        return found, said
    empty = min(before.empty + 1, ROUNDS)
    return replace(found, in_use=False if empty == ROUNDS else None, empty=empty), said


def _blocks(reply: Reply, partner: str) -> bool:
    if not reply.yields or not reply.owners:
        return False
    return partner in reply.owners or not (reply.addressed and partner)


def _sentences(reply: Reply, partner: str) -> list[tuple[str, str]]:
    """Name what a reply says, and the sentence that is reported once for each name."""
    if reply.owners is None:
        return [(f"{reply.action} unsent", "the partner is silent, and the LAN cannot be probed "
                 "for the address: not taken until it can")]  # fmt: skip
    if _blocks(reply, partner):
        then = "not taken"
    elif reply.yields and reply.addressed:
        then = "this is not the partner, which does not reply: taken all the same"
    else:
        then = "taken all the same"
    return [(who, f"the partner is silent, yet {who} has the address: {then}")
            for who in reply.owners]  # fmt: skip
