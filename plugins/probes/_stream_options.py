"""The options of ``stream``."""

from typing import Annotated

import msgspec

from havpn_core import Duration

from ._binding import LineOptions

PORT = 7037
DYNAMIC = "dynamic"
FAST, USUAL = Duration(0.01), Duration(0.1)
FAST_BELOW_S = 0.1
"""A path whose probes are due more often than this has a fast stream."""
LEAST_S, MOST_S = 0.005, 10.0


class StreamOptions(LineOptions, frozen=True, kw_only=True):
    """Options of ``stream``.

    :raises ValueError: for an interval that is none.
    """

    host: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="far gateway, name or address; `dynamic`: it has neither, and begins",
        ),
    ]
    key_file: Annotated[
        str, msgspec.Meta(min_length=1, description="the keys that both gateways have; mode 600")
    ]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="UDP port, of both ends")] = PORT
    interval: Annotated[
        Duration | None,
        msgspec.Meta(
            description="time from one packet to the next, 5ms to 10s; the slower of both ends' "
            "counts (10ms where the path's interval is below 100ms, as in `fast`; else 100ms)"
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.interval is not None and not LEAST_S <= self.interval <= MOST_S:
            raise ValueError("interval: write 5ms to 10s")


def paced(options: StreamOptions, interval_s: float) -> StreamOptions:
    """Send often where the path is fast."""
    if options.interval is not None:
        return options
    own = FAST if interval_s < FAST_BELOW_S else USUAL
    return msgspec.structs.replace(options, interval=own)
