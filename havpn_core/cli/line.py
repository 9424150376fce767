"""``havpn switch --line``: order both sites to a line, and wait until both are seen there."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from havpn_core.daemon import requests
from havpn_core.durations import Duration

LOOK_S = 0.1
ENDS = "the order stands until havpn switch --to auto on this gateway"
UNSEEN = (
    "nothing is heard of the far gateways: they say how they stand beside replies of [respond] "
    "or in a stream, which takes a probe of type udp-echo or stream, and this release there"
)
STAYS = (
    "its gateway of line {line} is not seen active: see there what holds it (havpn status), as a "
    'role that is forced, a pause, a path that is not up, or [respond] when = "always" here'
)


def use_line(run_dir: Path, line: int, for_s: Duration | None) -> None:
    """Order both sites to a line, and print how each comes there; ends with 1 if one does not.

    :raises HavpnError: if no daemon replies, or the order is refused.
    """
    seconds = None if for_s is None else float(for_s)
    wait_s = requests.request(run_dir, do="line", line=line, for_s=seconds)["wait_s"]
    began = time.monotonic()
    missing = {"site": "this site", "far_site": "the far site"}
    while missing:
        found, took_s = _lines(run_dir), time.monotonic() - began
        for key, name in list(missing.items()):
            if found.get(key) == line:
                click.echo(f"{name}: on line {line} after {took_s:.1f} s")
                del missing[key]
        if not missing or took_s > wait_s:
            break
        time.sleep(LOOK_S)
    for key in missing:
        click.echo(_why(key, found.get(key), line, wait_s))
    click.echo(ENDS if for_s is None else f"{ENDS}, for {for_s} at the most")
    sys.exit(1 if missing else 0)


def _lines(run_dir: Path) -> dict[str, Any]:
    """Give which line each site uses; empty while the partner is silent.

    :raises HavpnError: if no daemon replies.
    """
    pair: dict[str, Any] = requests.request(run_dir, do="status").get("pair") or {}
    return pair.get("line") or {}


def _why(key: str, uses: int | None, line: int, wait_s: float) -> str:
    """Say why a site was not seen on the line."""
    within = f"not on line {line} within {wait_s:.0f} s"
    if key == "site":
        return f"this site: {within}: see why on both gateways (havpn status)"
    if uses is None:
        return f"the far site: not seen on line {line} within {wait_s:.0f} s: {UNSEEN}"
    return f"the far site: {within}: {STAYS.format(line=line)}"


def check(line: int | None, to: str | None) -> None:
    """Refuse an order for both, or for neither.

    :raises click.UsageError: saying what to write.
    """
    if (line is None) is (to is None):
        raise click.UsageError(
            "write one of --to standby, active or auto (this gateway) and --line 1 or 2 (both "
            "sites)"
        )
