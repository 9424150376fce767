"""What the campaigns share: the network with its four daemons, its calm, and their verdict."""

import argparse
import contextlib
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from benchmarks.figures import need, quantile, show
from havpn_core.testing.lab import NotInTime, Tenure, TwoSite, wait_for
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.gateways import start_pairs
from havpn_core.testing.lab.hosts.plan import SITES

SHARED_BOUND_S = 1.0
UNOWNED_BOUND_S = 1.5
CALM_S = 40.0
GIVE_UP_S = 6.0


@contextlib.contextmanager
def street(**options: Any) -> Iterator[Street]:
    """Build the network and start all four daemons; options of ``pair_config``."""
    with TwoSite(ipsec=False) as lab:
        yield Street(lab, start_pairs(lab, **options), options)


def home(here: Street) -> bool:
    """Whether the preferred gateways have the addresses and all is well."""
    return all(here.lab.holders(n) == {s.preferred} for n, s in SITES.items()) and all(
        _is_well(daemon.status()) for daemon in here.daemons.values()
    )


def _is_well(status: Mapping[str, Any]) -> bool:
    if not status or status["paths"]["line"]["verdict"] != "up":
        return False
    pair = status["pair"]
    links = [link["alive"] for name, link in pair["links"].items() if name in ("cable", "lan")]
    return bool(pair["partner"]) and all(links)


def calm(here: Street, timeout: float = CALM_S) -> bool:
    """Wait until all is well; tell whether it became so."""
    try:
        wait_for(lambda: home(here), timeout, "the calm of the street")
    except NotInTime:
        return False
    return True


def role_changes(here: Street, since: float) -> list[str]:
    """Return the changes of roles on all gateways since ``time.time()``.

    A daemon that finds out at its start which role it has changes none.
    """
    return [
        f"{name}: {event['before']} -> {event['after']} ({event['detail']})"
        for name, daemon in here.daemons.items()
        for event in daemon.events("role", since)
        if event["before"] in ("active", "standby")
    ]


def moves(here: Street, since: float) -> int:
    """Count how often an address came to a gateway since a monotonic time."""
    addresses = (str(site.shared.ip) for site in SITES.values())
    return sum(here.lab.addresses.takings(address, since) for address in addresses)


def taken(here: Street, site: str, since: float, timeout: float = GIVE_UP_S) -> float:
    """Wait until a site's second gateway has its address; give the seconds since a time.

    :returns: infinity if it does not within ``timeout`` seconds.
    """
    address, backup = str(SITES[site].shared.ip), SITES[site].backup

    def at() -> float | None:
        changes = here.lab.addresses.changes(address)
        mine = (c.at for c in changes if c.held and c.host == backup and c.at > since)
        return next(mine, None)

    try:
        found = wait_for(at, timeout, f"{backup} to take {address}")
    except NotInTime:
        return float("inf")
    assert found is not None
    return found - since


def judge_tenure(what: str, found: Tenure, unowned_bound: float = UNOWNED_BOUND_S) -> list[str]:
    """Say what an address's time misses; empty if nothing."""
    missed = []
    if found.shared > SHARED_BOUND_S:
        missed.append(f"{what}: two owners on one LAN for {found.shared:.2f} s")
    if found.unowned > unowned_bound:
        missed.append(f"{what}: no owner for {found.unowned:.2f} s")
    return missed


def row(name: str, values: Iterable[float]) -> list[object]:
    """Make a table's row of seconds."""
    some = list(values)
    return [name, *[f"{quantile(some, share):.3f}" for share in (0.5, 0.95, 1.0)], len(some)]


def table(title: str, rows: Iterable[list[object]]) -> None:
    """Print rows of :func:`row`."""
    show((title, "median s", "p95 s", "max s", "runs"), list(rows))


def parser(doc: str, *, count: int, seed: bool = True) -> argparse.ArgumentParser:
    """Make the options that every campaign has."""
    need()
    made = argparse.ArgumentParser(description=doc.partition("\n")[0])
    made.add_argument("--count", type=int, default=count, help=f"how many times ({count})")
    if seed:
        made.add_argument("--seed", type=int, default=1)
    return made


def finish(missed: list[str]) -> None:
    """Print what was missed and end with status 1 if anything was."""
    for text in missed:
        print(f"MISSED: {text}")
    print(f"{len(missed)} missed" if missed else "all held")
    sys.exit(1 if missed else 0)


def rest(until: float) -> None:
    """Sleep until a monotonic time."""
    time.sleep(max(0.0, until - time.monotonic()))
