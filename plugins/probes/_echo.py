"""Echo over datagram sockets: many questions in flight, each answer to its own question.

One socket carries all questions of a probe until it is *worn*: after a FAIL, a change of the
network or of the resolved address, or an error on sending, the next question leaves from a
fresh socket, so from another port or identifier. A stale NAT entry thus cannot keep a path red.
The old socket lives on until its own questions are answered or overdue.
"""

import asyncio
import os
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from havpn_core import Context, NotResolved, Outcome, Sample
from havpn_plugins.probes._target import SockAddr, Target, sample_of

NONCE_BYTES = 16
"""At most so many bytes of a question are random; the rest is padding."""

IP_RECVERR = 11  # linux/in.h; the socket module has no names for these
IPV6_RECVERR = 25
_FROM_NETWORK = (2, 3)  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 (linux/errqueue.h)

_DRAIN = 64
"""So many answers are looked through before a question is declared unanswered."""

OLD_SOCKETS = 32
"""So many worn sockets may still wait for answers; more would eat the descriptors of a host
whose probes are close together while its line is down."""


class Wire(Protocol):
    """How a question looks on the wire. Its *key* is what the answer must bring back."""

    room: int
    """Bytes to read of an answer; one more than a right one has, so that longer ones differ."""

    def key(self) -> bytes:
        """Make up a new question."""

    def question(self, key: bytes) -> bytes:
        """Give the packet that asks it."""

    def answered(self, packet: bytes) -> bytes | None:
        """Give the key an answer brings back, ``None`` if it is no answer to this socket."""

    def quoted(self, quote: bytes) -> bytes | None:
        """Give as much of the key as an ICMP error quotes, ``None`` if it is another's."""


def nonce(size: int) -> bytes:
    """Make ``size`` bytes that nobody can guess, up to :data:`NONCE_BYTES` of them random."""
    return os.urandom(min(size, NONCE_BYTES)).ljust(size, b"\0")


class EchoSocket:
    """One socket and the questions in flight on it.

    ICMP errors come through the error queue together with what they quote of the question.
    They fail the one question they quote; where a router quotes too little to tell (RFC 792
    asks for no more than the UDP header), the oldest one, as errors come in order like answers.

    :param sock: non-blocking; this object closes it.
    :param counts: ``foreign`` (from another address) and ``stray`` (late, repeated or made up).
    """

    def __init__(
        self,
        sock: socket.socket,
        peer: SockAddr,
        wire: Wire,
        clock: Callable[[], float],
        counts: dict[str, int],
    ) -> None:
        self._sock = sock
        self._peer = peer
        self._wire = wire
        self._clock = clock
        self._counts = counts
        self._flight: dict[
            bytes, tuple[asyncio.Future[Sample], float, asyncio.TimerHandle]
        ] = {}
        self._retired = False
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)

    @property
    def closed(self) -> bool:
        """Whether the socket is gone."""
        return self._sock.fileno() < 0

    def ask(self, timeout_s: float) -> asyncio.Future[Sample]:
        """Send one question; the future gets its sample within ``timeout_s`` seconds.

        :raises OSError: if it could not be sent.
        """
        key = self._wire.key()
        sent_at = self._clock()
        self._sock.sendto(self._wire.question(key), self._peer)
        future: asyncio.Future[Sample] = self._loop.create_future()
        timer = self._loop.call_later(timeout_s, self._overdue, key, timeout_s)
        self._flight[key] = (future, sent_at, timer)
        return future

    def read_errors(self) -> None:
        """Fail the questions that the network sent errors about."""
        while not self.closed:
            try:
                quote, ancillary, _, _ = self._sock.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            complaint = _complaint(ancillary, self._peer[0])
            key = self._blamed(quote) if complaint else None
            if key is not None:
                self._settle(key, Sample.fail(complaint))

    def retire(self) -> None:
        """Take no more questions, and close once none is in flight."""
        self._retired = True
        if not self._flight:
            self._shut()

    def close(self) -> None:
        """Close at once; what is in flight becomes ``ERROR``."""
        for key in list(self._flight):
            self._settle(key, Sample.error("closed before an answer came"))
        self._shut()

    def _shut(self) -> None:
        if not self.closed:
            self._loop.remove_reader(self._sock)
            self._sock.close()

    def _read(self) -> bool:
        # One packet a call: the loop calls again while there is more, which costs less than
        # running into EAGAIN after every answer.
        try:
            packet, sender = self._sock.recvfrom(self._wire.room)
        except OSError:
            # Also without an error of the socket's own: a send may have swallowed it while the
            # queue still has its report, which would wake the loop for ever.
            self.read_errors()
            return False
        key = self._wire.answered(packet)
        if key is None:
            return True
        if sender != self._peer:
            self._counts["foreign"] += 1
        elif key in self._flight:
            self._settle(key, Sample.ok(self._clock() - self._flight[key][1]))
        else:
            self._counts["stray"] += 1
        return True

    def _overdue(self, key: bytes, timeout_s: float) -> None:
        # An answer that is here already wins over a deadline that has passed.
        for _ in range(_DRAIN):
            if key not in self._flight or not self._read():
                break
        if key in self._flight:
            self._settle(key, Sample.fail(f"no answer within {timeout_s:g} s"))

    def _settle(self, key: bytes, sample: Sample) -> None:
        future, _, timer = self._flight.pop(key)
        timer.cancel()
        if not future.done():  # done: whoever asked was cancelled
            future.set_result(sample)
        if self._retired and not self._flight:
            self._shut()

    def _blamed(self, quote: bytes) -> bytes | None:
        part = self._wire.quoted(quote)
        if part is None:
            return None
        # A quote may be cut short, or be padded (RFC 4884).
        return next((key for key in self._flight if key.startswith(part[: len(key)])), None)


