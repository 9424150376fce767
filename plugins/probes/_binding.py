"""Make sockets that leave where the operator told them to."""

import errno
import os
import socket
from typing import Any

from havpn_core import Context, Sample

FAMILIES = {"any": 0, "ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}

#: What forbids the test, as opposed to what the line or a missing interface does to it.
_FORBIDDEN = {errno.EPERM, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}


def target(context: Context, host: str, port: int, family: str) -> tuple[int, Any]:
    """Give address family and socket address of a host as far as it is known now.

    :raises NotResolved: while no address is known.
    """
    address = context.resolve(host, FAMILIES[family])
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Numeric, so this never asks a name server; it does turn a scope such as %eth0 into a number.
    found = socket.getaddrinfo(address, port, kind, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)
    return int(kind), found[0][4]


def bind(made: socket.socket, source: str | None, device: str | None) -> None:
    """Tie a socket to a device and a source address.

    :raises OSError: if either is not there; for a probe that is a failed probe.
    """
    made.setblocking(False)
    if device:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
    if source:
        made.bind(socket.getaddrinfo(source, 0, made.family, 0, 0, socket.AI_NUMERICHOST)[0][4])


def from_os_error(problem: OSError) -> Sample:
    """Turn what the kernel said into a sample."""
    # By number: asyncio puts "Connect call failed" where the kernel's own words would stand. A
    # resolver's numbers are negative and not the kernel's.
    number = problem.errno or 0
    detail = (os.strerror(number) if number > 0 else problem.strerror or str(problem)).lower()
    if problem.errno in _FORBIDDEN:
        return Sample.error(detail)
    return Sample.fail(detail)
