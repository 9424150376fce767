"""HA-VPN in Pacemaker, by its own resource agent."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from benchmarks.modes.mode import Mode, at_home
from benchmarks.modes.processes import outer_pid, send
from benchmarks.modes.watched import CLOCKED, lan, road, tunnel
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.daemons.supervisor import DEFAULT, environment, history
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.faults.links import (
    cable_deaf,
    cable_pulled,
    udp_link_cut,
    udp_link_deaf,
)
from havpn_core.testing.lab.hosts import plan
from havpn_core.testing.lab.pacemaker import Clusters

BOUND_S = 3.0
TOKEN_MS = 500
SCRIPT = """#!/bin/sh
exec {command} "$@"
"""
NO_SUCH_LINKS = frozenset({cable_pulled, cable_deaf, udp_link_cut, udp_link_deaf})
"""Corosync uses neither the cable nor heartbeat's port."""


class Managed:
    """HA-VPN's daemon on a gateway, which the agent starts, and starts again."""

    def __init__(self, lab: TwoSite, clusters: Clusters, name: str) -> None:
        self._lab, self._clusters, self._name = lab, clusters, name
        self._pid: int | None = None

    def start(self) -> None:
        """Leave that to the agent's monitor."""

    def kill(self) -> None:
        """SIGKILL."""
        send(self._find(), signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM."""
        send(self._find(), signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP."""
        # Looking for it takes long beside the moments of a slow daemon.
        if self._pid is None or not psutil.pid_exists(self._pid):
            self._pid = self._find()
        send(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        send(self._pid, signal.SIGCONT)

    def events(self, kind: str = "", since: float = 0.0) -> list[dict[str, Any]]:
        """Return its history; see :func:`havpn_core.testing.lab.daemons.supervisor.history`."""
        return history(self._lab.hosts[self._name], kind, since)

    def _find(self) -> int | None:
        inner = self._clusters.pid(self._name)
        return outer_pid(self._lab.hosts[self._name].pid, int(inner)) if inner else None


def _around(name: str) -> str:
    return tunnel(name, "vpn") + road(name, "vpn") + lan(name)


@contextmanager
def opens(rise: int) -> Iterator[Street]:
    """Build the network with tunnels and both clusters."""
    with TwoSite(ipsec=True) as lab:
        yield begin(lab, rise, CLOCKED)


def begin(lab: TwoSite, rise: int, executable: tuple[str, ...] = DEFAULT) -> Street:
    """Start both clusters of a network, with HA-VPN in them."""
    binary = lab.folder / "havpn-of-the-agent"
    binary.write_text(SCRIPT.format(command=" ".join(executable)), encoding="ascii")
    binary.chmod(0o755)
    params = f"binary={binary}"
    clusters = Clusters(lab, rise=rise, params=params, around=_around, token_ms=TOKEN_MS)
    clusters.start()
    daemons = {name: Managed(lab, clusters, name) for name in plan.GATEWAYS}

    def revive(here: Street, name: str) -> None:
        clusters.furnish(name)
        here.daemons[name] = Managed(lab, clusters, name)

    def order(here: Street, name: str, serves: bool) -> None:
        argv = (*executable, "switch", "--to", "auto" if serves else "standby")
        here.lab.hosts[name].run(*argv, timeout=20, env=environment())

    return Street(lab, daemons, {"clusters": clusters}, revive, order)


def home(here: Street) -> bool:
    """Whether all is well: also every node says that its line is usable."""
    clusters: Clusters = here.options["clusters"]
    return at_home(here) and all(clusters.attribute(name) == "1" for name in plan.GATEWAYS)


MODE = Mode(
    "pacemaker",
    "HA-VPN in Pacemaker",
    "profile `fast`, the agent's monitor every 2 s, corosync over the LAN with `token: 500` and "
    "no fencing, two witnesses on each LAN, road probes of three hosts",
    opens,
    home,
    hold_s=7.0,
    steady_s=2.0,
    bound_s=BOUND_S,
    judged=True,
    ours=True,
    without=NO_SUCH_LINKS,
)
