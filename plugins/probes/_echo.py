"""Send many echo requests over one datagram socket and match each reply to its request.

What udp-echo and icmp share: requests overlap, each waits for its own nonce from the right
address, and a reply that comes after the timeout finds no request waiting. After a failure the
next request leaves from a new socket, hence with a new port or identifier: a stale translation
entry on the way cannot keep a line red (peers' users know this all too well). A refusal by the
target itself is no failure of the way.
"""

import secrets
import socket
from abc import ABC, abstractmethod
from typing import Any

from havpn_core import Context, NotResolved, Outcome, Sample

from ._along import ONLY_SMALL, Along
from ._binding import from_os_error, target
from ._conversation import SILENT, Conversation

HEARD_LATELY_S = 1.0
AWAY = "away"
AWAY_S = float("inf")
"""An announced silence lasts until a reply ends it."""
SETTLING_S = 1.0
"""A daemon that just started again replies, but may stall once more on a busy host."""
STANDBY_S = 3.0
"""That it stands by is said every second: two of the notices may be lost."""


class EchoProbe(ABC):
    """A probe over a :class:`Conversation`; what the requests look like is the subclass's."""

    nonce_bytes = 16
    #: Bytes of a request that the kernel changes.
    kernel_bytes = 0
    #: Whether a refusal says that its host lives, so that who sent it matters.
    heeds_refusals = False

    def __init__(self, context: Context, host: str, port: int, family: str) -> None:
        self._context = context
        self._where = (host, port, family)
        self._current: Conversation | None = None
        self._target: tuple[int, Any] | None = None
        self._changes = 0
        self._foreign = 0
        self._refusing_until_s, self._refused_lately = float("-inf"), False
        self._notice = ("", float("-inf"))
        #: small requests, where the own ones are large.
        self._along: Along | None = None

    @abstractmethod
    def connect(self, family: int, address: Any) -> socket.socket:
        """Make a bound and connected socket; raises :exc:`OSError` if it cannot."""

    @abstractmethod
    def match(self, reply: bytes) -> bytes | None:
        """Find the nonce in a reply that is whole and well formed."""

    @abstractmethod
    def request(self, family: int, nonce: bytes) -> bytes:
        """Make the request that carries a nonce."""

    def small(self, family: int, nonce: bytes) -> bytes:
        """Make a small request, where the others are large."""
        return self.request(family, nonce)

    async def check(self, timeout_s: float) -> Sample:
        """Probe once; see :class:`havpn_core.Probe`."""
        try:
            conversation = self._conversation()
        except NotResolved as problem:
            return Sample.error(str(problem))
        except OSError as problem:
            return from_os_error(problem)
        family, along = self._target[0] if self._target else socket.AF_INET, self._along
        if along is not None and along.wanted:
            small = self._nonce(conversation)
            along.send(conversation, small, self.small(family, small), timeout_s)
        nonce = self._nonce(conversation)
        sample = await conversation.exchange(nonce, self.request(family, nonce), timeout_s)
        if along is not None:
            along.doubted = True
            if sample.latency_s is not None:
                along.replied()
        if sample.latency_s is not None or sample.refused:
            return sample
        if sample is SILENT and self.refusing():
            return Sample.refusal(
                "no reply: the far host lives, its responder stopped or is missing"
            )
        if self._current is conversation:
            self._hang_up()
        return self._explained(sample)

    def _nonce(self, conversation: Conversation) -> bytes:
        """Make a nonce that no request under way has."""
        taken = self._along.nonces if self._along is not None else ()
        while True:
            nonce = secrets.token_bytes(self.nonce_bytes)
            if nonce not in conversation.waiting and nonce not in taken:
                return nonce

    def explanation(self) -> str | None:
        """Say that only small packets pass, as soon as that is known."""
        return ONLY_SMALL if self._along is not None and self._along.passes else None

    def _explained(self, sample: Sample) -> Sample:
        """Say so if small packets pass, or the far end's own requests arrive at our responder."""
        if sample is SILENT and self.explanation():
            return Sample.fail(ONLY_SMALL)
        if sample.outcome is Outcome.FAIL and self._target is not None:
            heard = self._context.heard(self._target[1][0])
            if heard is not None and heard < HEARD_LATELY_S:
                return Sample.fail(f"{sample.detail}, though the far end's own requests arrive")
        return sample

    def _awaits(self, nonce: bytes) -> bool:
        return self._current is not None and nonce in self._current.waiting

    def renew(self) -> None:
        """Send the next request from another port or with another identifier."""
        if self._along is not None:
            self._along.doubted = True
        self._hang_up()

    def refusing(self) -> bool:
        """Whether the target has said lately that nobody listens, and hardly replied since."""
        return self._context.clock() < self._refusing_until_s

    def _refused(self, for_s: float) -> None:
        """Take silence for a refusal for some time from now on."""
        until_s = self._context.clock() + for_s
        if for_s:
            self._refused_lately = True
            self._refusing_until_s = max(until_s, self._refusing_until_s)
        elif self._refused_lately:
            # Its daemon still starts: it may stall once more on a busy host, or end again, and the
            # kernel that has just sent its refusals sends no other before a second is over.
            self._refused_lately, self._refusing_until_s = False, until_s + SETTLING_S
        if not for_s and self._notice[0] == AWAY:
            self._notice = ("", 0.0)  # it replies again

    def noticed(self) -> str | None:
        """Give how the target said recently that its gateway stands, in one of the words."""
        word, until_s = self._notice
        return word if self._context.clock() < until_s else None

    def _heard(self, word: str) -> None:
        """Take in how the target says that its gateway stands."""
        lasts_s = AWAY_S if word == AWAY else STANDBY_S
        self._notice = (word, self._context.clock() + lasts_s)

    def facts(self) -> dict[str, Any]:
        """Give what the status shows beside the last sample."""
        foreign = self._foreign + (self._current.foreign if self._current else 0)
        return {"foreign": foreign} | (self._along.facts() if self._along is not None else {})

    async def close(self) -> None:
        """Close the socket; on the loop, which a plain method would not be called on."""
        if self._along is not None:
            self._along.cancel()
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
            made = self.connect(*wanted)
            heeded = wanted[1] if self.heeds_refusals else None
            self._current = Conversation(
                made, self.match, heeded, self._refused, self._heard, skip=self.kernel_bytes
            )
        return self._current

    def _hang_up(self) -> None:
        if self._current is not None:
            self._foreign += self._current.foreign
            self._current.retire()
            self._current = None
