"""Tell systemd how we are (sd_notify(3)): one datagram, no library."""

import contextlib
import os
import socket
import time


def notify(*assignments: str) -> None:
    """Send states such as ``READY=1``; nothing happens where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
        contextlib.suppress(OSError),
    ):
        sender.sendto("\n".join(assignments).encode(), address)


def reloading() -> None:
    """Say that a reload begins; systemd wants the moment on the monotonic clock."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def watchdog_interval_s() -> float | None:
    """Give half of the time within which systemd wants to hear from us."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    if not microseconds or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 2_000_000
