"""Pure: every address of a site file, with the key that it stands at and what it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from havpn_core.site.model.model import (
    Address,
    Interface,
    Line,
    Model,
    Network,
)
from havpn_core.site.model.options import GatewayOptions


@dataclass(frozen=True)
class Place:
    """An address and where it stands.

    :param owner: the host that has it; a VIP's is its site.
    :param what: in words, such as ``VIP of site a``.
    """

    address: Address
    key: str
    owner: str
    what: str


def own_places(model: Model) -> Iterator[Place]:
    """Give the addresses of the gateways: on their LAN, the VIPs, and on their lines."""
    for site in model.sites.values():
        for vip in site.vips:
            key = f"site.{site.name}.vips"
            yield Place(vip.ip, key, f"site {site.name}", f"a VIP of site {site.name}")
        for gateway in site.gateways.values():
            for each in gateway.lan:
                key = lan_key(model, gateway.name)
                yield Place(each.ip, key, gateway.name, f"the LAN address of {gateway.name}")
    for line in model.lines.values():
        for end in line.ends:
            if end.address is not None:
                what = f"the end of line {line.name} at {end.gateway}"
                yield Place(end.address, end_key(line, end.gateway), end.gateway, what)


def router_places(model: Model) -> Iterator[Place]:
    """Give the addresses of the providers' routers."""
    for line in model.lines.values():
        for end in line.ends:
            if end.router is not None:
                key = f"line.{line.name}.routers.{end.gateway}"
                what = f"the router of line {line.name} at {end.gateway}"
                yield Place(end.router, key, f"router of {end.gateway}", what)


def lan_key(model: Model, gateway: str) -> str:
    """Give the key at which a gateway's addresses on the LAN stand."""
    return gateway_key(model, gateway, "lan")


def gateway_key(model: Model, gateway: str, option: str) -> str:
    """Give the key of an option of a gateway; that of the gateway where it has no table."""
    site = model.site_of(gateway)
    key = f"site.{site.name}.gateways.{gateway}"
    table = isinstance(site.options.gateways.get(gateway), GatewayOptions)
    return f"{key}.{option}" if table else key


def end_key(line: Line, gateway: str) -> str:
    """Give the key of an end of a line."""
    return f"line.{line.name}.ends.{gateway}"


def family(each: Address | Network | Interface) -> str:
    """Name the family of an address or a network."""
    return f"IPv{each.version}"


def within(address: Address, networks: Iterable[Network]) -> list[Network]:
    """Give the networks that an address is in."""
    return [n for n in networks if n.version == address.version and address in n]


def shared_bits(one: Address, other: Address) -> int:
    """Give with how many bits alike two addresses begin; -1 for those of two families."""
    if one.version != other.version:
        return -1
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()


def listed(values: Iterable[object]) -> str:
    """Write values in a row."""
    return ", ".join(map(str, values))
