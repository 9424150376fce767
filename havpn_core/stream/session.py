"""Pure: one end of a stream: when to send, what to say, and what the arrivals mean.

Whoever owns the sockets and the clock comes back at :attr:`StreamSession.next_s`, reads what has
arrived first, calls :meth:`StreamSession.wake`, sends what :meth:`StreamSession.make` gives once
:attr:`StreamSession.send_s` has come, and takes what became known from
:meth:`StreamSession.news`.

*Which packets are believed* is said in :mod:`~havpn_core.pair.wire.sessions`: none that is older
than one believed before, over restarts of either end, whatever anybody recorded.

*Pace.* Each end sends at the slower of both wishes, up to a tenth sooner by chance, so that many
streams do not march in step. While the far end is not heard it sends once a second. Each packet
says within which time the next one follows, and the receiver judges by that alone.

*Runs.* A line that carries one way only is down at both ends one one-way delay apart: at the moment
at which a packet is late its receiver says so, and both count the longer of both directions' runs
(:mod:`~havpn_core.stream.runs`).

*Own lateness.* What this host was too late to hear is void. So is what the far end misses because
this host was late to send: for as many packets as that may explain.
"""

from collections.abc import Callable, Sequence
from typing import Any

from havpn_core.pair.wire.heads import NONCE_BYTES, Head, mark
from havpn_core.pair.wire.keyring import Keyring
from havpn_core.pair.wire.sessions import Sessions
from havpn_core.plugging.stance import NO_STANCE, Stance
from havpn_core.rules.hysteresis import Outcome
from havpn_core.stream import packet as wire
from havpn_core.stream.arrivals import Arrivals
from havpn_core.stream.excuse import Excuse, own_lateness
from havpn_core.stream.packet import MICRO, MOST_LATE, Report, elapsed_s, fault, head_of
from havpn_core.stream.runs import News, Runs
from havpn_core.stream.ways import Ways

SLOW_S = 1.0
"""Seconds between packets while the far end is not heard."""
IDLE_S = 10.0
"""Silence after which the far end counts as not heard."""
MOST_WISH_S, JITTER = 10.0, 0.1
QUICK_S = 0.05
"""Least time from one packet that is sent because somebody waits for it to the next such one."""
LEAVING_S = 2.0
"""Silence after a goodbye is a refusal for so long; the host itself may be shutting down."""
REFUSAL_S = 3.0
"""The same after a refusal: a kernel sends one a second (icmp(7)), and two may be lost."""
RECENT = 256
"""Packets of ours that a refusal may quote."""


