"""Fill the status from what is at work, and write it for those who read it."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import UNSET

from havpn_core.daemon.acting import Acting
from havpn_core.daemon.paths.path import PathRun
from havpn_core.daemon.paths.probing import Tally
from havpn_core.daemon.paths.roads import Roads, road_status
from havpn_core.daemon.paths.saying import calm_status, failing
from havpn_core.daemon.paths.timing import Timing
from havpn_core.daemon.state.events import Subscriber
from havpn_core.daemon.state.force import Force
from havpn_core.daemon.state.path_status import (
    DurationsStatus,
    FlapStatus,
    KindStatus,
    PathStatus,
    ProbeStatus,
    QualityStatus,
)
from havpn_core.daemon.state.reading import typed_pair
from havpn_core.daemon.state.status import (
    SCHEMA,
    FitnessStatus,
    LatenessStatus,
    RedundancyStatus,
    RespondStatus,
    RoleStatus,
    Status,
    TimingStatus,
)
from havpn_core.durations import rfc3339
from havpn_core.pair.health.holder import holder
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.effects.plan import Plan
from havpn_core.rules.hysteresis import Outcome
from havpn_core.rules.limits import Clocks
from havpn_core.version import __version__


def gateway_status(
    *,
    node: str,
    state: str,
    acting: Acting,
    role: RoleStatus,
    paths: Mapping[str, PathRun],
    shown: bool,
    roads: Roads,
    subscribers: Iterable[Subscriber],
    responded: Mapping[str, Any] | None,
    pair: Mapping[str, Any] | None,
    fitness: FitnessStatus,
    redundancy: RedundancyStatus | None = None,
    timing: Timing,
    now_s: float,
    clocks: Clocks,
) -> Status:
    """Give the whole status.

    :param shown: whether the paths are in it, and not only in its sums.
    :param responded: the echo responder's facts, where there is one; so the pair's part.
    :param clocks: the clocks that outlive this process.
    """
    return Status(
        node=node,
        version=__version__,
        pid=os.getpid(),
        **_moment(clocks),
        state=state,
        role=role,
        paths={name: path_status(run, now_s, roads) for name, run in paths.items() if shown},
        timing=_timing(timing, paths),
        actions=acting.facts(),
        notifiers={s.name.removeprefix("notifier."): s.facts() for s in subscribers},
        respond=None if responded is None else RespondStatus(**responded),
        pair=None if pair is None else typed_pair(pair),
        fitness=fitness,
        redundancy=redundancy,
    )


def _moment(clocks: Clocks) -> dict[str, Any]:
    """Say when the status is written, by every clock."""
    return {
        "written_at": rfc3339(datetime.fromtimestamp(clocks.wall_s, UTC)),
        "written_uptime_s": round(clocks.boot_s, 3),
        "boot": clocks.boot,
    }


def completed(status: Status, seen: bool | None) -> Status:
    """Say in the status who has the shared address, and by which schema it is written.

    :param seen: whether a cluster shows another gateway that serves; ``None``: not known.
    """
    pair = status.pair
    partner = pair.partner.role if pair and pair.partner else "active" if seen else None
    in_use = pair is not None and pair.in_use is True
    status.schema = SCHEMA
    status.holder = holder(status.role.observed, partner, in_use=in_use)
    return status


def role_status(plan: Plan, since_s: float, force: Force, reason: str) -> RoleStatus:
    """Give the role's part.

    :param since_s: wall clock of the last change of the wanted role, seconds since 1970.
    :param reason: why the wanted role is wanted, in words; empty where that is not known.
    """
    left_s = force.left_s
    return RoleStatus(
        wanted=plan.wanted.value if plan.wanted else None,
        observed=plan.observed.value if plan.observed else None,
        since=_since(since_s),
        forced=force.role.value if force.role else None,
        reason=reason or None,
        forced_s=None if left_s is None else round(left_s, 3),
    )


def _timing(timing: Timing, paths: Mapping[str, PathRun]) -> TimingStatus:
    return TimingStatus(
        ticks=timing.ticks,
        late_ms=LatenessStatus(**timing.facts()),
        void=sum(run.watch.void_rounds for run in paths.values()),
    )


def path_status(run: PathRun, now_s: float, roads: Roads | None = None) -> PathStatus:
    """Give one path's part."""
    probes = zip(run.tallies.items(), run.watch.trips, run.probes.values(), strict=True)
    return PathStatus(
        verdict=run.verdict.value,
        since=_since(run.since),
        streak=run.state.streak,
        late=run.watch.void_rounds,
        flickers=run.flickers,
        detection_ms=_ms(run.detection_s),
        refused_s=_refused_s(run, now_s),
        failing=failing(run) or None,
        kinds=_kinds(run),
        quality=_quality(run) or UNSET,
        flaps=_flaps(run, now_s) or UNSET,
        calm=calm_status(run.watch.calm) or UNSET,
        road=(roads and road_status(roads, run.config.name, now_s)) or UNSET,
        probes={
            name: _probe(tally, trip.deadline_s, caller, run.config.watches.get(name, "line"))
            for (name, tally), trip, caller in probes
        },
        fall=run.watch.rules.fall,
        rise=run.watch.rules.rise,
        interval_ms=_ms(run.watch.rules.interval_s),
    )


