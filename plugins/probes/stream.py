"""``stream``: both far gateways send each other small authenticated packets.

Each end judges the silence of the other, without a round trip, and says what arrives here: a line
that carries one way only is known at both ends. What decides is :class:`havpn_core.StreamSession`;
sockets and the one timer are in :mod:`._stream.shared`.
"""

import asyncio
import contextlib
import errno
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from havpn_core import (
    Context,
    Diagnosis,
    Loss,
    NotResolved,
    Outcome,
    ProbeType,
    Sample,
    Stance,
    StreamSession,
    hookimpl,
)

from .._errors import Received
from .._sockets import words
from ._binding import from_os_error, target
from ._stream.greeting import AWAY, FORGED, Greeter, greet
from ._stream.keys import keys_missing, keys_of, mark_of
from ._stream.place import Place, version
from ._stream.saying import LATELY_S, facts, failing, left, notice, stance, unheard
from ._stream.shared import REMEDIES, TOGETHER_S, Port, Streams, said_by, streams
from ._stream_options import DYNAMIC, USUAL, StreamOptions, paced

FIRST_SHARE = 0.8
"""Share of the timeout for which a check waits for the first packet."""
RESOLVE_S, WARN_S = 1.0, 60.0


class Stream:
    """One end of a stream.

    :raises ConfigError: if the keys are not to be had.
    """

    def __init__(self, options: StreamOptions, context: Context) -> None:
        self._options, self.context = options, context
        self._keys = keys_of(options.key_file)
        self._streams: Streams | None = None
        self._tell: Callable[[Sample, int], None] = lambda sample, lost: None
        self._first: asyncio.Event | None = None
        self._target: tuple[int, Any] | None = None
        self._resolved_s = self._warned_s = float("-inf")
        self._trouble, self._refused, self._closed = "", False, False
        self._way: tuple[Any, StreamOptions, Port] | None = None
        self._counts = {"sent": 0, "received": 0, "unsent": 0, "foreign": 0}
        self.session = self._new()

    def _new(self) -> StreamSession:
        return StreamSession(
            self._keys,
            time.time_ns() // 1000,
            secrets.token_bytes(8),
            wish_s=float(self._options.interval or USUAL),
            now_s=self.context.clock(),
            chance=random.random,
        )

    def tell_arrivals(self, tell: Callable[[Sample, int], None]) -> None:
        """Report to ``tell`` from now on; see :class:`havpn_core.Arriving`."""
        self._tell = tell
        self._start()

    async def check(self, timeout_s: float) -> Sample:
        """Give what is known; see :class:`havpn_core.Probe`."""
        if self._closed:
            return Sample.error("closed")
        self._start()
        if not self.session.heard:
            self._first = self._first or asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s * FIRST_SHARE):
                    await self._first.wait()
        return self._sample(self.session.state(self.context.clock()))

    def explanation(self) -> str | None:
        """Say why packets are lost; see :class:`havpn_core.Explaining`."""
        if self.session.heard:
            return failing(self.session, self.context.clock(), self._trouble)
        return unheard(self._options.host, self._options.port, self._trouble, refused=self._refused)

    def noticed(self) -> str | None:
        """Give how the far gateway says that it stands; see :class:`havpn_core.Noticing`."""
        return notice(self.session, self.context.clock())

    def line_loss(self) -> Loss | None:
        """Give what the worse way loses; see :class:`havpn_core.LossCounting`."""
        return self.session.ways.loss(self.context.clock())

    def far_stance(self) -> Stance | None:
        """Give how the far gateway stands; see :class:`havpn_core.FarStanding`."""
        return stance(self.session, self.context.clock())

    def far_left(self) -> bool:
        """Whether the far gateway has just left this line; see :class:`havpn_core.FarLeaving`."""
        return left(self.session, self.context.clock())

    def facts(self) -> dict[str, Any]:
        """Give what the status shows."""
        return facts(self.session, self.context.clock()) | self._counts

    async def diagnose(self, timeout_s: float, running: bool) -> list[Diagnosis]:
        """Greet the far end; see :class:`havpn_core.Diagnosing`."""
        where = self._options
        if running or where.host == DYNAMIC:
            return [] if running else [AWAY]
        family, address = target(self.context, where.host, where.port, where.family)
        place = Place(family, where.source, where.device, where.port)
        return [await greet(Greeter(self._keys, self.context, address), place, where.key_file)]

    async def close(self) -> None:
        """Say goodbye and leave; on the loop, which a plain method would not be called on."""
        if self._closed:
            return
        self._closed = True
        if self._streams is not None:
            self._send(self.context.clock(), leaving=True)
            self._streams.leave(self)

    # --- what the shared parts call ---------------------------------------------------------------

    def expects(self, source: Any) -> bool:
        """Whether the far end is configured to be there."""
        if self._target is None:
            return self._options.host == DYNAMIC
        return bool(self._target[1][0] == source[0])

    def came(self, said: str, source: Any) -> None:
        """Take what happened to a packet that was read."""
        if said == "good":
            self._counts["received"] += 1
            self._trouble, self._refused = "", False
            if self._first is not None:
                self._first.set()
        else:
            self._counts["foreign"] += said not in ("late", "duplicate", "greeting")
            if said in FORGED:
                self._warn(source)
        self._hand_out()

    def woke(self, now_s: float) -> None:
        """Send what is due, and hand out what became known."""
        self.session.wake(now_s)
        if self.session.send_s <= now_s + TOGETHER_S:
            self._send(now_s)
            if not self.session.heard:
                self._tell(Sample.error(self.explanation() or ""), 0)
        self._hand_out()

    def refused(self, error: Received) -> None:
        """Take an error that quotes a packet of this stream."""
        now_s = self.context.clock()
        address = self.session.address or (self._target[1] if self._target else None)
        self._trouble = words(error.problem)
        if address is not None and said_by(error, address):
            self._refused = True
            self.session.refused(now_s)
        elif error.number != errno.EMSGSIZE:
            self.session.unreachable(now_s)
        self._hand_out()

    # --- how --------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._streams is None and not self._closed:
            self._streams = streams()
            self.session = self._new()
            self._streams.join(self)

    def _send(self, now_s: float, *, leaving: bool = False) -> None:
        """Send a packet to wherever the far end is, or may be."""
        packet = self.session.make(now_s, self.context.stance(), leaving=leaving)
        try:
            addresses = tuple(self._addresses(now_s))
            for address in addresses:
                self._port(address).send(packet, address, self.context)
            if not addresses:  # nobody knows where it is: it begins
                self._opened(version(self._options)).listen(self.context)
            self._counts["sent"] += 1
        except NotResolved as problem:
            self._trouble = str(problem)
        except OSError as problem:
            self._counts["unsent"] += 1
            self._trouble = REMEDIES.get(problem.errno or 0) or words(problem)
            # What forbids it, or is short for a moment, says nothing of the line.
            if from_os_error(problem).outcome is Outcome.FAIL:
                self.session.unreachable(now_s)

    def _port(self, address: Any) -> Port:
        options, way = self._options, self._way
        if way is not None and way[0] is address and way[1] is options:
            return way[2]
        port = self._opened(int(socket.AF_INET6 if ":" in address[0] else socket.AF_INET))
        self._way = address, options, port
        return port

    def _opened(self, family: int) -> Port:
        where = self._options
        assert self._streams is not None
        return self._streams.port(self, Place(family, where.source, where.device, where.port))

    def _addresses(self, now_s: float) -> Iterable[Any]:
        """Give where the far end was last heard; while it is silent, where it is configured, too.

        :raises NotResolved: if neither is known.
        """
        session = self.session
        if session.silent_s(now_s) < LATELY_S and session.greeter is None:
            return (session.address,)
        where = self._options
        if now_s - self._resolved_s >= RESOLVE_S and where.host != DYNAMIC:
            self._target = target(self.context, where.host, where.port, where.family)
            self._resolved_s = now_s
        known = [session.address, session.greeter, self._target[1] if self._target else None]
        session.greeter = None
        return dict.fromkeys(address for address in known if address is not None)

    def _hand_out(self) -> None:
        for one in self.session.news():
            self._tell(self._sample(one.outcome), one.lost)
        if self._streams is not None:
            self._streams.arm(self)

    def _sample(self, outcome: Outcome) -> Sample:
        if outcome is Outcome.OK:
            return Sample.ok(self.session.rtt_s)
        text = self.explanation() or "no packet"
        if outcome is Outcome.REFUSED:
            return Sample.refusal(text)
        return Sample.error(text) if outcome is Outcome.ERROR else Sample.fail(text)

    def _warn(self, source: Any) -> None:
        now_s = self.context.clock()
        if now_s - self._warned_s >= WARN_S:
            self._warned_s = now_s
            self.context.warn(
                f"packets from {source[0]} are not signed by a key of {self._options.key_file}: "
                "give both gateways the same file, or see who sends them"
            )


@hookimpl
def havpn_register_probes() -> Iterable[ProbeType]:
    """Give the type."""
    yield ProbeType(
        "stream",
        "packets that both far gateways send each other",
        StreamOptions,
        Stream,
        missing=lambda options: keys_missing(options.key_file),
        paced=paced,
        arrival_s=lambda options: float(options.interval or USUAL),
        beside=lambda options: mark_of(options.key_file),
    )
