"""FRR on the gateways: zebra, bgpd and bfdd, with keepalived's VRRP for the LAN's address.

As a network engineer would build it for two sites with two lines:

* A site is an autonomous system. Each gateway has an eBGP session over its own line to its far
  gateway, and announces its site's prefix there. All prefer line 1, by local preference.
* The two gateways of a site have an iBGP session over the LAN (``next-hop-self``, and ``addpath``,
  so that each knows the other's way already when its own is lost). Who has the shared address
  forwards to the partner when only the partner's line works.
* The shared address stays with the preferred gateway as long as that is on the LAN: plain VRRP,
  which follows no line, and comes back 5 s after the gateway does.
* BFD watches the neighbours of both sessions. A gateway without its LAN withdraws the prefix.

They are started by hand, never as a service.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.contenders import Pace, start_keepalived
from benchmarks.modes.processes import Processes
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.inside import Inside

DAEMONS = "/usr/lib/frr"
ZEBRA = "frr defaults traditional\n"
BFDD = """frr defaults traditional
bfd
 profile watch
  detect-multiplier 3
  receive-interval {ms}
  transmit-interval {ms}
 exit
exit
"""
BGPD = """frr defaults traditional
router bgp {own}
 bgp router-id {near_lan}
 no bgp ebgp-requires-policy
 timers bgp 3 9
 neighbor {far} remote-as {other}
 neighbor {far} update-source {near}
 neighbor {far} ebgp-multihop 2
 neighbor {far} timers connect 1
{watch_far}
{far_passive}
 neighbor {partner} remote-as {own}
 neighbor {partner} timers connect 1
{watch_partner}
{partner_passive}
 address-family ipv4 unicast
  network {network}
  neighbor {far} route-map line in
  neighbor {partner} next-hop-self
  neighbor {partner} addpath-tx-all-paths
 exit-address-family
exit
route-map line permit 10
 set local-preference {preference}
