"""Both sites' Pacemaker clusters on the gateways, one of two nodes a site, with HA-VPN in them."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from havpn_core.testing.lab.daemons.pacemaker import PacemakerNode
from havpn_core.testing.lab.daemons.supervisor import DEFAULT, environment
from havpn_core.testing.lab.twosite import TwoSite

CONFIG = """
[node]
name = "{name}"
[path.vpn]
profile = "{profile}"
rise = {rise}
damping = false
[path.vpn.probe.echo]
type = "udp-echo"
host = "{far}"
device = "wan"
[respond]
listen = ["{near}:7", "{local}:7"]
allow = ["{far}/32", "{far_lan}/32"]
rate = 1000
[action.cluster]
type = "pacemaker"
attribute = "havpn-vpn"
preferred = "{preferred}"
{around}
"""
RESOURCES = """
primitive line ocf:havpn:link params path=vpn {params} \\
    op start timeout=30s interval=0 op stop timeout=30s interval=0 \\
    op monitor interval={monitor} timeout=20s
clone lines line
location want-line gateway-ip rule 1000: havpn-vpn gte 1
"""
ADDRESS = """
primitive gateway-ip ocf:heartbeat:IPaddr2 \\
    params ip={ip} cidr_netmask={prefix} nic=lan \\
    op start timeout=20s interval=0 op stop timeout=20s interval=0 \\
    op monitor interval=10s timeout=20s
location prefer-a gateway-ip 50: {preferred}
rsc_defaults resource-stickiness=0
"""
# Pacemaker's search path is compiled in and /usr is the real machine's: give the host its own.
TREE = """
set -e
mkdir -p /run/resource.d/havpn
cd /run/resource.d
for provider in heartbeat pacemaker; do
    mkdir -p "$provider"
    mount --bind "/usr/lib/ocf/resource.d/$provider" "$provider"
done
mount --rbind /run/resource.d /usr/lib/ocf/resource.d
"""


class Clusters:
    """Both sites' clusters with HA-VPN in them, as docs/pacemaker.md says (soft, automatic).

    :param monitor: interval of the agent's monitor, as Pacemaker writes times.
    :param params: further parameters of the agent, as crmsh writes them.
    :param watch: the resources that watch the line, for the sites' comparison with other agents;
        ``{node1}`` and ``{node2}`` stand for the gateways, ``{far1}`` and ``{far2}`` for the
        addresses of their far ends.
    :param token_ms: of :class:`PacemakerNode`.
    :param around: gives further tables of a gateway's configuration, by its name.
    """

    def __init__(
        self,
        lab: TwoSite,
        *,
        profile: str = "fast",
        rise: int = 40,
        monitor: str = "2s",
        params: str = "",
        watch: str | None = None,
        around: Callable[[str], str] = lambda name: "",
        token_ms: int = 1000,
    ) -> None:
        self._lab, self._profile, self._rise = lab, profile, rise
        self._plan = lab.plan
        self._watch = RESOURCES.format(monitor=monitor, params=params) if watch is None else watch
        self._own, self._around, self._token_ms = watch is None, around, token_ms
        self.nodes: dict[str, PacemakerNode] = {}

    def start(self) -> None:
        """Start both and wait until the preferred gateways have the addresses."""
        with ThreadPoolExecutor(len(self._plan.gateways)) as pool:
            list(pool.map(self.furnish, self._plan.gateways))
            first = [site.preferred for site in self._plan.sites.values()]
            list(pool.map(lambda name: self.nodes[name].wait_online(), first))
            list(pool.map(self._configure, self._plan.sites))
        self.wait_home(60)

    def furnish(self, name: str) -> None:
        """Configure and start a gateway's node, which may have just booted."""
        host, gateway = self._lab.hosts[name], self._plan.gateways[name]
        host.run("sh", "-c", TREE)
        if self._own:
            far = self._plan.gateways[gateway.far]
            text = CONFIG.format(
                name=name,
                profile=self._profile,
                rise=self._rise,
                near=gateway.wan.ip,
                far=far.wan.ip,
                local=gateway.lan.ip,
                far_lan=far.lan.ip,
                preferred=self._plan.site_of(name).preferred,
                around=self._around(name),
            )
            host.write("/etc/havpn/havpn.toml", text, 0o600)
            command = (*DEFAULT, "ocf", "install")
            host.run(*command, timeout=30, env=environment())
        node = self.nodes[name] = PacemakerNode(host, self._plan.site_of(name), self._token_ms)
        node.start()

    def _configure(self, name: str) -> None:
        site = self._plan.sites[name]
        text = ADDRESS.format(
            ip=site.shared.ip, prefix=site.shared.network.prefixlen, preferred=site.preferred
        )
        watch = self._watch
        for number, gateway in enumerate(site.gateways, 1):
            watch = watch.replace(f"{{node{number}}}", gateway.name)
            watch = watch.replace(f"{{far{number}}}", str(self._plan.gateways[gateway.far].wan.ip))
        self.nodes[site.preferred].crm(text + watch)

    def rejoin(self, name: str) -> None:
        """Boot a gateway that was powered off and let it into its cluster again."""
        self._lab.power_on(name)
        self.furnish(name)

    def crm(self, site: str, text: str) -> None:
        """Take a configuration over in one site."""
        self.nodes[self._plan.sites[site].backup].crm(text)

    def set_parameter(self, site: str, name: str, value: str) -> None:
        """Change a parameter of the agent."""
        argv = ("crm_resource", "-r", "line", "-p", name, "-v", value)
        self.nodes[self._plan.sites[site].backup].host.run(*argv, timeout=30)

    def attribute(self, node: str, name: str = "havpn-vpn") -> str | None:
        """Give a node's attribute, as its partner sees it."""
        other = self._plan.partner_of(node)
        return self.nodes[other].attribute(name, node)

    def pid(self, node: str) -> str:
        """Give the process number of a node's supervisor, empty if it tells none."""
        script = "sed -n 's/^pid //p' /run/havpn/status.brief 2>/dev/null"
        return self._lab.hosts[node].run("sh", "-c", script, check=False).stdout.strip()

    def failures(self, site: str, operation: str = "stop") -> list[str]:
        """Give what a site lists under Failed Resource Actions of one operation."""
        shown = self.nodes[self._plan.sites[site].preferred].xml()
        return re.findall(rf'<failure op_key="([^"]*_{operation}_[^"]*)"', shown)

    def clean(self, site: str) -> None:
        """Forget what a site lists as failed."""
        self.nodes[self._plan.sites[site].backup].host.run("crm_resource", "--cleanup", timeout=60)

    def wait_home(self, timeout: float) -> None:
        """Wait until the preferred gateways have the addresses."""
        for name, site in self._plan.sites.items():
            self._lab.wait_holder(name, site.preferred, timeout)

    def wait_backup(self, timeout: float) -> None:
        """Wait until the other gateways have them."""
        for name, site in self._plan.sites.items():
            self._lab.wait_holder(name, site.backup, timeout)
