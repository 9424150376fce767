"""The address plan of the two-site network, as data."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Interface


class Direction(Enum):
    """Which way a packet crosses a provider."""

    A_TO_B = "side-a"
    B_TO_A = "side-b"


@dataclass(frozen=True)
class Gateway:
    """One gateway.

    :param lan: its own static address on the LAN.
    :param wan: its address on the provider's line.
    :param router: the provider's end of that line.
    :param side: the provider's port towards it, named by the direction packets enter there.
    """

    name: str
    lan: IPv4Interface
    wan: IPv4Interface
    router: IPv4Interface
    provider: str
    side: Direction
    far: str


@dataclass(frozen=True)
class Site:
    """One LAN with two end hosts and two gateways, of which the first is preferred.

    :param second_host: an end host beside the one that sends and receives what is measured.
    """

    lan: str
    shared: IPv4Interface
    end_host: str
    end_address: IPv4Interface
    second_host: str
    second_address: IPv4Interface
    gateways: tuple[Gateway, Gateway]

    @property
    def preferred(self) -> str:
        """The gateway that holds the shared address while all is well."""
        return self.gateways[0].name

    @property
    def backup(self) -> str:
        """The gateway that takes over."""
        return self.gateways[1].name


def _gateway(name: str, lan: str, line: tuple[str, str, str], far: str) -> Gateway:
    wan, router, provider = line
    side = Direction.A_TO_B if name.startswith("gw-a") else Direction.B_TO_A
    addresses = (IPv4Interface(lan), IPv4Interface(wan), IPv4Interface(router))
    return Gateway(name, *addresses, provider, side, far)


SITE_A = Site(
    "lan-a",
    IPv4Interface("10.1.255.254/16"),
    "client",
    IPv4Interface("10.1.0.10/16"),
    "client-2",
    IPv4Interface("10.1.0.11/16"),
    (
        _gateway(
            "gw-aa", "10.1.255.252/16", ("192.0.2.2/30", "192.0.2.1/30", "provider-1"), "gw-ba"
        ),
        _gateway(
            "gw-ab",
            "10.1.255.253/16",
            ("198.51.100.2/30", "198.51.100.1/30", "provider-2"),
            "gw-bb",
        ),
    ),
)
SITE_B = Site(
    "lan-b",
    IPv4Interface("10.31.0.254/24"),
    "server",
    IPv4Interface("10.31.0.10/24"),
    "server-2",
    IPv4Interface("10.31.0.11/24"),
    (
        _gateway(
            "gw-ba", "10.31.0.251/24", ("192.0.2.6/30", "192.0.2.5/30", "provider-1"), "gw-aa"
        ),
        _gateway(
            "gw-bb", "10.31.0.252/24", ("198.51.100.6/30", "198.51.100.5/30", "provider-2"), "gw-ab"
        ),
    ),
)
SITES = {"a": SITE_A, "b": SITE_B}
GATEWAYS = {gateway.name: gateway for site in SITES.values() for gateway in site.gateways}
PROVIDERS = ("provider-1", "provider-2")
END_HOSTS = ("client", "server", "client-2", "server-2")
HOSTS = (*END_HOSTS, *GATEWAYS, "lan-a", "lan-b", *PROVIDERS)
# A serial port inside each gateway; /dev is the real machine's, so it cannot be /dev/ttyS0.
SERIAL_DEVICE = "/run/ttyS0"


def site_of(gateway: str) -> Site:
    """Return the site a gateway stands at."""
    return next(site for site in SITES.values() if gateway in (site.preferred, site.backup))


def site_name(gateway: str) -> str:
    """Return ``a`` or ``b``, where a gateway stands."""
    return next(name for name, site in SITES.items() if site is site_of(gateway))


def partner_of(gateway: str) -> str:
    """Return the other gateway of its site."""
    site = site_of(gateway)
    return site.backup if gateway == site.preferred else site.preferred


def far_site(gateway: str) -> Site:
    """Return the site at the other end of a gateway's line."""
    return SITE_B if site_of(gateway) is SITE_A else SITE_A
