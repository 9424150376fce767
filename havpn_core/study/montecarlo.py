"""Pure: drive a path's rules over a lossy line on a virtual clock, hours in seconds.

All probes of the path send over the one line, at the same moments, a packet each. They share
what affects the line (a bad spell, an outage, the moments of a recorded one); where a line loses
by chance, each packet is drawn on its own. So of ``n`` probes over a line that loses each packet
with chance ``p``, ``k`` or more are lost with the chance of the binomial distribution.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from havpn_core.rules.calm import Calm
from havpn_core.rules.hysteresis import Level, Outcome
from havpn_core.rules.settings import Settings
from havpn_core.rules.target.record import Record
from havpn_core.rules.vote import Kinds, Sent
from havpn_core.rules.watch import Watch
from havpn_core.study.loss import Uniform

WARM_S = 3.0
"""How long a line is watched, at least, before it is cut."""

GIVE_UP_S = 600.0


class Line(Protocol):
    """A lossy line; see :mod:`havpn_core.study.loss`.

    Where it has ``gap()`` (packets that arrive before the next lost one), that is drawn instead,
    and where it has ``quiet_until(at_s)`` (nothing is lost before), most packets need no draw.
    """

    def lost(self, at_s: float) -> bool:
        """Whether a packet sent then is lost; called once a packet, times never decrease."""


class _Drawn:
    """Draws for each packet."""

    def __init__(self, line: Any) -> None:
        self.lost: Callable[[float], bool] = line.lost
        self._quiet_until: Callable[[float], float] | None = getattr(line, "quiet_until", None)

    def quiet(self, at_s: float, interval_s: float, probes: int) -> float:
        """How many rounds of all probes from then on lose nothing for sure."""
        if self._quiet_until is None:
            return 0
        quiet_s: float = self._quiet_until(at_s) - at_s
        return quiet_s / interval_s

    def leapt(self, packets: int) -> None:
        """Note that so many were not drawn one by one."""


class _Counted:
    """Draws how many packets arrive before the next lost one, instead of once for each."""

    def __init__(self, line: Any) -> None:
        self._gap: Callable[[], int] = line.gap
        self._left: int = self._gap()

    def lost(self, at_s: float) -> bool:
        """Whether the next packet is lost."""
        if self._left:
            self._left -= 1
            return False
        self._left = self._gap()
        return True

    def quiet(self, at_s: float, interval_s: float, probes: int) -> float:
        """How many rounds of all probes from then on lose nothing for sure."""
        return self._left // probes

    def leapt(self, packets: int) -> None:
        """Note that so many were not drawn one by one."""
        self._left -= packets


@dataclass(frozen=True)
class Summary:
    """What came of it.

    :param switches: changes of the wanted role; a fall and the way back are two.
    :param backup_share: share of the time on the backup although the line was not cut.
    :param detection_s: seconds from cut to decision, one for each cut.
    :param far_switches: the same at the far end of a stream; ``None``: there is none.
    :param down_already: cuts that came while the path was down, so that nothing was to detect.
    :param unnoticed: cuts after which the path was not down within :data:`GIVE_UP_S`.
    """

    hours: float
    switches: int
    backup_share: float
    detection_s: list[float] = field(default_factory=list)
    far_switches: int | None = None
    down_already: int = 0
    unnoticed: int = 0

    @property
    def fewer(self) -> list[str]:
        """Why there are fewer detection times than cuts that were requested, in sentences."""
        known = {
            "came while the path was down already: nothing was to detect": self.down_already,
            f"were not noticed within {GIVE_UP_S:g} s": self.unnoticed,
        }
        return [f"{number} more cuts {what}" for what, number in known.items() if number]

    def percentile_s(self, share: float) -> float | None:
        """Give the detection time that this share of the cuts kept within (nearest rank)."""
        if not self.detection_s:
            return None
        ranked = sorted(self.detection_s)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


@dataclass
class Cuts:
    """What happened to the cuts, one by one."""

    detection_s: list[float] = field(default_factory=list)
    down_already: int = 0
    unnoticed: int = 0

    def take(self, found_s: float | None, cut_s: float, end_s: float) -> None:
        """Take one in.

        :param found_s: seconds from the cut to the decision; ``None``: there was none.
        :param end_s: until when the line was used: where the path was down, only to the cut.
        """
        if found_s is not None:
            self.detection_s.append(found_s)
        elif end_s <= cut_s:
            self.down_already += 1
        else:
            self.unnoticed += 1


class Course:
    """One path and one line.

    :param rtt_s: round-trip time of every reply.
    :param probes: how many probes the path has.
    :param record: what is known of the line to begin with.
    :param watches: what each of them watches; all the same if not given. The tunnel runs over the
        line, so a packet through it is lost as any other.
    :raises ValueError: if the path requires more of a kind to be OK than there are.
    """

    def __init__(
        self,
        settings: Settings,
        line: Line,
        rtt_s: float,
        began_s: float = 0.0,
        *,
        probes: int = 1,
        watches: Sequence[str] = (),
        record: Record | None = None,
    ) -> None:
        watches = watches or ("line",) * probes
        probes = len(watches)
        for _, number in Kinds.of(watches).short(settings.require):
            raise ValueError(f"require: {settings.require} of {number} probes can never be OK")
        self.watch = Watch(
            settings, probes, Level.UP, began_s, known=True, watches=watches, record=record
        )
        self.switches = 0
        self.down_s = 0.0
        self.fell_s: float | None = None
        self._rtt_s, self._now_s = rtt_s, began_s
        self._positions = range(probes)
        self._replies: deque[tuple[float, Sent, list[int]]] = deque()
        self._line: _Drawn | _Counted = _Counted(line) if hasattr(line, "gap") else _Drawn(line)

    @property
    def learned(self) -> Record | None:
        """A copy of what was learned of the line; ``None`` where nothing is."""
        calm = self.watch.calm
        return Record.from_builtins(calm.record.to_builtins()) if isinstance(calm, Calm) else None

    def _note(self) -> None:
        """Take in what changed at this moment."""
        for before, after in self.watch.changes():
            if before.level is after.level:
                continue
            self.switches += 1
            if after.level is Level.DOWN:
                self.fell_s = self._now_s
            elif self.fell_s is not None:
                self.down_s += self._now_s - self.fell_s
                self.fell_s = None

    def run(self, until_s: float, cut_s: float = float("inf")) -> None:
        """Go on until a moment; from ``cut_s`` on no reply comes."""
        watch, replies = self.watch, self._replies
        while True:
            if not replies and watch.idle:
                self._leap(min(until_s, cut_s))
            send_s, deadline_s = watch.send_s, watch.deadline_s
            now = send_s if deadline_s is None or send_s < deadline_s else deadline_s
            replied = bool(replies) and replies[0][0] <= now
            if replied:
                now = replies[0][0]
            if now > until_s:
                break
            self._now_s = now
            if replied:
                self._take_replies()
            elif deadline_s is not None and deadline_s <= now:
                watch.judge(now)
                self._note()
            else:
                self._send(cut_s)
        self._now_s = until_s

    def _send(self, cut_s: float) -> None:
        """Send a packet of each probe, and note the replies of those that are not lost."""
        now, lost = self._now_s, self._line.lost
        sent = self.watch.send(now)
        arrived = [position for position in self._positions if not lost(now)]
        back_s = now + self._rtt_s
        if arrived and back_s < cut_s and self._rtt_s <= self.watch.settings.timeout_s:
            self._replies.append((back_s, sent, arrived))

    def _take_replies(self) -> None:
        now, sent, arrived = self._replies.popleft()
        for position in arrived:
            self.watch.reply(sent, position, Outcome.OK, now_s=now, latency_s=self._rtt_s)
        self._note()

    def _leap(self, until_s: float) -> None:
        """Pass over regular rounds that lose nothing anyway."""
        interval, send_s = self.watch.rules.interval_s, self.watch.send_s
        probes = len(self._positions)
        quiet = self._line.quiet(send_s, interval, probes)
        times = int(min(quiet, (until_s - self._rtt_s - send_s) / interval)) - 1
        if times > 0:
            self.watch.skip(times, self._rtt_s)
            self._line.leapt(times * probes)


def summarise(
    settings: Settings,
    line: Line,
    *,
    hours: float,
    chance: Uniform,
    rtt_s: float = 0.001,
    cuts: int = 200,
    probes: int = 1,
    watches: Sequence[str] = (),
) -> Summary:
    """Let a path run on a line for hours, then cut it again and again at random phases.

    What is learned of the line in the hours counts at each cut.

    :param chance: where the moments of the cuts come from.
    :param rtt_s: round-trip time of every reply, in seconds.
    :param cuts: how many times the line is cut.
    :param probes: how many probes the path has, all over this line.
    :param watches: what each of them watches, instead of their number.
    :raises ValueError: if the path requires more of a kind to be OK than there are.
    """
    watches = watches or ("line",) * probes
    course = Course(settings, line, rtt_s, watches=watches)
    end = hours * 3600
    course.run(end)
    switches, down_s = course.switches, course.down_s
    if course.fell_s is not None:
        down_s += end - course.fell_s
    tried, before = Cuts(), course
    for _ in range(cuts):
        cut = end + WARM_S + chance.random() * max(2.0, 4 * settings.rules.interval_s)
        course = Course(settings, line, rtt_s, end, watches=watches, record=before.learned)
        found, end = _cut(course, cut)
        tried.take(found, cut, end)
    share = down_s / (hours * 3600) if hours else 0.0
    return Summary(hours, switches, share, **vars(tried))


def _cut(course: Course, cut_s: float) -> tuple[float | None, float]:
    """Cut once; gives the detection time and the moment until which the line was used.

    A path that was down already when the cut came has nothing to detect.
    """
    course.run(cut_s, cut_s)
    if course.watch.state.level is Level.DOWN:
        return None, cut_s
    until = cut_s
    while course.fell_s is None and until < cut_s + GIVE_UP_S:
        until += 0.5
        course.run(until, cut_s)
    return (None if course.fell_s is None else course.fell_s - cut_s), until
