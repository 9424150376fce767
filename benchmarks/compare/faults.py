"""The faults of the comparison, and for how long each is held."""

from dataclasses import dataclass

from benchmarks.compare import grid
from havpn_core.testing.lab.faults import lans, lines, machines, programs, tunnels
from havpn_core.testing.lab.faults.table import Fault

WHERE = "gw-aa"
"""The gateway that serves site A while all is well."""


@dataclass(frozen=True)
class Held:
    """A fault, and the seconds for which it lasts.

    :param least_s: at least so long.
    :param most_s: at most so long: until then it is held while the clients are not back.
    """

    make: Fault
    least_s: float = 2.5
    most_s: float = 20.0


FAULTS = {
    "line cut": Held(lines.line_cut),
    grid.ONE_WAY: Held(lines.line_cut_one_way),
    grid.LAN_PORT: Held(lans.lan_port),
    grid.POWER_OFF: Held(machines.power_off),
    # What a dead daemon leaves behind, an address or routes, may be missed a while later.
    grid.DAEMON_KILLED: Held(programs.daemon_killed, least_s=7.0),
    grid.TUNNEL: Held(tunnels.sa_gone),
}
