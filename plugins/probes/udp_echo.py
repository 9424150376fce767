"""``udp-echo``: probe the UDP echo service (RFC 862) of the far gateway.

UDP rather than ICMP because firewalls drop ICMP. Beside the tunnel it probes the line; through the
tunnel, gateway to gateway, its packets are as large as those that the tunnel is there for.
"""

import secrets
import socket
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from havpn_core import Context, EchoSession, ProbeType, hookimpl

from ._along import Along
from ._binding import OVERHEAD, LineOptions, connected, forbid_fragments
from ._echo import EchoProbe
from ._oneway import OneWay

SIGN_BYTES = 8
"""Bytes of a request that are alike in all of one probe."""


SMALL_BYTES, LARGE_BYTES = 16, 1400
MOST_BYTES, LEAST_UNFRAGMENTED = 1400, 64


class UdpEchoOptions(LineOptions, frozen=True, kw_only=True):
    """Options of ``udp-echo``.

    :raises ValueError: if ``report`` does not fit into ``size``, or ``size`` into its packet.
    """

    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="UDP port")] = 7
    size: Annotated[
        Annotated[int, msgspec.Meta(ge=5, le=1500)] | None,
        msgspec.Meta(
            description="payload in bytes, 5 to 1400 (16); with `unfragmented` of the whole IP "
            "packet, 64 to 1500 (1400)"
        ),
    ] = None
    unfragmented: Annotated[
        bool | None,
        msgspec.Meta(
            description="forbid fragmentation (DF), and tell whether only small packets pass; "
            "default for a probe that watches the tunnel"
        ),
    ] = None
    report: Annotated[
        bool, msgspec.Meta(description="let a responder of HA-VPN say what it received")
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unfragmented:
            head = OVERHEAD[socket.AF_INET6] + EchoSession.BYTES if self.report else 0
            least = max(LEAST_UNFRAGMENTED, head)
            if self.bytes < least:
                raise ValueError(f"size: with unfragmented, write at least {least}")
            return
        if self.unfragmented is False and self.bytes > MOST_BYTES:
            raise ValueError(f"size: write at most {MOST_BYTES}, or unfragmented = true")
        unknown = self.unfragmented is None and self.size is None
        if self.report and not unknown and self.bytes < EchoSession.BYTES:
            raise ValueError(f"size: with report, write at least {EchoSession.BYTES}")

    @property
    def bytes(self) -> int:
        """The size, also where none is written."""
        return self.size or (LARGE_BYTES if self.unfragmented else SMALL_BYTES)


def watching(options: UdpEchoOptions, watches: str) -> UdpEchoOptions:
    """Send large packets unfragmented where the tunnel is watched.

    :raises ValueError: if ``size`` is none there.
    """
    if options.unfragmented is not None:
        return options
    return msgspec.structs.replace(options, unfragmented=watches == "tunnel")


class UdpEcho(EchoProbe):
    """A probe that counts a reply only if it is its request, whole, from the right place.

    The socket is connected: the kernel drops what comes from any other address or port, and
    reports a refusal. The nonce guards against late replies and forged ones. A refusal by the
    target itself, which quotes a request, is one of its host: the line carries.
    """

    heeds_refusals = True

    def __init__(self, options: UdpEchoOptions, context: Context) -> None:
        super().__init__(context, options.host, options.port, options.family)
        self._options = options
        self._bytes = options.bytes
        self.nonce_bytes = min(EchoSession.NONCE_BYTES, options.bytes)
        # What stays the same lets a responder of HA-VPN tell this sender from a flood of others.
        self._sign = b""
        if self.nonce_bytes == EchoSession.NONCE_BYTES and not options.report:
            self._sign = secrets.token_bytes(SIGN_BYTES)
            self.nonce_bytes -= SIGN_BYTES
        self._head = EchoSession.BYTES if options.report else len(self._sign) + self.nonce_bytes
        # Padding is random once, so that equal requests are not squeezed by a compressing line.
        self._padding = secrets.token_bytes(max(0, options.bytes - self._head))
        self._session = EchoSession(secrets.token_bytes(EchoSession.ID_BYTES))
        self._oneway = OneWay()
        self._along = Along() if options.unfragmented else None

    def connect(self, family: int, address: Any) -> socket.socket:
        """Make a connected datagram socket."""
        made = socket.socket(family, socket.SOCK_DGRAM)
        if self._options.unfragmented:
            self._bytes = self._options.bytes - OVERHEAD[family]
            forbid_fragments(made)
        return connected(made, self._options, address)

    def request(self, family: int, nonce: bytes) -> bytes:
        """Make the request."""
        return self.small(family, nonce) + self._padding[: self._bytes - self._head]

    def small(self, family: int, nonce: bytes) -> bytes:
        """Make a request without padding."""
        return self._session.request(nonce) if self._options.report else self._sign + nonce

    def match(self, reply: bytes) -> bytes | None:
        """Find the nonce."""
        padding = reply[self._head :]
        large = len(reply) == self._bytes and padding == self._padding[: len(padding)]
        if not large and (self._along is None or len(reply) != self._head):
            return None
        nonce = self._nonce_of(reply[: self._head] if not self._options.report else reply)
        small = self._along is not None and nonce in self._along.nonces
        return nonce if small is not large else None

    def _nonce_of(self, reply: bytes) -> bytes | None:
        """Find the nonce in a reply of the right size."""
        if not self._options.report:
            signed = len(self._sign)
            return reply[signed:] if reply[:signed] == self._sign else None
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
    yield ProbeType("udp-echo", "UDP echo, RFC 862", UdpEchoOptions, UdpEcho, watching=watching)
