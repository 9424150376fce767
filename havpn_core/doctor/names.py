"""Whether the names of far hosts resolve."""

import asyncio
import ipaddress
import socket

from havpn_core.config.instances import Instance
from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.errors import NotResolved
from havpn_core.site.model.model import DYNAMIC

RESOLVE_S = 5.0
STEP_S = 0.02
FAMILIES = {"ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}
"""What an option ``family`` of an instance means."""


async def look(case: Case) -> list[Finding]:
    """Resolve each name once."""
    named: dict[tuple[str, int], Instance] = {}
    for probe in case.probes:
        if (host := host_of(probe)) is not None and not _is_address(host):
            named.setdefault((host, family_of(probe)), probe)
    replies = await asyncio.gather(*(resolved(case, probe) for probe in named.values()))
    found = []
    for (host, _), probe, reply in zip(named, named.values(), replies, strict=True):
        if isinstance(reply, NotResolved):
            remedy = "write its address, or an entry in /etc/hosts; see /etc/resolv.conf"
            found.append(Finding.failed(f"{probe.name}.host", str(reply), remedy))
        else:
            found.append(Finding.good(f"{probe.name}.host", f"{host} is {reply}"))
    return found


async def resolved(
    case: Case, probe: Instance, within_s: float = RESOLVE_S
) -> str | NotResolved | None:
    """Give the address of an instance's host; ``None`` where it names none.

    :param within_s: seconds to wait for the resolver.
    """
    host = host_of(probe)
    if host is None:
        return None
    until_s = asyncio.get_running_loop().time() + within_s
    while True:
        try:
            return case.resolver.address(host, family_of(probe))
        except NotResolved as problem:
            unfinished = str(problem).endswith("not resolved yet")
            if not unfinished or asyncio.get_running_loop().time() >= until_s:
                return problem
        await asyncio.sleep(STEP_S)


def host_of(instance: Instance) -> str | None:
    """Give the host that an instance is configured for; ``None`` if it names none.

    Nor does one whose far end is dynamic, and begins.
    """
    found = getattr(instance.options, "host", None)
    return found if isinstance(found, str) and found not in ("", DYNAMIC) else None


def family_of(instance: Instance) -> int:
    """Give the address family that it is to have, of :mod:`socket`; 0: any."""
    return FAMILIES.get(str(getattr(instance.options, "family", "")), 0)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
