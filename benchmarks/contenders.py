"""Those who move the shared addresses of the two-site network, each at its fastest."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

from havpn_core.testing.lab import Supervisor, TwoSite
from havpn_core.testing.lab.daemons.heartbeat import Heartbeat
from havpn_core.testing.lab.gateways import start_gateways, start_pairs
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SITES, site_of

RISE = 40


class Pace(NamedTuple):
    """Lines of keepalived's configuration: the version of VRRP, the interval of adverts."""

    version: str
    adverts: str


# Version 3: in version 2 a backup of priority 100 waits 0.6 s, whatever the interval (RFC 3768).
FASTEST = Pace("vrrp_version 3", "advert_int 0.1")
USUAL = Pace("", "")
"""The program's own defaults: version 2, an advert a second."""
KEEPALIVED = """
global_defs {{
    router_id {name}
    {pace.version}
    vrrp_garp_master_refresh 60
}}
{watch}
vrrp_instance gateway {{
    state BACKUP
    interface lan
    virtual_router_id 7
    priority {priority}
    {pace.adverts}
    {track}
    virtual_ipaddress {{
        {shared} dev lan
    }}
}}
"""
BFD = """
bfd_instance far {{
    neighbor_ip {far}
    source_ip {near}
    min_rx 50
    min_tx 50
    multiplier 3
    max_hops 3
}}
"""
SCRIPT = """
vrrp_script far {{
    script "/bin/ping -c 1 -W 1 -q {far}"
    interval 1
    timeout 1
    fall 1
    rise 1
    user root
}}
"""


def start_keepalived(
    lab: TwoSite, name: str, watch: str = "", track: str = "", pace: Pace = FASTEST
) -> Inside:
    """Configure and start keepalived on a gateway.

    :param watch: the part of its configuration that says what is watched.
    :param track: the key by which the VRRP instance follows it; it follows nothing if empty.
    """
    gateway, host, site = GATEWAYS[name], lab.hosts[name], site_of(name)
    config = KEEPALIVED.format(
        name=name,
        watch=watch.format(far=GATEWAYS[gateway.far].wan.ip, near=gateway.wan.ip),
        track=f"{track} {{ far }}" if track else "",
        pace=pace,
        priority=150 if name == site.preferred else 100,
        shared=site.shared,
    )
    host.write("/run/keepalived.conf", config.replace("{ far }", "{\n        far\n    }"))
    # What was killed leaves these, and then the next one believes that it runs already.
    files = ("-p", "/run/k.pid", "-r", "/run/k-vrrp.pid", "-b", "/run/k-bfd.pid")
    host.run("rm", "-f", *files[1::2])
    argv = ("keepalived", "-n", "-l", "-D", "-G", "-f", "/run/keepalived.conf", *files)
    with (host.folder / f"{name}.keepalived").open("ab") as log:
        return host.popen(*argv, stdout=log, stderr=log)


@contextlib.contextmanager
def pair(lab: TwoSite, **options: Any) -> Iterator[None]:
    """HA-VPN alone: profile ``fast``, partner frames every 50 ms over cable and LAN.

    :param options: of :func:`~havpn_core.testing.lab.gateways.pair_config`.
    """
    daemons = start_pairs(lab, **{"rise": RISE, **options})
    try:
        yield
    finally:
        end_pairs(daemons)


def end_pairs(daemons: dict[str, Supervisor]) -> None:
    """Stop all daemons of pairs and free the addresses."""
    for daemon in daemons.values():
        daemon.stop()
        daemon.command("release", check=False)


@contextlib.contextmanager
def keepalived(lab: TwoSite, watch: str, track: str) -> Iterator[None]:
    """Keepalived on all gateways, adverts every 0.1 s.

    :param watch: the part of its configuration that says what is watched.
    :param track: the key by which the VRRP instance follows it.
    """
    running = [start_keepalived(lab, name, watch, track) for name in GATEWAYS]
    try:
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


@contextlib.contextmanager
def heartbeat(lab: TwoSite) -> Iterator[None]:
    """HA-VPN with profile ``fast`` that starts and stops Linux-HA heartbeat."""
    for name in GATEWAYS:
        node = lab.clusters[name] = Heartbeat(lab.hosts[name], lab.plan)
        node.configure()
        node.start()
    for name, site in SITES.items():
        lab.wait_holder(name, site.preferred, 40)
    daemons = start_gateways(lab, rise=RISE, fast=True)
    try:
        yield
    finally:
        for daemon in daemons.values():
            daemon.stop()
        for node in lab.clusters.values():
            node.stop()


CONTENDERS: dict[str, Callable[[TwoSite], AbstractContextManager[None]]] = {
    "havpn pair, fast, stream": partial(pair, stream=True),
    "havpn pair, fast": pair,
    "keepalived BFD 3 x 50 ms": partial(keepalived, watch=BFD, track="track_bfd"),
    # A ping once a second, fall 1: no faster script is possible.
    "keepalived vrrp_script 1 s": partial(keepalived, watch=SCRIPT, track="track_script"),
    "havpn and heartbeat, fast": heartbeat,
}
SLOW = {"keepalived vrrp_script 1 s", "havpn and heartbeat, fast"}
"""They need seconds for each cut, so fewer of them are made."""
