"""Whether the devices and addresses that the configuration names are on this host."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import psutil

from havpn_core.config.instances import Config, Instance
from havpn_core.config.lan import plan_of
from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.echo.gate import parse_endpoint
from havpn_core.host.lan.kernel import FAMILIES, forwarding, has_carrier
from havpn_core.serve import options as serving

SWITCH = {"IPv4": "net.ipv4.ip_forward", "IPv6": "net.ipv6.conf.all.forwarding"}
"""What turns forwarding of a family on."""


@dataclass(frozen=True)
class Named:
    """What the configuration names, each with the keys that name it.

    :param devices: network devices.
    :param addresses: this gateway's own, without a scope.
    """

    devices: dict[str, list[str]]
    addresses: dict[str, list[str]]


def named(config: Config) -> Named:
    """Collect what a configuration names of this host."""
    found = Named({}, {})
    for key, device in _devices(config):
        found.devices.setdefault(device, []).append(key)
    for key, address in _addresses(config):
        found.addresses.setdefault(address.partition("%")[0], []).append(key)
    return found


def absent(config: Config) -> list[tuple[str, str]]:
    """Say what is not there now; it may come later.

    :returns: each key with what is wrong with what it names.
    """
    there, addresses = _present()
    wanted = named(config)
    found = []
    for device, keys in wanted.devices.items():
        if device not in there:
            found += [(key, f"there is no interface {device} now") for key in keys]
    for address, keys in wanted.addresses.items():
        if address not in addresses:
            found += [(key, f"no interface has the address {address} now") for key in keys]
    return found


def not_forwarding(config: Config) -> list[str]:
    """Say which families are not forwarded now, for ``havpn check``."""
    return [
        f"{SWITCH[family]} is off: this gateway forwards no {family} packets now"
        for family in plan_of(config).families
        if family in FAMILIES and forwarding(family) is False
    ]


async def look(case: Case) -> list[Finding]:
    """Look for each device and address, and at the carriers."""
    there, addresses = _present()
    wanted, found = named(case.config), []
    for device, keys in wanted.devices.items():
        found.append(_device(device, keys[0], present=device in there))
    for address, keys in wanted.addresses.items():
        if address in addresses:
            found.append(Finding.good(address, f"is on {addresses[address]}"))
        else:
            remedy = f"add it (ip address add {address}/PREFIX dev DEVICE), or correct {keys[0]}"
            found.append(Finding.failed(address, "no interface has this address", remedy))
    return found


def _device(device: str, key: str, *, present: bool) -> Finding:
    if not present:
        remedy = f"create it, or correct {key} (ip -br link lists what is there)"
        return Finding.failed(device, "there is no such interface", remedy)
    if not has_carrier(device):
        remedy = f"run ip link set {device} up, and look at its cable and switch port"
        return Finding.failed(device, "it is down or has no carrier", remedy)
    return Finding.good(device, "is there and has a carrier")


def _present() -> tuple[set[str], dict[str, str]]:
    """Give the interfaces of this host, and its addresses with the interface of each."""
    interfaces = psutil.net_if_addrs()
    addresses = {
        each.address.partition("%")[0]: name for name, some in interfaces.items() for each in some
    }
    return set(psutil.net_if_stats()) | set(interfaces), addresses


def _devices(config: Config) -> Iterator[tuple[str, str]]:
    for path in config.paths:
        for device in path.options.carrier:
            yield f"path.{path.name}.carrier", device
    for instance in _instances(config):
        device = _text(instance, "device")
        if device and "/" not in device:  # a file, as of a serial line, is its type's own concern
            yield f"{instance.name}.device", device
    if config.lan is not None and config.lan.device:
        yield "lan.device", config.lan.device


def _addresses(config: Config) -> Iterator[tuple[str, str]]:
    for instance in _instances(config):
        for key in ("source", "local"):
            if address := _text(instance, key):
                yield f"{instance.name}.{key}", address
    plan = plan_of(config)
    if plan.address is not None:
        yield "lan.address", str(plan.address)
    for endpoint in config.respond.listen if config.respond else []:
        yield "respond.listen", parse_endpoint(endpoint)[0]
    for endpoint in config.metrics.listen if config.metrics else ():
        place = ip_address(serving.parse_endpoint(endpoint)[0])
        if not (place.is_loopback or place.is_unspecified):
            yield "metrics.listen", str(place)


def _instances(config: Config) -> list[Instance]:
    probes = [each for path in config.paths for each in (*path.probes, *path.road)]
    links = () if config.pair is None else config.pair.links
    return [*probes, *config.actions, *links]


def _text(instance: Instance, key: str) -> str:
    found = getattr(instance.options, key, None)
    return found if isinstance(found, str) else ""
