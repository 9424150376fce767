"""Put what the daemon knows into the object that ``havpn status --json`` shows."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from havpn_core.daemon import status
from havpn_core.daemon.acting import Acting
from havpn_core.daemon.events import Subscriber
from havpn_core.daemon.path import PathRun
from havpn_core.daemon.timing import Timing
from havpn_core.version import __version__


def gateway_facts(
    *,
    node: str,
    state: str,
    acting: Acting,
    role_since: float,
    forced: str | None,
    paths: Mapping[str, PathRun],
    subscribers: Iterable[Subscriber],
    responded: Mapping[str, int] | None,
    pair: Mapping[str, Any] | None,
    timing: Timing,
    now_s: float,
) -> dict[str, Any]:
    """Give the whole object.

    :param role_since: wall clock of the last change of the wanted role, seconds since 1970.
    :param pair: the pair's part, where there is one.
    :param timing: the loop's own lateness.
    :param now_s: the monotonic clock.
    :param responded: the echo responder's counts, where there is one.
    """
    plan = acting.plan
    return {
        "node": node,
        "version": __version__,
        "pid": os.getpid(),
        "written_at": status.rfc3339(datetime.now(UTC)),
        "age_s": 0.0,
        "state": state,
        "role": {
            "wanted": plan.wanted.value if plan.wanted else None,
            "observed": plan.observed.value if plan.observed else None,
            "since": _moment(role_since),
            "forced": forced,
        },
        "paths": {name: path_facts(run, now_s) for name, run in paths.items()},
        "timing": {
            "ticks": timing.ticks,
            "late_ms": timing.facts(),
            "void": sum(run.watch.void_rounds for run in paths.values()),
        },
        "actions": acting.facts(),
        "notifiers": {s.name.removeprefix("notifier."): s.facts() for s in subscribers},
        "respond": dict(responded) if responded is not None else None,
        "pair": dict(pair) if pair is not None else None,
    }


def path_facts(run: PathRun, now_s: float) -> dict[str, Any]:
    """Give one path's part."""
    watch, window = run.watch, run.watch.window
    found: dict[str, Any] = {
        "verdict": run.verdict.value,
        "since": _moment(run.since),
        "streak": run.state.streak,
        "late": watch.void_rounds,
        "flickers": run.flickers,
    }
    if window is not None:
        found["quality"] = {
            "verdict": "poor" if window.poor else "good",
            "loss": None if window.loss is None else round(window.loss, 4),
            "latency_ms": _ms(window.latency_s),
            "samples": window.asked,
        }
    if watch.settings.damping is not None:
        hold = max(0.0, watch.flaps.held_until_s - now_s)
        found["flaps"] = {"penalty": round(watch.penalty(now_s), 3), "hold_s": round(hold, 1)}
    found["probes"] = {
        name: caller.facts() | tally.facts() | {"overdue_ms": _ms(trip.overdue_s)}
        for (name, tally), trip, caller in zip(
            run.tallies.items(), watch.trips, run.probes.values(), strict=True
        )
    }
    return found


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _moment(seconds: float) -> str:
    return status.rfc3339(datetime.fromtimestamp(seconds, UTC))
