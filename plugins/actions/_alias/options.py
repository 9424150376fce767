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
PAIRED_LIFETIME = "10s"
"""In a pair the partner waits for a dead daemon's addresses to go; a restart takes less."""


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
        str | None, msgspec.Meta(description="alias name of the IPv4 addresses, such as eth0:0")
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
        str | int | float | None,
        msgspec.Meta(
            description="how long the kernel keeps the addresses of a dead daemon, or off; "
            f"if not set, {PAIRED_LIFETIME} in a pair and off elsewhere"
        ),
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
                f"neighbours: {text!r} is no IPv4 address (IPv6 hosts accept the advertisement)"
            )
        lifetime_s = self.lifetime_s
        if lifetime_s is not None and not SHORTEST_LIFETIME_S <= lifetime_s < FOR_EVER:
            raise ValueError(f'lifetime: write at least {SHORTEST_LIFETIME_S:g}s, or "off"')
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
        return _seconds("refresh", self.refresh)

    @property
    def lifetime_s(self) -> float | None:
        """Seconds that the addresses outlive the daemon; ``None``: without end."""
        return None if self.lifetime is None else _seconds("lifetime", self.lifetime)

    @property
    def valid_s(self) -> int:
        """Seconds that the kernel keeps an address, as it counts them."""
        lifetime_s = self.lifetime_s
        return FOR_EVER if lifetime_s is None else math.ceil(lifetime_s)


def paired(options: AliasArpOptions) -> AliasArpOptions:
    """Give the options as they count in a pair."""
    if options.lifetime is not None:
        return options
    return msgspec.structs.replace(options, lifetime=PAIRED_LIFETIME)


def _seconds(key: str, written: str | float) -> float | None:
    """Read a time that may be off."""
    if written == "off":
        return None
    try:
        return float(Duration.parse(written))
    except ValueError as problem:
        raise ValueError(f'{key}: {problem}, or "off"') from None


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
        raise ValueError(f'addresses: write {text!r} with its prefix length, such as "{text}/24"')
    ip, network = interface.ip, interface.network
    if ip.is_multicast or ip.is_unspecified or ip.is_loopback:
        raise ValueError(f"addresses: {ip} cannot be shared on a LAN")
    if ip.version == 4 and network.prefixlen < 31 and ip in (network[0], network[-1]):
        raise ValueError(f"addresses: {text} is the network or the broadcast address, not a host's")
    return interface
