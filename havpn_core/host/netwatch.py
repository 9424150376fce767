"""Notice that an address, a link or forwarding changed, the moment the kernel says so."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

# rtnetlink(7): RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR, and the groups of
# RTM_NEWNETCONF, RTNLGRP_IPV4_NETCONF (24) and RTNLGRP_IPV6_NETCONF (25), which tell of forwarding.
# Routes are left out: a busy router changes them all the time, and a bound socket does not care.
_GROUPS = 0x1 | 0x10 | 0x100 | 1 << 23 | 1 << 24


SYS_NET = Path("/sys/class/net")


def has_carrier(device: str) -> bool:
    """Whether a network device is there, up and connected."""
    try:
        return (SYS_NET / device / "carrier").read_text().strip() == "1"
    except OSError:  # there is none, or it is down
        return False


class NetWatch:
    """Counts changes; what changed does not matter to the callers.

    :param changed: called on the loop after each.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.changes = 0
        self._changed = changed
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Begin to listen; must be called on the loop.

        :raises OSError: where netlink is not to be had.
        """
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setblocking(False)
        self._socket.bind((0, _GROUPS))
        asyncio.get_running_loop().add_reader(self._socket, self._drain, self._socket)

    def count(self) -> int:
        """Give the number of changes so far."""
        return self.changes

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _drain(self, listening: socket.socket) -> None:
        self.changes += 1
        # ENOBUFS means that messages were lost: that is a change too, and all we need to know.
        with contextlib.suppress(OSError):
            while listening.recv(65536):
                pass
        self._changed()
