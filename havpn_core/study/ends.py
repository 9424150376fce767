"""Pure: one end of a stream on a virtual clock, with the path that it decides."""

from dataclasses import dataclass
from typing import NamedTuple

from havpn_core.pair.wire.heads import NONCE_BYTES, Head
from havpn_core.rules.calm import Calm
from havpn_core.rules.hysteresis import Level, Outcome
from havpn_core.rules.settings import Settings
from havpn_core.rules.target.record import Record
from havpn_core.stream.packet import Report
from havpn_core.stream.reported import ReportedWatch
from havpn_core.stream.session import StreamSession
from havpn_core.study.loss import Uniform
from havpn_core.study.ways import Way

KEY = (bytes(32),)


class Tally(Record):
    """A line's past that also counts without fading."""

    __slots__ = ("counted",)

    def __init__(self) -> None:
        super().__init__()
        self.counted: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def count(self, probes: float, lost: float, watched_s: float) -> None:
        """Count regular probes, those lost among them, and the seconds that they took."""
        self.learn(probes, lost, watched_s)
        before = self.counted
        self.counted = before[0] + probes, before[1] + lost, before[2] + watched_s

    def learn(self, probes: float, lost: float, watched_s: float) -> None:
        """Take in what was not counted, but is known of such a line."""
        super().count(probes, lost, watched_s)

    @classmethod
    def after(cls, past: Record | None) -> "Tally":
        """Begin with what is known of a line."""
        found = cls() if past is None else cls.from_builtins(past.to_builtins())
        assert isinstance(found, cls)
        return found


@dataclass(frozen=True, slots=True)
class Delay:
    """How long packets are on their way.

    :param one_way_s: at least, seconds.
    :param jitter_s: up to so much longer, each by chance.
    """

    one_way_s: float = 0.0005
    jitter_s: float = 0.0


class Flight(NamedTuple):
    """A packet on its way; the first to arrive is the least.

    :param to: 0: to the first end; 1: to the second.
    """

    arrives_s: float
    number: int
    to: int
    head: Head
    report: Report


class End:
    """One end: its session, and the path that it decides.

    :param settings: of the path, as it reports (:func:`~havpn_core.stream.reported.reported`).
    :param way: to the other end.
    :param now_s: the beginning, by both clocks.
    :param number: grows from one end to the other.
    :param record: what is known of the line to begin with.
    """

    def __init__(
        self,
        settings: Settings,
        way: Way,
        now_s: float,
        *,
        number: int,
        record: Record | None,
        random: Uniform,
    ) -> None:
        self.way = way
        nonce = bytes(int(random.random() * 256) for _ in range(NONCE_BYTES))
        pace_s = settings.rules.interval_s
        self.session = StreamSession(
            KEY, number, nonce, wish_s=pace_s, now_s=now_s, chance=random.random
        )
        self.tally = Tally.after(record)
        self.watch = ReportedWatch(
            settings, 1, Level.UP, now_s, known=True, record=self.tally, reporting=(0,)
        )
        self.switches = self.sent = 0
        self.down_s = 0.0
        self.fell_s: float | None = None
        self.due_s = now_s
        #: what the path heard of: packets that arrived, and those that were lost
        self.arrived = self.lost = 0
        #: the last packet that had been sent when one was lost whose successor has not arrived
        self.gap: int | None = None

    def wake(self, now_s: float, path_s: float) -> bool:
        """Do what is due; gives whether a packet is to be sent.

        :param now_s: seconds of the session's clock.
        :param path_s: the same moment by that of the path.
        """
        session, watch = self.session, self.watch
        session.wake(now_s)
        if watch.next_s <= path_s:
            watch.wake(path_s)
            self._note(path_s)
        self.hand_out(path_s)
        return session.send_s <= now_s

    def hear(self, flight: Flight, path_s: float) -> None:
        """Take a packet in."""
        self.session.hear(flight.head, flight.report, flight.arrives_s)
        self.hand_out(path_s)

    def hand_out(self, path_s: float) -> None:
        """Report what became known to the path, as the probe ``stream`` does."""
        session, news = self.session, self.session.news()
        for one in news:
            arrived = one.outcome is Outcome.OK
            self.arrived += arrived
            self.lost += one.lost + (one.outcome is Outcome.FAIL)
            latency_s = session.rtt_s if arrived else None
            self.watch.report(0, one.outcome, one.lost, now_s=path_s, latency_s=latency_s)
        if news:
            self._note(path_s)

    def skip(self, packets: int, apart_s: float, path_s: float) -> None:
        """Let the path hear of packets that all arrived, the last one at that moment."""
        watch, rtt_s = self.watch, self.session.rtt_s or 0.0
        while packets:
            alike = min(packets, watch.alike(path_s))
            packets -= alike if alike > 1 else 1
            at_s = path_s - packets * apart_s
            if alike > 1:
                watch.arrived(alike, apart_s, rtt_s, at_s)
                continue
            watch.report(0, Outcome.OK, now_s=at_s, latency_s=rtt_s)
            self._note(at_s)
        watch.wake(path_s)

    @property
    def resting(self) -> bool:
        """Whether the path is up, and no failure is being confirmed."""
        state = self.watch.state
        return state.level is Level.UP and not state.streak

    @property
    def counts(self) -> tuple[float, ...]:
        """What was counted so far: probes, lost ones, seconds; what arrived, and what did not."""
        return (*self.tally.counted, self.arrived, self.lost)

    @property
    def least_fall(self) -> int:
        """How many losses in a row it takes at least, whatever the last moments were like."""
        calm = self.watch.calm
        if isinstance(calm, Calm) and calm.applies:
            return calm.least.fall
        return self.watch.rules.fall

    @property
    def learned(self) -> Record | None:
        """A copy of what was learned of the line; ``None`` where nothing is."""
        if not isinstance(self.watch.calm, Calm):
            return None
        return Record.from_builtins(self.tally.to_builtins())

    def _note(self, path_s: float) -> None:
        """Take in what changed at this moment."""
        for before, after in self.watch.changes():
            if before.level is after.level:
                continue
            self.switches += 1
            if after.level is Level.DOWN:
                self.fell_s = path_s
            elif self.fell_s is not None:
                self.down_s += path_s - self.fell_s
                self.fell_s = None
