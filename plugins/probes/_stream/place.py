"""What the socket of a stream is bound to."""

import socket
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """What a socket is bound to."""

    family: int
    source: str | None
    device: str | None
    port: int


class Bound(Protocol):
    """Options that say what a socket is bound to."""

    @property
    def source(self) -> str | None:
        """Its address."""

    @property
    def family(self) -> str:
        """``any``, ``ipv4`` or ``ipv6``."""


def version(options: Bound) -> int:
    """Give the family of a socket that nothing is sent to yet: by its address, or IPv4."""
    six = options.family == "ipv6" or ":" in (options.source or "")
    return int(socket.AF_INET6 if six else socket.AF_INET)
