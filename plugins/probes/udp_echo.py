"""``udp-echo``: probe the UDP echo service (RFC 862) of the far gateway.

UDP rather than ICMP because firewalls drop ICMP; beside the tunnel rather than through it
because it is the line that is probed.
"""

import secrets
import socket
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from havpn_core import Context, EchoSession, ProbeType, hookimpl

from ._binding import LineOptions, connected
from ._echo import EchoProbe
from ._oneway import OneWay

SIGN_BYTES = 8
"""Bytes of a request that are alike in all of one probe."""


class UdpEchoOptions(LineOptions, frozen=True, kw_only=True):
    """Options of ``udp-echo``.

    :raises ValueError: if ``report`` does not fit into ``size``.
    """

    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="UDP port")] = 7
    size: Annotated[int, msgspec.Meta(ge=5, le=1400, description="payload in bytes")] = 16
    report: Annotated[
        bool, msgspec.Meta(description="let a responder of HA-VPN say what it received")
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.report and self.size < EchoSession.BYTES:
            raise ValueError(f"size: with report, write at least {EchoSession.BYTES}")


class UdpEcho(EchoProbe):
    """A probe that counts a reply only if it is its request, whole, from the right place.

    The socket is connected: the kernel drops what comes from any other address or port, and
    reports a refusal. The nonce guards against late replies and forged ones. A refusal by the
    target itself, which quotes a request, is one of its host: the line carries.
    """

    heeds_refusals = True

    def __init__(self, options: UdpEchoOptions, context: Context) -> None:
        self._options = options
        self.nonce_bytes = min(EchoSession.NONCE_BYTES, options.size)
        # What stays the same lets a responder of HA-VPN tell this sender from a flood of others.
        self._sign = b""
        if self.nonce_bytes == EchoSession.NONCE_BYTES and not options.report:
            self._sign = secrets.token_bytes(SIGN_BYTES)
            self.nonce_bytes -= SIGN_BYTES
        head = EchoSession.BYTES if options.report else len(self._sign) + self.nonce_bytes
        # Padding is random once, so that equal requests are not squeezed by a compressing line.
        self._padding = secrets.token_bytes(options.size - head)
        self._session = EchoSession(secrets.token_bytes(EchoSession.ID_BYTES))
        self._oneway = OneWay()
        super().__init__(context, options.host, options.port, options.family)

    def connect(self, family: int, address: Any) -> socket.socket:
        """Make a connected datagram socket."""
        return connected(socket.socket(family, socket.SOCK_DGRAM), self._options, address)

    def request(self, family: int, nonce: bytes) -> bytes:
        """Make the request."""
        if not self._options.report:
            return self._sign + nonce + self._padding
        return self._session.request(nonce) + self._padding

    def match(self, reply: bytes) -> bytes | None:
        """Find the nonce."""
        cut = len(reply) - len(self._padding)
        if len(reply) != self._options.size or reply[cut:] != self._padding:
            return None
        if not self._options.report:
            signed = len(self._sign)
            return reply[signed:cut] if reply[:signed] == self._sign else None
        report = self._session.report(reply)
        if report is None:
            return None
        if report.epoch and self._awaits(report.nonce):
            self._oneway.take(report)
        return report.nonce

    def facts(self) -> dict[str, Any]:
        """Give the loss of either way where the far end reports it."""
        found = super().facts()
        if self._options.report:
            losses = self._oneway.losses
            found["loss_out"] = None if losses is None else round(losses[0], 4)
            found["loss_back"] = None if losses is None else round(losses[1], 4)
            found["last_outage"] = self._oneway.last_outage
        return found


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType("udp-echo", "UDP echo, RFC 862", UdpEchoOptions, UdpEcho)
