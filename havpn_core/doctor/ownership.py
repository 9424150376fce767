"""Pure: whose a shared address should be, and whether it is."""

from collections.abc import Collection
from dataclasses import dataclass

from havpn_core.doctor.finding import Finding

REMOVE = "see havpn status on both gateways, and remove it where it should not be (havpn release)"


@dataclass(frozen=True)
class Sight:
    """What was seen of a shared address.

    :param here: this gateway has it.
    :param macs: link-layer addresses of the others that reply for it.
    :param partner: those of the partner; empty while they are not known.
    """

    here: bool
    macs: Collection[str] = ()
    partner: Collection[str] = ()


def judged(address: str, sight: Sight, role: str | None, *, running: bool) -> Finding:
    """Say whether that is as it should be.

    :param role: the role that the daemon sees in force; ``None`` if that is not known.
    :param running: a daemon is at work here.
    """
    who = ", ".join(sorted(sight.macs))
    if sight.here:
        return _here(address, who, role, running=running)
    if len(sight.macs) > 1:
        return Finding.failed(address, f"several hosts reply for it: {who}", REMOVE)
    if sight.macs:
        return _elsewhere(address, who, sight, role)
    if not running:
        return Finding.good(address, "nobody on the LAN has it, and no daemon runs here")
    text = "nobody on the LAN has it"
    return Finding.failed(address, text, "havpn status on both gateways says why neither takes it")


def _here(address: str, who: str, role: str | None, *, running: bool) -> Finding:
    if who:
        text = f"it is on this gateway, and {who} replies for it, too"
        return Finding.failed(address, text, REMOVE)
    if not running:
        text = "it is on this gateway although no daemon runs"
        return Finding.warning(address, text, "start havpn, or give it up with havpn release")
    if role == "standby":
        text = "it is on this gateway although the role is standby"
        return Finding.failed(address, text, "see the action in havpn status and havpn events")
    return Finding.good(address, "is on this gateway, and nobody else replies for it")


def _elsewhere(address: str, who: str, sight: Sight, role: str | None) -> Finding:
    if role == "active":
        text = f"{who} has it although the role here is active"
        return Finding.failed(address, text, REMOVE)
    if who in sight.partner:
        return Finding.good(address, f"the partner has it ({who})")
    text = f"{who} has it"
    if sight.partner:
        remedy = "find that host, which is not the partner, and give it another address"
        return Finding.failed(address, f"{text}, and that is not the partner", remedy)
    return Finding.warning(address, text, "if that is not the other gateway, find that host")
