"""The two-site network of the published system, in namespaces on one machine.

``with TwoSite() as lab:`` gives two sites with two gateways each, a client and a server, two
providers, and, as wanted, IPsec tunnels and heartbeat clusters. Needs root (or
``unshare --user --map-root-user`` without tunnels and clusters).
"""

import itertools
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Literal, Self

from havpn_core.testing.lab.daemons.heartbeat import Heartbeat
from havpn_core.testing.lab.daemons.ownership import AddressWatch
from havpn_core.testing.lab.daemons.strongswan import StrongSwan
from havpn_core.testing.lab.daemons.supervisor import DEFAULT, Supervisor
from havpn_core.testing.lab.daemons.tenure import Tenure, tenure
from havpn_core.testing.lab.hosts import leftovers, plan
from havpn_core.testing.lab.hosts.cable import SerialCable
from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host, end_hosts, start_hosts
from havpn_core.testing.lab.hosts.lan import Lan
from havpn_core.testing.lab.hosts.network import Provider, set_up
from havpn_core.testing.lab.hosts.waiting import wait_for
from havpn_core.testing.lab.pinger import Pinger
from havpn_core.testing.lab.traffic import Stream

GATEWAY_SYSCTLS = (
    "net.ipv4.ip_forward=1",
    *(f"net.ipv4.conf.{which}.rp_filter=0" for which in ("all", "default", "lan", "wan")),
    *(f"net.ipv4.conf.{which}.send_redirects=0" for which in ("all", "default", "lan", "wan")),
)
CLUSTER_S = 25.0


