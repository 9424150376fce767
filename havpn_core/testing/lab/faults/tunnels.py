"""Faults of a gateway's tunnel, and what brings a tunnel back."""

import contextlib

from havpn_core.testing.lab.faults.street import Street, Undo
from havpn_core.testing.lab.hosts.errors import HostFailed

RENEWED_S = 4.0
"""How long a tunnel may take to come up on a line that is well."""


def ike_killed(street: Street, gateway: str) -> Undo:
    """SIGKILL to its IKE daemon, which here carries ESP, too."""
    street.lab.tunnels[gateway].kill()
    return lambda: renew(street, gateway)


def ike_frozen(street: Street, gateway: str) -> Undo:
    """SIGSTOP to its IKE daemon, which here carries ESP, too."""
    tunnel = street.lab.tunnels[gateway]
    tunnel.freeze()

    def undo() -> None:
        tunnel.thaw()
        mend(street, gateway)

    return undo


def sa_gone(street: Street, gateway: str) -> Undo:
    """Delete its SA, and the connection that would make it again."""
    street.lab.tunnels[gateway].drop()
    return lambda: renew(street, gateway)


def renew(street: Street, gateway: str) -> None:
    """Start a gateway's IKE daemon again and bring its tunnel up.

    Where another fault still breaks the line it stays down, until :func:`mend` is called again.
    """
    tunnel = street.lab.tunnels[gateway]
    tunnel.restart()
    with contextlib.suppress(HostFailed):
        tunnel.initiate(RENEWED_S)


def mend(street: Street, gateway: str) -> None:
    """Bring the tunnel of a gateway's line up if something of it is missing at either end."""
    for name in (gateway, street.lab.plan.gateways[gateway].far):
        tunnel = street.lab.tunnels.get(name)
        if tunnel is not None and not (tunnel.routed() and tunnel.is_up()):
            renew(street, name)
