"""What a mode is: who moves the shared addresses of the two-site network, and when it is home."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from havpn_core.testing.lab import NotInTime, wait_for
from havpn_core.testing.lab.faults import Fault, Street
from havpn_core.testing.lab.hosts import plan

HOME_S = 60.0


@dataclass(frozen=True)
class Mode:
    """Who moves the addresses.

    :param name: on the command line and in the file of results.
    :param title: for people.
    :param settings: what was configured, for people.
    :param opens: builds the network with its daemons; its argument is how many replies a path
        needs until it is trusted, where HA-VPN watches.
    :param home: whether the preferred gateways serve and all is well; it may be called often.
    :param rise: replies until a path is trusted, unless the command line says otherwise.
    :param hold_s: seconds for which a fault lasts: longer than the outage that is to be seen.
    :param after_s: seconds for which it is watched after it is home again.
    :param steady_s: seconds for which it must be home before it counts.
    :param bound_s: the longest outage of the clients, in seconds, instead of each row's own.
    :param judged: whether a bound that is missed is a failure.
    :param ours: whether HA-VPN runs, so that its events say what noticed a fault.
    :param without: faults that mean nothing here.
    """

    name: str
    title: str
    settings: str
    opens: Callable[[int], AbstractContextManager[Street]]
    home: Callable[[Street], bool]
    rise: int = 20
    hold_s: float = 4.0
    after_s: float = 1.5
    steady_s: float = 0.0
    bound_s: float | None = None
    judged: bool = False
    ours: bool = False
    without: frozenset[Fault] = frozenset()

    def settle(self, here: Street, timeout: float = HOME_S) -> bool:
        """Wait until it is home and stays so; tell whether it became so within some seconds."""
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            try:
                wait_for(lambda: self.home(here), left, "the preferred gateways", poll=0.1)
            except NotInTime:
                return False
            steady = time.monotonic() + self.steady_s
            while time.monotonic() < steady and at_home(here):
                time.sleep(0.1)
            if self.home(here):
                return True
        return False


def at_home(here: Street) -> bool:
    """Whether the preferred gateways, and they alone, have the addresses."""
    return all(here.lab.holders(name) == {site.preferred} for name, site in plan.SITES.items())
