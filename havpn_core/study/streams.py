"""Pure: both ends of a stream, each with its path, on a virtual clock.

Two :class:`~havpn_core.stream.session.StreamSession` send each other packets over a line that
loses and delays each way by itself, and what each reports goes into a
:class:`~havpn_core.stream.reported.ReportedWatch`, as in the daemon. What is left out of a packet
is its signature: each end takes in the values that the other one would have written.

Sessions know differences of time only. So a stretch in which nothing can change is passed over by
letting no time pass for them, and all of it for the paths, which hear that everything arrived.
That is exact on a line without jitter but for when a record fades, in steps of at least 10 s. Where
chance loses packets, :mod:`~havpn_core.study.rows` passes over more than that.
"""

import heapq
from collections.abc import Callable

from havpn_core.rules.hysteresis import Level, Outcome
from havpn_core.rules.settings import Settings
from havpn_core.rules.target.record import Record
from havpn_core.stream.reported import reported
from havpn_core.stream.session import JITTER
from havpn_core.study.ends import Delay, End, Flight
from havpn_core.study.loss import Changing, LossModel, Uniform
from havpn_core.study.montecarlo import GIVE_UP_S, WARM_S, Cuts, Summary
from havpn_core.study.rows import Rows
from havpn_core.study.ways import Chance, Way, ways_of

USUAL = Delay()
LEAST_LEAP = 8
"""Packets that must arrive for sure for a leap to be worth while."""


