"""The cluster managers of a user's own site, where this machine has them."""

import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from havpn_core.site.model.options import Mode
from havpn_core.testing.lab import Heartbeat, TwoSite
from havpn_core.testing.lab.daemons.heartbeat import INIT_SCRIPT
from havpn_core.testing.lab.daemons.pacemaker import PacemakerNode
from havpn_core.testing.lab.daemons.supervisor import DEFAULT, environment
from havpn_core.testing.lab.hosts.places import Gateway
from havpn_core.testing.lab.pacemaker import BLOCK, TREE

PROGRAMS = {
    Mode.PAIR: (),
    Mode.HEARTBEAT: (INIT_SCRIPT, "cl_status"),
    Mode.PACEMAKER: ("corosync", "pacemakerd", "crm"),
}
"""What each mode needs, crmsh included: the lab takes the cluster's block over by that."""
SETTLED_S = 60.0


def lacking(mode: Mode) -> str:
    """Say what keeps a mode from being rehearsed here; empty: nothing."""
    missing = [each for each in PROGRAMS[mode] if shutil.which(each) is None]
    if missing:
        return f"{missing[0]} is not installed here"
    if PROGRAMS[mode] and not _is_root():
        return "only root can run that"
    return ""


def _is_root() -> bool:
    """Whether this is root of the machine, and not of a user namespace alone."""
    spans = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    return os.geteuid() == 0 and spans == ["0", "0", "4294967295"]


def start_clusters(lab: TwoSite, texts: Mapping[str, Mapping[str, str]]) -> None:
    """Start what moves the addresses of sites that are no pairs, and wait until it has them.

    :param texts: the files of each gateway, which are there already.
    """
    heartbeat = list(_gateways(lab, Mode.HEARTBEAT))
    pacemaker = list(_gateways(lab, Mode.PACEMAKER))
    for gateway in heartbeat:
        node = lab.clusters[gateway.name] = Heartbeat(lab.hosts[gateway.name], lab.plan)
        node.configure()
        node.start()
    if pacemaker:
        with ThreadPoolExecutor(len(pacemaker)) as pool:
            nodes = dict(pool.map(lambda gateway: _pacemaker(lab, gateway), pacemaker))
        for gateway in pacemaker:
            if gateway.name == lab.plan.site_of(gateway.name).preferred:
                nodes[gateway.name].wait_online()
                nodes[gateway.name].crm(texts[gateway.name][BLOCK])
    for gateway in (*heartbeat, *pacemaker):
        site = lab.plan.site_of(gateway.name)
        lab.wait_holder(site.name, site.preferred, SETTLED_S)


def _gateways(lab: TwoSite, mode: Mode) -> Iterator[Gateway]:
    for name, site in lab.plan.model.sites.items():
        if site.mode is mode:
            yield from lab.plan.sites[name].gateways


def _pacemaker(lab: TwoSite, gateway: Gateway) -> tuple[str, PacemakerNode]:
    host = lab.hosts[gateway.name]
    host.run("sh", "-c", TREE)
    host.run(*DEFAULT, "ocf", "install", timeout=30, env=environment())
    node = PacemakerNode(host, lab.plan.site_of(gateway.name))
    node.start()
    return gateway.name, node
