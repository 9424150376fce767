"""Single faults of the two-site network, by name, each with what undoes it."""

from havpn_core.testing.lab.faults import tunnels
from havpn_core.testing.lab.faults.lans import lan_port, lan_port_isolated
from havpn_core.testing.lab.faults.lines import line_cut
from havpn_core.testing.lab.faults.links import cut_links
from havpn_core.testing.lab.faults.machines import power_off
from havpn_core.testing.lab.faults.programs import daemon_frozen, daemon_killed
from havpn_core.testing.lab.faults.street import Street, Undo
from havpn_core.testing.lab.faults.table import FAULTS, LINKS, ROWS, TUNNEL, Fault, Row
from havpn_core.testing.lab.hosts.plan import site_name

__all__ = [
    "FAULTS",
    "LINKS",
    "ROWS",
    "TUNNEL",
    "Fault",
    "Row",
    "Street",
    "Undo",
    "cut_links",
    "daemon_frozen",
    "daemon_killed",
    "lan_port",
    "lan_port_isolated",
    "line_cut",
    "power_off",
    "site_name",
    "tunnels",
]
