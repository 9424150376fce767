"""What of the LAN is watched: by ``[lan]``, and without it by the actions that own addresses."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface

from havpn_core.config.instances import Config, Instance
from havpn_core.config.options import LanOptions

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class LanPlan:
    """What to watch.

    :param devices: those that need a carrier; witnesses are on the first one.
    :param families: those that must be forwarded, ``IPv4`` and ``IPv6``.
    :param address: this gateway's own address; ``None``: not watched.
    :param shared: the addresses that the gateways share.
    :param witnesses: those that are listed.
    :param auto: witnesses are found.
    :param require: how many of the listed ones must reply.
    """

    devices: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    address: Address | None = None
    shared: tuple[Address, ...] = ()
    witnesses: tuple[Address, ...] = ()
    auto: bool = False
    require: int = 1

    @property
    def probes(self) -> bool:
        """Whether hosts are probed."""
        return self.auto or bool(self.witnesses)


def plan_of(config: Config) -> LanPlan:
    """Say what of the LAN is watched; without ``[lan]`` carriers and forwarding alone."""
    owning = [each for each in config.actions if getattr(each.type, "owns", False)]
    shared = tuple(address for action in owning for address in _addresses(action))
    devices = tuple(dict.fromkeys(filter(None, map(_device, owning))))
    lan = config.lan
    if lan is None:
        return LanPlan(devices if shared else (), _families(shared), shared=shared)
    listed = () if lan.witnesses == "auto" else tuple(dict.fromkeys(map(ip_address, lan.witnesses)))
    own = _own(lan)
    known = shared or (() if own is None else (own,)) or listed
    return LanPlan(
        devices=(lan.device,) if lan.device else devices,
        families=(_families(known) or ("IPv4",)) if lan.forwarding else (),
        address=own,
        shared=shared,
        witnesses=listed,
        auto=lan.witnesses == "auto",
        require=lan.require,
    )


def lan_problems(config: Config) -> Iterator[str]:
    """Say what of ``[lan]`` is impossible."""
    lan, plan = config.lan, plan_of(config)
    if lan is None:
        return
    if not plan.devices and (plan.probes or plan.address):
        yield 'lan.device: no action says which device the LAN is on: write as device = "lan"'
    for address in plan.witnesses:
        if address in plan.shared:
            yield f"lan.witnesses: {address} is shared by the gateways: name hosts on the LAN"
        if address == plan.address:
            yield f"lan.witnesses: {address} is this gateway's own: name hosts on the LAN"
    if plan.address is not None and plan.address in plan.shared:
        yield f"lan.address: {plan.address} is shared by the gateways: write this gateway's own"


def _own(lan: LanOptions) -> Address | None:
    return None if lan.address is None else ip_interface(lan.address).ip


def _families(addresses: Sequence[Address]) -> tuple[str, ...]:
    return tuple(sorted({f"IPv{address.version}" for address in addresses}))


def _device(action: Instance) -> str | None:
    found = getattr(action.options, "device", None)
    return found if isinstance(found, str) else None


def _addresses(action: Instance) -> Iterator[Address]:
    found = getattr(action.options, "addresses", None)
    for text in found if isinstance(found, list | tuple) else ():
        with contextlib.suppress(ValueError):
            yield ip_interface(text).ip