class TwoSite:
    """The network; a context manager that leaves nothing behind.

    :param ipsec: tunnels by strongSwan. Without them the providers route the LANs in the clear,
        so that no daemon is needed; each gateway still uses its own provider only.
    :param cluster: who moves the shared addresses; None leaves that to the test or to havpn.
    :param delays_ms: how long a packet takes one way over a provider, by its name.
    """

    def __init__(
        self,
        *,
        ipsec: bool = True,
        cluster: Literal["heartbeat"] | None = None,
        delays_ms: Mapping[str, float] | None = None,
    ) -> None:
        self._ipsec = ipsec
        self._cluster = cluster
        self._delays_ms = delays_ms or {}
        self.hosts: dict[str, Host] = {}
        self.lans: dict[str, Lan] = {}
        self.providers: dict[str, Provider] = {}
        self.cables: dict[str, SerialCable] = {}
        self.tunnels: dict[str, StrongSwan] = {}
        self.clusters: dict[str, Heartbeat] = {}
        self.addresses = AddressWatch()
        self.timings: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Bring everything up; on any failure nothing stays."""
        leftovers.sweep()
        self.folder = leftovers.open_folder()
        try:
            self._timed("hosts", self._start_hosts)
            self._timed("network", self._lay_network)
            self._timed("daemons", self._start_daemons)
        except BaseException:
            self.tear_down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take everything down."""
        self._timed("teardown", self.tear_down)

    def tear_down(self) -> None:
        """End every host and remove the lab's folder; safe to call twice.

        :raises HostFailed: hosts resisted; the folder stays, so that a later run finds them.
        """
        resisting = end_hosts(self.hosts.values())
        if resisting:
            raise HostFailed(f"these hosts did not end: {', '.join(resisting)}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _timed(self, name: str, step: Callable[[], None]) -> None:
        begun = time.monotonic()
        step()
        self.timings[name] = time.monotonic() - begun

    def _start_hosts(self) -> None:
        self.hosts = start_hosts(plan.HOSTS, self.folder)

    def _lay_network(self) -> None:
        with ThreadPoolExecutor(len(plan.HOSTS)) as pool:
            sites = pool.map(self._lay_site, plan.SITES)
            providers = pool.map(self._lay_provider, plan.PROVIDERS)
            _all_of(sites, providers)
            _all_of(pool.map(self.furnish, plan.GATEWAYS))
        self.addresses.add(self.hosts[name] for name in plan.GATEWAYS)

    def _lay_site(self, name: str) -> None:
        site = plan.SITES[name]
        bearer = self.hosts[site.lan]
        lan = self.lans[name] = Lan(bearer)
        ends = {site.end_host: site.end_address, site.second_host: site.second_address}
        for station in (*ends, site.preferred, site.backup):
            lan.attach(self.hosts[station], "lan")
        default = f"default via {site.shared.ip} dev lan"
        for station, address in ends.items():
            set_up(self.hosts[station], [(str(address), "lan")], [default])
        self.cables[name] = SerialCable(bearer)

    def _lay_provider(self, name: str) -> None:
        provider = self.providers[name] = Provider(self.hosts[name], self._delays_ms.get(name, 0.0))
        for gateway in plan.GATEWAYS.values():
            if gateway.provider == name:
                provider.attach(self.hosts[gateway.name], gateway.side)

    def furnish(self, name: str) -> None:
        """Give a gateway whose cables are plugged in its addresses, routes and kernel settings.

        Its provider's end of the line gets its own, too: they go with the carrier of a port.
        """
        gateway, site = plan.GATEWAYS[name], plan.site_of(name)
        far = plan.GATEWAYS[gateway.far]
        routes = [f"{far.wan.ip} via {gateway.router.ip} dev wan"]
        clear = [] if self._ipsec else [f"{site.shared.network} via {gateway.wan.ip}"]
        if not self._ipsec:
            routes.append(f"{plan.far_site(name).shared.network} via {gateway.router.ip} dev wan")
        line = [(str(gateway.router), gateway.side.value)]
        set_up(self.providers[gateway.provider].host, line, clear)
        addresses = [(str(gateway.lan), "lan"), (str(gateway.wan), "wan")]
        set_up(self.hosts[name], addresses, routes, GATEWAY_SYSCTLS)
        key = next(key for key, each in plan.SITES.items() if each is site)
        self.cables[key].attach(self.hosts[name], [site.preferred, site.backup].index(name))

    def _start_daemons(self) -> None:
        near = [gateway.name for gateway in plan.SITE_A.gateways]
        with ThreadPoolExecutor(len(plan.GATEWAYS)) as pool:
            if self._cluster:
                _all_of(pool.map(self._start_cluster, plan.GATEWAYS))
            if self._ipsec:
                _all_of(pool.map(self._start_tunnel, plan.GATEWAYS))
                _all_of(pool.map(lambda name: self.tunnels[name].initiate(), near))
        if self._cluster:
            for name, site in plan.SITES.items():
                self.wait_holder(name, site.preferred, CLUSTER_S)

    def _start_cluster(self, name: str) -> None:
        node = self.clusters[name] = Heartbeat(self.hosts[name], plan.site_of(name))
        node.configure()
        node.start()

    def _start_tunnel(self, name: str) -> None:
        tunnel = self.tunnels[name] = StrongSwan(self.hosts[name])
        tunnel.configure()
        tunnel.start()
        tunnel.load()

    @property
    def client(self) -> Host:
        """The end host on LAN A."""
        return self.hosts["client"]

    @property
    def server(self) -> Host:
        """The end host on LAN B."""
        return self.hosts["server"]

    def holders(self, site: str) -> frozenset[str]:
        """Return the gateways that have the shared address of a site (``a`` or ``b``) now."""
        return self.addresses.holders(str(plan.SITES[site].shared.ip))

    def tenure(self, site: str, since: float = 0.0, until: float | None = None) -> Tenure:
        """Return for how long a site had two owners on its LAN, or none, from then till then."""
        here = plan.SITES[site]
        holdings = self.addresses.holdings(str(here.shared.ip))
        names = (here.preferred, here.backup)
        return tenure(holdings, self.lans[site].absences(), names, since, until or time.monotonic())

    def wait_holder(self, site: str, gateway: str, timeout: float) -> None:
        """Wait until exactly this gateway has the shared address of its site.

        :raises NotInTime: it does not within ``timeout`` seconds.
        """
        wait_for(
            lambda: self.holders(site) == {gateway},
            timeout,
            f"{gateway} alone to hold the shared address of site {site}",
        )

    def give_address(self, gateway: str) -> None:
        """Put the shared address on a gateway by hand, take it from the partner, announce it."""
        site = plan.site_of(gateway)
        partner = site.backup if gateway == site.preferred else site.preferred
        drop = ("ip", "address", "del", str(site.shared), "dev", "lan")
        self.hosts[partner].run_in_network(*drop, check=False)
        set_up(self.hosts[gateway], [(str(site.shared), "lan")])
        announce = f"arping -q -A -c 1 -I lan {site.shared.ip} &"  # it waits a second
        self.hosts[gateway].run("sh", "-c", announce)

    def power_off(self, gateway: str) -> None:
        """End a gateway without a warning."""
        # The kernel takes a dead network namespace down in its own time and replies meanwhile.
        site = next(n for n, s in plan.SITES.items() if s is plan.site_of(gateway))
        self.lans[site].mute(gateway)
        self.hosts[gateway].kill()
        self.addresses.gone(gateway)

    def power_on(self, gateway: str) -> None:
        """Give a gateway that was powered off back, booted and cabled, without its daemons."""
        self.hosts.update(start_hosts([gateway], self.folder))
        here = plan.GATEWAYS[gateway]
        site = next(name for name, each in plan.SITES.items() if here in each.gateways)
        self.lans[site].attach(self.hosts[gateway], "lan")
        self.providers[here.provider].attach(self.hosts[gateway], here.side)
        self.furnish(gateway)
        self.addresses.add([self.hosts[gateway]])

    def stream(self, **options: Any) -> Stream:
        """Open a verified TCP connection from client to server; options of :class:`Stream`."""
        return Stream(self.client, self.server, str(plan.SITE_B.end_address.ip), **options)

    def pinger(self, **options: Any) -> Pinger:
        """Start measuring outages from client to server; options of :class:`Pinger`."""
        return Pinger(self.client, self.server, str(plan.SITE_B.end_address.ip), **options)

    def supervisor(
        self, gateway: str, config: str, executable: Iterable[str] = DEFAULT
    ) -> Supervisor:
        """Configure (not start) the havpn daemon of a gateway."""
        return Supervisor(self.hosts[gateway], config, tuple(executable))


def _all_of(*steps: Iterable[None]) -> None:
    """Wait for steps under way and raise the first error among them."""
    for step in itertools.chain(*steps):
        assert step is None
