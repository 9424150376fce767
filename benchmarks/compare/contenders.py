"""Who is compared: how each is started, when it is home, and what it is configured by."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.campaigns import stage
from benchmarks.compare import frr
from benchmarks.contenders import BFD, RISE, SCRIPT, USUAL
from benchmarks.modes import heartbeat, keepalived, pacemaker, pair, ping_agent
from benchmarks.modes.mode import at_home
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.faults import Street

HAVPN = "/etc/havpn/havpn.toml"
COROSYNC, CRM = "/etc/corosync/corosync.conf", "/run/crm.conf"
KEEPALIVED = "/run/keepalived.conf"
HEARTBEAT = ("/etc/ha.d/ha.cf", "/etc/ha.d/haresources", "/etc/ha.d/authkeys")
# Whether the far end replies is known after 0.3 s at 200 ms of round trip.
QUICK_SCRIPT = SCRIPT.replace("-W 1", "-W 0.3")


@dataclass(frozen=True)
class Contender:
    """One of them.

    :param key: on the command line and in the file of results.
    :param title: for people.
    :param settings: what was configured, for people.
    :param begin: starts its daemons in a network; returns when it serves.
    :param home: whether the preferred gateways serve and all is well.
    :param files: its configuration on a gateway.
    :param steady_s: seconds for which it must be home before the next fault.
    :param slow: each fault takes it many seconds.
    :param routed: it runs where providers route the LANs in the clear.
    :param ipsec: it runs where tunnels carry them.
    """

    key: str
    title: str
    settings: str
    begin: Callable[[TwoSite], Street]
    home: Callable[[Street], bool]
    files: tuple[str, ...]
    steady_s: float = 1.0
    slow: bool = False
    routed: bool = True
    ipsec: bool = True


_EVERY = (
    Contender(
        "havpn-stream",
        "HA-VPN pair, stream",
        "profile `fast`, the line watched by a stream, tunnel, LAN and road watched as in "
        "docs/pair.md, `lifetime = 3s`",
        partial(pair.begin, rise=RISE, stream=True),
        stage.home,
        (HAVPN,),
    ),
    Contender(
        "havpn-echo",
        "HA-VPN pair, echo",
        "the same, the line watched by `udp-echo`",
        partial(pair.begin, rise=RISE),
        stage.home,
        (HAVPN,),
    ),
    Contender(
        "havpn-heartbeat",
        "HA-VPN + heartbeat",
        "profile `fast`, echo; Linux-HA heartbeat with `keepalive 200ms`, `deadtime 1`",
        partial(heartbeat.begin, rise=RISE, fast=True),
        heartbeat.home,
        (HAVPN, *HEARTBEAT),
        slow=True,
    ),
    Contender(
        "havpn-pacemaker",
        "HA-VPN in Pacemaker",
        "profile `fast`, echo; the agent's monitor every 2 s, corosync with `token: 500`",
        partial(pacemaker.begin, rise=RISE),
        pacemaker.home,
        (HAVPN, COROSYNC, CRM),
        steady_s=2.0,
        slow=True,
    ),
    Contender(
        "keepalived-bfd",
        "keepalived, BFD 3 x 50 ms",
        "`min_rx 50 min_tx 50 multiplier 3`, `track_bfd`; VRRP 3, adverts every 0.1 s",
        partial(keepalived.begin, watch=BFD, track="track_bfd"),
        at_home,
        (KEEPALIVED,),
        steady_s=3.0,
    ),
    Contender(
        "keepalived-script",
        "keepalived, script, fastest",
        "`vrrp_script` with `ping -c 1 -W 0.3` every second, `fall 1`; VRRP 3, adverts every 0.1 s",
        partial(keepalived.begin, watch=QUICK_SCRIPT, track="track_script"),
        at_home,
        (KEEPALIVED,),
        steady_s=2.0,
        slow=True,
    ),
    Contender(
        "keepalived-usual",
        "keepalived, script, defaults",
        "`vrrp_script` with `ping -c 1 -W 1` every second, `fall 1`; VRRP 2, adverts every second",
        partial(keepalived.begin, watch=SCRIPT, track="track_script", pace=USUAL),
        at_home,
        (KEEPALIVED,),
        steady_s=2.0,
        slow=True,
    ),
    Contender(
        "ping-agent",
        "Pacemaker, ping agent",
        "`ocf:pacemaker:ping`, `monitor 1s`, `dampen=1s`, one attempt; corosync with `token: 500`",
        ping_agent.begin,
        ping_agent.home,
        (COROSYNC, CRM),
        steady_s=2.0,
        slow=True,
    ),
    Contender(
        "bgp-50",
        "FRR, BGP + BFD 3 x 50 ms",
        "eBGP over each line with multihop BFD, iBGP in a site, VRRP 3 for the LAN's address",
        partial(frr.begin, interval_ms=50),
        frr.home,
        (*frr.FILES, KEEPALIVED),
        steady_s=2.0,
        ipsec=False,
    ),
    Contender(
        "bgp-300",
        "FRR, BGP + BFD 3 x 300 ms",
        "the same with FRR's own default of 3 x 300 ms",
        partial(frr.begin, interval_ms=300),
        frr.home,
        (*frr.FILES, KEEPALIVED),
        steady_s=2.0,
        ipsec=False,
    ),
    Contender(
        "bgp-timers",
        "FRR, BGP timers 3/9",
        "the same without BFD: keepalive 3 s, hold time 9 s",
        partial(frr.begin, interval_ms=0),
        frr.home,
        (*frr.FILES[:2], KEEPALIVED),
        steady_s=2.0,
        slow=True,
        ipsec=False,
    ),
    Contender(
        "bgp-inside",
        "FRR, BGP + BFD 3 x 50 ms in the tunnel",
        "eBGP and multihop BFD through the tunnels of strongSwan's user-space ESP (a tun device)",
        partial(frr.begin, interval_ms=50, inside=True),
        frr.home,
        (*frr.FILES, KEEPALIVED),
        steady_s=2.0,
        routed=False,
    ),
)
CONTENDERS = {contender.key: contender for contender in _EVERY}