exit
"""
NUMBERS = {"a": 65001, "b": 65002}
FILES = tuple(f"/run/frr/{name}.conf" for name in ("zebra", "bgpd", "bfdd"))
UP_S = 30.0
# A gateway that has just booted is not to take the address back before its sessions are up.
PACE = Pace("vrrp_version 3", "advert_int 0.1\n    preempt_delay 5")
# A rule of its own before strongSwan's table: BGP's routes count, and its way stays the last one.
RULE = ("ip", "rule", "add", "pref", "219", "lookup", "main")
TUNNEL_DEVICE = "ipsec0"


def bgp_config(name: str, *, bfd: bool, inside: bool) -> str:
    """Write bgpd's configuration of a gateway, without empty lines.

    :param inside: the eBGP session goes through the tunnel, between addresses of the LANs.
    """
    gateway, site = plan.GATEWAYS[name], plan.site_name(name)
    far, partner = plan.GATEWAYS[gateway.far], plan.GATEWAYS[plan.partner_of(name)]
    near_ip, far_ip = (gateway.lan.ip, far.lan.ip) if inside else (gateway.wan.ip, far.wan.ip)

    def only(condition: bool, address: object, words: str) -> str:
        return f" neighbor {address} {words}" if condition else ""

    text = BGPD.format(
        own=NUMBERS[site],
        other=next(number for key, number in NUMBERS.items() if key != site),
        near_lan=gateway.lan.ip,
        near=near_ip,
        far=far_ip,
        partner=partner.lan.ip,
        watch_far=only(bfd, far_ip, "bfd profile watch"),
        watch_partner=only(bfd, partner.lan.ip, "bfd profile watch"),
        # One end waits for the other: of two sessions at once the route may stay invalid.
        far_passive=only(site == "b", far_ip, "passive"),
        partner_passive=only(name == plan.site_of(name).backup, partner.lan.ip, "passive"),
        network=plan.site_of(name).shared.network,
        preference=200 if name == plan.site_of(name).preferred else 100,
    )
    return re.sub(r"\n{2,}", "\n", text)


class Router:
    """FRR on one gateway.

    :param interval_ms: of BFD, three of which without a packet end a session; 0: no BFD.
    :param inside: see :func:`bgp_config`.
    """

    def __init__(self, lab: TwoSite, name: str, interval_ms: int, *, inside: bool) -> None:
        self.host: Host = lab.hosts[name]
        self._name, self._ms, self._inside = name, interval_ms, inside

    def start(self) -> Iterator[Inside]:
        """Configure and start the daemons; gives them in the order in which to stop them."""
        far = plan.far_site(self._name).shared.network
        self.host.run_in_network("ip", "route", "del", str(far), check=False)
        if self._inside:
            self.host.run_in_network(*RULE, check=False)
            address = str(plan.GATEWAYS[plan.GATEWAYS[self._name].far].lan.ip)
            way = ("ip", "route", "replace", address, "dev", TUNNEL_DEVICE)
            self.host.run_in_network(*way, "proto", "static")
        self.host.run("sh", "-c", "rm -rf /run/frr; install -d -o frr -g frr /run/frr")
        bgp = bgp_config(self._name, bfd=bool(self._ms), inside=self._inside)
        bfd = BFDD.format(ms=self._ms) if self._ms else ""
        for file, text in zip(FILES, (ZEBRA, bgp, bfd), strict=True):
            if text:
                self.host.write(file, text)
        zebra = self._daemon("zebra")
        wait_for(Path(f"{self.host.root}/run/frr/zserv").exists, 10, "zebra")
        bfdd = [self._daemon("bfdd", "--bfdctl", "/run/frr/bfdd.sock")] if self._ms else []
        return iter([self._daemon("bgpd"), *bfdd, zebra])

    def _daemon(self, name: str, *more: str) -> Inside:
        files = ("-f", f"/run/frr/{name}.conf", "-i", f"/run/frr/{name}.pid")
        ways = ("-z", "/run/frr/zserv", "--vty_socket", "/run/frr")
        with (self.host.folder / f"{self.host.name}.{name}").open("ab") as log:
            argv = (f"{DAEMONS}/{name}", *files, *ways, *more, "--log", "stdout")
            return self.host.popen(*argv, stdout=log, stderr=subprocess.STDOUT)

    def _shown(self, daemon: str, words: str) -> Any:
        argv = ("vtysh", "--vty_socket", "/run/frr", "-d", daemon, "-c", f"show {words} json")
        done = self.host.run(*argv, check=False)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return {}

    def is_well(self) -> bool:
        """Whether all its sessions are up and it knows both ways to the far site."""
        far = plan.far_site(self._name).shared.network
        paths = self._shown("bgpd", f"bgp ipv4 unicast {far}").get("paths", [])
        if sum(bool(path.get("valid")) for path in paths) < 2:
            return False
        if not self._ms:
            return True
        peers: Iterable[Mapping[str, Any]] = self._shown("bfdd", "bfd peers")
        states = [peer.get("status") for peer in peers]
        return len(states) == 2 and set(states) == {"up"}


def begin(lab: TwoSite, interval_ms: int, *, inside: bool = False) -> Street:
    """Start FRR and VRRP on all gateways of a network, and wait until all sessions are up."""
    routers: dict[str, Router] = {}

    def start(name: str) -> Processes:
        start_keepalived(lab, name, pace=PACE)
        routers[name] = Router(lab, name, interval_ms, inside=inside)
        return Processes(routers[name].start)

    def revive(here: Street, name: str) -> None:
        here.daemons[name] = start(name)

    with ThreadPoolExecutor(len(plan.GATEWAYS)) as pool:
        daemons = dict(zip(plan.GATEWAYS, pool.map(start, plan.GATEWAYS), strict=True))
    here = Street(lab, daemons, {"routers": routers}, revive)
    wait_for(lambda: home(here), UP_S, "all sessions of BGP", poll=0.2)
    return here


def home(here: Street) -> bool:
    """Whether the preferred gateways have the addresses and use line 1, and all is well."""
    routers: dict[str, Router] = here.options["routers"]
    for key, site in plan.SITES.items():
        if here.lab.holders(key) != {site.preferred}:
            return False
        far = plan.far_site(site.preferred).end_address.ip
        argv = ("ip", "route", "get", str(far))
        way = here.lab.hosts[site.preferred].run_in_network(*argv, check=False).stdout
        if not any(f" dev {device} " in way for device in ("wan", TUNNEL_DEVICE)):
            return False
    return all(router.is_well() for router in routers.values())
