"""A laboratory of network namespaces: hosts, LANs, provider lines, tunnels, clusters, traffic."""

from havpn_core.testing.lab.attacker import Attacker
from havpn_core.testing.lab.daemons.heartbeat import Heartbeat
from havpn_core.testing.lab.daemons.ownership import AddressWatch, Change, Holding
from havpn_core.testing.lab.daemons.strongswan import StrongSwan
from havpn_core.testing.lab.daemons.supervisor import Supervisor
from havpn_core.testing.lab.daemons.tenure import Tenure, tenure
from havpn_core.testing.lab.hosts.cable import SerialCable
from havpn_core.testing.lab.hosts.errors import CommandFailed, HostFailed, LabError, NotInTime
from havpn_core.testing.lab.hosts.host import Host, end_hosts, start_hosts
from havpn_core.testing.lab.hosts.lan import Absence, Lan
from havpn_core.testing.lab.hosts.leftovers import open_folder, sweep
from havpn_core.testing.lab.hosts.network import Provider, connect, set_up
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SERIAL_DEVICE, SITES, Direction
from havpn_core.testing.lab.hosts.waiting import wait_for
from havpn_core.testing.lab.hosts.wire import Moment
from havpn_core.testing.lab.line import Line
from havpn_core.testing.lab.pinger import Outage, Pinger
from havpn_core.testing.lab.traffic import Flow, Stream, StreamReport
from havpn_core.testing.lab.twosite import TwoSite

__all__ = [
    "GATEWAYS",
    "SERIAL_DEVICE",
    "SITES",
    "Absence",
    "AddressWatch",
    "Attacker",
    "Change",
    "CommandFailed",
    "Direction",
    "Flow",
    "Heartbeat",
    "Holding",
    "Host",
    "HostFailed",
    "LabError",
    "Lan",
    "Line",
    "Moment",
    "NotInTime",
    "Outage",
    "Pinger",
    "Provider",
    "SerialCable",
    "Stream",
    "StreamReport",
    "StrongSwan",
    "Supervisor",
    "Tenure",
    "TwoSite",
    "connect",
    "end_hosts",
    "open_folder",
    "set_up",
    "start_hosts",
    "sweep",
    "tenure",
    "wait_for",
]
