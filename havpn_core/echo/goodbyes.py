"""Pure: to whom a responder that ends says so, and in which words."""

from collections.abc import Iterator
from typing import Any

from havpn_core.echo.report import GOODBYE_BYTES, goodbye

SERVED_S = 2.0
"""Seconds after the last reply for which a source is still waiting for more."""
MOST = 256
"""Sources that hear of the end."""

Peer = tuple[str, Any]
"""The endpoint that was probed, and the socket address of the prober."""


class Goodbyes:
    """Remembers the last request of each source that got a reply.

    Known sources and others are kept apart, so that forged ones push out none that is real.
    """

    def __init__(self) -> None:
        self._known: dict[Peer, tuple[float, bytes]] = {}
        self._others: dict[Peer, tuple[float, bytes]] = {}

    def served(
        self, endpoint: str, sender: Any, request: bytes, now_s: float, *, known: bool
    ) -> None:
        """Take in that a request got its reply.

        :param known: whether its source has come for a while.
        """
        peer = (endpoint, sender)
        self._known.pop(peer, None)
        self._others.pop(peer, None)
        table = self._known if known else self._others
        if len(table) >= MOST:
            table.pop(next(iter(table)))
        table[peer] = (now_s, request[:GOODBYE_BYTES])

    def due(self, now_s: float) -> Iterator[tuple[str, Any, bytes]]:
        """Give endpoint, receiver and text of each goodbye, once; known and late sources first."""
        lately = [
            (endpoint, sender, goodbye(head))
            for table in (self._known, self._others)
            for (endpoint, sender), (at_s, head) in reversed(table.items())
            if now_s - at_s <= SERVED_S
        ]
        self._known, self._others = {}, {}
        yield from lately[:MOST]
