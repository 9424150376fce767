"""What actions find out by themselves, and what the daemon's report of them is."""

import asyncio

from havpn_core.config.instances import Instance
from havpn_core.doctor.case import TRIAL_S, Case
from havpn_core.doctor.finding import Finding
from havpn_core.errors import HavpnError
from havpn_core.plugging.diagnosis import Diagnosing
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.diagnosing import diagnose

DIAGNOSE_S = 3 * TRIAL_S
"""How long an instance may take to diagnose itself: some run several commands."""
GRACE_S = 0.5


async def look(case: Case) -> list[Finding]:
    """Have each action and notifier diagnose itself; none is applied and none sends anything."""
    every = [
        each
        for each in (*case.config.actions, *case.config.notifiers)
        if each.name not in case.lacking
    ]
    found = await asyncio.gather(*(_one(case, each) for each in every))
    return [finding for findings in found for finding in findings]


async def _one(case: Case, instance: Instance) -> list[Finding]:
    try:
        caller = case.build(instance)
    except HavpnError as problem:
        return [Finding.failed(instance.name, f"cannot be built: {problem}", "correct its table")]
    try:
        found = await diagnosed(case, instance, caller)
    finally:
        await caller.close()
    reported = case.status.actions.get(instance.id) if case.status else None
    if instance.kind == "action" and reported is not None and reported.error:
        remedy = "see havpn events; the daemon tries it again"
        found.append(Finding.failed(instance.name, f"the daemon reports: {reported.error}", remedy))
    if found or caller.able(Diagnosing):
        return found
    return [Finding.good(instance.name, "nothing that it needs is missing")]


async def diagnosed(case: Case, instance: Instance, caller: Caller) -> list[Finding]:
    """Have an instance diagnose itself, if it is able to."""
    if not caller.able(Diagnosing):
        return []
    found = await diagnose(
        caller, DIAGNOSE_S, running=case.running, deadline_s=DIAGNOSE_S + GRACE_S
    )
    return [Finding(instance.name, each) for each in found]
