"""The ``havpn`` daemons of the four gateways: they watch their lines and their tunnels."""

from collections.abc import Callable, Iterable
from typing import Any

from havpn_core.testing.lab.daemons.supervisor import DEFAULT, Supervisor
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.hosts.waiting import wait_for
from havpn_core.testing.lab.twosite import TwoSite

TUNNEL = """
[path.line.probe.tunnel]
type = "udp-echo"
watches = "tunnel"
host = "{far_lan}"
source = "{local}"
"""
CONFIG = '''
[node]
name = "{name}"
[path.line]
{pace}
rise = {rise}
damping = false
{path}
[path.line.probe.echo]
type = "udp-echo"
host = "{far}"
device = "wan"
{tunnel}
[respond]
listen = ["{near}:7", "{local}:7"]
allow = ["{far}/32", "{far_lan}/32", "203.0.113.0/30"]
[action.gateway]
type = "heartbeat"
{action}
[notifier.log]
type = "exec"
command = ["/bin/sh", "-c", """
mkdir -p /run/havpn; echo "$HAVPN_AT $HAVPN_MESSAGE" >> /run/havpn/told"""]
'''

PACE = """interval = "200ms"
timeout = "400ms"
fall = {fall}"""


def gateway_config(
    name: str,
    *,
    fall: int = 3,
    rise: int = 15,
    fast: bool = False,
    path: str = "",
    action: str = "",
) -> str:
    """Write a gateway's configuration: a probe every 200 ms.

    :param fast: profile ``fast`` as it is, and not that.
    :param path: further lines for the path.
    :param action: further lines for the action.
    """
    gateway = plan.GATEWAYS[name]
    far = plan.GATEWAYS[gateway.far]
    return CONFIG.format(
        name=name,
        near=gateway.wan.ip,
        far=far.wan.ip,
        pace='profile = "fast"' if fast else PACE.format(fall=fall),
        rise=rise,
        path=path,
        action=action,
        **_tunnel(name),
    )


def _tunnel(name: str, *, watched: bool = True) -> dict[str, Any]:
    """Give what both ends' own LAN addresses are for: a probe through the tunnel."""
    gateway = plan.GATEWAYS[name]
    lans = {"local": gateway.lan.ip, "far_lan": plan.GATEWAYS[gateway.far].lan.ip}
    return {"tunnel": TUNNEL.format(**lans) if watched else "", **lans}


LINE = """
[path.line.probe.echo]
type = "udp-echo"
host = "{far}"
device = "wan"
"""
STREAM = """
[path.line.probe.stream]
type = "stream"
host = "{far}"
source = "{near}"
key_file = "/etc/havpn/line.key"
"""
PAIR = """
[node]
name = "{name}"
[path.line]
profile = "{profile}"
rise = {rise}
damping = false
carrier = ["wan", "lan"]
{line}
{tunnel}
[respond]
listen = ["{near}:7", "{local}:7"]
allow = ["{far}/32", "{far_lan}/32"]
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
{pair}
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
    interval: str = "",
    dead: str = "",
    preempt: str = "auto",
    action: str = "",
    more: str = "",
    pair: str = "",
    tunnel: bool = True,
    stream: bool = False,
    profile: str = "fast",
    around: Callable[[str], str] = lambda name: "",
) -> str:
    """Write a gateway's configuration without a cluster manager: the pair moves the address.

    :param interval, dead, pair: keys and further lines of ``[pair]``; its own defaults if empty.
    :param action: further lines for the action that owns the address.
    :param more: further tables, such as those of other actions.
    :param tunnel: watch the tunnel, too, which an earlier commit may not know.
    :param stream: watch the line by a stream in place of echo probes.
    :param around: gives further tables for a gateway, by its name.
    """
    ends = _ends(name)
    return PAIR.format(
        name=name,
        rise=rise,
        profile=profile,
        line=(STREAM if stream else LINE).format(**ends),
        pair="\n".join((*_durations(interval=interval, dead=dead), pair)),
        preempt=preempt,
        action=action,
        more=more + around(name),
        **ends,
        **_tunnel(name, watched=tunnel),
    )


def _ends(name: str) -> dict[str, Any]:
    """Give what the plan says of a gateway of a pair."""
    gateway, site = plan.GATEWAYS[name], plan.site_of(name)
    other = plan.GATEWAYS[site.backup if name == site.preferred else site.preferred]
    return {
        "near": gateway.wan.ip,
        "far": plan.GATEWAYS[gateway.far].wan.ip,
        "shared": site.shared,
        "priority": 150 if name == site.preferred else 100,
        "serial": plan.SERIAL_DEVICE,
        "peer": other.lan.ip,
    }


def _durations(**keys: str) -> list[str]:
    """Write the keys that have a value."""
    return [f'{key} = "{value}"' for key, value in keys.items() if value]


def pair_gateway(
    lab: TwoSite, name: str, executable: Iterable[str] = DEFAULT, **options: Any
) -> Supervisor:
    """Start the daemon of one gateway of a pair; options of :func:`pair_config`."""
    for file in ("pair.key", "line.key"):
        lab.hosts[name].write(f"/etc/havpn/{file}", KEY, 0o600)
    daemon = lab.supervisor(name, pair_config(name, **options), executable)
    daemon.start()
    return daemon


def start_pairs(
    lab: TwoSite, executable: Iterable[str] = DEFAULT, **options: Any
) -> dict[str, Supervisor]:
    """Start all four gateways as two pairs and wait until the preferred ones are active."""
    daemons = {name: pair_gateway(lab, name, executable, **options) for name in plan.GATEWAYS}
    for daemon in daemons.values():
        daemon.wait_verdict("line", "up", 30)
    for name, site in plan.SITES.items():
        lab.wait_holder(name, site.preferred, 30)
    return daemons


def start_gateways(
    lab: TwoSite, rise: int = 15, executable: Iterable[str] = DEFAULT, **options: Any
) -> dict[str, Supervisor]:
    """Start ``havpn run`` on all four gateways and wait until every line is up.

    :param options: of :func:`gateway_config`.
    """
    daemons = {}
    for name in plan.GATEWAYS:
        config = gateway_config(name, rise=rise, **options)
        daemons[name] = lab.supervisor(name, config, executable)
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
