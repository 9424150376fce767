"""Real Corosync and Pacemaker on the gateways: one cluster of two nodes for each site.

Tuned to be up soon: the node that comes first does not wait 20 s for others (``dc-deadtime``),
and tokens are short. There is no fencing, which no cluster outside of a laboratory may go without.
"""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from havpn_core.testing.lab.daemons.supervisor import DEFAULT, environment
from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SITES, Site, site_of
from havpn_core.testing.lab.hosts.waiting import wait_for
from havpn_core.testing.lab.twosite import TwoSite

CONF = """
totem {{
    version: 2
    cluster_name: {cluster}
    transport: knet
    token: 1000
    crypto_cipher: none
    crypto_hash: none
}}
system {{
    move_to_root_cgroup: no
    sched_rr: no
}}
quorum {{
    provider: corosync_votequorum
    two_node: 1
    wait_for_all: 0
}}
nodelist {{
{nodes}
}}
logging {{
    to_stderr: no
    to_syslog: no
    to_logfile: yes
    logfile: /var/log/corosync.log
}}
"""
NODE = """    node {{
        name: {name}
        nodeid: {number}
        ring0_addr: {address}
    }}"""
CIB = """<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.0">
<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="d" name="dc-deadtime" value="1s"/>
<nvpair id="s" name="stonith-enabled" value="false"/>
<nvpair id="q" name="no-quorum-policy" value="ignore"/>
</cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration><status/></cib>
"""
FOLDERS = """
set -e
for folder in /run/crm /run/pacemaker /var/lib/pacemaker /var/lib/pacemaker/cib \
              /var/lib/pacemaker/pengine /var/lib/pacemaker/blackbox /var/lib/pacemaker/cores; do
    mkdir -p "$folder"
    chown hacluster:haclient "$folder"
    chmod 750 "$folder"
done
mkdir -p /run/resource-agents /var/lib/corosync
rm -f /var/lib/pacemaker/cib/*
cat >/var/lib/pacemaker/cib/cib.xml
chown hacluster:haclient /var/lib/pacemaker/cib/cib.xml
chmod 600 /var/lib/pacemaker/cib/cib.xml
"""
UP_S = 60.0
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class PacemakerNode:
    """Corosync and Pacemaker on one gateway."""

    def __init__(self, host: Host, site: Site) -> None:
        self.host, self._site = host, site
        self._corosync: Inside | None = None
        self._pacemaker: Inside | None = None

    def start(self) -> None:
        """Configure and start both daemons; use :meth:`wait_online` to see them work."""
        nodes = [
            NODE.format(name=gateway.name, number=number, address=gateway.lan.ip)
            for number, gateway in enumerate(self._site.gateways, 1)
        ]
        conf = CONF.format(cluster=self._site.lan, nodes="\n".join(nodes))
        self.host.write("/etc/corosync/corosync.conf", conf)
        self.host.run("sh", "-c", FOLDERS, input=CIB)
        self._corosync = self.host.popen("corosync", "-f", **QUIET)
        wait_for(
            lambda: self._succeeds("corosync-cmapctl", "-g", "runtime.votequorum.this_node_id"),
            UP_S,
            f"corosync on {self.host.name}",
        )
        self._pacemaker = self.host.popen("pacemakerd", "-f", **QUIET)

    def _succeeds(self, *argv: str) -> bool:
        return self.host.run(*argv, check=False).returncode == 0

    def wait_online(self, timeout: float = UP_S) -> None:
        """Wait until both nodes of the cluster are online and the cluster has come to rest.

        :raises NotInTime: if they are not within ``timeout`` seconds.
        """
        names = [gateway.name for gateway in self._site.gateways]

        def online() -> bool:
            shown = self.xml()
            return all(re.search(rf'<node name="{n}"[^>]* online="true"', shown) for n in names)

        wait_for(online, timeout, f"both nodes of {self._site.lan} online")

    def xml(self) -> str:
        """Give the cluster's state as ``crm_mon`` tells it, empty while it tells nothing."""
        return self.host.run("crm_mon", "--output-as=xml", check=False).stdout

    def crm(self, text: str, timeout: float = 60.0) -> None:
        """Take a configuration in the language of crmsh over, on top of what there is.

        :raises CommandFailed: if crmsh refuses it.
        """
        self.host.write("/run/crm.conf", text)
        self.host.run("crm", "-F", "configure", "load", "update", "/run/crm.conf", timeout=timeout)

    def attribute(self, name: str, node: str) -> str | None:
        """Give the value of a node's transient attribute, :data:`None` if it is not set."""
        done = self.host.run("attrd_updater", "-Q", "-n", name, "-N", node, check=False)
        found = re.search(r'\bvalue="([^"]*)"', done.stdout)
        return (found[1] or None) if found and done.returncode == 0 else None

    def power_off(self) -> None:
        """Forget the daemons of a host that was ended."""
        self._corosync = self._pacemaker = None


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
listen = ["{near}:7"]
allow = ["{far}/32"]
rate = 1000
[action.cluster]
type = "pacemaker"
attribute = "havpn-vpn"
"""
RESOURCES = """
primitive line ocf:havpn:link params path=vpn \\
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
    :param watch: the resources that watch the line, for the sites' comparison with other agents;
        ``{node1}`` and ``{node2}`` stand for the gateways, ``{far1}`` and ``{far2}`` for the
        addresses of their far ends.
    """

    def __init__(
        self,
        lab: TwoSite,
        *,
        profile: str = "fast",
        rise: int = 40,
        monitor: str = "2s",
        watch: str | None = None,
    ) -> None:
        self._lab, self._profile, self._rise = lab, profile, rise
        self._watch = RESOURCES.format(monitor=monitor) if watch is None else watch
        self._own = watch is None
        self.nodes: dict[str, PacemakerNode] = {}

    def start(self) -> None:
        """Start both and wait until the preferred gateways have the addresses."""
        with ThreadPoolExecutor(len(GATEWAYS)) as pool:
            list(pool.map(self._furnish, GATEWAYS))
            list(pool.map(lambda name: self.nodes[SITES[name].preferred].wait_online(), SITES))
            list(pool.map(self._configure, SITES))
        self.wait_home(60)

    def _furnish(self, name: str) -> None:
        host, gateway = self._lab.hosts[name], GATEWAYS[name]
        host.run("sh", "-c", TREE)
        if self._own:
            far = GATEWAYS[gateway.far].wan.ip
            text = CONFIG.format(
                name=name, profile=self._profile, rise=self._rise, near=gateway.wan.ip, far=far
            )
            host.write("/etc/havpn/havpn.toml", text, 0o600)
            command = (*DEFAULT, "ocf", "install")
            host.run(*command, timeout=30, env=environment())
        node = self.nodes[name] = PacemakerNode(host, site_of(name))
        node.start()

    def _configure(self, name: str) -> None:
        site = SITES[name]
        text = ADDRESS.format(
            ip=site.shared.ip, prefix=site.shared.network.prefixlen, preferred=site.preferred
        )
        watch = self._watch
        for number, gateway in enumerate(site.gateways, 1):
            watch = watch.replace(f"{{node{number}}}", gateway.name)
            watch = watch.replace(f"{{far{number}}}", str(GATEWAYS[gateway.far].wan.ip))
        self.nodes[site.preferred].crm(text + watch)

    def rejoin(self, name: str) -> None:
        """Boot a gateway that was powered off and let it into its cluster again."""
        self._lab.power_on(name)
        self._furnish(name)

    def crm(self, site: str, text: str) -> None:
        """Take a configuration over in one site."""
        self.nodes[SITES[site].backup].crm(text)

    def set_parameter(self, site: str, name: str, value: str) -> None:
        """Change a parameter of the agent."""
        argv = ("crm_resource", "-r", "line", "-p", name, "-v", value)
        self.nodes[SITES[site].backup].host.run(*argv, timeout=30)

    def attribute(self, node: str, name: str = "havpn-vpn") -> str | None:
        """Give a node's attribute, as its partner sees it."""
        site = site_of(node)
        other = site.backup if node == site.preferred else site.preferred
        return self.nodes[other].attribute(name, node)

    def pid(self, node: str) -> str:
        """Give the process number of a node's supervisor, empty if it tells none."""
        script = "sed -n 's/^pid //p' /run/havpn/status.brief 2>/dev/null"
        return self._lab.hosts[node].run("sh", "-c", script, check=False).stdout.strip()

    def failures(self, site: str) -> list[str]:
        """Give the resources that failed to stop in a site."""
        shown = self.nodes[SITES[site].preferred].xml()
        return re.findall(r'<failure op_key="([^"]*_stop_[^"]*)"', shown)

    def wait_home(self, timeout: float) -> None:
        """Wait until the preferred gateways have the addresses."""
        for name, site in SITES.items():
            self._lab.wait_holder(name, site.preferred, timeout)

    def wait_backup(self, timeout: float) -> None:
        """Wait until the other gateways have them."""
        for name, site in SITES.items():
            self._lab.wait_holder(name, site.backup, timeout)
