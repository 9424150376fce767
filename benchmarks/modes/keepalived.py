"""keepalived with BFD and VRRP, at its fastest."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.contenders import BFD, FASTEST, Pace, start_keepalived
from benchmarks.modes.mode import Mode, at_home
from benchmarks.modes.processes import Processes
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.faults import Street, links, machines, programs
from havpn_core.testing.lab.hosts import plan


@contextmanager
def opens(rise: int) -> Iterator[Street]:
    """Build the network with tunnels and keepalived on all gateways."""
    with TwoSite(ipsec=True) as lab:
        yield begin(lab, BFD, "track_bfd")


def begin(lab: TwoSite, watch: str, track: str, pace: Pace = FASTEST) -> Street:
    """Start keepalived on all gateways of a network; see :func:`start_keepalived`."""

    def daemon(name: str) -> Processes:
        return Processes(lambda: [start_keepalived(lab, name, watch, track, pace)])

    def revive(here: Street, name: str) -> None:
        here.daemons[name] = daemon(name)

    return Street(lab, {name: daemon(name) for name in plan.GATEWAYS}, revive=revive)


MODE = Mode(
    "keepalived",
    "keepalived with BFD",
    "BFD 3 x 50 ms on the line, VRRP 3 with adverts every 0.1 s",
    opens,
    at_home,
    steady_s=3.0,
    # It keeps no state on a disk, reads no wall clock, has one link, and no order to stand by.
    without=frozenset(
        {
            programs.to_standby,
            programs.clock_back,
            machines.disk_full,
            links.cable_pulled,
            links.cable_deaf,
            links.udp_link_cut,
            links.udp_link_deaf,
        }
    ),
)
