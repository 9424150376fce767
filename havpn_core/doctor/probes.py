"""Send a probe of each kind, and say what its result means."""

import asyncio

from havpn_core.config.instances import Instance, PathConfig
from havpn_core.config.kinds import arrivals_of
from havpn_core.config.options import Watches
from havpn_core.daemon.state.path_status import ProbeStatus
from havpn_core.doctor import devices
from havpn_core.doctor.actions import diagnosed
from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.doctor.names import host_of, resolved
from havpn_core.errors import HavpnError, NotResolved
from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.calls import Caller
from havpn_core.rules.hysteresis import Outcome

ATTEMPTS = 3
"""One lost probe says little of a line."""
GRACE_S = 0.5
LOOKS, LOOK_S = 4, 0.6
"""Of the daemon's report of a probe, which it writes once a second and at each change."""


async def look(case: Case) -> list[Finding]:
    """Try all probes side by side, but for those whose device or address is not here."""
    absent = {key for key, _ in devices.absent(case.config)}
    found = await asyncio.gather(
        *(
            _one(case, path, probe)
            for path in case.config.paths
            for probe in (*path.probes, *path.road)
            if not {f"{probe.name}.device", f"{probe.name}.source"} & absent  # it says so itself
        )
    )
    return [finding for findings in found for finding in findings]


async def _one(case: Case, path: PathConfig, probe: Instance) -> list[Finding]:
    if probe.name in case.lacking or isinstance(await resolved(case, probe), NotResolved):
        return []  # another check says so
    if case.running and arrivals_of(probe) is not None:
        return await _reported(case, path, probe)
    warnings: list[str] = []
    try:
        caller = case.build(probe, warn=warnings.append)
    except HavpnError as problem:
        return [Finding.failed(probe.name, f"cannot be built: {problem}", "correct its table")]
    try:
        found = await diagnosed(case, probe, caller)
        return found or [await _tried(caller, probe, float(path.options.timeout), warnings)]
    finally:
        await caller.close()


async def _tried(caller: Caller, probe: Instance, timeout_s: float, warnings: list[str]) -> Finding:
    """Send up to three probes, until there is a reply."""
    sample = Sample.error("not sent")
    for _ in range(ATTEMPTS):
        try:
            sample = await caller.check(timeout_s, timeout_s + GRACE_S)
        except HavpnError as problem:
            sample = Sample.error(str(problem))
        if sample.outcome is Outcome.OK:
            break
    if caller.noticed() == "away":
        return away(probe)
    if warnings and sample.outcome is not Outcome.OK:
        return Finding.failed(probe.name, sample.detail, warnings[-1])
    return judged(probe, sample)


def judged(probe: Instance, sample: Sample) -> Finding:
    """Say what a sample means, and what to do."""
    host = host_of(probe)
    if sample.outcome is Outcome.OK:
        whom = f" by {host}" if host else ""
        took = f" in {sample.latency_s * 1000:.1f} ms" if sample.latency_s is not None else ""
        detail = f": {sample.detail}" if sample.detail else ""
        return Finding.good(probe.name, f"a reply{took}{whom}{detail}")
    if sample.refused:
        remedy = f"nobody listens on that port there: {_start(probe)}, or correct host and port"
        return Finding.failed(probe.name, f"{host or 'the far host'} refuses the probe", remedy)
    text = (sample.detail or "no reply") + (f" ({host})" if host else "")
    if sample.outcome is Outcome.ERROR:
        remedy = "that kept it from being sent: correct it, or run havpn doctor as root"
    elif host is None:
        remedy = "run what it tests by hand"
    else:
        remedy = f"{_way(probe)}; {_start(probe)}"
    return Finding.failed(probe.name, text, remedy)


def away(probe: Instance) -> Finding:
    """Say that the far gateway falls silent on purpose."""
    text = "the far gateway says that it is not to be used now"
    return Finding.warning(probe.name, text, "see havpn status there")


def _way(probe: Instance) -> str:
    """Say what may keep a packet from coming back."""
    if probe.watches is Watches.LINE:
        return f"let a firewall pass it both ways, and look for it with tcpdump{_on(probe)}"
    return "see whether the tunnel is up (swanctl --list-sas), and the routes behind it"


def _on(probe: Instance) -> str:
    device = getattr(probe.options, "device", None)
    return f" -ni {device}" if isinstance(device, str) else ""


def _start(probe: Instance) -> str:
    if probe.type.name == "udp-echo":
        return "start havpn there, with respond.listen on it and this gateway in respond.allow"
    return "start what replies there"


async def _reported(case: Case, path: PathConfig, probe: Instance) -> list[Finding]:
    """Give what the daemon knows of a probe whose port and session are its own.

    One late packet is no broken line: what fails is looked at again.
    """
    if case.status is None:
        return []
    found: list[Finding] = []
    for look in range(LOOKS):
        await asyncio.sleep(LOOK_S if look else 0)
        status = case.latest()
        known = status.paths.get(path.name) if status else None
        reported = known.probes.get(probe.id) if known else None
        if reported is None:
            text = "the daemon does not know it"
            return [Finding.failed(probe.name, text, "take the file over: havpn reload")]
        found = [reported_as(probe, reported)]
        if not found[0].broken:
            break
    return found


def reported_as(probe: Instance, reported: ProbeStatus) -> Finding:
    """Say what a daemon's report of a probe means."""
    detail = reported.detail or ""
    if reported.outcome in (None, "ok"):
        return Finding.good(probe.name, f"the daemon reports: {detail or reported.outcome}")
    remedy = "see that the far gateway has the same key, and that a firewall passes it both ways"
    return Finding.failed(probe.name, f"the daemon reports: {detail or reported.outcome}", remedy)
