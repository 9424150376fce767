"""The ``havpn`` daemons of the four gateways, watching each other beside the tunnels."""

from collections.abc import Iterable
from typing import Any

from havpn_core.testing.lab.daemons.supervisor import DEFAULT, Supervisor
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.hosts.waiting import wait_for
from havpn_core.testing.lab.twosite import TwoSite

CONFIG = '''
[node]
name = "{name}"
[path.line]
interval = "200ms"
timeout = "400ms"
fall = {fall}
rise = {rise}
damping = false
{path}
[path.line.probe.echo]
type = "udp-echo"
host = "{far}"
device = "wan"
[respond]
listen = ["{near}:7"]
allow = ["{far}/32", "203.0.113.0/30"]
[action.gateway]
type = "heartbeat"
{action}
[notifier.log]
type = "exec"
command = ["/bin/sh", "-c", """
mkdir -p /run/havpn; echo "$HAVPN_AT $HAVPN_MESSAGE" >> /run/havpn/told"""]
'''


def gateway_config(
    name: str, *, fall: int = 3, rise: int = 15, path: str = "", action: str = ""
) -> str:
    """Write a gateway's configuration: a probe every 200 ms.

    :param path: further lines for the path.
    :param action: further lines for the action.
    """
    gateway = plan.GATEWAYS[name]
    far = plan.GATEWAYS[gateway.far]
    return CONFIG.format(
        name=name,
        near=gateway.wan.ip,
        far=far.wan.ip,
        fall=fall,
        rise=rise,
        path=path,
        action=action,
    )


PAIR = """
[node]
name = "{name}"
[path.line]
profile = "fast"
rise = {rise}
damping = false
carrier = ["wan", "lan"]
[path.line.probe.echo]
type = "udp-echo"
host = "{far}"
device = "wan"
[respond]
listen = ["{near}:7"]
allow = ["{far}/32"]
rate = 1000
[action.gateway]
type = "alias-arp"
device = "lan"
addresses = ["{shared}"]
{action}
{more}
[pair]
priority = {priority}
key_file = "/etc/havpn/pair.key"
interval = "{interval}"
{dead}
preempt = "{preempt}"
[pair.link.cable]
type = "serial"
device = "{serial}"
[pair.link.lan]
type = "udp"
local = "{local}"
peer = "{peer}"
"""
KEY = "5a" * 32


def pair_config(
    name: str,
    *,
    rise: int = 40,
    interval: str = "50ms",
    dead: str = "",
    preempt: str = "auto",
    action: str = "",
    more: str = "",
) -> str:
    """Write a gateway's configuration without a cluster manager: the pair moves the address.

    :param dead: silence after which the partner counts as dead; the pair's own default if empty.
    :param action: further lines for the action that owns the address.
    :param more: further tables, such as those of other actions.
    """
    gateway, site = plan.GATEWAYS[name], plan.site_of(name)
    other = plan.GATEWAYS[site.backup if name == site.preferred else site.preferred]
    return PAIR.format(
        name=name,
        rise=rise,
        interval=interval,
        dead=f'dead = "{dead}"' if dead else "",
        preempt=preempt,
        action=action,
        more=more,
        near=gateway.wan.ip,
        far=plan.GATEWAYS[gateway.far].wan.ip,
        shared=site.shared,
        priority=150 if name == site.preferred else 100,
        serial=plan.SERIAL_DEVICE,
        local=gateway.lan.ip,
        peer=other.lan.ip,
    )


def pair_gateway(
    lab: TwoSite, name: str, executable: Iterable[str] = DEFAULT, **options: Any
) -> Supervisor:
    """Start the daemon of one gateway of a pair; options of :func:`pair_config`."""
    lab.hosts[name].write("/etc/havpn/pair.key", KEY, 0o600)
    daemon = lab.supervisor(name, pair_config(name, **options), executable)
    daemon.start()
    return daemon


def start_pairs(lab: TwoSite, **options: Any) -> dict[str, Supervisor]:
    """Start all four gateways as two pairs and wait until the preferred ones are active."""
    daemons = {name: pair_gateway(lab, name, **options) for name in plan.GATEWAYS}
    for daemon in daemons.values():
        daemon.wait_verdict("line", "up", 30)
    for name, site in plan.SITES.items():
        lab.wait_holder(name, site.preferred, 30)
    return daemons


def start_gateways(lab: TwoSite, rise: int = 15) -> dict[str, Supervisor]:
    """Start ``havpn run`` on all four gateways and wait until every line is up."""
    daemons = {}
    for name in plan.GATEWAYS:
        daemons[name] = lab.supervisor(name, gateway_config(name, rise=rise))
        daemons[name].start()
    wait_calm(lab, daemons)
    return daemons


def wait_calm(lab: TwoSite, daemons: dict[str, Supervisor], timeout: float = 60.0) -> None:
    """Wait until every line is up and the preferred gateways hold the shared addresses.

    :raises NotInTime: if that does not come about within ``timeout`` seconds.
    """
    for daemon in daemons.values():
        daemon.wait_verdict("line", "up", timeout)
        daemon.wait_role("active", timeout)
    for name, site in plan.SITES.items():
        lab.wait_holder(name, site.preferred, timeout)


def wait_backup(lab: TwoSite, timeout: float = 30.0) -> None:
    """Wait until both sites use their second gateway."""
    wait_for(
        lambda: all(lab.holders(n) == {s.backup} for n, s in plan.SITES.items()),
        timeout,
        "both sites to use their second gateway",
    )
