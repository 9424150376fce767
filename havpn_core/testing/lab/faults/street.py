"""The network with its daemons, on which faults are made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from havpn_core.testing.lab.daemons.supervisor import DEFAULT
from havpn_core.testing.lab.gateways import pair_gateway
from havpn_core.testing.lab.twosite import TwoSite

Undo = Callable[[], None]


class Daemon(Protocol):
    """What decides on a gateway, HA-VPN's supervisor or another program's processes."""

    def start(self) -> None:
        """Start it."""

    def kill(self) -> None:
        """SIGKILL."""

    def stop(self) -> object:
        """SIGTERM, and wait for its end."""

    def freeze(self) -> None:
        """SIGSTOP."""

    def thaw(self) -> None:
        """SIGCONT."""


@dataclass
class Street:
    """The network with its daemons.

    :param daemons: by gateway; those of a pair unless ``revive`` says otherwise.
    :param options: those of :func:`~havpn_core.testing.lab.gateways.pair_config` for a gateway
        that is powered on again.
    :param revive: starts what a gateway that is powered on again runs, its tunnel aside.
    :param ordering: what an operator does to take a gateway out of service (``False``) and back
        (``True``); ``havpn switch`` unless it says otherwise.
    :param executable: by which the daemons of a pair run.
    """

    lab: TwoSite
    daemons: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    revive: Callable[["Street", str], None] | None = None
    ordering: Callable[["Street", str, bool], None] | None = None
    executable: tuple[str, ...] = DEFAULT

    def restart(self, gateway: str) -> None:
        """Start what decides on a gateway that is powered on again."""
        if self.revive is not None:
            self.revive(self, gateway)
        else:
            self.daemons[gateway] = pair_gateway(self.lab, gateway, self.executable, **self.options)

    def order(self, gateway: str, serves: bool) -> None:
        """Take a gateway out of service as an operator does, or back."""
        if self.ordering is not None:
            self.ordering(self, gateway, serves)
        else:
            self.daemons[gateway].command("switch", "--to", "auto" if serves else "standby")
