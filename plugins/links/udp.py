"""``udp``: partner heartbeat over a network, unicast between two fixed addresses."""

import asyncio
import errno
import socket
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from havpn_core import Context, Diagnosis, LinkType, hookimpl

from .._sockets import bind_to_device, numeric_address, words

RETRY_S = 1.0
TRIES, TRY_S = 3, 0.1
EMPTY = b""
"""What ``diagnose`` sends: no frame, so the partner counts it and does nothing else."""

_REMEDIES = {
    errno.EADDRINUSE: "end the program that has this port (ss -ulnp), or choose another port",
    errno.EADDRNOTAVAIL: "give this host the address, or correct local",
    errno.EACCES: "a port below 1024 needs CAP_NET_BIND_SERVICE: run as root, or grant it",
    errno.EPERM: "a firewall of this host forbids it, or device needs CAP_NET_RAW",
    errno.ENODEV: "correct device",
    errno.ENETUNREACH: "add a route to the partner's address, or correct peer",
    errno.EHOSTUNREACH: "the partner does not reply to ARP or NDP: see whether it runs, or correct "
    "peer",
    errno.ECONNREFUSED: "nobody listens there: start havpn on the partner, with peer and port of "
    "its own link for this address",
}


class UdpLinkOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``udp``."""

    local: Annotated[str, msgspec.Meta(min_length=1, description="this gateway's own address")]
    peer: Annotated[str, msgspec.Meta(min_length=1, description="the partner's own address")]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="UDP port of both")] = 694
    device: Annotated[str | None, msgspec.Meta(description="interface to bind to")] = None

    def __post_init__(self) -> None:
        for key in ("local", "peer"):
            address = getattr(self, key)
            try:
                numeric_address(address, 0)
            except (OSError, UnicodeError):  # the latter: a label too long for a name
                raise ValueError(f"{key}: {address!r} is no IP address") from None
        if (":" in self.local) != (":" in self.peer):
            raise ValueError("local, peer: one is IPv4 and the other IPv6: write two of a kind")


class UdpLink:
    """A connected socket: the kernel drops what comes from anybody but the partner."""

    def __init__(self, options: UdpLinkOptions, context: Context) -> None:
        self._options, self._context = options, context
        self._socket: socket.socket | None = None
        self._changes, self._tried = 0, float("-inf")
        self._closed = False
        self._error, self._number = "", 0
        self._counts = {"sent": 0, "received": 0, "failed": 0}

    def send(self, frame: bytes) -> None:
        """Send one frame; what cannot go now is lost, the next one follows soon."""
        if self._context.network_changes() != self._changes:
            self._drop("")
            self._tried = float("-inf")
        made = self._socket or self._open()
        if made is None:
            self._counts["failed"] += 1
            return
        try:
            made.send(frame)
            self._counts["sent"] += 1
            self._error = ""
        except OSError as problem:
            self._counts["failed"] += 1
            self._note(problem)

    def _open(self) -> socket.socket | None:
        now = self._context.clock()
        if self._closed or now - self._tried < RETRY_S:
            return None
        self._tried, self._changes = now, self._context.network_changes()
        options = self._options
        family = socket.AF_INET6 if ":" in options.local else socket.AF_INET
        made = socket.socket(family, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            if options.device:
                bind_to_device(made, options.device)
            made.bind(numeric_address(options.local, options.port))
            made.connect(numeric_address(options.peer, options.port))
            # A few waiting frames are plenty: what was minutes ago is of no use.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            # Before bulk traffic (CS6, RFC 4594: network control).
            if family == socket.AF_INET:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xC0)
        except OSError as problem:
            made.close()
            self._note(problem)
            return None
        asyncio.get_running_loop().add_reader(made, self._read, made)
        self._socket = made
        return made

    def _read(self, made: socket.socket) -> None:
        for _ in range(32):
            try:
                frame = made.recv(2048)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as problem:
                self._note(problem)  # refused: the partner's daemon is not there now
                return
            self._counts["received"] += 1
            self._context.received(frame)

    def _note(self, problem: OSError) -> None:
        self._error, self._number = words(problem), problem.errno or 0

    def _drop(self, error: str) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        self._error = error

    def close(self) -> None:
        """Close the socket."""
        self._closed = True
        self._drop("closed")

    async def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Send what is no frame to the partner; see :class:`havpn_core.Diagnosing`."""
        if running:
            return []  # the port is the daemon's
        options = self._options
        way = f"UDP port {options.port} from {options.local} to {options.peer}"
        for _ in range(TRIES):
            self.send(EMPTY)
            await asyncio.sleep(min(TRY_S, timeout_s / TRIES))  # a refusal needs its time
            if self._error:
                remedy = _REMEDIES.get(self._number, "correct local, peer, port and device")
                return [Diagnosis.failed(f"{way}: {self._error}", remedy)]
        return [Diagnosis.good(f"{way} is open as far as this host knows")]

    def facts(self) -> dict[str, Any]:
        """Give what the status shows."""
        return {"open": self._socket is not None, "error": self._error, **self._counts}


@hookimpl
def havpn_register_links() -> Iterable[LinkType]:
    """Give the type."""
    yield LinkType("udp", "UDP to the partner's own address", UdpLinkOptions, UdpLink)
