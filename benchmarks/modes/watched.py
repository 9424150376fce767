"""What HA-VPN watches beside its lines in every mode: tunnel, LAN, and hosts behind the far end."""

import sys

from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.hosts.host import PROGRAMS

CLOCKED = (sys.executable, str(PROGRAMS / "clocked.py"))
"""Runs HA-VPN with a wall clock that a fault may set."""


def lan(name: str) -> str:
    """Give the table of a gateway's LAN: two witnesses, and its own address."""
    site = plan.site_of(name)
    near = [str(site.end_address.ip), str(site.second_address.ip)]
    text = f'[lan]\ndevice = "lan"\nwitnesses = {near}\naddress = "{plan.GATEWAYS[name].lan.ip}"\n'
    return text.replace("'", '"')


def road(name: str, path: str = "line") -> str:
    """Give the tables of probes of hosts behind a gateway's far gateway."""
    far = plan.far_site(name)
    # The cross gateway replies over its own line, also while the other one forwards nothing.
    cross = next(each for each in far.gateways if each.name != plan.GATEWAYS[name].far)
    hosts = {"one": far.end_address.ip, "two": far.second_address.ip, "cross": cross.lan.ip}
    return "".join(
        f'[path.{path}.probe.road-{key}]\ntype = "icmp"\nwatches = "road"\nhost = "{host}"\n'
        f'source = "{plan.GATEWAYS[name].lan.ip}"\n'
        for key, host in hosts.items()
    )


def tunnel(name: str, path: str) -> str:
    """Give the table of a probe through a gateway's tunnel."""
    gateway = plan.GATEWAYS[name]
    return (
        f'[path.{path}.probe.tunnel]\ntype = "udp-echo"\nwatches = "tunnel"\n'
        f'host = "{plan.GATEWAYS[gateway.far].lan.ip}"\nsource = "{gateway.lan.ip}"\n'
    )


def around(name: str) -> str:
    """Give what a gateway of a pair has beside its line and its tunnel."""
    return road(name) + lan(name)
