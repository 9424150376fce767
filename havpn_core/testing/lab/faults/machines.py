"""Faults of a gateway's host: power, kernel, firewall, disk."""

from havpn_core.testing.lab.faults.lans import lan_of
from havpn_core.testing.lab.faults.street import Street, Undo
from havpn_core.testing.lab.faults.tunnels import renew

STATE_DIR = "/var/lib/havpn"
FIREWALL = """
table inet fault {
    chain forward { type filter hook forward priority 0; policy drop; }
}
"""
# What is there is kept, on a disk that is small enough to fill.
FILL = f"""
set -e
mkdir -p {STATE_DIR}
if ! mountpoint -q {STATE_DIR}; then
    mkdir -p /run/small
    mount -t tmpfs -o size=4m none /run/small
    cp -a {STATE_DIR}/. /run/small
    mount --bind /run/small {STATE_DIR}
fi
dd if=/dev/zero of={STATE_DIR}/.full bs=4k 2>/dev/null || :
"""


def power_off(street: Street, gateway: str) -> Undo:
    """End its host without a warning."""
    street.lab.power_off(gateway)

    def undo() -> None:
        street.lab.power_on(gateway)
        if gateway in street.lab.tunnels:
            tunnel = street.lab.tunnels[gateway]
            tunnel.host = street.lab.hosts[gateway]
            renew(street, gateway)
        street.restart(gateway)

    return undo


def host_frozen(street: Street, gateway: str) -> Undo:
    """Let its host stand still, its kernel included."""
    host, lan = street.lab.hosts[gateway], lan_of(street, gateway)
    host.freeze()
    lan.mute(gateway)

    def undo() -> None:
        lan.unmute(gateway)
        host.thaw()

    return undo


def forwarding_off(street: Street, gateway: str) -> Undo:
    """Let its kernel forward nothing."""
    host = street.lab.hosts[gateway]
    host.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")
    return lambda: street.lab.furnish(gateway)


def firewall(street: Street, gateway: str) -> Undo:
    """Let its firewall drop all that it should forward."""
    host = street.lab.hosts[gateway]
    host.run_in_network("nft", "-f", "-", input=FIREWALL)

    def undo() -> None:
        host.run_in_network("nft", "delete", "table", "inet", "fault")

    return undo


def disk_full(street: Street, gateway: str) -> Undo:
    """Let the disk with the daemon's state take not one byte more."""
    host = street.lab.hosts[gateway]
    host.run("sh", "-c", FILL)

    def undo() -> None:
        host.run("rm", "-f", f"{STATE_DIR}/.full")

    return undo
