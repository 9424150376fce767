"""What an action that speaks to a cluster manager may be able to do besides."""

from collections.abc import Awaitable
from typing import Protocol


class PartnerSeeing(Protocol):
    """An action that can see in its cluster whether another gateway serves.

    Without a pair a gateway that is unfit, or whose road fails, gives its role up only then.
    """

    def partner_serves(self, timeout_s: float) -> Awaitable[bool | None] | bool | None:
        """Look whether another gateway has the active role, or takes it if this one goes.

        :returns: ``None`` if that is not known in ``timeout_s`` seconds: this gateway stays.
        """

    def turn(self) -> int | None:
        """Give how many of the gateways go before this one where all of them are unfit.

        It is 0 for exactly one of them, and each waits for 5 s per gateway before it. Called
        after ``partner_serves``, whose look it may rest on.

        :returns: ``None`` if it is not known, or if this gateway holds nothing: it stays.
        """


class Advising(Protocol):
    """An action whose role its cluster manager may or may not follow.

    What ``observe`` gives of it says nothing of where the addresses are. Where no other action
    owns them, a gateway that is standby by it counts as one that may serve, and replies to the
    far site, unless another is seen serving (:class:`PartnerSeeing`).
    """

    def advises(self) -> bool:
        """Say whether that is so for this instance, which may depend on its options."""


class Ranking(Protocol):
    """An action whose cluster can choose the gateway with the better line.

    Whether that moves anything is for the cluster manager, which alone sees the scores of all.
    """

    def rank(self, score: int, timeout_s: float) -> Awaitable[None] | None:
        """Write how good the lines of this gateway are, where the cluster manager reads it.

        Called beside ``apply``, within 1 s of a change and every 5 s besides, as what was written
        may have been lost. Not called before the first reply of a path, nor while the daemon is
        paused: what was written before stands. Should be ``async def``: a plain one holds ``apply``
        up for 1 s at the most.

        :param score: from 0 (a line is down, or this gateway is not to be used) over 10 (on its
            way back) and 60 (the worst one that serves) to 200 (good), in steps of 20.
        :raises ActionError: if it did not succeed in ``timeout_s`` seconds; it is reported once.
        """
