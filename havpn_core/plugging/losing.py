"""What a probe is able to say of its line beside its samples: what it loses, and who is behind."""

from typing import Protocol

from havpn_core.plugging.stance import Stance
from havpn_core.rules.target.loss import Loss


class LossCounting(Protocol):
    """A probe that knows what its line loses, better than its samples show.

    What it gives takes the place of the losses among its samples where a pair compares two lines.
    Both ends of a line should give the same, so that both sites leave it, or neither does.
    """

    def line_loss(self) -> Loss | None:
        """Give the losses of the last 20 s or so; ``None`` while they are not known, or old."""


class FarLeaving(Protocol):
    """A probe whose target says that its gateway has just left this line for a better one."""

    def far_left(self) -> bool:
        """Whether it says so now; false again some seconds after it was last said.

        The pair of this gateway then follows to its other line, if that is up, so that both sites
        use the same one.
        """


class FarStanding(Protocol):
    """A probe whose target says how its gateway stands."""

    def far_stance(self) -> Stance | None:
        """Give what it said last; ``None`` while that is not known, or some seconds old.

        The status shows it, and the partner's status, too; nothing is decided by it.
        """
