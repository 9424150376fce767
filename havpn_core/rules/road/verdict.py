"""Pure: one verdict of the roads of several paths."""

from collections.abc import Sequence


def joined(roads: Sequence[bool | None], *, give_up_on: str) -> bool | None:
    """Join what is known of each road.

    :param roads: ``True`` while a host behind it replies, ``False`` if none does.
    :param give_up_on: ``any``: one that failed is a failure; ``all``: only all of them are.
    :returns: ``None`` while it is not known, or there is no road.
    """
    if not roads:
        return None
    decides = give_up_on == "all"
    if decides in roads:
        return decides
    return None if None in roads else not decides
