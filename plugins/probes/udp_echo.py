"""The probe ``udp-echo``: datagrams that the far gateway sends back (RFC 862)."""

import socket
from collections.abc import Iterator
from typing import Annotated

import msgspec

from havpn_core import Context, ProbeType, hookimpl
from havpn_plugins.probes._echo import EchoProbe, EchoSocket, nonce
from havpn_plugins.probes._target import Target, bound_socket, locate


class UdpEchoOptions(Target, frozen=True, kw_only=True):
    """Options of ``udp-echo``."""

    port: Annotated[
        int, msgspec.Meta(ge=1, le=65535, description="UDP port of the echo service")
    ] = 7
    size: Annotated[
        int,
        msgspec.Meta(
            ge=5,
            le=1472,
            description="payload in bytes; up to 16 of them are random, the rest is padding",
        ),
    ] = 16


class UdpWire:
    """The payload is the key: the answer must equal the whole of it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.room = size + 1

    def key(self) -> bytes:
        """Make up a new payload."""
        return nonce(self.size)

    def question(self, key: bytes) -> bytes:
        """Give the payload itself."""
        return key

    answered = question
    quoted = question


class UdpEcho(EchoProbe):
    """Asks a UDP echo service, such as the far HA-VPN's own responder."""

    def __init__(self, options: UdpEchoOptions, context: Context) -> None:
        super().__init__(options, context)
        self._port = options.port
        self._wire = UdpWire(options.size)

    def open(self, address: str) -> EchoSocket:
        """Open a datagram socket on a new port.

        It stays unconnected: the kernel then chooses the source address for each datagram
        anew, and answers from strangers can be counted.
        """
        family, peer = locate(address, self._port, self._target.device)
        sock = bound_socket(self._target, family, socket.SOCK_DGRAM)
        return EchoSocket(sock, peer, self._wire, self._context.clock, self.counts)


@hookimpl
def havpn_register_probes() -> Iterator[ProbeType]:
    """Supply ``udp-echo``."""
    yield ProbeType("udp-echo", "Asks a UDP echo service (RFC 862)", UdpEchoOptions, UdpEcho)