class StreamCourse:
    """Both ends and the line between them.

    :param settings: of both paths, as :func:`~havpn_core.stream.reported.reported` gives them.
    :param ways: from the first end to the second, and back.
    :param records: what each end knows of the line to begin with.
    :param leaps: whether to pass over what arrives for sure.
    :param rows: whether to leave out short rows of losses, too.
    """

    def __init__(
        self,
        settings: Settings,
        ways: tuple[Way, Way],
        random: Uniform,
        *,
        delay: Delay = USUAL,
        began_s: float = 0.0,
        records: tuple[Record | None, Record | None] = (None, None),
        leaps: bool = True,
        rows: bool = True,
    ) -> None:
        self.pace_s, self._random = settings.rules.interval_s, random
        first, second = (
            End(settings, way, began_s, number=number, record=record, random=random)
            for number, (way, record) in enumerate(zip(ways, records, strict=True), start=1)
        )
        self.ends = (first, second)
        #: seconds that the clock of the sessions is behind that of the paths
        self.behind_s = 0.0
        self.now_s = began_s
        self.delay = delay
        self._flying: list[Flight] = []
        self._number, self._leaps = 0, leaps
        self._cut_s = float("inf")
        self._rows: Rows | None = None
        if rows and leaps and all(isinstance(way, Chance) for way in ways):
            self._rows = Rows(self)

    @property
    def packet_s(self) -> float:
        """The mean time from one packet to the next."""
        return self.pace_s * (1 - JITTER / 2)

    @property
    def path_s(self) -> float:
        """This moment, by the clock of the paths."""
        return self.now_s + self.behind_s

    def use(self, ways: tuple[Way, Way]) -> None:
        """Let the line be another one from now on."""
        for end, way in zip(self.ends, ways, strict=True):
            end.way = way
        self._rows = Rows(self) if self._rows is not None else None

    def run(
        self,
        until_s: float,
        cut_s: float = float("inf"),
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Go on until a moment of the paths' clock.

        :param cut_s: what has not passed the middle of the line by then does not arrive.
        :param stop: ends it sooner, once it is true.
        """
        self._cut_s = cut_s
        last_s = min(until_s, cut_s)
        while self._step(until_s):
            if stop():
                return
            if not self._leaps or self.now_s + self.behind_s >= last_s:
                continue
            if self._rows is not None:
                self._rows.look(last_s)
            else:
                self._leap(last_s)
        self.now_s = until_s - self.behind_s

    def _step(self, until_s: float) -> bool:
        """Do what comes next; gives whether there was anything before that moment."""
        first, second = self.ends
        end = first if first.due_s <= second.due_s else second
        flying = self._flying
        arrives_s = flying[0].arrives_s if flying else float("inf")
        now_s = max(self.now_s, min(end.due_s, arrives_s))
        path_s = now_s + self.behind_s
        if path_s > until_s:
            return False
        self.now_s = now_s
        if arrives_s <= now_s:
            flight = heapq.heappop(flying)
            end, other = (first, second) if flight.to == 0 else (second, first)
            if other.gap is not None and flight.number > other.gap:
                other.gap = None
            end.hear(flight, path_s)
        elif end.wake(now_s, path_s):
            self._send(end, now_s, path_s)
        end.due_s = min(end.session.next_s, end.watch.next_s - self.behind_s)
        return True

    def _send(self, end: End, now_s: float, path_s: float) -> None:
        head, report = end.session.compose(now_s)
        end.sent += 1
        if not end.session.heard:
            end.watch.report(0, Outcome.ERROR, now_s=path_s)
        delay = self.delay
        if end.way.lost(path_s) or path_s + delay.one_way_s / 2 >= self._cut_s:
            end.gap = self._number
            return
        late_s = delay.jitter_s * self._random.random() if delay.jitter_s else 0.0
        self._number += 1
        to = 1 if end is self.ends[0] else 0
        arrives_s = now_s + delay.one_way_s + late_s
        heapq.heappush(self._flying, Flight(arrives_s, self._number, to, head, report))

    def _leap(self, until_s: float) -> None:
        """Pass over packets that arrive for sure at both ends."""
        path_s = self.path_s
        certain = min(end.way.quiet(path_s, self.pace_s) for end in self.ends)
        times = int(min(certain - 1, (until_s - path_s) / self.packet_s - 1))
        if times < LEAST_LEAP or not self.even:
            return
        for end in self.ends:
            end.way.leapt(times)
        self.pass_over(times * self.packet_s)
        for end in self.ends:
            end.skip(times, self.packet_s, self.path_s)

    @property
    def even(self) -> bool:
        """Whether each loss so far has been taken in by both ends, and none is going on."""
        return all(
            end.session.heard and end.gap is None and not end.session.runs.longest
            for end in self.ends
        ) and not any(flight.report.late for flight in self._flying)

    def pass_over(self, seconds: float) -> None:
        """Let time pass for the paths, and none for the sessions."""
        self.behind_s += seconds
        for end in self.ends:
            end.due_s = end.session.next_s


def summarise_stream(
    settings: Settings,
    line: LossModel,
    *,
    pace_s: float,
    hours: float,
    chance: Uniform,
    delay: Delay = USUAL,
    cuts: int = 200,
) -> Summary:
    """Let both ends of a stream run on a line for hours, then cut it again and again both ways.

    As :func:`~havpn_core.study.montecarlo.summarise`, whose words hold for the first end; the
    far one's changes of role stand beside them.

    :param settings: of the path, at both ends.
    :param pace_s: seconds from one packet to the next.
    :param chance: where losses by chance, jitter and the moments of the cuts come from.
    """
    settings, end_s = reported(settings, pace_s), hours * 3600
    course = _lived(settings, line, chance, delay, end_s)
    ways = course.ends[0].way, course.ends[1].way
    here, far = course.ends
    down_s = here.down_s + (end_s - here.fell_s if here.fell_s is not None else 0.0)
    tried = Cuts()
    for _ in range(cuts):
        cut_s = end_s + WARM_S + chance.random() * max(2.0, 4 * pace_s)
        records = course.ends[0].learned, course.ends[1].learned
        course = StreamCourse(settings, ways, chance, delay=delay, began_s=end_s, records=records)
        found_s, end_s = cut(course, cut_s)
        tried.take(found_s, cut_s, end_s)
    share = down_s / (hours * 3600) if hours else 0.0
    return Summary(hours, here.switches, share, far_switches=far.switches, **vars(tried))


def _lived(
    settings: Settings, line: LossModel, chance: Uniform, delay: Delay, end_s: float
) -> StreamCourse:
    """Let both ends run on a line until a moment."""
    changing = line if isinstance(line, Changing) else None
    ways = ways_of(changing.before if changing else line, chance)
    course = StreamCourse(settings, ways, chance, delay=delay)
    if changing is not None and changing.at_s < end_s:
        course.run(changing.at_s)
        course.use(ways_of(changing.after, chance))
    course.run(end_s)
    return course


def cut(course: StreamCourse, cut_s: float) -> tuple[float | None, float]:
    """Cut both ways once; gives the detection time and the moment until which the line was used."""
    course.run(cut_s, cut_s)
    here = course.ends[0]
    if here.watch.state.level is Level.DOWN:
        return None, cut_s
    course.run(cut_s + GIVE_UP_S, cut_s, lambda: here.fell_s is not None)
    end_s = max(cut_s, course.path_s)
    return (None if here.fell_s is None else here.fell_s - cut_s), end_s
