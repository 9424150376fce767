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
from havpn_core.testing.lab.hosts import leftovers, routes
from havpn_core.testing.lab.hosts.cable import SerialCable
from havpn_core.testing.lab.hosts.errors import HostFailed
from havpn_core.testing.lab.hosts.host import Host, end_hosts, start_hosts
from havpn_core.testing.lab.hosts.lan import Lan
from havpn_core.testing.lab.hosts.network import Provider, set_mtu, set_up
from havpn_core.testing.lab.hosts.plan import FIGURE, Plan
from havpn_core.testing.lab.hosts.waiting import wait_for
from havpn_core.testing.lab.pinger import Pinger
from havpn_core.testing.lab.traffic import Stream

CLUSTER_S = 25.0
USUAL_MTU = 1500
SILENT = """
table inet dying {
    chain output {
        type filter hook output priority 0; policy accept;
        icmp type destination-unreachable drop
        icmpv6 type destination-unreachable drop
    }
}
"""


class TwoSite:
    """The network; a context manager that leaves nothing behind.

    :param ipsec: tunnels by strongSwan. Without them the providers route the LANs in the clear,
        so that no daemon is needed; each gateway still uses its own provider only.
    :param cluster: who moves the shared addresses; None leaves that to the test or to havpn.
    :param delays_ms: how long a packet takes one way over a provider, by its name.
    :param plan: who has which address; that of the article's figure unless it is another.
    """

    def __init__(
        self,
        *,
        ipsec: bool = True,
        cluster: Literal["heartbeat"] | None = None,
        delays_ms: Mapping[str, float] | None = None,
        plan: Plan = FIGURE,
    ) -> None:
        self.plan = plan
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
        self.hosts = start_hosts(self.plan.hosts, self.folder)

    def _lay_network(self) -> None:
        with ThreadPoolExecutor(len(self.plan.hosts)) as pool:
            sites = pool.map(self._lay_site, self.plan.sites)
            providers = pool.map(self._lay_provider, self.plan.providers)
            _all_of(sites, providers)
            _all_of(pool.map(self.furnish, self.plan.gateways))
        self.addresses.add(self.hosts[name] for name in self.plan.gateways)

    def _lay_site(self, name: str) -> None:
        site = self.plan.sites[name]
        bearer = self.hosts[site.lan]
        lan = self.lans[name] = Lan(bearer)
        for gateway in site.gateways:
            lan.attach(self.hosts[gateway.name], gateway.lan_device)
        for station in (site.end_host, site.second_host):
            lan.attach(self.hosts[station], routes.END_DEVICE)
            addresses = routes.end_host_addresses(site, station)
            set_up(self.hosts[station], addresses, routes.end_host_routes(site, station))
        self.cables[name] = SerialCable(bearer)

    def _lay_provider(self, name: str) -> None:
        delay_ms, ipv6 = self._delays_ms.get(name, 0.0), self.plan.ipv6
        provider = self.providers[name] = Provider(self.hosts[name], delay_ms, ipv6=ipv6)
        for gateway in self.plan.gateways.values():
            if gateway.provider == name:
                provider.attach(self.hosts[gateway.name], gateway.side, gateway.wan_device)

    def furnish(self, name: str) -> None:
        """Give a gateway whose cables are plugged in its addresses, routes and kernel settings.

        Its provider's end of the line gets its own, too: they go with the carrier of a port.
        """
        plan, clear = self.plan, not self._ipsec
        gateway, host = plan.gateways[name], self.hosts[name]
        port = self.providers[gateway.provider].host
        if gateway.mtu != USUAL_MTU:
            set_mtu(port, gateway.side.value, gateway.mtu)
            set_mtu(host, gateway.wan_device, gateway.mtu)
        sysctls = routes.gateway_sysctls(plan, gateway)
        ways = routes.gateway_routes(plan, name, clear=clear)
        back = routes.port_routes(plan, name, clear=clear)
        set_up(port, routes.port_addresses(plan, name), back)
        set_up(host, routes.gateway_addresses(plan, name), ways, sysctls)
        if known := routes.known_names(plan):
            host.write("/etc/hosts", f"127.0.0.1 localhost {name}\n{known}")
        site = plan.site_of(name)
        self.cables[site.name].attach(host, [site.preferred, site.backup].index(name))

    def _start_daemons(self) -> None:
        plan = self.plan
        with ThreadPoolExecutor(len(plan.gateways)) as pool:
            if self._cluster:
                _all_of(pool.map(self._start_cluster, plan.gateways))
            if self._ipsec:
                _all_of(pool.map(self._start_tunnel, plan.gateways))
                _all_of(pool.map(lambda name: self.tunnels[name].initiate(), plan.initiators))
        if self._cluster:
            for name, site in plan.sites.items():
                self.wait_holder(name, site.preferred, CLUSTER_S)

    def _start_cluster(self, name: str) -> None:
        node = self.clusters[name] = Heartbeat(self.hosts[name], self.plan)
        node.configure()
        node.start()

    def _start_tunnel(self, name: str) -> None:
        tunnel = self.tunnels[name] = StrongSwan(self.hosts[name], self.plan)
        tunnel.configure()
        tunnel.start()
        tunnel.load()

    @property
    def client(self) -> Host:
        """The end host on the first LAN."""
        return self.hosts[self.plan.near.end_host]

    @property
    def server(self) -> Host:
        """The end host on the second LAN."""
        return self.hosts[self.plan.far.end_host]

    def holders(self, site: str) -> frozenset[str]:
        """Return the gateways that have the shared address of a site (``a`` or ``b``) now."""
        return self.addresses.holders(str(self.plan.sites[site].shared.ip))

    def tenure(self, site: str, since: float = 0.0, until: float | None = None) -> Tenure:
        """Return for how long a site had two owners on its LAN, or none, from then till then."""
        here = self.plan.sites[site]
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
        site, partner = self.plan.site_of(gateway), self.plan.partner_of(gateway)
        device = self.plan.gateways[gateway].lan_device
        drop = ("ip", "address", "del", str(site.shared), "dev", device)
        self.hosts[partner].run_in_network(*drop, check=False)
        set_up(self.hosts[gateway], [(str(site.shared), device)])
        announce = f"arping -q -A -c 1 -I {device} {site.shared.ip} &"  # it waits a second
        self.hosts[gateway].run("sh", "-c", announce)

    def power_off(self, gateway: str) -> None:
        """End a gateway without a warning."""
        # The kernel takes a dead network namespace down in its own time and replies meanwhile, also
        # that nobody listens any more, which a machine without power does not say.
        self.hosts[gateway].run_in_network("nft", "-f", "-", input=SILENT)
        self.lans[self.plan.site_name(gateway)].mute(gateway)
        self.hosts[gateway].kill()
        self.addresses.gone(gateway)

    def power_on(self, gateway: str) -> None:
        """Give a gateway that was powered off back, booted and cabled, without its daemons."""
        self.hosts.update(start_hosts([gateway], self.folder))
        here = self.plan.gateways[gateway]
        self.lans[self.plan.site_name(gateway)].attach(self.hosts[gateway], here.lan_device)
        provider = self.providers[here.provider]
        provider.attach(self.hosts[gateway], here.side, here.wan_device)
        self.furnish(gateway)
        self.addresses.add([self.hosts[gateway]])

    def stream(self, **options: Any) -> Stream:
        """Open a verified TCP connection from client to server; options of :class:`Stream`."""
        return Stream(self.client, self.server, str(self.plan.far.end_address.ip), **options)

    def pinger(self, **options: Any) -> Pinger:
        """Start measuring outages from client to server; options of :class:`Pinger`."""
        return Pinger(self.client, self.server, str(self.plan.far.end_address.ip), **options)

    def supervisor(
        self, gateway: str, config: str, executable: Iterable[str] = DEFAULT
    ) -> Supervisor:
        """Configure (not start) the havpn daemon of a gateway."""
        return Supervisor(self.hosts[gateway], config, tuple(executable))


def _all_of(*steps: Iterable[None]) -> None:
    """Wait for steps under way and raise the first error among them."""
    for step in itertools.chain(*steps):
        assert step is None
