"""Faults of what decides on a gateway: its daemon killed, frozen, slow, misled, ordered."""

import threading

from havpn_core.testing.lab.faults.street import Daemon, Street, Undo
from havpn_core.testing.lab.hosts.errors import HostFailed

STOPPED_S = 0.08
RUNNING_S = 0.02
OFFSET, CLOCKED = "/run/clock-offset", "/run/clocked"
HOUR_S = 3600


def daemon_killed(street: Street, gateway: str) -> Undo:
    """SIGKILL to its daemon."""
    daemon: Daemon = street.daemons[gateway]
    daemon.kill()
    return daemon.start


def daemon_stopped(street: Street, gateway: str) -> Undo:
    """SIGTERM to its daemon."""
    daemon: Daemon = street.daemons[gateway]
    daemon.stop()
    return daemon.start


def daemon_frozen(street: Street, gateway: str) -> Undo:
    """SIGSTOP to its daemon; its kernel goes on."""
    daemon: Daemon = street.daemons[gateway]
    daemon.freeze()
    return daemon.thaw


def daemon_slow(street: Street, gateway: str) -> Undo:
    """Let its daemon run for a fifth of the time."""
    daemon: Daemon = street.daemons[gateway]
    over = threading.Event()

    def slow() -> None:
        while not over.is_set():
            daemon.freeze()
            over.wait(STOPPED_S)
            daemon.thaw()
            over.wait(RUNNING_S)

    brake = threading.Thread(target=slow, daemon=True)
    brake.start()

    def undo() -> None:
        over.set()
        brake.join()

    return undo


def clock_back(street: Street, gateway: str) -> Undo:
    """Set the wall clock of its daemon back an hour; it must run by the program ``clocked``.

    No namespace has a wall clock of its own, so it is the daemon's view of it that changes.

    :raises HostFailed: it does not run by that program, so that nothing would be tried.
    """
    host = street.lab.hosts[gateway]
    if host.run("test", "-e", CLOCKED, check=False).returncode:
        raise HostFailed(f"the daemon of {gateway} does not run by the program clocked")
    host.write(OFFSET, str(-HOUR_S))

    def undo() -> None:
        host.run("rm", "-f", OFFSET)

    return undo


def to_standby(street: Street, gateway: str) -> Undo:
    """Have an operator take it out: ``havpn switch --to standby``, or a peer's own order."""
    street.order(gateway, False)
    return lambda: street.order(gateway, True)
