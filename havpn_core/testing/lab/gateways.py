"""The ``havpn`` daemons of the four gateways: they watch their lines and their tunnels.

What they run is what the site file of their network is rendered to, at the pace of a test.
"""

import tomllib
from collections.abc import Callable, Iterable
from typing import Any

from havpn_core.site.model.options import LineProbe, Mode
from havpn_core.site.rendering.havpn import PAIR_KEY, merged, tables_of
from havpn_core.site.rendering.paths import key_of, path_name
from havpn_core.site.rendering.toml import toml_of
from havpn_core.testing.lab.daemons.rendered import KEY
from havpn_core.testing.lab.daemons.supervisor import DEFAULT, Supervisor
from havpn_core.testing.lab.hosts.plan import FIGURE, Plan
from havpn_core.testing.lab.hosts.waiting import wait_for
from havpn_core.testing.lab.twosite import TwoSite

NOTED = 'mkdir -p /run/havpn; echo "$HAVPN_AT $HAVPN_MESSAGE" >> /run/havpn/told'
ELSEWHERE = "203.0.113.0/30"
"""Where a line may get another address."""


def path_of(plan: Plan, gateway: str) -> str:
    """Give the name of the path of a gateway; ``line`` in the article's figure."""
    return path_name(plan.model, gateway, plan.model.lines[plan.gateways[gateway].line])


def gateway_config(
    name: str,
    *,
    fall: int = 3,
    rise: int = 15,
    fast: bool = False,
    path: str = "",
    action: str = "",
    plan: Plan = FIGURE,
) -> str:
    """Write a gateway's configuration: a probe every 200 ms.

    :param fast: profile ``fast`` as it is, and not that.
    :param path: further lines for the path.
    :param action: further lines for the action.
    """
    pace = {} if fast else {"interval": "200ms", "timeout": "400ms", "fall": fall}
    allowed = [*responder(plan, name)["allow"], ELSEWHERE]
    watched = path_of(plan, name)
    over = {
        "path": {watched: {**pace, "rise": rise, "damping": False}},
        "respond": {"allow": allowed},
        "notifier": {"log": {"type": "exec", "command": ["/bin/sh", "-c", NOTED]}},
    }
    for text in (f"[path.{watched}]\n{path}", f"[action.gateway]\n{action}"):
        over = merged(over, tomllib.loads(text))
    meant = plan.in_mode(
        Mode.HEARTBEAT,
        profile="fast" if fast else "balanced",
        line_probe=LineProbe.ECHO,
        notifier={},
        havpn=over,
    )
    return toml_of(tables_of(meant.model, name))


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
    damping: bool = False,
    around: Callable[[str], str] = lambda name: "",
    plan: Plan = FIGURE,
) -> str:
    """Write a gateway's configuration without a cluster manager: the pair moves the address.

    :param interval, dead, pair: keys and further lines of ``[pair]``; its own defaults if empty.
    :param action, more: further lines for the action that owns the address; further tables.
    :param tunnel, stream: watch the tunnel, too; the line by a stream in place of echo probes.
    :param damping: of the path.
    :param around: gives further tables for a gateway, by its name.
    """
    own = {"preempt": preempt, "interval": interval, "dead": dead}
    over: dict[str, Any] = {
        "path": {(watched := path_of(plan, name)): {"rise": rise, "damping": damping}},
        "respond": responder(plan, name),
        "pair": {key: value for key, value in own.items() if value},
    }
    for text in (f"[pair]\n{pair}", f"[action.gateway]\n{action}", more + around(name)):
        over = merged(over, tomllib.loads(text))
    probe = LineProbe.STREAM if stream else LineProbe.ECHO
    meant = plan.in_mode(Mode.PAIR, profile=profile, line_probe=probe, havpn=over)
    tables = tables_of(meant.model, name)
    tables.pop("notifier")  # the log of the machine is not the laboratory's
    if not tunnel:
        del tables["path"][watched]["probe"]["tunnel"]
    return toml_of(tables)


def responder(plan: Plan, name: str) -> dict[str, Any]:
    """Give where a gateway replies: on its line as well, whatever watches that."""
    gateway = plan.gateways[name]
    far = plan.gateways[gateway.far]
    own = [each.ip for each in (gateway.wan, *gateway.lans)]
    others = [each.ip for each in (far.wan, *far.lans)]
    return {
        "listen": [f"[{ip}]:7" if ip.version == 6 else f"{ip}:7" for ip in own],
        "allow": [f"{ip}/{ip.max_prefixlen}" for ip in others],
    }


def pair_gateway(
    lab: TwoSite, name: str, executable: Iterable[str] = DEFAULT, **options: Any
) -> Supervisor:
    """Start the daemon of one gateway of a pair; options of :func:`pair_config`."""
    line = lab.plan.model.lines[lab.plan.gateways[name].line]
    for file in (PAIR_KEY, key_of(line)):
        lab.hosts[name].write(file, KEY, 0o600)
    daemon = lab.supervisor(name, pair_config(name, plan=lab.plan, **options), executable)
    daemon.start()
    return daemon


def start_pairs(
    lab: TwoSite, executable: Iterable[str] = DEFAULT, **options: Any
) -> dict[str, Supervisor]:
    """Start all four gateways as two pairs and wait until the preferred ones are active."""
    daemons = {name: pair_gateway(lab, name, executable, **options) for name in lab.plan.gateways}
    for name, daemon in daemons.items():
        daemon.wait_verdict(path_of(lab.plan, name), "up", 30)
    for name, site in lab.plan.sites.items():
        lab.wait_holder(name, site.preferred, 30)
    return daemons


def start_gateways(
    lab: TwoSite, rise: int = 15, executable: Iterable[str] = DEFAULT, **options: Any
) -> dict[str, Supervisor]:
    """Start ``havpn run`` on all four gateways and wait until every line is up.

    :param options: of :func:`gateway_config`.
    """
    daemons = {}
    for name in lab.plan.gateways:
        config = gateway_config(name, rise=rise, plan=lab.plan, **options)
        daemons[name] = lab.supervisor(name, config, executable)
        daemons[name].start()
    wait_calm(lab, daemons)
    return daemons


def wait_calm(lab: TwoSite, daemons: dict[str, Supervisor], timeout: float = 60.0) -> None:
    """Wait until every line is up and the preferred gateways hold the shared addresses.

    :raises NotInTime: if that is not reached within ``timeout`` seconds.
    """
    for name, daemon in daemons.items():
        daemon.wait_verdict(path_of(lab.plan, name), "up", timeout)
        daemon.wait_role("active", timeout)
    for name, site in lab.plan.sites.items():
        lab.wait_holder(name, site.preferred, timeout)


def wait_backup(lab: TwoSite, timeout: float = 30.0) -> None:
    """Wait until both sites use their second gateway."""
    wait_for(
        lambda: all(lab.holders(n) == {s.backup} for n, s in lab.plan.sites.items()),
        timeout,
        "both sites to use their second gateway",
    )
