"""Pure: what the two gateways of a site agree on: priorities, devices, the cable between them."""

import re
from collections.abc import Iterator

from havpn_core.site.model.model import Gateway, Model, Site
from havpn_core.site.model.options import Auth, Mode
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.places import gateway_key

LEAST, MOST = 1, 254
DEVICE_BYTES = 15
"""IFNAMSIZ of include/uapi/linux/if.h less the byte that ends the name."""
_NO_DEVICE = re.compile(r"[\s/:\0]")
TAKEN = frozenset({"lo", "all", "default", ".", ".."})
"""The loopback device, and what sysctl has for all devices."""
_SERIAL = re.compile(r"/dev/[\w./:@+-]+\Z")
_FILE = re.compile(r"[\w./@+-]+\Z")


def problems(model: Model) -> Iterator[Problem]:
    """Give what is wrong."""
    for site in model.sites.values():
        yield from _priorities(model, site)
        yield from _serial(model, site)
        for gateway in site.gateways.values():
            yield from _devices(model, site, gateway)
    yield from _certificates(model)


def seldom_meant(model: Model) -> Iterator[Problem]:
    """Give what is possible, but seldom meant."""
    for site in model.sites.values():
        if site.mode is Mode.PACEMAKER and any(g.serial for g in site.gateways.values()):
            yield Problem(
                f"site.{site.name}.serial",
                "Pacemaker has no use for a serial cable",
                "leave it out",
            )
        if site.mode is not Mode.PAIR and site.options.preempt == "delay":
            yield Problem(
                f"site.{site.name}.preempt",
                f"only a pair can wait; with {site.mode.value} the preferred gateway never takes "
                "the role back by itself",
                'write "auto" or "manual"',
            )
    if model.options.tunnel.auth is Auth.PSK:
        for gateway in model.gateways.values():
            if gateway.certificate:
                yield Problem(
                    gateway_key(model, gateway.name, "certificate"),
                    'is given, and tunnel.auth is "psk"',
                    'write auth = "certificate" in [tunnel], or leave it out',
                )


def _priorities(model: Model, site: Site) -> Iterator[Problem]:
    for gateway in site.gateways.values():
        if not LEAST <= gateway.priority <= MOST:
            yield Problem(
                gateway_key(model, gateway.name, "priority"),
                f"{gateway.priority} is no priority",
                f"write {LEAST} to {MOST}",
            )
    if len(site.gateways) != 2:
        return
    first, second = site.gateways.values()
    key = gateway_key(model, second.name, "priority")
    if first.priority == second.priority:
        yield Problem(
            key,
            f"{first.name} and {second.name} have the same priority, {first.priority}",
            f"give {first.name}, the preferred one, a higher one",
        )
    elif first.priority < second.priority:
        yield Problem(
            key,
            f"{second.name} has priority {second.priority}, more than {first.priority} of "
            f"{first.name}, which is named first and so preferred",
            f"name {second.name} first, or give {first.name} the higher priority",
        )


def _serial(model: Model, site: Site) -> Iterator[Problem]:
    having = [g for g in site.gateways.values() if g.serial]
    lacking = [g for g in site.gateways.values() if not g.serial]
    if having and lacking:
        yield Problem(
            gateway_key(model, lacking[0].name, "serial"),
            f"{lacking[0].name} has no serial device, and {having[0].name} has "
            f"{having[0].serial}: a cable has two ends",
            f"write its device, or leave that of {having[0].name} out",
        )
    for gateway in having:
        if not _SERIAL.match(gateway.serial):
            yield Problem(
                gateway_key(model, gateway.name, "serial"),
                f"{gateway.serial!r} is no serial device",
                "write it as /dev/ttyS0",
            )


def _devices(model: Model, site: Site, gateway: Gateway) -> Iterator[Problem]:
    devices = {"lan_device": gateway.lan_device, "wan_device": gateway.wan_device}
    own = site.options.gateways.get(gateway.name)
    for option, device in devices.items():
        key = f"site.{site.name}.{option}"
        if getattr(own, option, ""):
            key = gateway_key(model, gateway.name, option)
        if len(device.encode()) > DEVICE_BYTES:
            yield Problem(
                key,
                f"{device} has {len(device.encode())} characters, and a device has at most "
                f"{DEVICE_BYTES}",
                "write the name as ip link shows it",
            )
        elif not device or device in TAKEN or _NO_DEVICE.search(device) or not device.isprintable():
            yield Problem(
                key, f"{device!r} is no name of a device", "write the name as ip link shows it"
            )
    if gateway.lan_device == gateway.wan_device:
        yield Problem(
            gateway_key(model, gateway.name, "wan_device"),
            f"{gateway.lan_device} is both lan_device and wan_device of {gateway.name}",
            "write the device towards the provider as wan_device",
        )


def _certificates(model: Model) -> Iterator[Problem]:
    tunnel = model.options.tunnel
    wanted = tunnel.auth is Auth.CERTIFICATE
    if wanted and not tunnel.authority:
        yield Problem(
            "tunnel.authority",
            'is missing, and auth is "certificate"',
            "name the authority's certificate, as swanctl/x509ca has it",
        )
    if tunnel.authority and not _FILE.match(tunnel.authority):
        yield Problem(
            "tunnel.authority", f"{tunnel.authority!r} is no name of a file", "write it as ca.pem"
        )
    seen: dict[str, str] = {tunnel.authority: "their authority"} if tunnel.authority else {}
    for gateway in model.gateways.values():
        key, name = gateway_key(model, gateway.name, "certificate"), gateway.certificate
        if wanted and not name:
            yield Problem(
                key,
                f'{gateway.name} has no certificate, and tunnel.auth is "certificate"',
                f'write certificate = "{gateway.name}.pem", as swanctl/x509 has it',
            )
        if not name:
            continue
        if not _FILE.match(name):
            yield Problem(key, f"{name!r} is no name of a file", f"write it as {gateway.name}.pem")
        if name in seen:
            yield Problem(
                key,
                f"{name} is the certificate of {seen[name]}, too",
                "give each gateway a certificate of its own",
            )
        seen.setdefault(name, gateway.name)
        stem = name.rpartition("/")[2].rpartition(".")[0]
        if stem != gateway.name and stem in model.gateways:
            yield Problem(
                key,
                f"{name} is called like the certificate of {stem}",
                f"write the one of {gateway.name}",
            )
