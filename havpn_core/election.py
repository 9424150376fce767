"""Decide which role this gateway should have.

Pure: no clock, socket or thread here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from havpn_core.hysteresis import Level


class Role(Enum):
    """What this gateway is to the shared address."""

    ACTIVE = "active"  #: holds it, or lets its cluster manager hold it here
    STANDBY = "standby"

    @property
    def other(self) -> "Role":
        """The opposite role."""
        return Role.STANDBY if self is Role.ACTIVE else Role.ACTIVE


@dataclass(frozen=True, slots=True)
class PathView:
    """What the election needs to know of one path.

    :param release_unknown: the operator chose ``on_unknown = "release"`` for it.
    """

    level: Level
    known: bool
    release_unknown: bool = False

    @property
    def serves(self) -> bool:
        """Whether the path speaks for keeping the shared address here."""
        return self.level is Level.UP and (self.known or not self.release_unknown)


def wanted_role(paths: Iterable[PathView], *, give_up_on: str = "any") -> Role:
    """Say which role the paths of this gateway call for.

    :param give_up_on: ``any``: one dead path is reason enough to step back, as every path is
        needed; ``all``: this gateway is of use as long as one path serves.
    """
    serving = [path.serves for path in paths]
    fit = all(serving) if give_up_on == "any" else any(serving)
    return Role.ACTIVE if fit or not serving else Role.STANDBY
