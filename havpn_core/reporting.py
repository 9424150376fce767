"""Put what the daemon knows into the object that ``havpn status --json`` shows."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from havpn_core import __version__, status
from havpn_core.acting import Acting
from havpn_core.events import Subscriber
from havpn_core.pathrun import PathRun


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
) -> dict[str, Any]:
    """Give the whole object.

    :param role_since: wall clock of the last change of the wanted role, seconds since 1970.
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
        "paths": {name: path_facts(run) for name, run in paths.items()},
        "actions": acting.facts(),
        "notifiers": {s.name.removeprefix("notifier."): s.facts() for s in subscribers},
        "respond": dict(responded) if responded is not None else None,
    }


def path_facts(run: PathRun) -> dict[str, Any]:
    """Give one path's part."""
    return {
        "verdict": run.verdict.value,
        "since": _moment(run.since),
        "streak": run.state.streak,
        "late": run.late_rounds,
        "probes": {name: tally.facts() for name, tally in run.tallies.items()},
    }


def _moment(seconds: float) -> str:
    return status.rfc3339(datetime.fromtimestamp(seconds, UTC))