class StreamSession:
    """One end of a stream.

    :param keys: the first signs, all are accepted.
    :param incarnation: grows with every start, as microseconds of the wall clock do.
    :param nonce: 8 random bytes, drawn again for every start.
    :param wish_s: the interval wished here, in seconds.
    :param now_s: seconds of any monotonic clock, as all times here.
    :param chance: gives numbers from 0 to below 1.
    """

    def __init__(
        self,
        keys: tuple[bytes, ...],
        incarnation: int,
        nonce: bytes,
        *,
        wish_s: float,
        now_s: float,
        chance: Callable[[], float],
    ) -> None:
        self.use(keys)
        self._sessions = Sessions(incarnation, nonce)
        self._wish_s, self._chance = wish_s, chance
        #: when the next packet is due.
        self.send_s = now_s
        self._hurried_s = float("-inf")
        self._arrivals: Arrivals | None = None
        self._head: Head | None = None
        self._arrived_s, self._received = float("-inf"), 0
        #: what the far end said last; ``None`` before it was heard.
        self.far: Report | None = None
        #: where the far end's last packet came from; ``None`` before it was heard.
        self.address: Any = None
        #: where a packet came from that only an echo of its nonce can prove.
        self.greeter: Any = None
        self.rtt_s: float | None = None
        self.ways, self.runs, self._excuse = Ways(wish_s), Runs(), Excuse()
        #: how often silence was void because this host was late.
        self.voided = 0
        #: the newest echo that is of this stream.
        self._refusing_until_s, self._echo = float("-inf"), b""

    def use(self, keys: tuple[bytes, ...]) -> None:
        """Sign with the first of these keys from now on, and accept all of them."""
        self.keys = Keyring(keys)

    @property
    def heard(self) -> bool:
        """Whether the far end was heard since the start."""
        return self._arrivals is not None

    @property
    def jitter_s(self) -> float | None:
        """Mean deviation of how long a packet is on its way, in seconds."""
        return self._arrivals.deviation_s if self._arrivals else None

    @property
    def margin_s(self) -> float | None:
        """What a packet may be later than the pace, in seconds."""
        return self._arrivals.margin_s if self._arrivals else None

    def silent_s(self, now_s: float) -> float:
        """Give the seconds since the far end's last packet; infinity before the first."""
        return now_s - self._arrived_s

    def refusing(self, now_s: float) -> bool:
        """Whether the far end said that it ends, or its host that nobody listens."""
        return now_s < self._refusing_until_s

    def state(self, now_s: float) -> Outcome:
        """Give what a probe would find out now."""
        if not self.heard:
            return Outcome.ERROR
        if self.refusing(now_s):
            return Outcome.REFUSED
        return Outcome.FAIL if self.runs.longest else Outcome.OK

    @property
    def due_s(self) -> float:
        """When the next packet of the far end is late; infinity before one was heard."""
        return self._arrivals.due_s if self._arrivals else float("inf")

    @property
    def next_s(self) -> float:
        """When to come back."""
        return min(self.send_s, self.due_s)

    def pace_s(self, now_s: float) -> float:
        """Give the seconds within which packets follow each other."""
        if self.far is None or self._idle(now_s):
            return max(SLOW_S, self._wish_s)
        return max(self._wish_s, min(self.far.wish_s, MOST_WISH_S))

    def _idle(self, now_s: float) -> bool:
        return now_s - max(self._arrived_s, self._refusing_until_s) > IDLE_S

    def make(self, now_s: float, stance: Stance = NO_STANCE, *, leaving: bool = False) -> bytes:
        """Make the packet that is due; it counts as sent.

        :param leaving: this end ends.
        """
        return wire.write(*self.compose(now_s, stance, leaving=leaving), self.keys)

    def compose(
        self, now_s: float, stance: Stance = NO_STANCE, *, leaving: bool = False
    ) -> tuple[Head, Report]:
        """Give what the packet that is due says, as :meth:`make`, which signs it."""
        pace_s = self.pace_s(now_s)
        self._excuse.look(now_s - self.send_s, pace_s, now_s + (self.rtt_s or 0.0))
        jitter = 1.0 if self.runs.late else 1 - JITTER * self._chance()
        self.send_s = now_s + pace_s * jitter
        head = self._sessions.head()
        self.ways.believe(stance.verdict, pace_s)
        heard, far = self._head, self.far
        report = Report(
            int(now_s * MICRO),
            heard.sequence if heard is not None else 0,
            far.sent_us if far is not None else 0,
            now_s - self._arrived_s if heard is not None else 0.0,
            self._received,
            pace_s,
            self._wish_s,
            min(self.runs.late, MOST_LATE),
            stance,
            leaving,
            self.ways.said(now_s),
        )
        return head, report

    def _soon(self, now_s: float) -> None:
        """Send the next packet at once, for somebody waits for it; only so often."""
        at_s = max(now_s, self._hurried_s + QUICK_S)
        if at_s < self.send_s:
            self.send_s = self._hurried_s = at_s

    def take(self, packet: bytes, arrived_s: float, address: Any = None) -> str:
        """Take a packet in.

        :param arrived_s: when it arrived, by the kernel's stamp.
        :param address: where it came from.
        :returns: ``good`` if it is news; ``length``, ``version``, ``key``, ``mac`` or ``content``
            if it is not genuine; else what :meth:`~havpn_core.pair.wire.sessions.Sessions.judge`
            says of it.
        """
        if why := fault(packet, self.keys):
            return why
        found = wire.read(packet)
        return "content" if found is None else self.hear(*found, arrived_s, address)

    def hear(self, head: Head, report: Report, arrived_s: float, address: Any = None) -> str:
        """Take in what a genuine packet says, as :meth:`take`, which sees whether it is one."""
        verdict = self._sessions.judge(head, 2, namesake=False)
        if verdict == "good":
            self._believe(head, report, arrived_s)
            self.address = self.address if address == self.address else address
        elif verdict == "late":
            self._received += 1
            self.ways.overtaken(head.sequence)
        elif verdict in ("greeting", "replay"):
            self.greeter = address if address != self.address else self.greeter
            if verdict == "greeting":
                self._soon(arrived_s)
        return verdict

    def _believe(self, head: Head, report: Report, arrived_s: float) -> None:
        """Take in what the far end says."""
        before, arrivals, idle = self._head, self._arrivals, self._idle(arrived_s)
        pace_s, rtt_s = self.pace_s(arrived_s), self.rtt_s or 0.0
        self._excuse.look(arrived_s - self.send_s, pace_s, arrived_s + rtt_s)
        sent_s, lost = report.sent_us / MICRO, 0
        if before is None or arrivals is None or before.run != head.run:
            self._arrivals = Arrivals(sent_s, arrived_s, report.pace_s)
            self._received = 0
            self.ways.restart()
            self._soon(arrived_s)  # it believes us once we echo its nonce
        else:
            lost = max(0, head.sequence - before.sequence - 1 - self.runs.late)
            arrivals.take(sent_s, arrived_s, report.pace_s)
            if idle:
                self._soon(arrived_s)
        self._head, self.far, self._arrived_s = head, report, arrived_s
        self._received += 1
        self.ways.arrived(head.sequence, self._received, report.loss, arrived_s)
        if report.heard:
            self.ways.outwards.take(report.heard, report.received, arrived_s)
            took_s = elapsed_s(int(arrived_s * MICRO), report.echoed_us) - report.held_s
            self.rtt_s = max(0.0, took_s)
        if report.leaving:
            self._refuse(arrived_s + LEAVING_S)
            return
        self._refusing_until_s = float("-inf")
        unheard = self._excuse.left(report.late, arrived_s)
        steady = report.late >= MOST_LATE
        self.runs.arrived(unheard, lost, away=report.stance.away, steady=steady)

    def wake(self, now_s: float) -> None:
        """Count packets that are late; read the sockets before this."""
        arrivals = self._arrivals
        while arrivals is not None and arrivals.due_s <= now_s:
            if own_lateness(now_s - arrivals.due_s, self.pace_s(now_s)):
                self.voided += 1
                self.ways.void()
                arrivals.wait(now_s)
                return
            arrivals.miss(self.pace_s(now_s) if self._idle(now_s) else None)
            if self.refusing(now_s):
                self.runs.refused()
            else:
                self.runs.missed()
            # At this moment, so that the far end knows of it one one-way delay later.
            self.send_s = min(self.send_s, now_s)

    def unreachable(self, now_s: float) -> None:
        """Take in that a packet of ours did not arrive, as the way or this host says."""
        if self.heard and not self.refusing(now_s):
            self.runs.refused_on_the_way()

    def refused(self, now_s: float) -> None:
        """Take in that the far host says that nobody listens there."""
        self._refuse(now_s + REFUSAL_S)

    def _refuse(self, until_s: float) -> None:
        self._refusing_until_s = max(until_s, self._refusing_until_s)
        if self.heard:
            self.runs.refused()

    def sent_lately(self, quote: bytes) -> bool:
        """Whether a packet of ours begins as the quote of an error does."""
        head, ours = head_of(quote), self._sessions
        known = head is not None and head.run == ours.run
        return head is not None and known and 0 <= ours.sequence - head.sequence < RECENT

    def knows(self, packet: bytes) -> bool:
        """Whether a packet names a key of this stream; that costs no signature."""
        head = head_of(packet)
        return head is not None and self.keys.known(head.key_id)

    def echoed(self, packet: bytes) -> bool:
        """Whether a packet says that its sender heard this stream."""
        echo = wire.echo_of(packet)
        if echo != self._echo and len(echo) == NONCE_BYTES:
            self._echo = echo if mark(echo) == self._sessions.run[1] else self._echo
        return bool(echo) and echo == self._echo

    def news(self) -> Sequence[News]:
        """Hand out what became known since the last call, in its order."""
        return self.runs.news()
