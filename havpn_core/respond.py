"""The echo responder that the far end probes (RFC 862, on terms).

An echo service that answers anybody is a weapon: two of them, made to answer each other, never
stop. This one answers known networks only, at a bounded rate, never a port that may be a service
of its own, and with exactly what came. Everything else is dropped in silence and counted.
"""

import ipaddress
import logging
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    import asyncio

DATAGRAM_LIMIT = 1500
"""Bytes; longer datagrams are no probes."""

SOURCES_LIMIT = 1024
"""Sources whose rate is remembered; made-up addresses must not eat the memory."""

RETRY_S = 1.0
"""Seconds after which an address that could not be bound is tried again."""

_BATCH = 64  # datagrams a turn of the loop, so that a flood does not starve the probes
_IP_PKTINFO = 8  # linux/in.h; the socket module has no name for it before Python 3.12
_PKTINFO4 = struct.Struct("=i4s4s")  # interface, local address, destination in the header
_PKTINFO6 = struct.Struct("=16si")  # address, interface

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RespondOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The ``[respond]`` table.

    :raises ValueError: if an address or a network is wrong, or nothing could ever be answered.
    """

    listen: Annotated[
        list[str],
        msgspec.Meta(min_length=1, description='where to answer: "192.0.2.2:7", "[2001:db8::2]:7"'),
    ]
    allow: Annotated[
        list[str],
        msgspec.Meta(min_length=1, description='who is answered: "192.0.2.6/32", "2001:db8::/64"'),
    ]
    rate: Annotated[
        float, msgspec.Meta(gt=0, description="answers per second to one address, lastingly")
    ] = 100.0
    burst: Annotated[
        int, msgspec.Meta(ge=1, description="answers to one address that may come at once")
    ] = 20
    total: Annotated[
        float,
        msgspec.Meta(ge=1, description="answers per second to all; as many may come at once"),
    ] = 5000.0
    allow_low_ports: Annotated[
        bool,
        msgspec.Meta(description="whether ports below 1024 are answered; risks echo loops"),
    ] = False

    def __post_init__(self) -> None:
        for text in self.listen:
            parse_endpoint(text)
        for text in self.allow:
            parse_network(text)


def parse_endpoint(text: str) -> tuple[str, int]:
    """Read ``addr:port`` or ``[v6]:port``; the address keeps a scope such as ``%eth0``.

    :raises ValueError: if it is neither.
    """
    host, _, port = text.rpartition(":")
    try:
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
            ipaddress.IPv6Address(host)
        else:
            ipaddress.IPv4Address(host)
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError
    except ValueError:
        raise ValueError(
            f'listen {text!r} is no address with a port: write "192.0.2.2:7" or "[2001:db8::2]:7"'
        ) from None
    return host, int(port)


def parse_network(text: str) -> Network:
    """Read a network, or one address.

    :raises ValueError: if it is none, or if bits of a host are set in it.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f'allow {text!r} is no network: write "192.0.2.6/32"') from None
    if "/" in text and ipaddress.ip_interface(text).ip != network.network_address:
        raise ValueError(f"allow {text!r} is an address within a network: write {str(network)!r}")
    return network


class Gate:
    """Decides what is answered. Reads no clock: time comes in, in seconds that never go back.

    :param sources: addresses whose rate is remembered. The one silent for longest is forgotten
        first, in favour of a new one: it starts with a full burst when it comes back, so that
        no flood of made-up sources can silence a real one but through the total.
    """

    def __init__(self, options: RespondOptions, sources: int = SOURCES_LIMIT) -> None:
        self._networks = [parse_network(text) for text in options.allow]
        self._rate, self._burst, self._total = options.rate, options.burst, options.total
        self._low_ports = options.allow_low_ports
        self._limit = sources
        self._sources: dict[str, tuple[float, float]] = {}  # address -> answers left, when
        self._left, self._left_at = options.total, 0.0

    def __len__(self) -> int:
        """Count the sources remembered."""
        return len(self._sources)

    def judge(self, address: str, port: int, size: int, now: float) -> str:
        """Say ``answered``, or why not: ``denied``, ``low_port``, ``oversize`` or ``rate``.

        :param address: where a datagram came from, without scope.
        :param size: of its payload, in bytes.
        """
        if address not in self._sources and not self._allowed(address):
            return "denied"
        # Port 0 cannot be answered at all.
        if port == 0 or (port < 1024 and not self._low_ports):
            return "low_port"
        if size > DATAGRAM_LIMIT:
            return "oversize"
        return "answered" if self._within_rate(address, now) else "rate"

    def _allowed(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._networks)

    def _within_rate(self, address: str, now: float) -> bool:
        left, at = self._sources.pop(address, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._rate)
        self._left = min(self._total, self._left + (now - self._left_at) * self._total)
        self._left_at = now
        granted = left >= 1 and self._left >= 1
        if granted:
            left -= 1
            self._left -= 1
        while len(self._sources) >= self._limit:
            del self._sources[next(iter(self._sources))]
        self._sources[address] = (left, now)
        return granted


