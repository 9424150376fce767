"""Pacemaker with its own ping agent, at its fastest."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.modes.mode import Mode, at_home
from benchmarks.modes.pacemaker import NO_SUCH_LINKS, TOKEN_MS
from benchmarks.modes.processes import Processes
from benchmarks.pacemaker import FASTEST
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.faults import Street, machines, programs
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.pacemaker import Clusters


class Cluster(Processes):
    """Pacemaker and corosync on a gateway: what decides there."""

    def __init__(self, clusters: Clusters, name: str) -> None:
        node = clusters.nodes[name]
        self._node, self._begun = node, False
        super().__init__(self._started)

    def _started(self) -> list[Inside]:
        if self._begun:
            self._node.start()
        self._begun = True
        return self._node.processes


@contextmanager
def opens(rise: int) -> Iterator[Street]:
    """Build the network with tunnels and both clusters."""
    with TwoSite(ipsec=True) as lab:
        yield begin(lab)


def begin(lab: TwoSite) -> Street:
    """Start both clusters of a network."""
    clusters = Clusters(lab, watch=FASTEST, token_ms=TOKEN_MS)
    clusters.start()
    daemons = {name: Cluster(clusters, name) for name in plan.GATEWAYS}

    def revive(here: Street, name: str) -> None:
        clusters.furnish(name)
        here.daemons[name] = Cluster(clusters, name)

    def order(here: Street, name: str, serves: bool) -> None:
        argv = ("-D",) if serves else ("-v", "on")
        here.lab.hosts[name].run("crm_standby", *argv, timeout=30)

    return Street(lab, daemons, {"clusters": clusters}, revive, order)


def home(here: Street) -> bool:
    """Whether all is well: also every node says that it reaches its far end."""
    clusters: Clusters = here.options["clusters"]
    return at_home(here) and all(
        clusters.attribute(name, "pingd") == "1000" for name in plan.GATEWAYS
    )


MODE = Mode(
    "ping-agent",
    "Pacemaker's ping agent",
    "`ocf:pacemaker:ping` of the far gateway with `monitor 1s`, `dampen=1s`, one attempt, and a "
    "location rule; corosync over the LAN with `token: 500` and no fencing",
    opens,
    home,
    hold_s=14.0,
    steady_s=2.0,
    # HA-VPN's state is not there, and the kernel's clock is the real machine's.
    without=NO_SUCH_LINKS | {machines.disk_full, programs.clock_back},
)
