"""What the past of a line says, and the settings that keep one target or another."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import by_target
from havpn_core.rules.cadence import detection_s
from havpn_core.rules.target.frequency import Frequency
from havpn_core.rules.target.record import Record
from havpn_core.rules.target.rule import ONE_WAY, ROUND_TRIP, Limits, Pace, Target, derive, run_rate
from havpn_core.rules.target.words import often, past
from havpn_core.stream import arrivals
from havpn_core.stream.reported import reported
from havpn_core.study.ends import Delay
from havpn_core.study.montecarlo import Course
from havpn_core.study.streams import StreamCourse
from havpn_core.study.traces import latencies_s, parse_trace
from havpn_core.study.ways import ways_of

TARGETS = ("1/10h", "1/100h", "1/1000h", "1/10000h")
USUAL = "1/100h"
DEFAULT_RTT_S = 0.001


@dataclass(frozen=True, slots=True)
class Choice:
    """What keeps one target.

    :param target: as the configuration writes it.
    :param detection_s: the longest time from a silent cut to ``down``.
    """

    target: str
    limits: Limits
    detection_s: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What the past of a line says.

    :param choices: for one target each.
    :param written_per_s: false switches per second of a ``fall`` by hand; ``None``: there is none.
    """

    record: Record
    choices: Sequence[Choice]
    written_per_s: float | None

    @property
    def past(self) -> str:
        """The past in a few words."""
        found = f"{past(self.record)}, jitter {self.record.jitter_s * 1000:.2g} ms"
        return f"{found}; {self.record.probes:.0f} probes remembered"

    def facts(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        record, written = self.record, self.written_per_s
        return {
            "probes": round(record.probes),
            "loss": round(record.loss, 6),
            "loss_upper": round(record.loss_upper, 6),
            "spells_s": round(record.longest_s, 3),
            "jitter_ms": round(record.jitter_s * 1000, 3),
            "written_per_h": None if written is None else float(f"{written * 3600:.3g}"),
            "targets": [
                {
                    "false_switches": choice.target,
                    "fall": choice.limits.fall,
                    "silence_s": round(choice.limits.silence_s, 3),
                    "detection_s": round(choice.detection_s, 3),
                    "per_h": float(f"{choice.limits.per_s * 3600:.3g}"),
                    "kept": choice.limits.kept,
                }
                for choice in self.choices
            ],
        }

    def lines(self) -> list[str]:
        """Give it for people."""
        found = [self.past]
        if self.written_per_s is not None:
            found.append(f"the fall in force: {often(self.written_per_s)}")
        for choice in self.choices:
            limits = choice.limits
            kept = "" if limits.kept else f", not kept: {often(limits.per_s)}"
            found.append(
                f'false_switches = "{choice.target}": {limits.fall} lost in a row, '
                f"{limits.silence_s:.2g} s of silence; a cut is noticed within "
                f"{choice.detection_s:.2g} s{kept}"
            )
        return found


def learned(options: PathOptions, trace: str, pace_s: float | None = None) -> tuple[Record, float]:
    """Let a path live through a recorded line once; gives its past and the median round trip.

    :param trace: the text of a file of ``havpn record``.
    :param pace_s: seconds from one packet of a stream to the next; ``None``: the path is polled.
    :raises ValueError: if it is none, naming the line.
    """
    line, trips = parse_trace(trace), sorted(latencies_s(trace))
    rtt_s = trips[len(trips) // 2] if trips else DEFAULT_RTT_S
    usual = Frequency.parse(USUAL)
    settings = replace(by_target(options, usual).settings, target=_target(options, usual))
    if pace_s is not None:
        chance = random.Random(1)
        both = StreamCourse(
            reported(settings, pace_s), ways_of(line, chance), chance, delay=Delay(rtt_s / 2)
        )
        both.run(line.length_s)
        return both.ends[0].learned or Record(), rtt_s
    course = Course(settings, line, min(rtt_s, settings.timeout_s))
    course.run(line.length_s)
    return course.learned or Record(), rtt_s


def advise(
    options: PathOptions, record: Record, rtt_s: float, pace_s: float | None = None
) -> Advice:
    """Say what keeps which target on a line with that past.

    :param pace_s: as for :func:`learned`; a stream waits for no round trip.
    """
    aimed = by_target(options, options.false_switches or Frequency.parse(USUAL))
    rules, pace = aimed.settings.rules, _pace(aimed, rtt_s, pace_s)
    own = [str(options.false_switches)] if options.false_switches is not None else []
    choices = []
    for text in dict.fromkeys([*own, *TARGETS]):
        target = _target(options, Frequency.parse(text))
        if pace_s is not None:
            target = replace(target, least=min(target.least, ONE_WAY))
        limits = derive(target, pace, record)
        then = replace(rules, fall=limits.fall, floor_s=limits.floor_s)
        if pace_s is None:
            worst_s = detection_s(then, float(options.timeout), pace.overdue_s)
        else:
            waits_s = limits.silence_s - pace.overdue_s
            worst_s = arrivals.detection_s(math.ceil(1 + waits_s / pace_s - 1e-9), pace_s)
        choices.append(Choice(text, limits, worst_s))
    return Advice(
        record, choices, None if own else _written(options, _pace(options, rtt_s, pace_s), record)
    )


def _pace(options: PathOptions, rtt_s: float, pace_s: float | None) -> Pace:
    if pace_s is not None:
        return Pace(pace_s, pace_s, arrivals.least_margin_s(pace_s))
    settings = options.settings
    rules, timeout_s = settings.rules, settings.timeout_s
    overdue_s = min(rtt_s + settings.slack_s, timeout_s) if settings.adaptive else timeout_s
    spacing_s = min(rules.confirm_s or rules.interval_s, rules.interval_s)
    return Pace(rules.interval_s, spacing_s, overdue_s)


def _written(options: PathOptions, pace: Pace, record: Record) -> float:
    loss, waits_s = record.loss_upper, (options.fall - 1) * pace.spacing_s
    return run_rate(options.fall, loss, pace.chances(loss)) + record.tail(waits_s).rate(waits_s)


def _target(options: PathOptions, often_s: Frequency) -> Target:
    if options.target is not None:
        return replace(options.target, per_s=float(often_s))
    return Target(float(often_s), ROUND_TRIP, float(options.ceiling), float(options.floor or 0))
