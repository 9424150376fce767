"""Make sockets that leave by the source and device of the options."""

import contextlib
import errno
import ipaddress
import socket
from typing import Annotated, Any, Literal

import msgspec

from havpn_core import Context, Sample

from .._sockets import bind_to_device, numeric_address, words


class LineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of every probe that goes over the network.

    :raises ValueError: if they contradict each other; found out later, that would look like a
        dead line.
    """

    host: Annotated[str, msgspec.Meta(min_length=1, description="far gateway, name or address")]
    source: Annotated[str | None, msgspec.Meta(description="address to probe from")] = None
    device: Annotated[str | None, msgspec.Meta(description="interface to probe through")] = None
    family: Annotated[
        Literal["any", "ipv4", "ipv6"], msgspec.Meta(description="address family")
    ] = "any"

    def __post_init__(self) -> None:
        versions = {4 if self.family == "ipv4" else 6} if self.family != "any" else set()
        if self.source is not None:
            try:
                versions.add(ipaddress.ip_address(self.source).version)
            except ValueError:
                raise ValueError(
                    f"source: {self.source!r} is no IP address: write one of this host's"
                ) from None
        with contextlib.suppress(ValueError):
            versions.add(ipaddress.ip_address(self.host).version)
        if len(versions) > 1:
            raise ValueError("host, source and family mix IPv4 and IPv6: write one of them")
        if self.host.lower().startswith("fe80:") and "%" not in self.host:
            raise ValueError(f"host: {self.host} is link-local: write {self.host}%DEVICE")


IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IPV6_DONTFRAG, PMTUDISC_PROBE = 10, 23, 62, 3
"""Of include/uapi/linux/in.h and in6.h; Python has no names for them."""
OVERHEAD = {int(socket.AF_INET): 28, int(socket.AF_INET6): 48}
"""Bytes of the IP and UDP headers."""
TOO_LARGE = "small packets pass, large ones do not: it exceeds the MTU"

FAMILIES = {"any": 0, "ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}

#: What forbids the test, as opposed to what the line or a missing interface does to it.
_FORBIDDEN = {errno.EPERM, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}


def target(context: Context, host: str, port: int, family: str) -> tuple[int, Any]:
    """Give address family and socket address of a host as far as it is known now.

    :raises NotResolved: while no address is known.
    """
    address = context.resolve(host, FAMILIES[family])
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    return int(kind), numeric_address(address, port, kind)


def bind(made: socket.socket, source: str | None, device: str | None) -> None:
    """Tie a socket to a device and a source address.

    :raises OSError: if either is not there; for a probe that is a failed probe.
    """
    made.setblocking(False)
    if device:
        bind_to_device(made, device)
    if source:
        made.bind(numeric_address(source, 0, made.family))


def connected(made: socket.socket, options: LineOptions, address: Any) -> socket.socket:
    """Tie a new datagram socket to the options' source and device and connect it.

    :raises OSError: if that fails; the socket is closed then.
    """
    try:
        bind(made, options.source, options.device)
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def forbid_fragments(made: socket.socket) -> None:
    """Send every packet whole or not at all, whatever path MTU is remembered (ip(7), ipv6(7)).

    :raises OSError: if the kernel cannot.
    """
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
    made.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)


def from_os_error(problem: OSError) -> Sample:
    """Turn a refusal of the kernel into a sample."""
    if problem.errno == errno.EMSGSIZE:
        return Sample.fail(TOO_LARGE)
    if problem.errno in _FORBIDDEN:
        return Sample.error(words(problem))
    return Sample.fail(words(problem))
