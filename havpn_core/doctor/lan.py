"""Whether this gateway forwards, who has the shared addresses, and whether the witnesses reply."""

import asyncio
from ipaddress import ip_address

from havpn_core.config.lan import Address, LanPlan, plan_of
from havpn_core.doctor.case import Case
from havpn_core.doctor.devices import SWITCH
from havpn_core.doctor.finding import Finding
from havpn_core.doctor.ownership import Sight, judged
from havpn_core.host.lan.frames import NeighbourFrame
from havpn_core.host.lan.kernel import FAMILIES, addresses, forwarding, has_carrier
from havpn_core.host.lan.neighbours import Neighbours
from havpn_core.plugging.wording import describe

ROUNDS, ROUND_S = 3, 0.3
"""RFC 5227 sends three probes; a host on a LAN replies within milliseconds."""


async def look(case: Case) -> list[Finding]:
    """See the switch of each family, then probe the LAN by ARP and NDP."""
    plan = plan_of(case.config)
    found = _forwarding(case, plan)
    # Of a device that is not there, or is down, the check of devices says so.
    if plan.devices and (plan.shared or plan.witnesses) and has_carrier(plan.devices[0]):
        found += await _probed(case, plan)
    return found


def _forwarding(case: Case, plan: LanPlan) -> list[Finding]:
    """Look at the families of the shared addresses; where none is known, only warn of IPv4."""
    families = plan.families
    unknown = not families and case.config.lan is None and bool(case.config.actions)
    found = []
    for family in (*families, *(("IPv4",) if unknown else ())):
        on, subject = forwarding(family) if family in FAMILIES else None, SWITCH[family]
        if on is not False:
            found.append(Finding.good(subject, "is on" if on else "the kernel does not say"))
            continue
        text = f"is 0: this gateway drops what the clients send through it by {family}"
        remedy = f"run sysctl -w {subject}=1, and write it into /etc/sysctl.d/"
        found.append((Finding.warning if unknown else Finding.failed)(subject, text, remedy))
    return found


async def _probed(case: Case, plan: LanPlan) -> list[Finding]:
    """Probe the first device, as the daemon does; the addresses of others are not looked for."""
    device, subject = plan.devices[0], f"device {plan.devices[0]}"
    partners = [each for each in _partners(case) if each.version in (4, 6)]
    targets = list(dict.fromkeys((*plan.shared, *plan.witnesses, *partners)))
    try:
        own = addresses(device)
        replies = await replies_on(device, targets)
    except PermissionError:
        text = "who has the addresses there was not probed: this process has no CAP_NET_RAW"
        return [Finding.warning(subject, text, "run havpn doctor as root")]
    except OSError as problem:
        text = f"cannot be probed: {describe(problem)}"
        return [Finding.failed(subject, text, "it must be an Ethernet device that is up")]
    known = {mac for each in partners for mac in replies[each]}
    role = case.status.role.observed if case.status else None
    found = [
        judged(
            str(address),
            Sight(address in own, replies[address], known),
            role,
            running=case.running,
        )
        for address in plan.shared
    ]
    return found + (_witnesses(plan, replies) if plan.witnesses else [])


async def replies_on(device: str, targets: list[Address]) -> dict[Address, set[str]]:
    """Probe addresses on a device, with no address of ours in the probes.

    :returns: for each, the link-layer addresses of the hosts that reply for it.
    :raises OSError: if no probe can be sent.
    """
    replies: dict[Address, set[str]] = {each: set() for each in targets}

    def heard(frame: NeighbourFrame, age_s: float) -> None:
        if frame.address in replies:  # replies, and whoever announces it
            replies[frame.address].add(frame.mac.hex(":"))

    neighbours = Neighbours(device, heard)
    neighbours.open(sorted({f"IPv{each.version}" for each in targets}))
    try:
        for _ in range(ROUNDS):
            for each in targets:
                neighbours.probe(each)
            await asyncio.sleep(ROUND_S)
    finally:
        neighbours.close()
    return replies


def _witnesses(plan: LanPlan, replies: dict[Address, set[str]]) -> list[Finding]:
    silent = [str(each) for each in plan.witnesses if not replies[each]]
    number = len(plan.witnesses) - len(silent)
    text = f"{number} of {len(plan.witnesses)} reply"
    if number >= plan.require and not silent:
        return [Finding.good("lan.witnesses", text)]
    text += f", silent: {', '.join(silent)}"
    remedy = "see whether they run and are on this LAN, or name other hosts"
    make = Finding.warning if number >= plan.require else Finding.failed
    return [make("lan.witnesses", text, remedy)]


def _partners(case: Case) -> list[Address]:
    """Give the addresses of the partner that links name; on another LAN nobody replies for them."""
    found = []
    for link in case.links:
        peer = getattr(link.options, "peer", None)
        try:
            found.append(ip_address(str(peer).partition("%")[0]))
        except ValueError:
            continue
    return found
