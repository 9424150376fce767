"""Pure: the tunnels of a gateway, as strongSwan's ``swanctl`` has them.

One tunnel a line carries all networks of both sites, so both ends' selectors mirror each other. The
identities are the gateways' names: an end whose address changes keeps its own.
"""

from collections.abc import Iterator
from typing import Any

from havpn_core.site.model.model import Line, Model
from havpn_core.site.model.options import Auth
from havpn_core.site.rendering.sheet import PRIVATE, Sheet, secret

FILE = "/etc/swanctl/conf.d/havpn.conf"
CHILD = "lans"
ANY = "%any"


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give the file, if it is wanted."""
    if not model.options.render.swanctl:
        return
    tunnels = [_tunnel(model, gateway, line) for line in model.lines_of(gateway)]
    facts = {"tunnels": tunnels, "child": CHILD, "policy": model.options.tunnel}
    yield Sheet(FILE, "swanctl.conf.j2", facts, PRIVATE)


def _tunnel(model: Model, gateway: str, line: Line) -> dict[str, Any]:
    near, far = line.end_of(gateway), line.far_of(gateway)
    own, other = model.site_of(gateway), model.site_of(far.gateway)
    psk = model.options.tunnel.auth is Auth.PSK
    return {
        "name": line.name,
        "near": near.gateway,
        "far": far.gateway,
        "local": near.address or ANY,
        "remote": far.host or ANY,
        "local_ts": [str(each) for each in own.networks],
        "remote_ts": [str(each) for each in other.networks],
        # An end that nobody knows the address of begins, and moves its SAs when that changes.
        "start": "trap" if far.host else "none",
        "mobike": near.dynamic or far.dynamic,
        "certificate": model.gateways[gateway].certificate,
        "secret": secret(f"psk-{line.name}") if psk else "",
    }
