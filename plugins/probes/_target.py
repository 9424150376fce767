"""Whom a network probe asks, and from where: the options, the addresses, the bound socket."""

import errno
import ipaddress
import os
import socket
from typing import Annotated, Literal

import msgspec

from havpn_core import Sample

SockAddr = tuple[str, int] | tuple[str, int, int, int]
"""An IPv4 or IPv6 socket address as :mod:`socket` gives and takes it."""

OWN_TROUBLE = frozenset(
    {errno.EPERM, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAFNOSUPPORT}
)
"""Errors of a local call that say nothing about the line: the question could not be asked."""

IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; the socket module has no name for it

_FAMILIES = {"any": 0, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The options that all network probes share.

    :raises ValueError: if they contradict each other.
    """

    host: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="whom to ask: an address or a name; link-local as fe80::1%eth0",
        ),
    ]
    source: Annotated[
        str,
        msgspec.Meta(description="address of this host to ask from; empty: as routing chooses"),
    ] = ""
    device: Annotated[
        str,
        msgspec.Meta(
            max_length=15, description="network device to ask through; empty: as routing chooses"
        ),
    ] = ""
    family: Annotated[
        Literal["any", "ipv4", "ipv6"],
        msgspec.Meta(description="address family a name is resolved to"),
    ] = "any"

    def __post_init__(self) -> None:
        wanted = {"ipv4": 4, "ipv6": 6}.get(self.family)
        for key, text in (("source", self.source), ("host", self.host)):
            address = _literal(text)
            if address is None:
                if key == "source" and text:
                    raise ValueError(f"source {text!r} is no IP address")
                continue
            if wanted not in (None, address.version):
                raise ValueError(f"{key} {text} is no IPv{wanted} address")
            wanted = address.version
            scope = getattr(address, "scope_id", None) or self.device
            if address.version == 6 and address.is_link_local and not scope:
                raise ValueError(f"{key} {text} is link-local: add its device, as {text}%eth0")

    @property
    def resolve_to(self) -> int:
        """The address family to ask the resolver for; 0 if either will do."""
        source = _literal(self.source)
        if source is not None:
            return socket.AF_INET if source.version == 4 else socket.AF_INET6
        return _FAMILIES[self.family]


def locate(address: str, port: int, device: str = "") -> tuple[socket.AddressFamily, SockAddr]:
    """Turn a literal address into what the socket calls take.

    The result is spelt as the kernel's answers are, so that senders can be compared with it.

    :param device: where a link-local address without a scope of its own lives.
    :raises OSError: if the device of a link-local address is missing.
    :raises ValueError: if it is no address.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return socket.AF_INET, (str(parsed), port)
    scope = _index_of(parsed.scope_id or device) if parsed.is_link_local else 0
    return socket.AF_INET6, (socket.inet_ntop(socket.AF_INET6, parsed.packed), port, 0, scope)


def bound_socket(
    target: Target, family: socket.AddressFamily, kind: int, protocol: int = 0
) -> socket.socket:
    """Open a non-blocking socket that sends from the target's source and device only.

    Datagram sockets are always bound, as their port must be known and new; a stream socket
    gets its port when it connects.

    :raises OSError: if that is not possible now; its text says what is missing.
    """
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
    try:
        if target.device:
            device = os.fsencode(target.device)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        if target.source and kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        if target.source or kind != socket.SOCK_STREAM:
            anywhere = "0.0.0.0" if family == socket.AF_INET else "::"
            sock.bind(locate(target.source or anywhere, 0, target.device)[1])
    except OSError as error:
        sock.close()
        raise _named(error, target) from None
    return sock


def sample_of(error: OSError) -> Sample:
    """Judge an error of a local call: ``ERROR`` for our own trouble, else ``FAIL``."""
    text = plain(error)
    return Sample.error(text) if error.errno in OWN_TROUBLE else Sample.fail(text)


def plain(error: OSError) -> str:
    """Say an error in the words of the operating system, within a sentence."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _literal(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _index_of(device: str) -> int:
    if device.isdigit():
        return int(device)
    try:
        return socket.if_nametoindex(device)
    except OSError:  # it carries no number of its own
        raise OSError(errno.ENODEV, f"device {device} is missing") from None


def _named(error: OSError, target: Target) -> OSError:
    if error.errno == errno.ENODEV:
        return OSError(errno.ENODEV, f"device {target.device or target.source} is missing")
    if error.errno == errno.EADDRNOTAVAIL:
        return OSError(error.errno, f"source address {target.source} is not on this host")
    where = " ".join(filter(None, (target.device, target.source))) or "any address"
    return OSError(error.errno, f"cannot bind to {where}: {plain(error)}")
