"""Both sites' Pacemaker clusters on the gateways, one of two nodes a site, with HA-VPN in them."""

import re
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from havpn_core.site.model.options import LineProbe, Mode
from havpn_core.site.rendering.havpn import merged, tables_of
from havpn_core.site.rendering.paths import CLUSTER_PATH
from havpn_core.site.rendering.toml import toml_of
from havpn_core.testing.lab.daemons.pacemaker import PacemakerNode
from havpn_core.testing.lab.daemons.rendered import files_of
from havpn_core.testing.lab.daemons.supervisor import DEFAULT, environment
from havpn_core.testing.lab.gateways import responder
from havpn_core.testing.lab.twosite import TwoSite

CONFIG, BLOCK = "/etc/havpn/havpn.toml", "/etc/havpn/cluster.crm"
PATH = CLUSTER_PATH
OF_ADDRESS = ("primitive gateway-ip ", "location prefer-", "rsc_defaults ")
"""How the statements begin that say nothing of who watches the line."""
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
    """Both sites' clusters with HA-VPN in them, as the site file is rendered to them.

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
        self._monitor, self._params, self._watch = monitor, params, watch
        self._around, self._token_ms = around, token_ms
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
        host = self._lab.hosts[name]
        host.run("sh", "-c", TREE)
        if self._watch is None:
            host.write(CONFIG, self.config(name), 0o600)
            command = (*DEFAULT, "ocf", "install")
            host.run(*command, timeout=30, env=environment())
        node = self.nodes[name] = PacemakerNode(host, self._plan.site_of(name), self._token_ms)
        node.start()

    def config(self, name: str) -> str:
        """Write a gateway's configuration, as the site file is rendered to it, at a test's pace."""
        over: dict[str, Any] = {
            "path": {PATH: {"rise": self._rise, "damping": False}},
            "respond": responder(self._plan, name),
        }
        meant = self._plan.in_mode(
            Mode.PACEMAKER,
            profile=self._profile,
            line_probe=LineProbe.ECHO,
            havpn=merged(over, tomllib.loads(self._around(name))),
        )
        tables = tables_of(meant.model, name)
        tables.pop("notifier")  # the log of the machine is not the laboratory's
        return toml_of(tables)

    def _configure(self, name: str) -> None:
        self.nodes[self._plan.sites[name].preferred].crm(self.block(name))

    def block(self, name: str) -> str:
        """Write what a site's cluster is to know, as the site file is rendered to it.

        Where other resources watch the line it is what is rendered for the address alone.
        """
        site = self._plan.sites[name]
        block = files_of(self._plan, Mode.PACEMAKER)[site.preferred][BLOCK]
        if self._watch is None:
            return self._at_pace(block)
        watch = self._watch
        for number, gateway in enumerate(site.gateways, 1):
            far = self._plan.gateways[gateway.far].wan.ip
            watch = watch.replace(f"{{node{number}}}", gateway.name)
            watch = watch.replace(f"{{far{number}}}", str(far))
        return "\n".join(s for s in _statements(block) if s.startswith(OF_ADDRESS)) + watch

    def _at_pace(self, block: str) -> str:
        """Give the rendered statements with the agent's monitor and parameters of a test."""
        own = f"params path={PATH} "
        pace = f"op monitor interval={self._monitor}"
        found = _statements(block)
        (at,) = (n for n, each in enumerate(found) if each.startswith("primitive line "))
        agent = re.sub(r"op monitor interval=\S+", pace, found[at])
        found[at] = agent.replace(own, f"{own}{self._params} ")
        return "\n".join(found) + "\n"

    def rejoin(self, name: str) -> None:
        """Boot a gateway that was powered off and let it into its cluster again."""
        self._lab.power_on(name)
        if name in self._lab.tunnels:  # its path watches the tunnel, too
            tunnel = self._lab.tunnels[name]
            tunnel.host = self._lab.hosts[name]
            tunnel.restart()
            tunnel.initiate()
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


def _statements(block: str) -> list[str]:
    """Give the statements of a block in the language of crmsh, each in one line."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
