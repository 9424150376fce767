"""Pure: the keys of ``site.toml``."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from havpn_core.durations import Duration
from havpn_core.rules.target.frequency import Frequency

Tables = dict[str, dict[str, Any]]

IKE = "aes128gcm16-prfsha256-ecp256"
ESP = "aes128gcm16"


class Mode(StrEnum):
    """Who moves the VIP of a site."""

    PAIR = "pair"
    HEARTBEAT = "heartbeat"
    PACEMAKER = "pacemaker"


class Auth(StrEnum):
    """How the ends of a tunnel prove who they are."""

    PSK = "psk"
    CERTIFICATE = "certificate"


class LineProbe(StrEnum):
    """What watches a line, beside the tunnel."""

    STREAM = "stream"
    ECHO = "echo"


class Shell(StrEnum):
    """In whose words the block for Pacemaker is written."""

    CRMSH = "crmsh"
    PCS = "pcs"


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway of a site, where more is to be said of it than its address on the LAN."""

    lan: str | list[str]
    """Its own addresses on the LAN, not the VIPs, one for each family that the VIPs have."""
    lan_device: str = ""
    """Device on the LAN, of up to 15 characters; empty: as its site says."""
    wan_device: str = ""
    """Device towards the provider; empty: as its site says."""
    serial: str = ""
    """Serial device of the cable to the partner (``/dev/ttyS0``); empty: as its site says."""
    priority: int | None = None
    """Priority in the pair, 1 to 254; else 150 for the first of a site, 100 for the second."""
    certificate: str = ""
    """Its certificate, a file of ``swanctl/x509``; for ``auth = "certificate"``."""
    havpn: dict[str, Any] = {}
    """Tables and keys put into its ``havpn.toml``, over those of the whole file."""


class SiteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One site: a LAN, its VIPs and its two gateways."""

    networks: list[str]
    """Networks at this site that the tunnels carry, such as ``10.1.0.0/16``."""
    vips: list[str]
    """Router addresses that the active gateway has, each within one of ``networks``."""
    gateways: dict[str, str | GatewayOptions]
    """Its two gateways by name, the preferred one first: the address on the LAN, or a table."""
    mode: Mode = Mode.PAIR
    """Who moves the VIP: ``pair``, ``heartbeat`` or ``pacemaker``."""
    lan_device: str = "lan"
    """Device of its gateways on the LAN."""
    wan_device: str = "wan"
    """Device of its gateways towards the provider."""
    serial: str = ""
    """Serial device of both gateways for a cable between them; empty: there is none."""
    witnesses: str | list[str] = "auto"
    """Hosts on the LAN that are always on, or ``auto``."""
    preempt: Literal["auto", "delay", "manual"] = "auto"
    """When its preferred gateway takes the role back: ``auto`` at once, ``delay`` after a minute
    (a pair alone), ``manual`` never by itself."""


class LineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's line between a gateway of one site and a gateway of another."""

    ends: dict[str, str]
    """Both gateways, and the address of each on the line: an address, a name, or ``dynamic``."""
    provider: str = ""
    """Who runs it, in words; empty: the name of the line."""
    path: str = ""
    """Name of the path at its ends; empty: that of the line. With Pacemaker it is ``vpn``."""
    routers: dict[str, str] = {}
    """Provider's router of each gateway, where the line's route is to be checked."""
    mtu: int = 1500
    """Largest packet of the line in bytes, 1280 to 9216."""


class TunnelOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of the IPsec tunnels, one a line."""

    auth: Auth = Auth.PSK
    """``psk`` or ``certificate``."""
    ike: str = IKE
    """Proposal for the IKE SA, as swanctl writes it."""
    esp: str = ESP
    """Proposal for the ESP SA, as swanctl writes it."""
    authority: str = ""
    """Certificate of their authority, a file of ``swanctl/x509ca``."""
    size: int | None = None
    """Bytes of the large probe through the tunnel, at most ``mtu`` less what ESP takes; without it
    so many, up to 1400."""


class RenderOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is rendered beside ``havpn.toml``."""

    swanctl: bool = True
    """The tunnels: ``/etc/swanctl/conf.d/havpn.conf``."""
    firewall: bool = True
    """The openings that are needed: ``/etc/nftables.d/havpn.nft``."""
    sysctl: bool = True
    """Forwarding: ``/etc/sysctl.d/60-havpn.conf``."""
    conntrackd: bool = False
    """Replication of connections between the gateways of a site."""
    cluster: Shell = Shell.CRMSH
    """``crmsh`` or ``pcs``, for a site with Pacemaker."""
    plugins: list[str] = []
    """Plugins that are enabled where files are rendered, and not on the gateways."""


class FileOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of ``site.toml``."""

    site: dict[str, SiteOptions]
    """The sites by name."""
    line: dict[str, LineOptions]
    """The lines by name."""
    profile: Literal["fast", "balanced", "article"] = "fast"
    """Profile of every path: ``fast``, ``balanced`` or ``article``."""
    false_switches: Frequency | None = None
    """Target of every path; without it the profile's own."""
    line_probe: LineProbe = LineProbe.STREAM
    """What watches each line: ``stream``, or ``echo`` where the far end is no HA-VPN."""
    interval: Duration | None = None
    """Time between two packets of a stream; without it the profile's own."""
    tunnel: TunnelOptions = TunnelOptions()
    """Policy of the tunnels."""
    render: RenderOptions = RenderOptions()
    """What is rendered."""
    metrics: dict[str, Any] | None = None
    """``[metrics]`` of every gateway; without the table none serves metrics."""
    notifier: Tables = {}
    """``[notifier.NAME]`` of every gateway."""
    plugins: dict[str, Any] = {}
    """``[plugins]`` of every gateway."""
    havpn: dict[str, Any] = {}
    """Tables and keys put into every ``havpn.toml``, over what is rendered."""
    renderer: Tables = {}
    """Options of the renderers that plugins supply, by their type."""
