"""HA-VPN that starts and stops Linux-HA heartbeat."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.modes.mode import Mode, at_home
from benchmarks.modes.watched import CLOCKED, lan, road
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.daemons.heartbeat import Heartbeat
from havpn_core.testing.lab.daemons.supervisor import Supervisor
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.gateways import gateway_config, wait_calm
from havpn_core.testing.lab.hosts import plan

BOUND_S = 3.0


def _cluster(lab: TwoSite, name: str) -> None:
    node = lab.clusters[name] = Heartbeat(lab.hosts[name], lab.plan)
    node.configure()
    node.start()


def _daemon(lab: TwoSite, name: str, rise: int) -> Supervisor:
    config = gateway_config(
        name, rise=rise, path='carrier = ["wan"]', action=road(name) + lan(name)
    )
    daemon = lab.supervisor(name, config, CLOCKED)
    daemon.start()
    return daemon


@contextmanager
def opens(rise: int) -> Iterator[Street]:
    """Build the network with tunnels, heartbeat and the daemons on all gateways."""
    with TwoSite(ipsec=True) as lab:
        for name in plan.GATEWAYS:
            _cluster(lab, name)
        for key, site in plan.SITES.items():
            lab.wait_holder(key, site.preferred, 40)
        daemons = {name: _daemon(lab, name, rise) for name in plan.GATEWAYS}
        wait_calm(lab, daemons)

        def revive(here: Street, name: str) -> None:
            _cluster(here.lab, name)
            here.daemons[name] = _daemon(here.lab, name, rise)

        yield Street(lab, daemons, {"rise": rise}, revive)


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
