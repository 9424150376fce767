"""Run all checks side by side, each with a deadline, and give their findings in order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from havpn_core.doctor import (
    actions,
    clock,
    daemon,
    devices,
    lan,
    links,
    names,
    needs,
    probes,
    responder,
)
from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.plugging.wording import describe

DEADLINE_S = 15.0
"""How long one check may take, whatever happens to it."""

Check = Callable[[Case], Awaitable[list[Finding]]]

CHECKS: Mapping[str, Check] = {
    "daemon": daemon.look,
    "needs": needs.look,
    "clock": clock.look,
    "devices": devices.look,
    "names": names.look,
    "lan": lan.look,
    "responder": responder.look,
    "metrics": responder.look_at_metrics,
    "probes": probes.look,
    "links": links.look,
    "actions": actions.look,
}
"""All checks, in the order in which they are shown."""
FIRST = ("daemon", "needs")
"""What the others rest on: an instance that misses something is not tried, too."""


async def run(
    case: Case, checks: Mapping[str, Check] = CHECKS, deadline_s: float = DEADLINE_S
) -> list[Finding]:
    """Run the checks.

    :param deadline_s: seconds after which a check that has not ended is a finding itself.
    """
    found: dict[str, list[Finding]] = {}
    for first in (True, False):
        names = [name for name in checks if (name in FIRST) is first]
        ended = await asyncio.gather(
            *(_within(name, checks[name], case, deadline_s) for name in names)
        )
        found |= dict(zip(names, ended, strict=True))
    return [finding for name in checks for finding in found[name]]


async def _within(name: str, check: Check, case: Case, deadline_s: float) -> list[Finding]:
    task = asyncio.ensure_future(check(case))
    try:
        await asyncio.wait((task,), timeout=deadline_s)
        if not task.done():
            found = [_unknown(name, f"no result within {deadline_s:g} s")]
        elif (problem := task.exception()) is not None:
            found = [_unknown(name, describe(problem))]
        else:
            found = task.result()
    finally:
        task.cancel()
    return [replace(each, check=name) for each in found]


def _unknown(name: str, why: str) -> Finding:
    return Finding.failed(name, f"this check did not end: {why}", "run havpn doctor again")
