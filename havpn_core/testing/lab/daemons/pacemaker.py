"""Corosync and Pacemaker on one gateway, tuned to be up soon.

The node that comes first does not wait 20 s for others (``dc-deadtime``), and tokens are short.
There is no fencing, which no cluster outside of a laboratory may go without.
"""

import re
import signal
import subprocess
from typing import Any

from havpn_core.testing.lab.hosts.host import Host
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.places import Site
from havpn_core.testing.lab.hosts.waiting import wait_for

CONF = """
totem {{
    version: 2
    cluster_name: {cluster}
    transport: knet
    token: {token_ms}
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
    """Corosync and Pacemaker on one gateway.

    :param token_ms: corosync calls a silent node dead after 2.2 times as long.
    """

    def __init__(self, host: Host, site: Site, token_ms: int = 1000) -> None:
        self.host, self._site, self._token_ms = host, site, token_ms
        self._corosync: Inside | None = None
        self._pacemaker: Inside | None = None

    def start(self) -> None:
        """Configure and start both daemons; use :meth:`wait_online` to see them work."""
        nodes = [
            NODE.format(name=gateway.name, number=number, address=gateway.lan.ip)
            for number, gateway in enumerate(self._site.gateways, 1)
        ]
        conf = CONF.format(cluster=self._site.lan, nodes="\n".join(nodes), token_ms=self._token_ms)
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

    @property
    def processes(self) -> list[Inside]:
        """Both daemons, Pacemaker first; those of Pacemaker have children."""
        return [each for each in (self._pacemaker, self._corosync) if each is not None]

    def stop(self, timeout: float = 60.0) -> None:
        """Stop both in order, which moves the resources away first.

        :raises subprocess.TimeoutExpired: one did not end.
        """
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=timeout)
