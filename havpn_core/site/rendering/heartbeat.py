"""Pure: Linux-HA heartbeat's files, for a site whose VIPs it moves."""

from collections.abc import Iterator

from havpn_core.site.model.model import Gateway, Interface, Model, Site
from havpn_core.site.model.options import Mode
from havpn_core.site.rendering.sheet import PRIVATE, Sheet, secret, together

FOLDER = "/etc/ha.d"
PORT = 694
EARLY, LATE = 3, 30
"""Seconds a node that boots alone waits for its partner: a cable carries at once, a port of a
switch only when that has looked for loops."""


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give ``ha.cf``, ``haresources`` and ``authkeys``."""
    site = model.site_of(gateway)
    if site.mode is not Mode.HEARTBEAT:
        return
    yield _config(site, gateway)
    resources = {"preferred": next(iter(site.gateways)), "vips": list(_resources(site))}
    yield Sheet(f"{FOLDER}/haresources", "haresources.j2", resources)
    facts = {"secret": secret(f"heartbeat-{site.name}")}
    yield Sheet(f"{FOLDER}/authkeys", "authkeys.j2", facts, PRIVATE)


def _config(site: Site, gateway: str) -> Sheet:
    own, partner = site.gateways[gateway], site.partner_of(gateway)
    cable = own.serial if own.serial and partner.serial else ""
    facts = {
        "serial": cable,
        "initdead": EARLY if cable else LATE,
        "ucast": list(_unicast(own, partner)),
        "failback": "on" if site.options.preempt == "auto" else "off",
        "nodes": list(site.gateways),
    }
    return Sheet(f"{FOLDER}/ha.cf", "ha.cf.j2", facts)


def _unicast(own: Gateway, partner: Gateway) -> Iterator[str]:
    for _, peer in together(own.lan, partner.lan):
        yield f"{'ucast' if peer.version == 4 else 'ucast6'} {own.lan_device} {peer}"
        return


def _resources(site: Site) -> Iterator[str]:
    devices = {each.lan_device for each in site.gateways.values()}
    # The file is the same on both nodes; without a device the route of the network says it.
    device = f"/{devices.pop()}" if len(devices) == 1 else ""
    for vip in site.vips:
        # Heartbeat's own script for IPaddr2 asks it for what it can do with IPv4 alone.
        agent = "IPaddr2" if vip.version == 4 else "IPv6addr"
        yield f"{agent}::{_whole(vip)}{device}"


def _whole(vip: Interface) -> str:
    """Write out an IPv6 address, for heartbeat takes ``::`` for the end of a parameter."""
    return vip.with_prefixlen if vip.version == 4 else vip.exploded