class Responder:
    """Answers on every address of its options, and on those not there yet once they are.

    Binding is tried again each second (no IP_FREEBIND: a misspelt address shall be heard of).

    :param clock: the monotonic clock in seconds.
    :ivar counts: ``answered``, and the dropped by reason: ``denied``, ``low_port``, ``rate``,
        ``oversize``, ``error`` (the kernel took no answer).
    """

    def __init__(
        self, options: RespondOptions, clock: Callable[[], float], logger: logging.Logger
    ) -> None:
        reasons = ("answered", "denied", "low_port", "rate", "oversize", "error")
        self.counts = dict.fromkeys(reasons, 0)
        self._gate = Gate(options)
        self._listen = options.listen
        self._clock = clock
        self._logger = logger
        self._sockets: dict[str, socket.socket] = {}
        self._problems: list[str] = []
        self._retry: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Begin to answer; what cannot be bound is logged and tried again each second."""
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._try()

    def open(self) -> list[str]:
        """Bind what is not bound yet; give a sentence for each address that cannot be now."""
        problems = []
        for text in self._listen:
            if text in self._sockets or self._loop is None:
                continue
            try:
                sock = _listening(*parse_endpoint(text))
            except OSError as error:
                problems.append(f"cannot answer on {text}: {error.strerror or error}")
                continue
            self._sockets[text] = sock
            self._loop.add_reader(sock, self._read, sock)
        return problems

    def close(self) -> None:
        """Stop answering; may be called twice, on the loop."""
        if self._retry is not None:
            self._retry.cancel()
        for sock in self._sockets.values():
            if self._loop is not None:
                self._loop.remove_reader(sock)
            sock.close()
        self._sockets, self._loop, self._retry = {}, None, None

    def _try(self) -> None:
        problems = self.open()
        for problem in problems:
            if problem not in self._problems:
                self._logger.warning("%s; trying again each second", problem)
        if self._problems and not problems:
            self._logger.info("answering on %s", ", ".join(self._listen))
        self._problems = problems
        self._retry = None
        if problems and self._loop is not None:
            self._retry = self._loop.call_later(RETRY_S, self._try)

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                data, ancillary, _, sender = sock.recvmsg(DATAGRAM_LIMIT + 1, 128)
            except BlockingIOError:
                return
            except OSError:
                self.counts["error"] += 1
                return
            verdict = self._gate.judge(sender[0], sender[1], len(data), self._clock())
            if verdict == "answered":
                try:
                    sock.sendmsg([data], _leaving_from(ancillary), 0, sender)
                except OSError:
                    verdict = "error"
            self.counts[verdict] += 1


def _listening(host: str, port: int) -> socket.socket:
    """Open a bound socket; on a wildcard address it learns where each datagram was sent to."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, int(host == "0.0.0.0"))
            sock.bind((host, port))
        else:
            address = ipaddress.IPv6Address(host)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            unspecified = int(address.is_unspecified)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, unspecified)
            scope = address.scope_id or "0"
            index = int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
            sock.bind((host.partition("%")[0], port, 0, index))
    except OSError:
        sock.close()
        raise
    return sock


def _leaving_from(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Make the control message that gives the answer the question's destination as its source.

    The interface is left to routing, which on a gateway of two lines goes by the source. For a
    broadcast, the kernel's *local* address is ours and the header's is not, so that one serves.
    """
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            local = _PKTINFO4.unpack(data)[1]
            return [(level, kind, _PKTINFO4.pack(0, local, b""))]
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            return [(level, kind, _PKTINFO6.pack(data[:16], 0))]
    return []
