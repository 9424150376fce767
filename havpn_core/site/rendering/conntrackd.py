"""Pure: conntrackd's configuration, for gateways that hand their connections over."""

from collections.abc import Iterator

from havpn_core.site.model.model import Address, Model
from havpn_core.site.rendering.sheet import Sheet, first_together

FILE = "/etc/conntrackd/conntrackd.conf"
PORT = 3780


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give the file, if it is wanted.

    :raises ValueError: if the gateways of a site have no address of the same family.
    """
    if not model.options.render.conntrackd:
        return
    own, site = model.gateways[gateway], model.site_of(gateway)
    key = f"site.{site.name}.gateways.{gateway}"
    near, partner = first_together(own.lan, site.partner_of(gateway).lan, key)
    ignored = dict.fromkeys(_ignored(model))
    families = (4, 6)
    facts = {
        "near": near,
        "partner": partner,
        "device": own.lan_device,
        "port": PORT,
        "ignored": [each for family in families for each in ignored if each.version == family],
    }
    yield Sheet(FILE, "conntrackd.conf.j2", facts)


def _ignored(model: Model) -> Iterator[Address]:
    """Give the addresses of all gateways: connections of their own are nobody else's."""
    for site in model.sites.values():
        for gateway in site.gateways.values():
            yield from (each.ip for each in gateway.lan)
        yield from (each.ip for each in site.vips)
    for line in model.lines.values():
        yield from (end.address for end in line.ends if end.address is not None)
