"""One datagram socket to one target, and the requests under way on it.

A target may say that nobody listens on it: by ICMP, or by the goodbye of a responder that stops.
Then silence is a refusal for a little while, until a reply comes: kernels limit the refusals that
they send (Linux to one a second for each host, icmp(7)), so most requests get none.
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from havpn_core import Sample

from .._errors import Received, collect_errors, next_error
from .._sockets import STAMP_BYTES, age_s, stamp_arrivals
from ._binding import from_os_error

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

AT_ONCE = 64
"""Replies read in one turn of the loop; then the others have theirs."""
BELIEVABLE_S = 60.0
"""A reply that seems older comes of a wall clock that was set meanwhile."""
REFUSAL_S = 3.0
"""Silence after a refusal is one, too, for this long: one refusal a second, two of them lost."""
GOODBYE_S = 2.0
"""The same after a goodbye, which comes once: the host itself may be shutting down."""
GOODBYE = b"HAV\x02"
NOTICES = {b"HAV\x03": "away", b"HAV\x04": "standby", b"HAV\x05": "no road"}
"""What a responder of HA-VPN says beside its replies, or in their place."""
HEAD_BYTES = 40
"""A goodbye carries so much of the last request that it follows, as the proof of having seen it."""
ATTEMPTS = 8
"""Of sending one request: each but the last may find an error of an earlier one."""
RECENT, RECENT_S = 256, 60.0
"""Requests, and seconds since one was sent, that a refusal may name."""

SILENT = Sample.fail("no reply")
_REFUSED = "connection refused: the far host lives, no responder listens there"


@dataclass
class Recent:
    """The requests sent lately, by their heads.

    :param skip: bytes at the beginning of a request that are the kernel's affair, as those of ICMP.
    :ivar lengths: of the heads: a small request that goes along with large ones may be shorter.
    """

    nonces: dict[bytes, tuple[bytes, float]] = field(default_factory=dict)
    skip: int = 0
    lengths: set[int] = field(default_factory=set)

    def add(self, nonce: bytes, request: bytes, now_s: float) -> None:
        """Note a request; those that nobody would name any more are forgotten."""
        head = request[self.skip : self.skip + HEAD_BYTES]
        self.lengths.add(len(head))
        self.nonces[head] = (nonce, now_s)
        while True:
            oldest = next(iter(self.nonces))
            if len(self.nonces) <= RECENT and self.nonces[oldest][1] >= now_s - RECENT_S:
                return
            del self.nonces[oldest]

    def whole(self, quote: bytes) -> bool:
        """Whether a quote is long enough to name any request."""
        return len(quote) >= self.skip + min(self.lengths, default=HEAD_BYTES)

    def named(self, quote: bytes, since_s: float = 0.0) -> bytes | None:
        """Give the nonce of the request that a quote begins like, if it was sent since then."""
        for length in self.lengths:
            found = self.nonces.get(quote[self.skip : self.skip + length])
            if found and found[1] >= since_s:
                return found[0]
        return None


class Conversation:
    """One open socket and the requests that wait on it.

    :param target: where the socket is connected to, if that it refuses matters.
    :param refusing: called with the seconds for which silence is a refusal; 0 upon a reply.
    :param noticed: called with how the target says that its gateway stands: a word of
        :data:`NOTICES`.
    :param skip: as in :class:`Recent`.
    """

    def __init__(
        self,
        made: socket.socket,
        match: Callable[[bytes], bytes | None],
        target: Any = None,
        refusing: Callable[[float], None] = lambda for_s: None,
        noticed: Callable[[str], None] = lambda word: None,
        *,
        skip: int = 0,
    ) -> None:
        self.socket = made
        self._target, self._refusing, self._noticed = target, refusing, noticed
        self._recent = Recent(skip=skip) if collect_errors(made) else None
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
        timer = self._loop.call_later(timeout_s, _set, future, SILENT)
        try:
            self._send(nonce, request, sent_at)
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

    def _send(self, nonce: bytes, request: bytes, now_s: float) -> None:
        """Send; what an earlier request brought back is no failure of this one.

        :raises OSError: if the kernel does not take it.
        """
        if self._recent is not None:
            self._recent.add(nonce, request, now_s)
            self._take_errors()
        for left in reversed(range(ATTEMPTS)):
            try:
                self.socket.send(request)
                return
            except OSError:
                # It may be one that came in between; then nothing was sent.
                if not left or not self._take_errors():
                    raise

    def _read(self) -> None:
        self._take_errors()
        for _ in range(AT_ONCE):
            try:
                reply, ancillary, _, _ = self.socket.recvmsg(2048, STAMP_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as problem:
                if not self._take_errors():
                    self._refuse(problem)
                    return
                continue
            if (said := self._said(reply)) is not None:
                if said == GOODBYE:
                    self._refusing(GOODBYE_S)
                else:
                    self._noticed(NOTICES[said])
                continue
            nonce = self._match(reply)
            future = self.waiting.get(nonce) if nonce else None
            if future is not None or self._sent_lately(nonce):
                self._refusing(0.0)
            if future is None:
                self.foreign += 1
            else:
                # The moment of arrival travels in the sample until exchange() subtracts its start.
                arrived = self._loop.time() - age_s(ancillary, time.time_ns(), BELIEVABLE_S)
                _set(future, Sample.ok(arrived))

    def _said(self, reply: bytes) -> bytes | None:
        """Give what the target's responder says beside replies, to whoever's request it saw."""
        recent, kind, head = self._recent, reply[: len(GOODBYE)], reply[len(GOODBYE) :]
        seen = (
            recent is not None
            and (kind == GOODBYE or kind in NOTICES)
            and len(head) in recent.lengths
            and recent.named(head, self._loop.time() - REFUSAL_S) is not None
        )
        return kind if seen else None

    def _sent_lately(self, nonce: bytes | None) -> bool:
        """Whether a nonce is of a request that was given up before its reply came."""
        recent = self._recent
        return recent is not None and any(nonce == each for each, _ in recent.nonces.values())

    def _take_errors(self) -> bool:
        """Take what ICMP brought; gives whether there was anything."""
        taken = 0
        while self._recent is not None and taken < AT_ONCE:
            error = next_error(self.socket, self._target)
            if error is None:
                break
            self._take_error(error, self._recent)
            taken += 1
        return taken > 0

    def _take_error(self, error: Received, recent: Recent) -> None:
        """Let an error count for the request that it quotes."""
        nonce = recent.named(error.quote)
        if nonce is None and recent.whole(error.quote):
            return  # of a request of long ago
        if nonce is not None and error.by_target:
            self._refusing(REFUSAL_S)
            if nonce in self.waiting:
                _set(self.waiting[nonce], Sample.refusal(_REFUSED))
        elif error.number == errno.EMSGSIZE and nonce in self.waiting:
            # It quotes what only who forwards our packets can know.
            _set(self.waiting[nonce], from_os_error(error.problem))
        else:
            # Not from the target, or from one that shows no proof of having seen the request.
            self._refuse(error.problem, nonce)

    def _refuse(self, problem: OSError, nonce: bytes | None = None) -> None:
        """Fail the request that was refused; all that wait where nobody says which one it was.

        The socket is connected, so the refusal came from the way to this one target. Only
        requests already on the way are hit; the next one leaves from a new socket.
        """
        if problem.errno in _REFUSALS:
            for each, future in self.waiting.items():
                if nonce in (None, each):
                    _set(future, from_os_error(problem))


def _set(future: "asyncio.Future[Sample]", sample: Sample) -> None:
    if not future.done():
        future.set_result(sample)
