"""Pure: what Pacemaker is to know of a site, in the words of ``crmsh`` or ``pcs``."""

from collections.abc import Iterator

from havpn_core.site.model.model import Model, Site
from havpn_core.site.model.options import Mode, Shell
from havpn_core.site.rendering.paths import CLUSTER_PATH
from havpn_core.site.rendering.sheet import FOLDER, Sheet

FILES = {Shell.CRMSH: "cluster.crm", Shell.PCS: "cluster.pcs"}
PREFERENCE = {True: 50, False: 5}
STICKINESS = {True: 20, False: 70}
"""By whether the preferred node takes the VIPs back. What holds them there is between three and
four steps of the line's score (60 to 80), so that chance alone moves nothing."""


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give the file, the same on both nodes, of which one takes it over.

    :raises ValueError: for a gateway of several lines.
    """
    site = model.site_of(gateway)
    if site.mode is not Mode.PACEMAKER:
        return
    if len(model.lines_of(gateway)) != 1:
        raise ValueError(
            f"site.{site.name}.mode: with Pacemaker one line ends at a gateway, and at {gateway} "
            f'{len(model.lines_of(gateway))} do: write mode = "pair"'
        )
    file = FILES[model.options.render.cluster]
    back = site.options.preempt == "auto"
    vips = list(_vips(site))
    facts = {
        "site": site.name,
        "path": CLUSTER_PATH,
        "preferred": next(iter(site.gateways)),
        "vips": vips,
        "located": "gateway-ip",
        "preference": PREFERENCE[back],
        # The members of a group add theirs up.
        "stickiness": round(STICKINESS[back] / max(len(vips), 1)),
    }
    yield Sheet(f"{FOLDER}/{file}", f"{file}.j2", facts)


def _vips(site: Site) -> Iterator[dict[str, object]]:
    devices = {each.lan_device for each in site.gateways.values()}
    nic = f" nic={devices.pop()}" if len(devices) == 1 else ""
    for number, vip in enumerate(site.vips, 1):
        # One alone has the name that the rules are for, several are a group of that name.
        name = "gateway-ip" if len(site.vips) == 1 else f"gateway-ip-{number}"
        length = vip.network.prefixlen
        yield {"name": name, "params": f"ip={vip.ip} cidr_netmask={length}{nic}"}
