"""HA-VPN moves an address through the real IPaddr2, with no cluster manager about."""

import pytest

from havpn_core.testing.lab import Supervisor, wait_for
from havpn_core.testing.lab.line import RIGHT

pytestmark = pytest.mark.lab
CONFIG = f"""
[node]
name = "left"
[path.line]
profile = "fast"
rise = 20
damping = false
[path.line.probe.echo]
type = "udp-echo"
host = "{RIGHT}"
[action.ip]
type = "ocf"
agent = "ocf:heartbeat:IPaddr2"
[action.ip.params]
ip = "198.51.100.1"
cidr_netmask = 24
nic = "lo"
"""


def test_ipaddr2_follows_the_line(node):
    daemon = Supervisor(node.host, CONFIG)
    daemon.start()

    def there():
        return "198.51.100.1" in node.host.run_in_network("ip", "address", "show", "lo").stdout

    try:
        wait_for(there, 15, "the address")
        daemon.wait_role("active", 10)
        node.line.cut()
        wait_for(lambda: not there(), 15, "the address to go")
        node.line.heal()
        wait_for(there, 15, "the address to come back")
        node.host.run_in_network("ip", "address", "del", "198.51.100.1/24", "dev", "lo")
        wait_for(there, 15, "what was removed by hand")
    finally:
        daemon.stop()
        node.host.run_in_network(
            "ip", "address", "del", "198.51.100.1/24", "dev", "lo", check=False
        )
