"""Pure: leave out of a stream's simulation the rows of losses that are too short to matter.

For a course over two ways that lose packets by chance. A path goes down for ``fall`` losses in a
row, and the last moments of a line only raise that number. So rows that are shorter than what the
record alone requires put no path down, for certain, and only the record follows from them. It is
given what such stretches have on the mean, as they were measured with every packet sent; how long
they are is drawn with its exact law (:mod:`~havpn_core.study.ways`).

The shortcut is equal to the slow way in law, not packet by packet: the record takes means in place
of what chance makes of them, and what the last moments were like is what a warm-up of
:data:`WARM` packets makes of it. Windows are moved on likewise; charts of grey lines and the shares
that a status shows are not. Each row that may matter comes after a warm-up, and all of it is sent
packet by packet.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from havpn_core.rules.hysteresis import Level, Outcome
from havpn_core.stream.arrivals import least_margin_s
from havpn_core.study.ends import Delay, End
from havpn_core.study.ways import Chance

LEARN, WARM = 12_000, 1_500
"""Packets that are sent one by one at the beginning of a line, and before each long row."""
CHUNK_S = 10.0
"""Seconds that are left out at once: records fade in such steps."""
UNLIKELY = 1e-6
"""A path that is down does not come up with this chance, or less, in all the time that is left."""


class Course(Protocol):
    """Two ends and the line between them."""

    ends: tuple[End, End]
    pace_s: float
    delay: Delay

    @property
    def packet_s(self) -> float:
        """The mean time from one packet to the next."""

    @property
    def path_s(self) -> float:
        """This moment, by the clock of the paths."""

    @property
    def even(self) -> bool:
        """Whether each loss so far has been taken in by both ends, and none is going on."""

    def pass_over(self, seconds: float) -> None:
        """Let time pass for the paths, and none for the sessions."""


class Means:
    """What stretches without a long row are like for one end."""

    def __init__(self, end: End) -> None:
        self._end, self.packets = end, 0.0
        self._sums = [0.0] * len(end.counts)
        self.begin()

    def begin(self) -> None:
        """Measure from now on."""
        end = self._end
        self._begun, self._sent, self._switches = end.counts, end.sent, end.switches

    def finish(self) -> None:
        """Take in what was measured, unless the path was down in it."""
        end = self._end
        if end.switches == self._switches and end.fell_s is None:
            self.packets += end.sent - self._sent
            gone = zip(self._sums, end.counts, self._begun, strict=True)
            self._sums = [before + now - begun for before, now, begun in gone]

    def of(self, packets: float) -> Sequence[float]:
        """Give what so many packets have on the mean, as :attr:`End.counts` counts it."""
        return [packets * one / self.packets for one in self._sums]


class Rows:
    """Leaves out what can change nothing.

    :param course: both of its ways are :class:`~havpn_core.study.ways.Chance`.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._means = [Means(end) for end in course.ends]
        self._packets, self._seconds = 0, 0.0
        self._begin(LEARN)

    @property
    def _ways(self) -> list[Chance]:
        return [end.way for end in self._course.ends if isinstance(end.way, Chance)]

    def look(self, until_s: float) -> None:
        """Leave out what may be left out at this moment, up to another one."""
        if self._course.ends[0].sent < self._until:
            return
        if self._measuring:
            self._finish()
        if not any(end.resting for end in self._course.ends):
            if self._ready(until_s):
                self._leave_out(math.inf, until_s)
            return
        foreseen = all(way.least for way in self._ways)
        if (foreseen and self._foreseen < 2 * WARM) or not self._ready(until_s):
            return
        least = self._least()
        for way in self._ways:
            # One that is foreseen stays so: to draw anew would be to choose.
            way.foresee(min(least, way.least or least))
        if self._foreseen >= 2 * WARM:
            self._leave_out(self._foreseen - WARM, until_s)

    @property
    def _foreseen(self) -> float:
        """How many packets are sent before the next long row."""
        return min(way.foreseen for way in self._ways)

    def _begin(self, packets: int) -> None:
        """Measure for so many packets from now on, and leave out nothing until then."""
        first = self._course.ends[0]
        self._until, self._measuring = first.sent + packets, True
        self._sent, self._began_s = first.sent, self._course.path_s
        for means in self._means:
            means.begin()

    def _finish(self) -> None:
        self._measuring = False
        self._packets += self._course.ends[0].sent - self._sent
        self._seconds += self._course.path_s - self._began_s
        for means in self._means:
            means.finish()

    def _ready(self, until_s: float) -> bool:
        course = self._course
        if (until_s - course.path_s) / course.packet_s < WARM or not course.even:
            return False
        for end, means in zip(course.ends, self._means, strict=True):
            if not (end.resting or self._stuck(end, until_s)):
                return False
            if end.resting and not means.packets:
                self._begin(LEARN)
                return False
        return True

    def _least(self) -> int:
        """Give how many packets must be lost in a row for any path to notice enough of them."""
        course = self._course
        fall = min(end.least_fall for end in course.ends)
        margin = (least_margin_s(course.pace_s) - course.delay.jitter_s) / course.pace_s
        return max(2, fall - 1 + math.ceil(margin - 1e-6))

    def _leave_out(self, packets: float, until_s: float) -> None:
        course, left_out = self._course, 0.0
        least = max(way.least for way in self._ways)
        nobody = not any(end.resting for end in course.ends)
        packet_s = self._seconds / self._packets
        while packets >= 1:
            some = min(packets, CHUNK_S / packet_s, (until_s - course.path_s) / packet_s)
            if some < 1:
                break
            course.pass_over(some * packet_s)
            for end, means in zip(course.ends, self._means, strict=True):
                self._fare(end, means, some)
            packets, left_out = packets - some, left_out + some
            if self._least() < least and not nobody:
                break  # shorter rows matter now
        for way in self._ways if not nobody else ():
            way.leave_out(left_out)
        self._begin(WARM // 2)

    def _fare(self, end: End, means: Means, packets: float) -> None:
        """Let a path learn what so many packets have on the mean."""
        path_s, watch = self._course.path_s, end.watch
        if not end.resting:
            watch.report(0, Outcome.FAIL, now_s=path_s)
            return
        probes, lost, watched_s, arrived, missing = means.of(packets)
        end.tally.learn(probes, lost, watched_s)
        for feed in watch.feed.each if watch.feed is not None else ():
            rtt_s, window = end.session.rtt_s, feed.window
            window.add(path_s, lost=True, latency_s=None, times=round(missing))
            window.add(path_s, lost=False, latency_s=rtt_s, times=round(arrived))
        watch.arrived(0, self._course.packet_s, end.session.rtt_s or 0.0, path_s)
        watch.wake(path_s)

    def _stuck(self, end: End, until_s: float) -> bool:
        """Whether a path that is down stays so: too many of ``rise`` packets are lost.

        By Chernoff's bound of the binomial distribution.
        """
        if end.watch.state.level is Level.UP:
            return False
        rules, course = end.watch.rules, self._course
        borne = int(rules.rise_loss * rules.rise)
        tries = rules.rise + borne
        loss, share = min(way.loss for way in self._ways), borne / tries
        if share >= loss:
            return False
        apart = (1 - share) * math.log((1 - share) / (1 - loss))
        apart += share * math.log(share / loss) if share else 0.0
        packets = (until_s - course.path_s) / course.packet_s
        return math.exp(-tries * apart) * packets < UNLIKELY
