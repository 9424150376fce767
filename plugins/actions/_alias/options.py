"""The options of ``alias-arp``."""

import contextlib
import math
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_interface
from typing import Annotated, Literal

import msgspec

from havpn_core import Duration

from .netlink import FOR_EVER, Interface

NAME_LEN = 15
MOST_ADDRESSES = 100
SHORTEST_LIFETIME_S = 3.0


class AliasArpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of ``alias-arp``.

    :raises ValueError: if they cannot be carried out, naming the option.
    """

    device: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=NAME_LEN, description="interface on the LAN"),
    ]
    addresses: Annotated[
        list[str],
        msgspec.Meta(
            min_length=1,
            max_length=MOST_ADDRESSES,
            description="shared addresses with their prefix lengths, IPv4 and IPv6",
        ),
    ]
    label: Annotated[
        str | None, msgspec.Meta(description="alias name of the IPv4 addresses, as eth0:0")
    ] = None
    refresh: Annotated[
        str | int | float,
        msgspec.Meta(description="time between announcements while active, or off"),
    ] = "60s"
    neighbours: Annotated[
        list[str],
        msgspec.Meta(max_length=100, description="IPv4 hosts that need an ARP of their own"),
    ] = []
    dad: Annotated[
        bool, msgspec.Meta(description="let the kernel look for duplicates of IPv6 addresses")
    ] = False
    lifetime: Annotated[
        Duration | None,
        msgspec.Meta(description="how long the kernel keeps the addresses of a dead daemon"),
    ] = None
    conflict: Annotated[
        Literal["yield", "take"],
        msgspec.Meta(
            description="what to do when a host still replies for a silent partner's address"
        ),
    ] = "yield"

    def __post_init__(self) -> None:
        _check_device(self.device, self.label)
        seen = set()
        for text in self.addresses:
            interface = _parse(text)
            if interface.ip in seen:
                raise ValueError(f"addresses: {interface.ip} is there twice: write it once")
            seen.add(interface.ip)
        for text in self.neighbours:
            with contextlib.suppress(ValueError):
                IPv4Address(text)
                continue
            raise ValueError(
                f"neighbours: {text!r} is no IPv4 address (IPv6 hosts heed the advertisement)"
            )
        if self.lifetime is not None and not SHORTEST_LIFETIME_S <= self.lifetime < FOR_EVER:
            raise ValueError(f"lifetime: write at least {SHORTEST_LIFETIME_S:g}s, or leave it out")
        _ = self.refresh_s

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The shared addresses."""
        return tuple(_parse(text) for text in self.addresses)

    @property
    def named(self) -> Sequence[IPv4Address]:
        """The neighbours that get an announcement of their own."""
        return [IPv4Address(text) for text in self.neighbours]

    @property
    def refresh_s(self) -> float | None:
        """Seconds between announcements; ``None``: none after the burst."""
        if self.refresh == "off":
            return None
        try:
            return float(Duration.parse(self.refresh))
        except ValueError as problem:
            raise ValueError(f'refresh: {problem}, or "off"') from None

    @property
    def valid_s(self) -> int:
        """Seconds that the kernel keeps an address, as it counts them."""
        return FOR_EVER if self.lifetime is None else math.ceil(self.lifetime)


def _check_device(device: str, label: str | None) -> None:
    if "/" in device or ":" in device or any(c.isspace() for c in device) or device in (".", ".."):
        raise ValueError(f"device: {device!r} is no interface name; an alias is made with label")
    if label is None:
        return
    if not label.startswith(f"{device}:") or any(c.isspace() for c in label):
        raise ValueError(f'label: {label!r} does not belong to {device}: write "{device}:0"')
    if len(label.encode()) > NAME_LEN:
        raise ValueError(f"label: {label!r} is longer than {NAME_LEN} characters")


def _parse(text: str) -> Interface:
    try:
        interface = ip_interface(text)
    except ValueError:
        raise ValueError(
            f'addresses: {text!r} is no address: write it as "10.1.255.254/16"'
        ) from None
    if "/" not in text or "%" in text:
        raise ValueError(f'addresses: write {text!r} with its prefix length only, as "{text}/24"')
    ip, network = interface.ip, interface.network
    if ip.is_multicast or ip.is_unspecified or ip.is_loopback:
        raise ValueError(f"addresses: {ip} cannot be shared on a LAN")
    if ip.version == 4 and network.prefixlen < 31 and ip in (network[0], network[-1]):
        raise ValueError(f"addresses: {text} is the network or the broadcast address, not a host's")
    return interface
