"""Pure: what a gateway probes, and what it replies to.

A path is one line with the tunnel in it. A gateway where several lines end, a hub, has a path each,
and one role for all of them.
"""

from ipaddress import ip_address
from typing import Any

from havpn_core.site.model.model import End, Gateway, Line, Model
from havpn_core.site.model.options import LineProbe, Mode, TunnelOptions
from havpn_core.site.model.overhead import USUAL, probe_size
from havpn_core.site.rendering.sheet import FOLDER, first_together, together

DYNAMIC_HOST = "dynamic"
"""``host`` of a stream whose far end nobody knows the address of: it must begin."""
CLUSTER_PATH = "vpn"
"""The path of a node of Pacemaker: its attribute has the same name on both nodes."""
ECHO_PORT = 7
RATE = 1000
"""Replies a second: what a far end with profile ``fast`` sends in a burst, twice over."""


def paths_of(model: Model, gateway: str) -> dict[str, Any]:
    """Give the paths by name."""
    return {path_name(model, gateway, line): _path(model, gateway, line)
            for line in model.lines_of(gateway)}  # fmt: skip


def path_name(model: Model, gateway: str, line: Line) -> str:
    """Give the name of a path: that of its line, or one that both nodes of a cluster have."""
    if model.site_of(gateway).mode is Mode.PACEMAKER:
        return CLUSTER_PATH
    return line.path


def key_of(line: Line) -> str:
    """Give the file of the keys of a line's stream, the same at both ends."""
    return f"{FOLDER}/line-{line.name}.key"


def responder_of(model: Model, gateway: str) -> dict[str, Any]:
    """Give ``[respond]``: where the far ends probe this gateway, and from where."""
    own = model.gateways[gateway]
    listen: list[str] = []
    allow: list[str] = []
    for line in model.lines_of(gateway):
        near, far = line.end_of(gateway), line.far_of(gateway)
        if model.options.line_probe is LineProbe.ECHO and near.address and far.address:
            listen.append(_endpoint(str(near.address)))
            allow.append(_network(str(far.address)))
        for local, peer in together(own.lan, model.gateways[far.gateway].lan):
            listen.append(_endpoint(str(local)))
            allow.append(_network(str(peer)))
    found = {"listen": list(dict.fromkeys(listen)), "allow": list(dict.fromkeys(allow))}
    return {**found, "rate": RATE}


def _path(model: Model, gateway: str, line: Line) -> dict[str, Any]:
    own, options = model.gateways[gateway], model.options
    far = model.gateways[line.far_of(gateway).gateway]
    found: dict[str, Any] = {"profile": options.profile}
    if options.false_switches is not None:
        found["false_switches"] = str(options.false_switches)
    # With a cluster, the LAN's carrier is for [lan] to judge, which leaves only for another node.
    paired = model.site_of(gateway).mode is Mode.PAIR
    found["carrier"] = [own.wan_device, own.lan_device] if paired else [own.wan_device]
    found["probe"] = {
        "line": _line(model, own, line),
        "tunnel": _tunnel(own, far, line, options.tunnel),
        **_road(model, own, far),
    }
    return found


def _line(model: Model, own: Gateway, line: Line) -> dict[str, Any]:
    near, far = line.end_of(own.name), line.far_of(own.name)
    if model.options.line_probe is LineProbe.ECHO:
        return {"type": "udp-echo", "host": _host(line, far), "device": own.wan_device}
    found: dict[str, Any] = {"type": "stream", "host": far.host or DYNAMIC_HOST}
    if near.address is None:
        found["device"] = own.wan_device
    else:
        found["source"] = str(near.address)
    found["key_file"] = key_of(line)
    if model.options.interval is not None:
        found["interval"] = str(model.options.interval)
    return found


def _host(line: Line, far: End) -> str:
    if not far.host:
        raise ValueError(
            f"line.{line.name}.ends.{far.gateway}: nobody can send an echo to an end that is "
            'dynamic: write line_probe = "stream", or a name'
        )
    return far.host


def _tunnel(own: Gateway, far: Gateway, line: Line, options: TunnelOptions) -> dict[str, Any]:
    key = f"site.{own.site}.gateways.{own.name}"
    source, host = first_together(own.lan, far.lan, key)
    found = {"type": "udp-echo", "watches": "tunnel", "host": str(host), "source": str(source)}
    size = probe_size(line, options)
    return found if size == USUAL else {**found, "size": size}


def _road(model: Model, own: Gateway, far: Gateway) -> dict[str, Any]:
    """Give the probes of the road, where hosts behind the far gateway are named.

    One host alone would have its own death count as that of the road, so there are none then.
    """
    site = model.site_of(far.name)
    witnesses = site.options.witnesses
    hosts = [w for w in ([] if isinstance(witnesses, str) else witnesses) if _version(w)]
    other = site.partner_of(far.name)
    for source, cross in together(own.lan, other.lan):
        behind = [w for w in hosts if _version(w) == source.version]
        if not behind:
            continue
        ways = {"road": behind[0], "cross": str(cross)}
        return {
            name: {"type": "icmp", "watches": "road", "host": host, "source": str(source)}
            for name, host in ways.items()
        }
    return {}


def _version(text: str) -> int:
    try:
        return ip_address(text).version
    except ValueError:
        return 0


def _endpoint(address: str) -> str:
    return f"[{address}]:{ECHO_PORT}" if ":" in address else f"{address}:{ECHO_PORT}"


def _network(address: str) -> str:
    return f"{address}/128" if ":" in address else f"{address}/32"
