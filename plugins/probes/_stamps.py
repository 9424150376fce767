"""Know when the kernel had an answer, however late the loop comes to read it."""

import socket
import struct
from collections.abc import Iterable

SO_TIMESTAMPNS = 35
"""The generic value of include/uapi/asm-generic/socket.h; Python has no name for it."""

ANCILLARY_BYTES = socket.CMSG_SPACE(16)
BELIEVABLE_NS = 60 * 10**9

_TIMESPEC = struct.Struct("@qq")


def stamp(made: socket.socket) -> None:
    """Let the kernel note the arrival of every datagram (SO_TIMESTAMPNS, socket(7))."""
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def age_s(ancillary: Iterable[tuple[int, int, bytes]], realtime_ns: int) -> float:
    """Give the seconds since a datagram arrived; 0 where the kernel did not say.

    :param realtime_ns: CLOCK_REALTIME now, the stamp's own clock. If it was set in between, the
        age makes no sense (negative, or over a minute) and is not believed.
    """
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            age = realtime_ns - seconds * 10**9 - nanoseconds
            return float(age) / 1e9 if 0 <= age <= BELIEVABLE_NS else 0.0
    return 0.0
