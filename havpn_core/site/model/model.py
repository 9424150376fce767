"""Pure: what a site file stands for: sites, gateways, lines, and all that follows from them.

Nothing here is refused: a model may be wrong, and :mod:`havpn_core.site.verify` says what is. Only
what cannot be stood for at all, such as a line with one end, is a problem of reading.
"""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Any

from havpn_core.site.model.options import FileOptions, LineOptions, Mode, SiteOptions

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Interface = IPv4Interface | IPv6Interface

DYNAMIC = "dynamic"


@dataclass(frozen=True)
class End:
    """One end of a line.

    :param gateway: the name of the gateway there.
    :param address: its address on the line; ``None``: a name, or dynamic.
    :param name: its DNS name; empty: it has none.
    :param router: the provider's router, where the file says it.
    """

    gateway: str
    address: Address | None
    name: str = ""
    router: Address | None = None

    @property
    def dynamic(self) -> bool:
        """Whether nobody can say beforehand where packets from here come from."""
        return self.address is None

    @property
    def host(self) -> str:
        """What others reach it by; empty: by nothing, it must begin."""
        return self.name or (str(self.address) if self.address else "")


@dataclass(frozen=True)
class Line:
    """A provider's line, and the tunnel in it.

    :param ends: the gateways at both ends, in the order of the file.
    """

    name: str
    ends: tuple[End, End]
    options: LineOptions

    @property
    def provider(self) -> str:
        """Who runs it."""
        return self.options.provider or self.name

    @property
    def path(self) -> str:
        """How the path over it is called at its ends, but in Pacemaker."""
        return self.options.path or self.name

    def end_of(self, gateway: str) -> End:
        """Give the end at a gateway.

        :raises StopIteration: the line does not end there.
        """
        return next(end for end in self.ends if end.gateway == gateway)

    def far_of(self, gateway: str) -> End:
        """Give the other end than the one at a gateway."""
        return next(end for end in self.ends if end.gateway != gateway)


@dataclass(frozen=True)
class Gateway:
    """A gateway with all that its site says for it.

    :param lan: its own addresses on the LAN, with the length of the network they are in.
    :param first: whether it is the preferred one of its site.
    :param priority: in the pair.
    :param havpn: tables and keys put into its ``havpn.toml``.
    """

    name: str
    site: str
    lan: tuple[Interface, ...]
    lan_device: str
    wan_device: str
    serial: str
    first: bool
    priority: int
    certificate: str
    havpn: dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A site with everything as addresses.

    :param networks: what the tunnels carry.
    :param vips: with the length of the network that each is in.
    :param gateways: by name, the preferred one first.
    """

    name: str
    networks: tuple[Network, ...]
    vips: tuple[Interface, ...]
    gateways: dict[str, Gateway]
    options: SiteOptions

    @property
    def mode(self) -> Mode:
        """Who moves the VIPs."""
        return self.options.mode

    def partner_of(self, gateway: str) -> Gateway:
        """Give the other gateway."""
        return next(each for name, each in self.gateways.items() if name != gateway)


@dataclass(frozen=True)
class Model:
    """All sites and lines of a file."""

    sites: dict[str, Site]
    lines: dict[str, Line]
    options: FileOptions

    @property
    def gateways(self) -> dict[str, Gateway]:
        """All gateways by name, site by site."""
        return {name: g for site in self.sites.values() for name, g in site.gateways.items()}

    def site_of(self, gateway: str) -> Site:
        """Give the site of a gateway."""
        return self.sites[self.gateways[gateway].site]

    def lines_of(self, gateway: str) -> tuple[Line, ...]:
        """Give the lines that end at a gateway: one, or one a branch at a hub."""
        return tuple(
            line for line in self.lines.values() if gateway in (e.gateway for e in line.ends)
        )

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Give the pairs of sites that lines connect: one, or one a branch of a hub."""
        found: dict[tuple[str, ...], None] = {}
        for line in self.lines.values():
            sites = [self.gateways[end.gateway].site for end in line.ends]
            found[tuple(sorted(sites))] = None
        return tuple((pair[0], pair[1]) for pair in found)
