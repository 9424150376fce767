"""Pure: what the partner of a pair adds to what this gateway hears on its LAN."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartnerView:
    """The partner as far as it matters to the witnesses.

    :param silent: no link brings its frames.
    :param hears: whether it hears enough witnesses itself; ``None`` if it does not say.
    :param heard_s: when its last frame came, in seconds of the monotonic clock.
    :param mac: its link-layer address on the LAN, 6 bytes; empty if that is not known.
    """

    silent: bool
    hears: bool | None = None
    heard_s: float | None = None
    mac: bytes = b""