class EchoProbe(ABC):
    """Asks for echoes; made a probe type by saying how to open its sockets.

    Calls of :meth:`check` may overlap.

    :ivar counts: answers that did not count (``foreign``, ``stray``) and sockets ``opened``.
    """

    def __init__(self, target: Target, context: Context) -> None:
        self.counts = {"foreign": 0, "stray": 0, "opened": 0}
        self._target = target
        self._context = context
        self._current: EchoSocket | None = None
        self._old: list[EchoSocket] = []
        self._place: tuple[str, int] | None = None
        self._worn = False
        self._closed = False

    @abstractmethod
    def open(self, address: str) -> EchoSocket:
        """Open a socket for asking ``address``, with a port or identifier not in use.

        :raises OSError: if that is not possible now.
        """

    async def check(self, timeout_s: float) -> Sample:
        """Ask once."""
        if self._closed:
            return Sample.error("closed")
        try:
            address = self._context.resolve(self._target.host, self._target.resolve_to)
        except NotResolved as error:
            return Sample.error(str(error))
        try:
            future = self._ask((address, self._context.network_changes()), timeout_s)
        except OSError as error:
            self._worn = True
            return sample_of(error)
        sample = await future
        if sample.outcome is Outcome.FAIL:
            self._worn = True
        return sample

    async def close(self) -> None:
        """Close all sockets."""
        self._closed = True
        for echo in (self._current, *self._old):
            if echo is not None:
                echo.close()
        self._current, self._old = None, []

    def _ask(self, place: tuple[str, int], timeout_s: float) -> asyncio.Future[Sample]:
        current = self._current
        if current is not None and place == self._place and not self._worn:
            try:
                return current.ask(timeout_s)
            except OSError:
                # It may be an earlier question's error, which a send reports and forgets; only
                # what a fresh socket says is about this one.
                current.read_errors()
        return self._fresh(place).ask(timeout_s)

    def _fresh(self, place: tuple[str, int]) -> EchoSocket:
        self._old = [echo for echo in self._old if not echo.closed]
        current = self._current
        if current is not None and place == self._place and len(self._old) >= OLD_SOCKETS:
            return current
        # The old one is still open, so that the new one cannot get its port.
        self._current = self.open(place[0])
        self._place, self._worn = place, False
        self.counts["opened"] += 1
        if current is not None:
            current.retire()
            self._old.append(current)
        return self._current


def _complaint(ancillary: list[tuple[int, int, bytes]], peer: str) -> str:
    """Read a ``struct sock_extended_err`` and the address of whoever sent the ICMP error."""
    for level, kind, data in ancillary:
        if (level, kind) not in (
            (socket.IPPROTO_IP, IP_RECVERR),
            (socket.IPPROTO_IPV6, IPV6_RECVERR),
        ):
            continue
        number, origin = struct.unpack_from("=IB", data)
        if origin not in _FROM_NETWORK:
            continue
        if level == socket.IPPROTO_IP:
            offender = socket.inet_ntop(socket.AF_INET, data[20:24])
        else:
            offender = socket.inet_ntop(socket.AF_INET6, data[24:40])
        text = os.strerror(number)
        text = text[:1].lower() + text[1:]
        return text if offender == peer else f"{text}, says {offender}"
    return ""
