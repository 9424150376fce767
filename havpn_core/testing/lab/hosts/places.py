"""Pure: the network of two sites as values: who has which address where."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Self

import msgspec

from havpn_core.site.model.model import Interface, Model, Network
from havpn_core.site.model.options import Mode


class Direction(Enum):
    """Which way a packet crosses a provider."""

    A_TO_B = "side-a"
    B_TO_A = "side-b"


@dataclass(frozen=True)
class Gateway:
    """One gateway.

    :param lan: its own static address on the LAN, the first of ``lans``.
    :param wan: its address on the provider's line; it has one of its own if the router is not in
        the same network.
    :param router: the provider's end of that line.
    :param provider: the host that carries its line.
    :param side: the provider's port towards it, named by the direction packets enter there.
    :param lans: its own addresses on the LAN, one of each family.
    :param dns_name: what the far gateway knows its address by; empty: by the address.
    :param mtu: of its line, in bytes.
    """

    name: str
    lan: Interface
    wan: Interface
    router: Interface
    provider: str
    side: Direction
    far: str
    lans: tuple[Interface, ...]
    lan_device: str
    wan_device: str
    line: str
    dns_name: str
    mtu: int


@dataclass(frozen=True)
class Site:
    """One LAN with two end hosts and two gateways, of which the first is preferred.

    :param lan: the host that is the switch.
    :param shared: the first of ``vips``.
    :param second_host: an end host beside the one that sends and receives what is measured.
    :param end_addresses: of the end host, one in each of ``networks`` that it can have a router in.
    :param witnesses: what the second host has besides, as the file names them.
    """

    name: str
    lan: str
    shared: Interface
    end_host: str
    end_address: Interface
    second_host: str
    second_address: Interface
    gateways: tuple[Gateway, Gateway]
    vips: tuple[Interface, ...]
    networks: tuple[Network, ...]
    end_addresses: tuple[Interface, ...]
    witnesses: tuple[Interface, ...] = ()

    @property
    def preferred(self) -> str:
        """The gateway that holds the shared address while all is well."""
        return self.gateways[0].name

    @property
    def backup(self) -> str:
        """The gateway that takes over."""
        return self.gateways[1].name


@dataclass(frozen=True, eq=False)
class Plan:
    """The network of two sites.

    :param model: what it was made from.
    :param sites: by name, in the order of the file.
    :param providers: the host of each line, in the order of the file.
    """

    model: Model
    sites: dict[str, Site]
    providers: tuple[str, ...]
    _places: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places.update({g.name: n for n, s in self.sites.items() for g in s.gateways})

    def in_mode(self, mode: Mode, **options: Any) -> Self:
        """Give the same network with all sites in one mode.

        :param options: of the whole file, in place of what it says.
        """
        sites = {
            name: replace(site, options=msgspec.structs.replace(site.options, mode=mode))
            for name, site in self.model.sites.items()
        }
        whole = msgspec.structs.replace(self.model.options, **options)
        return replace(self, model=replace(self.model, sites=sites, options=whole))

    @cached_property
    def gateways(self) -> dict[str, Gateway]:
        """All gateways by name, site by site."""
        return {gateway.name: gateway for s in self.sites.values() for gateway in s.gateways}

    @property
    def near(self) -> Site:
        """The first site, where what is measured begins."""
        return next(iter(self.sites.values()))

    @property
    def far(self) -> Site:
        """The second site."""
        return list(self.sites.values())[1]

    @property
    def end_hosts(self) -> tuple[str, ...]:
        """The hosts on the LANs, those that measure first."""
        both = self.sites.values()
        return (*(each.end_host for each in both), *(each.second_host for each in both))

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts."""
        lans = [site.lan for site in self.sites.values()]
        return (*self.end_hosts, *self.gateways, *lans, *self.providers)

    @property
    def initiators(self) -> tuple[str, ...]:
        """The gateway of each line that brings the tunnel up: the one whose far end is known."""
        lines = [self.model.lines[each.line] for each in self.near.gateways]
        return tuple(
            near.name if line.far_of(near.name).host else near.far
            for near, line in zip(self.near.gateways, lines, strict=True)
        )

    @property
    def ipv6(self) -> bool:
        """Whether anything in it has an address of IPv6."""
        lines = [gateway.wan for gateway in self.gateways.values()]
        lans = [network for site in self.sites.values() for network in site.networks]
        return any(each.version == 6 for each in (*lines, *lans))

    def site_of(self, gateway: str) -> Site:
        """Return the site a gateway stands at."""
        return self.sites[self._places[gateway]]

    def site_name(self, gateway: str) -> str:
        """Return the name of the site where a gateway stands, such as ``a``."""
        return self._places[gateway]

    def partner_of(self, gateway: str) -> str:
        """Return the other gateway of its site."""
        site = self.site_of(gateway)
        return site.backup if gateway == site.preferred else site.preferred

    def far_site(self, gateway: str) -> Site:
        """Return the site at the other end of a gateway's line."""
        return self.far if self.site_of(gateway) is self.near else self.near

    def flows(self) -> Iterator[tuple[Interface, Interface]]:
        """Give what users have: an address of each network, and one that it reaches at the far
        site.
        """
        for version in (4, 6):
            near, far = (
                [each for each in site.end_addresses if each.version == version]
                for site in (self.near, self.far)
            )
            if near and far:
                for number in range(max(len(near), len(far))):
                    yield near[number % len(near)], far[number % len(far)]
