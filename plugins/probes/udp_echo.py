"""``udp-echo``: ask the UDP echo service (RFC 862) of the far gateway.

UDP rather than ICMP because firewalls drop ICMP; beside the tunnel rather than through it
because the question is whether the line lives.
"""

import secrets
import socket
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from havpn_core import Context, ProbeType, hookimpl

from ._binding import LineOptions, bind
from ._echo import EchoProbe

NONCE_BYTES = 16


class UdpEchoOptions(LineOptions, frozen=True, kw_only=True):
    """Options of ``udp-echo``."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="UDP port")] = 7
    size: Annotated[int, msgspec.Meta(ge=5, le=1400, description="payload in bytes")] = 16


class UdpEcho(EchoProbe):
    """A probe that counts an answer only if it is its question, whole, from the right place.

    The socket is connected: the kernel drops what comes from any other address or port, and
    tells of a refusal. The nonce guards against late answers and forged ones.
    """

    def __init__(self, options: UdpEchoOptions, context: Context) -> None:
        self._options = options
        self.nonce_bytes = min(NONCE_BYTES, options.size)
        # Padding is random once, so that equal questions are not squeezed by a compressing line.
        self._padding = secrets.token_bytes(options.size - self.nonce_bytes)
        super().__init__(context, options.host, options.port, options.family)

    def connect(self, family: int, address: Any) -> socket.socket:
        """Make a connected datagram socket."""
        made = socket.socket(family, socket.SOCK_DGRAM)
        try:
            bind(made, self._options.source, self._options.device)
            made.connect(address)
        except OSError:
            made.close()
            raise
        return made

    def phrase(self, family: int, nonce: bytes) -> bytes:
        """Make the question."""
        return nonce + self._padding

    def match(self, answer: bytes) -> bytes | None:
        """Find the nonce."""
        cut = len(answer) - len(self._padding)
        if len(answer) != self._options.size or answer[cut:] != self._padding:
            return None
        return answer[:cut]


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType("udp-echo", "UDP echo, RFC 862", UdpEchoOptions, UdpEcho)
