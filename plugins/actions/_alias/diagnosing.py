"""What of the host keeps shared addresses from being held, for ``havpn doctor``."""

from collections.abc import Sequence
from ipaddress import IPv4Interface
from pathlib import Path

from havpn_core import Diagnosis

from . import netlink
from .addresses import words
from .netlink import Interface
from .options import AliasArpOptions

_IPV6_OFF = "/proc/sys/net/ipv6/conf/{}/disable_ipv6"


def diagnosed(options: AliasArpOptions) -> list[Diagnosis]:
    """Look at the device; that it is missing, the core says."""
    try:
        there = netlink.link(options.device)
        if there is None:
            return []
        present = [each.interface for each in netlink.addresses(there.index)]
    except OSError as problem:
        return [Diagnosis.failed(f"{options.device}: {words(problem)}", "run as root")]
    if there.mac is None:
        text = (
            f"{options.device} has neither ARP nor NDP: no announcement of the address is possible"
        )
        return [Diagnosis.failed(text, "name an Ethernet device, a bridge, a VLAN or a bond")]
    found = without_own(options.device, options.interfaces, present)
    if any(each.version == 6 for each in options.interfaces) and _ipv6_is_off(options.device):
        text = f"IPv6 is switched off on {options.device}"
        remedy = f"run sysctl -w net.ipv6.conf.{options.device}.disable_ipv6=0"
        found.append(Diagnosis.failed(text, remedy))
    return found or [
        Diagnosis.good(
            f"{options.device} can hold {len(options.interfaces)} address"
            + ("es" if len(options.interfaces) > 1 else "")
        )
    ]


def without_own(
    device: str, shared: Sequence[Interface], present: Sequence[Interface]
) -> list[Diagnosis]:
    """Say in which networks this gateway has nothing but the shared address.

    :param present: what the device has now.
    """
    own = [each for each in present if each.ip not in {one.ip for one in shared}]
    found = []
    for each in shared:
        if each.network.num_addresses == 1:
            continue  # a host route says nothing of the network
        if not any(one.version == each.version and one.ip in each.network for one in own):
            text = f"this gateway has no address of its own in {each.network} on {device}"
            free = "10.1.255.252" if isinstance(each, IPv4Interface) else "2001:db8::2"
            remedy = (
                f"give it a static one, as ip address add {free}/{each.network.prefixlen} dev "
                f"{device}, and write it into the host's network configuration"
            )
            found.append(Diagnosis.failed(text, remedy))
    return found


def _ipv6_is_off(device: str) -> bool:
    try:
        return Path(_IPV6_OFF.format(device)).read_text().strip() == "1"
    except OSError:
        return True
