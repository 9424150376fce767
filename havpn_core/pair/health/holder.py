"""Who has the shared address, as far as one gateway of a site knows.

Pure: no clock, socket or thread here.
"""

HERE = "here"
PARTNER = "partner"
BOTH = "both"
NOBODY = "nobody"
ELSEWHERE = "elsewhere"
"""The partner is silent, and somebody on the LAN replies for the address."""


def holder(own: str | None, partner: str | None, *, in_use: bool) -> str | None:
    """Give the word for it; ``None`` if that is not known.

    :param own: the role that is in force here, ``active`` or ``standby``; ``None``: not known.
    :param partner: the living partner's; ``None`` while it is silent, or its role is not known.
    :param in_use: the address was found in use on the LAN while the partner is silent.
    """
    if partner == "active":
        return BOTH if own == "active" else PARTNER
    if own == "active":
        return HERE
    if own is None:
        return None
    if partner is not None:
        return NOBODY
    return ELSEWHERE if in_use else None
