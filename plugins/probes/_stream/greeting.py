"""Greet the far end of a stream without beginning one, for ``havpn doctor``.

The far end replies to a greeting, and believes nothing before its own nonce comes back. That is
never sent here: so its path does not take this gateway for one that is back.
"""

import asyncio
import secrets
import time
from typing import Any

from havpn_core import Context, Diagnosis, StreamSession

from ..._errors import Received
from ..._sockets import words
from .place import Place
from .shared import REMEDIES, Port, said_by

ATTEMPTS, WAIT_S, AGAIN_S = 3, 0.6, 0.2
"""An end that hears nobody sends once a second: three waits are longer."""
REPLIES = ("good", "greeting", "replay", "duplicate", "late")
FORGED = ("key", "mac")
AWAY = Diagnosis.warning(
    "the far end is dynamic and begins: it cannot be greeted from here",
    "run havpn doctor at the far end",
)


class Greeter:
    """A member of a port of its own (:class:`~.shared.Member`) that only listens and greets."""

    def __init__(self, keys: tuple[bytes, ...], context: Context, address: Any) -> None:
        self.context, self.address = context, address
        self.session = StreamSession(
            keys,
            time.time_ns() // 1000,
            secrets.token_bytes(8),
            wish_s=1.0,
            now_s=context.clock(),
            chance=lambda: 0.0,
        )
        self.said: set[str] = set()
        self.refusal = False
        self._news = asyncio.Event()

    def expects(self, source: Any) -> bool:
        """Whether the far end is configured to be at an address."""
        return bool(self.address[0] == source[0])

    def came(self, said: str, source: Any) -> None:
        """Take what happened to a packet that was read."""
        self.said.add(said)
        self._news.set()

    def woke(self, now_s: float) -> None:
        """Do nothing: nothing is ever due."""

    def refused(self, error: Received) -> None:
        """Take an error that quotes a greeting."""
        self.refusal |= said_by(error, self.address)
        self._news.set()

    @property
    def replied(self) -> bool:
        """Whether a packet came that a known key signed."""
        return bool(self.said & set(REPLIES))

    async def greet(self, place: Place) -> None:
        """Send greetings until something comes.

        :raises OSError: if none can be sent.
        """
        port = Port(place)
        port.members.append(self)
        try:
            for _ in range(ATTEMPTS):
                packet = self.session.make(self.context.clock(), self.context.stance())
                port.send(packet, self.address, self.context)
                try:
                    async with asyncio.timeout(WAIT_S):
                        await self._news.wait()
                except TimeoutError:
                    continue
                if self.replied:
                    return
                self._news.clear()
                await asyncio.sleep(AGAIN_S)  # of a refusal: a daemon may be about to start
        finally:
            port.close()


async def greet(greeter: Greeter, place: Place, key_file: str) -> Diagnosis:
    """Greet the far end, and say what happens to it."""
    host = greeter.address[0]
    where = f"UDP port {place.port} of {host}"
    try:
        await greeter.greet(place)
    except OSError as problem:
        remedy = REMEDIES.get(problem.errno or 0, "correct host, source, device and port")
        return Diagnosis.failed(f"{where}: {words(problem)}", remedy)
    if greeter.replied:
        return Diagnosis.good(f"{where} replies, with the known key")
    if greeter.refusal:
        text = f"nobody listens on {where}"
        remedy = "configure a probe of type stream towards this gateway there, and start havpn"
        return Diagnosis.failed(text, remedy)
    if greeter.said & set(FORGED):
        text = f"packets come from {host} that no key of {key_file} signed"
        remedy = f"copy {key_file} to both gateways, and run havpn reload"
        return Diagnosis.failed(text, remedy)
    remedy = (
        "see that a probe of type stream towards this gateway runs there, with the same key, and "
        f"let UDP port {place.port} pass both ways"
    )
    return Diagnosis.failed(f"no packet from {where}", remedy)
