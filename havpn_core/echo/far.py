"""Pure: what the far gateway of a path is seen to be, from what it says of itself.

A gateway that stands by says so; one that is active says nothing. So silence means something only
of a gateway that has said it before.
"""

from havpn_core.rules.role import Role


class FarRole:
    """The role of one path's far gateway."""

    __slots__ = ("_says",)

    def __init__(self) -> None:
        self._says = False

    def look(self, *, stands_by: bool, up: bool) -> Role | None:
        """Take in what it says now; gives its role, ``None`` while that is not known.

        :param stands_by: it has said recently that it stands by, or is not to be used.
        :param up: the path is up, so that it would be heard.
        """
        if stands_by:
            self._says = True
            return Role.STANDBY
        return Role.ACTIVE if self._says and up else None
