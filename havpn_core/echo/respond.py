"""Reply to the far end's UDP echo requests that :mod:`havpn_core.echo.gate` lets in."""

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import socket
import struct
import time
from collections.abc import Callable, Container, Iterable
from typing import Any

from havpn_core.echo.gate import SOURCES, Gate, RespondOptions, parse_endpoint, plain
from havpn_core.echo.goodbyes import Goodbyes
from havpn_core.echo.notices import Notices
from havpn_core.echo.report import Sessions

RETRY_S = 1.0
SO_TIMESTAMPNS = 35
"""The generic value of include/uapi/asm-generic/socket.h; Python has no name for it."""
_STAMP = struct.Struct("@qq")
_STAMP_BYTES = socket.CMSG_SPACE(_STAMP.size)
AT_ONCE = 64
"""Requests read in one turn of the loop; then the probes have theirs."""

_REMEDIES = {
    errno.EADDRNOTAVAIL: "this host does not have the address (yet)",
    errno.EADDRINUSE: "another process listens there: end it, or choose another port",
    errno.EACCES: "not permitted: a port below 1024 needs CAP_NET_BIND_SERVICE",
}


class Responder:
    """The sockets; an address that is not there yet is tried again every second.

    Each socket is bound to one address, so that a reply always leaves from the address to which
    the request was sent.
    """

    def __init__(
        self, options: RespondOptions, clock: Callable[[], float], log: logging.Logger
    ) -> None:
        self.counts = dict.fromkeys(
            ("answered", "denied", "low_port", "oversize", "rate", "error", "loop", "silent"), 0
        )
        self.options, self._clock, self._log = options, clock, log
        self._gate = Gate(options)
        self._sockets: dict[str, socket.socket] = {}
        self._complained: set[str] = set()
        self._sessions = Sessions(secrets.randbelow(2**32 - 1) + 1)
        self._heard: dict[str, float] = {}
        self._goodbyes, self._notices = Goodbyes(), Notices()
        self._closed = False

    def heard(self, host: str) -> float | None:
        """Give the seconds since the last reply to that address; only allowed ones get any."""
        at = self._heard.get(str(plain(host)))
        return None if at is None else self._clock() - at

    def stand(self, silent: str, *, standby: bool, no_road: bool = False) -> None:
        """Take in how this gateway stands; with ``when = "always"`` nothing follows from it.

        :param silent: why to be silent; empty to reply.
        :param standby: the role is seen to be standby.
        :param no_road: it serves though the road is down, for want of a better gateway.
        """
        if self.options.when == "fit":
            self._notices.stand(silent, standby=standby, no_road=no_road)

    @property
    def silent(self) -> str:
        """Why it is silent; empty while it replies."""
        return self._notices.silent

    def facts(self) -> dict[str, Any]:
        """Give its part of the status."""
        return {**self.counts, "silence": self.silent}

    async def run(self) -> None:
        """Open what can be opened now, and the rest when it can be; ends when all are open."""
        self._open_missing()
        while not self._closed and len(self._sockets) < len(set(self.options.listen)):
            await asyncio.sleep(RETRY_S)
            self._open_missing()

    def close(self, staying: Container[str] = ()) -> None:
        """Close the sockets, and say so to those who got replies through them recently.

        They need not take the refusals that follow for a dead line.

        :param staying: endpoints that are opened again at once, where nobody need hear of it.
        """
        self._closed = True
        for endpoint, peer, text in self._goodbyes.due(self._clock()):
            if endpoint in self._sockets and endpoint not in staying:
                with contextlib.suppress(OSError):
                    self._sockets[endpoint].sendto(text, peer)
        for made in self._sockets.values():
            asyncio.get_running_loop().remove_reader(made)
            made.close()
        self._sockets.clear()

    def _open_missing(self) -> None:
        for endpoint in self.options.listen:
            if self._closed or endpoint in self._sockets:
                continue
            try:
                self._sockets[endpoint] = self._open(endpoint)
            except OSError as problem:
                if endpoint not in self._complained:
                    self._log.warning(
                        "respond: listen: %s: %s; it is tried again every %g s",
                        endpoint, _reason(problem), RETRY_S,
                    )  # fmt: skip
                self._complained.add(endpoint)

    def _open(self, endpoint: str) -> socket.socket:
        found = socket.getaddrinfo(
            *parse_endpoint(endpoint), type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )
        made = socket.socket(found[0][0], socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            if made.family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            with contextlib.suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            made.bind(found[0][4])
        except OSError:
            made.close()
            raise
        asyncio.get_running_loop().add_reader(made, self._read, made, endpoint)
        return made

    def _read(self, made: socket.socket, endpoint: str) -> None:
        for _ in range(AT_ONCE):
            try:
                request, ancillary, _, sender = made.recvmsg(65535, _STAMP_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.counts["error"] += 1
                return
            host, port = sender[:2]
            now_s, came_ns = self._clock(), _arrived_ns(ancillary)
            verdict = self._gate.judge(
                host, port, len(request), now_s, request=request, came_ns=came_ns
            )
            if verdict == "answered" and self._notices.silent:
                verdict = "silent"
                notice = self._notices.instead(self._gate.address(host), request, now_s)
                self._notify(made, notice, sender)
            elif verdict == "answered":
                if self._reply(made, request, sender):
                    known = self._gate.knows(host, port, request)
                    self._goodbyes.served(endpoint, sender, request, now_s, known=known)
                    if known:
                        notice = self._notices.beside((host, port), request, now_s)
                        self._notify(made, notice, sender)
                else:
                    verdict = "error"
            self.counts[verdict] += 1

    def _notify(self, made: socket.socket, notice: bytes, sender: Any) -> None:
        if notice:
            with contextlib.suppress(OSError):
                made.sendto(notice, sender)

    def _reply(self, made: socket.socket, request: bytes, sender: Any) -> bool:
        """Send the reply; says whether the kernel took it."""
        if len(self._heard) > SOURCES:
            self._heard.clear()  # a wide allow list must not eat memory
        host, port = sender[:2]
        self._heard[self._gate.address(host)] = self._clock()
        reply = self._sessions.reply(self._gate.address(host), request)
        self._gate.replied(host, port, reply, time.time_ns())
        try:
            made.sendto(reply, sender)
        except OSError:
            return False
        return True


def _arrived_ns(ancillary: Iterable[tuple[int, int, bytes]]) -> int:
    """Give when a datagram arrived, in nanoseconds of the wall clock; now if nothing says it."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            return int(seconds * 10**9 + nanoseconds)
    return time.time_ns()


def _reason(problem: OSError) -> str:
    """Say why an address cannot be listened on, in words."""
    number = problem.errno or 0
    words = os.strerror(number) if number > 0 else problem.strerror or str(problem)
    return _REMEDIES.get(number, words.lower())
