"""HA-VPN that starts and stops Linux-HA heartbeat."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.modes.mode import Mode, at_home
from benchmarks.modes.watched import CLOCKED, lan, road
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.daemons.heartbeat import Heartbeat
from havpn_core.testing.lab.daemons.supervisor import DEFAULT, Supervisor
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.gateways import gateway_config, wait_calm
from havpn_core.testing.lab.hosts import plan

BOUND_S = 3.0


def _cluster(lab: TwoSite, name: str) -> None:
    node = lab.clusters[name] = Heartbeat(lab.hosts[name], lab.plan)
    node.configure()
    node.start()


def _daemon(
    lab: TwoSite, name: str, executable: tuple[str, ...], rise: int, *, fast: bool
) -> Supervisor:
    more = road(name) + lan(name)
    config = gateway_config(name, rise=rise, fast=fast, path='carrier = ["wan"]', action=more)
    daemon = lab.supervisor(name, config, executable)
    daemon.start()
    return daemon


@contextmanager
def opens(rise: int) -> Iterator[Street]:
    """Build the network with tunnels, heartbeat and the daemons on all gateways."""
    with TwoSite(ipsec=True) as lab:
        yield begin(lab, rise, CLOCKED)


def begin(
    lab: TwoSite, rise: int, executable: tuple[str, ...] = DEFAULT, *, fast: bool = False
) -> Street:
    """Start heartbeat and the daemons on all gateways of a network.

    :param fast: profile ``fast`` as it is, and not a probe every 200 ms.
    """
    for name in plan.GATEWAYS:
        _cluster(lab, name)
    for key, site in plan.SITES.items():
        lab.wait_holder(key, site.preferred, 40)
    daemons = {n: _daemon(lab, n, executable, rise, fast=fast) for n in plan.GATEWAYS}
    wait_calm(lab, daemons)

    def revive(here: Street, name: str) -> None:
        _cluster(here.lab, name)
        here.daemons[name] = _daemon(here.lab, name, executable, rise, fast=fast)

    return Street(lab, daemons, {"rise": rise}, revive)


def home(here: Street) -> bool:
    """Whether all is well: also heartbeat runs everywhere and sees its partner."""
    return (
        at_home(here)
        and all(_is_well(daemon.status()) for daemon in here.daemons.values())
        and all(node.partner_status() == "active" for node in here.lab.clusters.values())
    )


def _is_well(status: Mapping[str, Any]) -> bool:
    return bool(
        status
        and status["paths"]["line"]["verdict"] == "up"
        and status["role"]["observed"] == "active"
        and (status.get("fitness") or {}).get("fit", True)
    )


MODE = Mode(
    "heartbeat",
    "HA-VPN and heartbeat",
    "a probe every 200 ms, `fall = 3`, heartbeat over cable and LAN with `keepalive 200ms` and "
    "`deadtime 1`, two witnesses on each LAN, road probes of three hosts",
    opens,
    home,
    rise=5,
    hold_s=7.0,
    steady_s=1.0,
    bound_s=BOUND_S,
    judged=True,
    ours=True,
)
