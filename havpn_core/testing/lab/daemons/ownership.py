"""Who holds an address at which time."""

import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from havpn_core.testing.lab.hosts.host import Host, program
from havpn_core.testing.lab.hosts.inside import Inside
from havpn_core.testing.lab.hosts.waiting import wait_for


@dataclass(frozen=True)
class Change:
    """An address came to a host or left it.

    :param at: CLOCK_MONOTONIC, seconds; comparable with :func:`time.monotonic`.
    """

    at: float
    host: str
    address: str
    held: bool


@dataclass(frozen=True)
class Holding:
    """A time during which the set of holders stayed the same.

    :param until: None while it lasts.
    """

    since: float
    until: float | None
    holders: frozenset[str]


class AddressWatch:
    """Follows the addresses of hosts through the kernel's own reports.

    A host that dies takes its addresses along; :meth:`gone` says when.
    """

    def __init__(self) -> None:
        self._logs: dict[str, Path] = {}
        self._processes: dict[str, Inside] = {}
        self._ended: list[Change] = []

    def add(self, hosts: Iterable[Host], timeout: float = 10.0) -> None:
        """Start watching hosts; returns when the watch of each is complete."""
        added = list(hosts)
        for host in added:
            log = self._logs[host.name] = host.folder / f"{host.name}.addresses"
            with log.open("ab") as output:
                output.truncate(0)
                self._processes[host.name] = host.popen(*program("addresses"), stdout=output)
        for host in added:
            log = self._logs[host.name]
            wait_for(lambda log=log: "=" in log.read_text(), timeout, f"{log.name}")  # type: ignore[misc]

    def gone(self, host: str) -> None:
        """Note that a host was just killed: it holds nothing from now on."""
        now = time.monotonic()
        held = {change.address for change in self._of(host) if change.held}
        self._ended += [Change(now, host, address, False) for address in held]

    def changes(self, address: str) -> list[Change]:
        """Return every coming and going of an address so far, oldest first."""
        every = [change for host in self._logs for change in self._of(host)] + self._ended
        return sorted((each for each in every if each.address == address), key=lambda c: c.at)

    def _of(self, host: str) -> list[Change]:
        lines = self._logs[host].read_text(encoding="ascii").splitlines()
        fields = [line.split() for line in lines]
        return [
            Change(int(at) / 1e9, host, rest[1], rest[0] == "+")
            for at, *rest in fields
            if len(rest) == 2
        ]

    def holders(self, address: str) -> frozenset[str]:
        """Return who holds an address now."""
        return self.holdings(address)[-1].holders

    def holdings(self, address: str) -> list[Holding]:
        """Return who held an address when, from the first change on.

        Two holders at once are a split brain; none is an outage of the router.
        """
        past: list[Holding] = []
        now = Holding(0.0, None, frozenset())
        for change in self.changes(address):
            one = frozenset({change.host})
            holders = now.holders | one if change.held else now.holders - one
            if holders != now.holders:
                past.append(Holding(now.since, change.at, now.holders))
                now = Holding(change.at, None, holders)
        return [*past, now]

    def takings(self, address: str, since: float = 0.0) -> int:
        """Count how often an address came to a host that did not have it, since a time."""
        held = self.holdings(address)
        return sum(
            len(after.holders - before.holders)
            for before, after in itertools.pairwise(held)
            if after.since >= since
        )

    def overlap(self, address: str, since: float = 0.0) -> float:
        """Return for how many seconds an address had two holders since a time."""
        end = time.monotonic()
        return sum(
            max(0.0, (each.until or end) - max(each.since, since))
            for each in self.holdings(address)
            if len(each.holders) > 1
        )
