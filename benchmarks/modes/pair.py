"""HA-VPN alone: each site's two gateways are a pair."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.campaigns import stage
from benchmarks.modes.mode import Mode
from benchmarks.modes.watched import CLOCKED, around
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.daemons.supervisor import DEFAULT
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.faults.table import LIFETIME_S
from havpn_core.testing.lab.gateways import start_pairs


@contextmanager
def opens(rise: int, more: str = "") -> Iterator[Street]:
    """Build the network with tunnels and all four daemons.

    :param more: further tables of their configurations.
    """
    with TwoSite(ipsec=True) as lab:
        yield begin(lab, CLOCKED, rise=rise, more=more)


def begin(lab: TwoSite, executable: tuple[str, ...] = DEFAULT, **options: Any) -> Street:
    """Start all four daemons in a network.

    :param options: of :func:`~havpn_core.testing.lab.gateways.pair_config`.
    """
    action = f'lifetime = "{LIFETIME_S:g}s"'
    options = {"around": around, "action": action, **options}
    return Street(lab, start_pairs(lab, executable, **options), options, executable=executable)


MODE = Mode(
    "pair",
    "HA-VPN, pair",
    "profile `fast`, partner frames every 50 ms over cable and LAN, two witnesses on each LAN, "
    f"road probes of three hosts, addresses that outlive a dead daemon by {LIFETIME_S:g} s",
    opens,
    stage.home,
    judged=True,
    ours=True,
)
