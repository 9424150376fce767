"""HA-VPN alone: each site's two gateways are a pair."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.campaigns import stage
from benchmarks.modes.mode import Mode
from benchmarks.modes.watched import CLOCKED, around
from havpn_core.testing.lab import TwoSite
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.faults.table import LIFETIME_S
from havpn_core.testing.lab.gateways import start_pairs


@contextmanager
def opens(rise: int, more: str = "") -> Iterator[Street]:
    """Build the network with tunnels and all four daemons.

    :param more: further tables of their configurations.
    """
    action = f'lifetime = "{LIFETIME_S:g}s"'
    options = {"rise": rise, "around": around, "action": action, "more": more}
    with TwoSite(ipsec=True) as lab:
        yield Street(lab, start_pairs(lab, CLOCKED, **options), options, executable=CLOCKED)


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
