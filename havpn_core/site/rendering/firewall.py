"""Pure: what a gateway's firewall must let pass, and nothing else.

The openings follow from the tables of ``havpn.toml`` with all that the site file puts over them, so
another port there is another port here.
"""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from havpn_core.site.model.model import Line, Model
from havpn_core.site.model.options import Mode
from havpn_core.site.rendering.conntrackd import PORT as STATES_PORT
from havpn_core.site.rendering.havpn import tables_of
from havpn_core.site.rendering.heartbeat import PORT as HEARTBEAT_PORT
from havpn_core.site.rendering.sheet import Sheet, together

FILE = "/etc/nftables.d/havpn.nft"
STREAM_PORT, LINK_PORT = 7037, 694
Rules = Iterator[tuple[str, str]]
"""Each rule, and what it is for."""


def sheets(model: Model, gateway: str) -> Iterator[Sheet]:
    """Give the file, if it is wanted."""
    if model.options.render.firewall:
        facts = {"rules": list(_input(model, gateway)), "ways": list(_forward(model, gateway))}
        yield Sheet(FILE, "havpn.nft.j2", facts)


def _input(model: Model, gateway: str) -> Rules:
    tables = tables_of(model, gateway)
    for line in model.lines_of(gateway):
        yield from _tunnel(model, gateway, line)
    yield from _streams(model, gateway, tables)
    yield from _responder(tables.get("respond"))
    yield from _partner(model, gateway, tables)
    yield from _roads(model, gateway)
    if any(each.version == 6 for each in model.gateways[gateway].lan):
        kinds = "{ nd-neighbor-solicit, nd-neighbor-advert }"
        yield f"icmpv6 type {kinds} accept", "neighbours and witnesses of the LAN"


def _tunnel(model: Model, gateway: str, line: Line) -> Rules:
    if not model.options.render.swanctl:
        return
    wan, far = _device(model.gateways[gateway].wan_device), line.far_of(gateway)
    if far.address is not None:
        whence = f"{wan} {_from(str(far.address))}"
        yield f"{whence} udp dport {{ 500, 4500 }} accept", f"IKE of {line.name}"
        yield f"{whence} meta l4proto esp accept", f"ESP of {line.name}"
        return
    # From wherever a name or a dynamic address leads: IKE itself knows its peer.
    yield f"{wan} udp dport {{ 500, 4500 }} accept", f"IKE of {line.name}, from anywhere"
    yield f"{wan} meta l4proto esp accept", f"ESP of {line.name}, from anywhere"


def _streams(model: Model, gateway: str, tables: Mapping[str, Any]) -> Rules:
    wan = _device(model.gateways[gateway].wan_device)
    for path in _tables(tables.get("path")):
        for probe in _tables(path.get("probe")):
            if probe.get("type") != "stream":
                continue
            host = str(probe.get("host"))
            whence = f"{wan} {_from(host)}" if _version(host) else wan
            yield f"{whence} udp dport {probe.get('port', STREAM_PORT)} accept", f"stream of {host}"


def _responder(table: Any) -> Rules:
    """Open each address that is listened on for those who get a reply there."""
    if not isinstance(table, Mapping):
        return
    allowed = [str(each) for each in table.get("allow", []) if _version(str(each))]
    for endpoint in table.get("listen", []):
        host, _, port = str(endpoint).rpartition(":")
        host = host.strip("[]")
        sources = [each for each in allowed if _version(each) == _version(host)]
        if sources:
            family = "ip" if _version(host) == 4 else "ip6"
            whence = f"{family} saddr {{ {', '.join(sources)} }} {family} daddr {host}"
            yield f"{whence} udp dport {port} accept", "probes of the far end"


def _partner(model: Model, gateway: str, tables: Mapping[str, Any]) -> Rules:
    own, site = model.gateways[gateway], model.site_of(gateway)
    pair = tables.get("pair")
    for link in _tables(pair.get("link") if isinstance(pair, Mapping) else None):
        peer = str(link.get("peer"))
        if link.get("type") == "udp" and _version(peer):
            yield f"{_from(peer)} udp dport {link.get('port', LINK_PORT)} accept", "the partner"
    peers = list(together(own.lan, site.partner_of(gateway).lan))[:1]
    lan = _device(own.lan_device)
    for _, other in peers:
        if site.mode is Mode.HEARTBEAT:
            yield f"{lan} {_from(str(other))} udp dport {HEARTBEAT_PORT} accept", "heartbeat"
        if model.options.render.conntrackd:
            yield f"{lan} {_from(str(other))} udp dport {STATES_PORT} accept", "conntrackd"


def _roads(model: Model, gateway: str) -> Rules:
    """Open the own address for those of the far site who probe the road to it."""
    if isinstance(model.site_of(gateway).options.witnesses, str):
        return
    own = model.gateways[gateway]
    for name, far in model.gateways.items():
        linked = (set(pair) == {own.site, far.site} for pair in model.pairs())
        if name != gateway and any(linked):
            for _, peer in together(own.lan, far.lan):
                kind = "icmp" if peer.version == 4 else "icmpv6"
                yield f"{_from(str(peer))} {kind} type echo-request accept", f"the road of {name}"


def _forward(model: Model, gateway: str) -> Rules:
    """Let pass what the tunnels carry."""
    near = model.site_of(gateway)
    for line in model.lines_of(gateway):
        far = model.site_of(line.far_of(gateway).gateway)
        for family, version in (("ip", 4), ("ip6", 6)):
            ours, theirs = (
                ", ".join(str(each) for each in site.networks if each.version == version)
                for site in (near, far)
            )
            if ours and theirs:
                for source, target in ((ours, theirs), (theirs, ours)):
                    way = f"{family} saddr {{ {source} }} {family} daddr {{ {target} }} accept"
                    yield way, f"the tunnel of {line.name}"


def _tables(given: Any) -> Iterable[Mapping[str, Any]]:
    found = given.values() if isinstance(given, Mapping) else ()
    return [each for each in found if isinstance(each, Mapping)]


def _from(address: str) -> str:
    return f"{'ip' if _version(address) == 4 else 'ip6'} saddr {address}"


def _device(name: str) -> str:
    return f'iifname "{name}"'


def _version(text: str) -> int:
    """Give 4 or 6; 0: it is neither an address nor a network."""
    try:
        return ip_network(text, strict=False).version if "/" in text else ip_address(text).version
    except ValueError:
        return 0
