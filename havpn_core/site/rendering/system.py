"""Pure: what the system of a gateway must do: forward, and let the daemon do its work.

The packaged unit allows what a pair over the network takes. What needs more has a drop-in of the
package, of which this is the part that the site needs.
"""

from collections.abc import Iterator

from havpn_core.site.model.model import Model
from havpn_core.site.model.options import Mode
from havpn_core.site.rendering.sheet import Sheet

FILE = "/etc/sysctl.d/60-havpn.conf"
UNIT = "/etc/systemd/system/havpn.service.d/site.conf"


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give the files, if they are wanted."""
    site, own = model.site_of(gateway), model.gateways[gateway]
    if model.options.render.sysctl:
        families = {each.version for each in site.networks}
        yield Sheet(FILE, "sysctl.conf.j2", {"families": sorted(families)})
    paired = site.mode is Mode.PAIR
    needs = {
        "serial": paired and bool(own.serial and site.partner_of(gateway).serial),
        "conntrackd": paired and model.options.render.conntrackd,
        "heartbeat": site.mode is Mode.HEARTBEAT,
        "pacemaker": site.mode is Mode.PACEMAKER,
    }
    if any(needs.values()):
        yield Sheet(UNIT, "unit.conf.j2", {"needs": needs})
