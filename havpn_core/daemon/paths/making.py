"""Make the rules of a path out of its configuration and what is remembered of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from havpn_core.config.instances import PathConfig
from havpn_core.config.kinds import arrival_s
from havpn_core.daemon.state.memory import Memory
from havpn_core.rules import cadence
from havpn_core.rules.calm import Calm
from havpn_core.rules.damping import resume
from havpn_core.rules.effects.plan import Plan
from havpn_core.rules.hysteresis import Level, PathRules
from havpn_core.rules.role import starting_level
from havpn_core.rules.target.record import Record
from havpn_core.rules.watch import Watch
from havpn_core.stream import arrivals
from havpn_core.stream.reported import ReportedWatch, reported


class Watched(Protocol):
    """A path at work."""

    watch: Watch


@dataclass(frozen=True, slots=True)
class Past:
    """What a path begins with.

    :param assumed: whether its level is an assumption.
    :param figure: the flap penalty.
    :param record: the line's past.
    :param phase: share of the interval before the first probe.
    """

    assumed: bool
    figure: float
    record: Record | None
    phase: float


class Mood(NamedTuple):
    """How a line is, beside its verdict.

    :param poor: it is poor by its window.
    :param grey: it is grey by its charts.
    """

    poor: bool = False
    grey: bool = False


def records_of(paths: Mapping[str, Watched]) -> dict[str, dict[str, Any]]:
    """Give the past of each path that keeps a target, as it is remembered."""
    calms = {name: run.watch.calm for name, run in paths.items()}
    return {n: calm.record.to_builtins() for n, calm in calms.items() if isinstance(calm, Calm)}


def remember_paths(memory: Memory, paths: Mapping[str, Watched], now_s: float) -> None:
    """Put what the next run must know of the paths into the memory."""
    # What is only assumed is not remembered: the next start knows no more than this one.
    levels = {n: run.watch.state.level for n, run in paths.items() if not run.watch.assumed}
    memory.paths = levels or memory.paths
    penalties = {name: run.watch.memory.penalty(now_s) for name, run in paths.items()}
    memory.flaps = {name: round(p, 3) for name, p in penalties.items() if p > 0.01}
    memory.records = records_of(paths)


def level_at_start(path: str, memory: Memory, plan: Plan) -> Level:
    """Choose the level at which a path starts, so that a restart changes nothing.

    :param plan: what the actions show.
    """
    memories = memory.actions
    known = [memories[a.name] for a in plan.owners if a.name in memories] or [*memories.values()]
    expected = {m.done for m in known}
    return starting_level(
        memory.paths.get(path),
        expected.pop() if len(expected) == 1 else None,
        plan.observed,
        busy=any(m.running for m in known),
    )


def record_of(old: Watched | None, remembered: Mapping[str, Any] | None) -> Record | None:
    """Give the past of a line to a path that begins.

    :param old: the path whose place it takes, which knows best.
    :param remembered: what an earlier run left of it.
    """
    if old is not None and isinstance(old.watch.calm, Calm):
        return old.watch.calm.record
    return None if remembered is None else Record.from_builtins(remembered)


def watch_of(
    config: PathConfig,
    probes: Sequence[str],
    level: Level,
    now_s: float,
    past: Past,
    *,
    reporting: Sequence[int] = (),
) -> Watch:
    """Make the rules of a path, with what is remembered of its flaps and of its line.

    :param reporting: positions of the probes that report by themselves.
    """
    options, settings = config.options, config.options.settings
    if reporting and (pace_s := arrival_s(config)) is not None:
        settings = reported(settings, pace_s)
    damping, flaps = settings.damping, None
    if damping is not None and past.figure:
        flaps = resume(damping, past.figure, now_s)
    make = partial(ReportedWatch, reporting=reporting) if reporting else Watch
    return make(
        settings,
        len(probes),
        level,
        now_s,
        known=options.initial == "up" and level is Level.UP,
        assumed=past.assumed,
        flaps=flaps,
        record=past.record,
        offset_s=past.phase * float(options.interval),
        watches=[config.watches.get(name, "line") for name in probes],
    )


def promised_s(config: PathConfig, rules: PathRules, serial: int) -> float:
    """Give the longest time in seconds from a silent cut to ``down``.

    :param rules: those in force.
    :param serial: how many of the probes run in a thread.
    """
    if (pace_s := arrival_s(config)) is not None:
        return arrivals.detection_s(rules.fall, pace_s)
    overlapping = len(config.probes) - serial
    timeout_s = float(config.options.timeout)
    return cadence.detection_s(rules, timeout_s, serial=serial, overlapping=overlapping)
