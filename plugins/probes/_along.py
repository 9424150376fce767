"""The small requests that go along while large ones are lost, to tell the two apart.

A tunnel that carries small packets and drops large ones (an MTU black hole, RFC 2923) lets a ping
pass and stops every download. So a probe whose packets are large sends a small one along as soon
as one of its own is in doubt.
"""

import asyncio
from typing import Any

from ._conversation import Conversation

ONLY_SMALL = "small packets pass, large ones do not"
MOST_OPEN = 3
"""Small requests under way at a time; where nothing passes, more of them say nothing more."""


class Along:
    """The small requests of one probe.

    :ivar doubted: a large request was lost, or its loss is being confirmed.
    :ivar passes: whether small ones got a reply since then; ``None``: not known.
    :ivar nonces: those under way.
    """

    def __init__(self) -> None:
        self.doubted = False
        self.passes: bool | None = None
        self.nonces: set[bytes] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def wanted(self) -> bool:
        """Whether one should go along with the next large request."""
        return self.doubted and len(self.nonces) < MOST_OPEN

    def send(
        self, conversation: Conversation, nonce: bytes, request: bytes, timeout_s: float
    ) -> None:
        """Send one; nobody waits for it."""
        self.nonces.add(nonce)
        sending = self._exchange(conversation, nonce, request, timeout_s)
        task = asyncio.get_running_loop().create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _exchange(
        self, conversation: Conversation, nonce: bytes, request: bytes, timeout_s: float
    ) -> None:
        try:
            sample = await conversation.exchange(nonce, request, timeout_s)
        finally:
            self.nonces.discard(nonce)
        if self.doubted:
            self.passes = sample.latency_s is not None

    def replied(self) -> None:
        """Note that a large one got its reply."""
        self.doubted, self.passes = False, None

    def facts(self) -> dict[str, Any]:
        """Give what the status shows."""
        return {"small_passes": self.passes}

    def cancel(self) -> None:
        """Wait for nothing any more."""
        for task in self._tasks:
            task.cancel()