def _kinds(run: PathRun) -> dict[str, KindStatus]:
    return {
        kind.name: KindStatus(outcome=kind.outcome.value if kind.outcome else None, failed=kind.run)
        for kind in run.watch.standing.each
    }


def _quality(run: PathRun) -> QualityStatus | None:
    window = run.watch.window
    if window is None:
        return None
    return QualityStatus(
        verdict="poor" if window.poor else "good",
        loss=None if window.loss is None else round(window.loss, 4),
        latency_ms=_ms(window.latency_s),
        samples=window.samples,
        grey=run.watch.calm.is_grey,
    )


def _refused_s(run: PathRun, now_s: float) -> float | None:
    since_s = run.watch.refusals.since_s
    return None if since_s is None else round(max(0.0, now_s - since_s), 3)


def _flaps(run: PathRun, now_s: float) -> FlapStatus | None:
    watch = run.watch
    if watch.settings.damping is None:
        return None
    hold_s = max(0.0, watch.memory.flaps.held_until_s - now_s)
    return FlapStatus(penalty=round(watch.memory.penalty(now_s), 3), hold_s=round(hold_s, 1))


def _probe(tally: Tally, late_after_s: float, caller: Caller, watches: str) -> ProbeStatus:
    last, counts, durations = tally.last, tally.counts, tally.durations.facts()
    return ProbeStatus(
        outcome=tally.outcome.value if tally.outcome else None,
        detail=last.detail if last else "",
        latency_ms=_ms(last.latency_s) if last else None,
        ok=counts[Outcome.OK],
        fail=counts[Outcome.FAIL],
        error=counts[Outcome.ERROR],
        refused=counts[Outcome.REFUSED],
        overdue_ms=_ms(late_after_s),
        mode=caller.mode,
        watches=watches,
        durations=None if durations is None else DurationsStatus(**durations),
        facts=caller.facts(),
    )


def brief(
    state: str, paths: Mapping[str, tuple[str, bool | None]], scores: Mapping[str, int | None]
) -> bytes:
    """Write the status for readers that have no JSON and no time, as a resource agent's monitor.

    Lines of a key and a value: ``state``, ``pid``, ``ticks`` (the process's birth in clock ticks
    since boot, as in ``/proc/PID/stat``), ``uptime`` (seconds since boot, when this was
    written) and for each path ``path NAME VERDICT USABLE``, the last as 1, 0 or ``-``, and
    ``score NAME NUMBER`` or ``score NAME -`` (what was said before stands), where it is ranked.

    :param paths: verdict and usability; ``None`` where nothing may be concluded.
    :param scores: of :mod:`~havpn_core.pair.lines.score`, by path.
    """
    stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
    ticks = stat.rpartition(")")[2].split()[19]
    uptime = Path("/proc/uptime").read_text(encoding="ascii").split()[0]
    words = {True: "1", False: "0", None: "-"}
    lines = [f"state {state}", f"pid {os.getpid()}", f"ticks {ticks}", f"uptime {uptime}"]
    lines += [f"path {name} {verdict} {words[ok]}" for name, (verdict, ok) in paths.items()]
    lines += [f"score {name} {'-' if each is None else each}" for name, each in scores.items()]
    return ("\n".join(lines) + "\n").encode()


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


@lru_cache(maxsize=2048)
def _since(seconds: float) -> str:
    """Write the moment of a change: the same for many a status, and dear with many paths."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
