"""The shared addresses in the kernel: look, put, remove."""

import contextlib
import errno
from collections.abc import Iterable
from pathlib import Path

from ... import _sockets
from . import netlink
from .announce import Address
from .netlink import Assigned, Interface, Link
from .options import AliasArpOptions

Place = tuple[str, Address]


class Addresses:
    """What one instance may hold.

    :param stale: addresses that a former configuration of it held, with their devices.
    """

    def __init__(self, options: AliasArpOptions, stale: Iterable[Place] = ()) -> None:
        self._options = options
        self.mine = options.interfaces
        self._ips = {interface.ip for interface in self.mine}
        self._stale = [p for p in stale if p[0] != options.device or p[1] not in self._ips]

    def present(self) -> list[Assigned]:
        """Give which of the addresses the device has, be it with another prefix length.

        :raises OSError: if the kernel does not say.
        """
        there = netlink.link(self._options.device)
        found = netlink.addresses(there.index) if there else []
        return [assigned for assigned in found if assigned.interface.ip in self._ips]

    def stale(self) -> list[tuple[str, Assigned]]:
        """Give what is left of a former configuration.

        :raises OSError: if the kernel does not say.
        """
        found = []
        for device in {device for device, _ in self._stale}:
            there = netlink.link(device)
            for assigned in netlink.addresses(there.index) if there else []:
                if (device, assigned.interface.ip) in self._stale:
                    found.append((device, assigned))
        return found

    def complete(self, present: list[Assigned]) -> bool:
        """Whether every address is there and usable, exactly as configured."""
        usable = [assigned.interface for assigned in present if assigned.usable]
        return len(present) == len(usable) == len(self.mine) and set(usable) == set(self.mine)

    def held(self) -> list[Interface]:
        """Give the addresses that can be announced now.

        :raises OSError: if the kernel does not say.
        """
        present = self.present()
        return [a.interface for a in present if a.usable and a.interface in self.mine]

    def put(self, there: Link, interface: Interface) -> None:
        """Add one address, or renew it.

        :raises OSError: if the kernel refuses.
        """
        on_device = netlink.addresses(there.index)
        for found in on_device:
            # One of another prefix length cannot be renewed, one that failed DAD stays failed,
            # and the first of its network is a source, whatever its preferred lifetime.
            spoilt = found.flags & netlink.DADFAILED or _followers(found, on_device)
            if found.interface.ip == interface.ip and (spoilt or found.interface != interface):
                _removed(self._options.device, found)
        options = self._options
        netlink.put(
            there.index, interface, label=options.label, dad=options.dad, valid_s=options.valid_s
        )

    def renew(self) -> None:
        """Let the addresses that are there live on; none is added.

        :raises OSError: if the kernel refuses.
        """
        there = netlink.link(self._options.device)
        for interface in self.held():
            if there is not None:
                netlink.put(
                    there.index, interface, dad=self._options.dad, valid_s=self._options.valid_s
                )

    def remove_all(self) -> list[str]:
        """Take everything away, stale or not, and give the reasons where that failed."""
        try:
            doomed = [(self._options.device, assigned) for assigned in self.present()]
        except OSError as problem:
            return [words(problem)]
        return [reason for place in doomed for reason in _removed(*place)] + self.remove_stale()

    def remove_stale(self) -> list[str]:
        """Take away what is left of a former configuration."""
        try:
            doomed = self.stale()
        except OSError as problem:
            return [words(problem)]
        problems = [reason for place in doomed for reason in _removed(*place)]
        if not problems:
            self._stale = []
        return problems


def words(problem: OSError) -> str:
    """Say what the kernel said, with the remedy where there is one."""
    if problem.errno in (errno.EPERM, errno.EACCES):
        return "not permitted: run as root or with CAP_NET_ADMIN"
    if isinstance(problem, TimeoutError):
        return "the kernel did not reply"
    return _sockets.words(problem)


def _removed(device: str, assigned: Assigned) -> list[str]:
    """Remove one address; gives the reason if that failed."""
    try:
        there = netlink.link(device)
        if there is None:
            return []
        if _followers(assigned, netlink.addresses(there.index)):
            # With its first address a network loses all others, unless this is set.
            with contextlib.suppress(OSError):
                knob = Path(f"/proc/sys/net/ipv4/conf/{device}/promote_secondaries")
                knob.write_text("1")
        netlink.remove(there.index, assigned.interface)
    except OSError as problem:
        return [f"{assigned.interface}: {words(problem)}"]
    return []


def _followers(first: Assigned, on_device: list[Assigned]) -> bool:
    """Whether it is the first of its IPv4 network and others depend on it."""
    if first.interface.version != 4 or first.flags & netlink.SECONDARY:
        return False
    return any(
        other.flags & netlink.SECONDARY and other.interface.network == first.interface.network
        for other in on_device
    )
