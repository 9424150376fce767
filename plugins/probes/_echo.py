"""Send many echo requests over one datagram socket and match each reply to its request.

What udp-echo and icmp share: requests overlap, each waits for its own nonce from the right
address, and a reply that comes after the timeout finds no request waiting. After a failure the
next request leaves from a new socket, hence with a new port or identifier: a stale translation
entry on the way cannot keep a line red (peers' users know this all too well).
"""

import asyncio
import errno
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from havpn_core import Context, NotResolved, Outcome, Sample

from .._sockets import STAMP_BYTES, age_s, stamp_arrivals
from ._binding import from_os_error, target

#: Refusals on the way: they fail the requests under way at once.
_REFUSALS = {
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.ENODEV,
    errno.ENOPROTOOPT,
}

HEARD_LATELY_S = 1.0
AT_ONCE = 64
"""Replies read in one turn of the loop; then the others have theirs."""
BELIEVABLE_S = 60.0
"""A reply that seems older comes of a wall clock that was set meanwhile."""


class Conversation:
    """One open socket and the requests that wait on it."""

    def __init__(self, made: socket.socket, match: Callable[[bytes], bytes | None]) -> None:
        self.socket = made
        self.waiting: dict[bytes, asyncio.Future[Sample]] = {}
        self.foreign = 0
        self._match = match
        self._retired = False
        self._loop = asyncio.get_running_loop()
        stamp_arrivals(made)
        self._loop.add_reader(made, self._read)

    def retire(self) -> None:
        """Close the socket as soon as no request waits on it."""
        self._retired = True
        if not self.waiting and self.socket.fileno() >= 0:
            self._loop.remove_reader(self.socket)
            self.socket.close()

    def abandon(self) -> None:
        """Close the socket now; the requests that wait get an error."""
        for future in self.waiting.values():
            if not future.done():
                future.set_result(Sample.error("closed"))
        self.waiting.clear()
        self.retire()

    async def exchange(self, nonce: bytes, request: bytes, timeout_s: float) -> Sample:
        """Send a request and wait for its reply.

        Reader and timer both set the same future. In one turn of the loop readers come first,
        so a reply that has arrived wins over a timeout noticed late.
        """
        future: asyncio.Future[Sample] = self._loop.create_future()
        self.waiting[nonce] = future
        sent_at = self._loop.time()
        timer = self._loop.call_later(timeout_s, _set, future, Sample.fail("no reply"))
        try:
            self.socket.send(request)
            sample = await future
        except OSError as problem:
            return from_os_error(problem)
        finally:
            timer.cancel()
            self.waiting.pop(nonce, None)
            if self._retired:
                self.retire()
        if sample.latency_s is None:
            return sample
        took = max(0.0, sample.latency_s - sent_at)
        # The kernel's stamp decides, not the moment at which a busy loop came to read it.
        return Sample.ok(took) if took <= timeout_s else Sample.fail("reply after the timeout")

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                reply, ancillary, _, _ = self.socket.recvmsg(2048, STAMP_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as problem:
                self._refuse(problem)
                return
            nonce = self._match(reply)
            future = self.waiting.get(nonce) if nonce else None
            if future is None:
                self.foreign += 1
            else:
                # The moment of arrival travels in the sample until exchange() subtracts its start.
                arrived = self._loop.time() - age_s(ancillary, time.time_ns(), BELIEVABLE_S)
                _set(future, Sample.ok(arrived))

    def _refuse(self, problem: OSError) -> None:
        """Fail all that wait: the kernel does not say whose request was refused.

        The socket is connected, so the refusal came from the way to this one target. Only
        requests already on the way are hit; the next one leaves from a new socket.
        """
        if problem.errno in _REFUSALS:
            for future in self.waiting.values():
                _set(future, from_os_error(problem))


class EchoProbe(ABC):
    """A probe over a :class:`Conversation`; what the requests look like is the subclass's."""

    nonce_bytes = 16

    def __init__(self, context: Context, host: str, port: int, family: str) -> None:
        self._context = context
        self._where = (host, port, family)
        self._current: Conversation | None = None
        self._target: tuple[int, Any] | None = None
        self._changes = 0
        self._foreign = 0

    @abstractmethod
    def connect(self, family: int, address: Any) -> socket.socket:
        """Make a bound and connected socket; raises :exc:`OSError` if it cannot."""

    @abstractmethod
    def match(self, reply: bytes) -> bytes | None:
        """Find the nonce in a reply that is whole and well formed."""

    @abstractmethod
    def request(self, family: int, nonce: bytes) -> bytes:
        """Make the request that carries a nonce."""

    async def check(self, timeout_s: float) -> Sample:
        """Probe once; see :class:`havpn_core.Probe`."""
        try:
            conversation = self._conversation()
        except NotResolved as problem:
            return Sample.error(str(problem))
        except OSError as problem:
            return from_os_error(problem)
        nonce = secrets.token_bytes(self.nonce_bytes)
        while nonce in conversation.waiting:
            nonce = secrets.token_bytes(self.nonce_bytes)
        family = self._target[0] if self._target else socket.AF_INET
        sample = await conversation.exchange(nonce, self.request(family, nonce), timeout_s)
        if sample.latency_s is not None:
            return sample
        if self._current is conversation:
            self._hang_up()
        return self._explained(sample)

    def _explained(self, sample: Sample) -> Sample:
        """Say so if the far end's own requests still arrive at our responder."""
        if sample.outcome is Outcome.FAIL and self._target is not None:
            heard = self._context.heard(self._target[1][0])
            if heard is not None and heard < HEARD_LATELY_S:
                return Sample.fail(f"{sample.detail}, though the far end's own requests arrive")
        return sample

    def _awaits(self, nonce: bytes) -> bool:
        return self._current is not None and nonce in self._current.waiting

    def renew(self) -> None:
        """Send the next request from another port or with another identifier."""
        self._hang_up()

    def facts(self) -> dict[str, Any]:
        """Give what the status shows beside the last sample."""
        foreign = self._foreign + (self._current.foreign if self._current else 0)
        return {"foreign": foreign}

    async def close(self) -> None:
        """Close the socket; on the loop, which a plain method would not be called on."""
        if self._current is not None:
            self._current.abandon()
            self._current = None

    def _conversation(self) -> Conversation:
        """Give the open conversation, or a new one if anything about it is out of date."""
        host, port, family = self._where
        wanted = target(self._context, host, port, family)
        changes = self._context.network_changes()
        if wanted != self._target or changes != self._changes:
            self._hang_up()
        if self._current is None:
            self._target, self._changes = wanted, changes
            self._current = Conversation(self.connect(*wanted), self.match)
        return self._current

    def _hang_up(self) -> None:
        if self._current is not None:
            self._foreign += self._current.foreign
            self._current.retire()
            self._current = None


def _set(future: "asyncio.Future[Sample]", sample: Sample) -> None:
    if not future.done():
        future.set_result(sample)
