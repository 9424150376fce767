"""Pure: whether the tables of all gateways mirror each other, whatever was put over them.

A probe needs a far end that listens where it goes and lets in where it comes from; a stream and a
link need the other way round at the other end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from havpn_core.serve.options import parse_endpoint
from havpn_core.site.model.model import Address, Model
from havpn_core.site.model.problem import Problem
from havpn_core.site.verify.places import own_places

ECHO_PORT, STREAM_PORT, LINK_PORT = 7, 7037, 694
Table = Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """A probe of a gateway, as its table has it.

    :param key: where it stands, such as ``path.line1.probe.tunnel``.
    :param host: the address that it goes to; ``None``: a name, or one that begins.
    """

    gateway: str
    key: str
    table: Table
    host: Address | None
    source: Address | None
    port: Any


def mirrored(model: Model, tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Give what of one gateway has no counterpart at another.

    :param tables: those of each gateway's ``havpn.toml``.
    """
    owners = {place.address: place.owner for place in own_places(model)}
    for gateway, table in tables.items():
        for sent in _probes(gateway, table):
            far = owners.get(sent.host, "") if sent.host else ""
            if far in tables:
                if sent.table.get("type") == "udp-echo":
                    yield from _echo(model, sent, far, tables[far])
                elif sent.table.get("type") == "stream":
                    yield from _stream(sent, far, tables[far])
        partner = model.site_of(gateway).partner_of(gateway).name
        if partner in tables:
            yield from _pair(gateway, table, partner, tables[partner])


def _probes(gateway: str, table: Table) -> Iterator[Sent]:
    for path, options in _tables(table, "path"):
        for name, probe in _tables(options, "probe"):
            usual = STREAM_PORT if probe.get("type") == "stream" else ECHO_PORT
            key = f"path.{path}.probe.{name}"
            host, source = _address(probe.get("host")), _address(probe.get("source"))
            yield Sent(gateway, key, probe, host, source, probe.get("port", usual))


def _echo(model: Model, sent: Sent, far: str, table: Table) -> Iterator[Problem]:
    """Look whether the far responder listens there, and lets the probe in."""
    respond = table.get("respond")
    given = respond if isinstance(respond, Mapping) else {}
    if (str(sent.host), sent.port) not in _endpoints(given.get("listen")):
        yield Problem(
            f"havpn.toml of {sent.gateway}, {sent.key}",
            f"goes to {sent.host} port {sent.port}, where {far} does not listen",
            f"leave out what is written over respond.listen of {far}, or over this probe",
        )
    source = sent.source or _line_address(model, sent, far)
    if source and not any(source in network for network in _networks(given.get("allow"))):
        yield Problem(
            f"havpn.toml of {far}, respond.allow",
            f"lacks {source}, from where {sent.gateway} probes ({sent.key})",
            "leave out what is written over respond.allow",
        )


def _line_address(model: Model, sent: Sent, far: str) -> Address | None:
    """Give where a probe without a source comes from: its end of the line that it goes along."""
    for line in model.lines_of(sent.gateway):
        end = line.far_of(sent.gateway)
        if end.gateway == far and end.address == sent.host:
            return line.end_of(sent.gateway).address
    return None


def _stream(sent: Sent, far: str, table: Table) -> Iterator[Problem]:
    """Look whether the far gateway has the stream's other end."""
    others = [each for each in _probes(far, table) if each.table.get("type") == "stream"]
    here = f"havpn.toml of {sent.gateway}, {sent.key}"
    back = [each for each in others if each.host in (sent.source, None) or sent.source is None]
    if not back:
        yield Problem(
            here,
            f"is a stream to {far}, and {far} has none to {sent.source}",
            "give both ends the same line_probe, and each the other's address",
        )
    for what, usual in (("port", STREAM_PORT), ("key_file", "")):
        own = sent.table.get(what, usual)
        theirs = [each.table.get(what, usual) for each in back]
        if theirs and own not in theirs:
            yield Problem(
                f"{here}.{what}",
                f"is {own} here and {theirs[0]} at {far}",
                "write the same for both ends, or neither",
            )


def _pair(gateway: str, table: Table, partner: str, other: Table) -> Iterator[Problem]:
    """Compare the links of a pair, and what both must have alike."""
    own, theirs = table.get("pair"), other.get("pair")
    if not isinstance(own, Mapping) or not isinstance(theirs, Mapping):
        if isinstance(own, Mapping):
            yield Problem(
                f"havpn.toml of {partner}, pair", f"is missing, and {gateway} has one",
                "give both gateways of a site the same mode",
            )  # fmt: skip
        return
    links = dict(_tables(theirs, "link"))
    for name, link in _tables(own, "link"):
        key, far = f"havpn.toml of {gateway}, pair.link.{name}", links.get(name, {})
        if link.get("type") != far.get("type"):
            yield Problem(key, f"has no counterpart at {partner}", "give both gateways the link")
        elif link.get("type") == "udp":
            ways = [(_address(each.get("local")), _address(each.get("peer")), each.get("port"))
                    for each in (link, far)]  # fmt: skip
            (local, peer, port), (far_local, far_peer, far_port) = ways
            if (local, peer) != (far_peer, far_local) or port != far_port:
                yield Problem(
                    key,
                    f"goes from {local} to {peer}, and that of {partner} from {far_local} to "
                    f"{far_peer}",
                    "write each other's address, and the same port",
                )
    for what in ("priority", "key_file"):
        alike = own.get(what) == theirs.get(what)
        if alike == (what == "priority"):
            yield Problem(
                f"havpn.toml of {gateway}, pair.{what}",
                f"is {own.get(what)} here and {theirs.get(what)} at {partner}",
                "leave out what is written over it",
            )


def _tables(table: Table, key: str) -> Iterator[tuple[str, Table]]:
    found = table.get(key)
    for name, each in found.items() if isinstance(found, Mapping) else ():
        if isinstance(each, Mapping):
            yield name, each


def _address(text: Any) -> Address | None:
    try:
        return ip_address(str(text).partition("/")[0])
    except ValueError:
        return None


def _endpoints(listen: Any) -> set[tuple[str, int]]:
    found = set()
    for text in listen if isinstance(listen, list | tuple) else ():
        try:
            host, port = parse_endpoint(str(text))
        except ValueError:
            continue
        found.add((str(ip_address(host)), port))
    return found


def _networks(allow: Any) -> list[Any]:
    found = []
    for text in allow if isinstance(allow, list | tuple) else ():
        try:
            found.append(ip_network(str(text)))
        except ValueError:
            continue
    return found
