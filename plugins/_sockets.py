"""What several plugins need of sockets and Python's own methods do not give."""

import os
import socket
import struct
from collections.abc import Iterable
from typing import Any

SO_TIMESTAMPNS = 35
"""The generic value of include/uapi/asm-generic/socket.h; Python has no name for it."""

STAMP_BYTES = socket.CMSG_SPACE(16)
"""Room for the kernel's stamp in the ancillary data of ``recvmsg``."""

_TIMESPEC = struct.Struct("@qq")


def bind_to_device(made: socket.socket, device: str) -> None:
    """Send and receive through one device only (SO_BINDTODEVICE, socket(7)).

    :raises OSError: if there is no device of that name, or if it is not permitted.
    """
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")


def numeric_address(host: str, port: int, family: int = 0) -> Any:
    """Give the socket address of an IP address; no name server is involved.

    A scope such as ``%eth0`` becomes the number of the device.

    :param family: ``AF_INET`` or ``AF_INET6``; 0 for the one that the address has.
    :raises OSError: if it is no address, of another family, or on a device that is not there.
    """
    found = socket.getaddrinfo(host, port, family, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)
    return found[0][4]


def stamp_arrivals(made: socket.socket) -> None:
    """Let the kernel note the arrival of every datagram (SO_TIMESTAMPNS, socket(7))."""
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def age_s(
    ancillary: Iterable[tuple[int, int, bytes]], realtime_ns: int, most_s: float = float("inf")
) -> float:
    """Give the seconds since a datagram arrived; 0 where the kernel did not say.

    :param realtime_ns: CLOCK_REALTIME now, the stamp's own clock.
    :param most_s: the greatest age that is believed. One above it, or below 0, comes of a clock
        that was set in between and counts as 0.
    """
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            age = (realtime_ns - seconds * 10**9 - nanoseconds) / 1e9
            return age if 0 <= age <= most_s else 0.0
    return 0.0


def words(problem: OSError) -> str:
    """Say in the system's words why it refused, without the number.

    By number: asyncio and pyserial put words of their own where the system's would stand. A
    resolver's numbers are negative and not the system's.
    """
    number = problem.errno or 0
    return (os.strerror(number) if number > 0 else problem.strerror or str(problem)).lower()
