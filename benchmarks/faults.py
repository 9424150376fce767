"""What every single fault of the two-site network costs the clients.

    python -m benchmarks.faults [--mode pair] [--only TEXT,TEXT] [--skip N] [--count N]
                                [--rise N] [--write]

Each fault of ``havpn_core.testing.lab.faults.ROWS`` is made, held, and mended, one at a time, in a
network with strongSwan. A ping goes every 20 ms from client to server. ``--mode`` says who moves
the addresses (:mod:`benchmarks.modes`): ``pair``, ``heartbeat``, ``pacemaker``, ``keepalived``,
``ping-agent``, or ``all``. ``--write`` keeps what was found in docs/faults.json, beside what other
runs have found, and writes docs/faults.md of all that is there. Needs root; the exit status is 1
if a bound is missed: of a pair each row's own, of heartbeat and Pacemaker with HA-VPN 3 s. The
peers are not judged. A row takes 10 to 40 s, all rows of all modes 2 to 3 hours.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import fault_table
from benchmarks.campaigns import stage
from benchmarks.fault_table import Found, Results
from benchmarks.modes import MODES, Mode
from havpn_core.testing.lab import LabError, Pinger, wait_for
from havpn_core.testing.lab.faults import ROWS, Row, Street
from havpn_core.testing.lab.hosts import plan

PING_S = 0.02
LOST_S, LOST_AFTER_S = 3.0, 1.0
"""An outage of more than this that lasts: while a fault is held, and when it is over."""
AT_THE_END_S = 0.44
"""How shortly before the end a reply must have come, or the clients are not back."""
IN_FLIGHT_S = 0.1
"""What was sent so shortly before a fault may be lost to it."""
DOCS = Path(__file__).parents[1] / "docs"
RESULTS, DOCUMENT = DOCS / "faults.json", DOCS / "faults.md"
HEAD = """# Single faults

What each single fault of the two-site network costs the clients, whoever moves the shared
addresses: one run each in the same lab, written by `make faults`. A ping goes every 20 ms from
client to server while the fault is made, held and mended. "lost": the clients were not back while
the fault lasted. "-": the fault means nothing there. gw-aa and gw-ba serve while all is well, gw-ab
and gw-bb stand by.
"""


def owners(here: Street) -> tuple[str, ...]:
    """Give who has the addresses, site by site."""
    return tuple(
        name
        for site in plan.SITES
        for name in sorted(here.lab.holders(site))
        if not here.lab.hosts[name].frozen  # what its kernel still has, nobody sees
    )


def noticed(here: Street, since: float) -> str:
    """Give the first event since a time that says that something is wrong."""
    events = [
        (event["at"], f"{name}: {event['kind']} {event['after']} {event['detail']}".strip())
        for name, daemon in here.daemons.items()
        if here.lab.hosts[name].alive
        for event in daemon.events("", since)
        if event["severity"] != "info"
    ]
    # Of those of the same millisecond the first in the history counts.
    return min(events, default=("", "nothing"), key=lambda event: event[0])[1]


def outage(pinger: Pinger, since: float, until: float, lost_s: float) -> float | None:
    """Give the longest outage that began in a time.

    :returns: ``None`` if one of more than ``lost_s`` seconds lasts at the end.
    """
    every = [each for each in pinger.outages(0.0, since) if each.start < until]
    if any(e.seconds > lost_s and e.end > until - AT_THE_END_S for e in every):
        return None
    return max((e.seconds for e in every if e.start > since - IN_FLIGHT_S), default=0.0)


def try_out(here: Street, mode: Mode, row: Row) -> Found:
    """Make a fault, hold it, mend it."""
    pinger = here.lab.pinger(interval=PING_S)
    try:
        wait_for(lambda: pinger.answered() > 10, 10, "traffic")
        at, began = time.time(), time.monotonic()
        mend = row.fault(here, row.gateway)
        stage.rest(began + max(mode.hold_s, row.least_s))
        until, seen = time.monotonic(), owners(here)
        lost = outage(pinger, began, until, LOST_S)
        first = noticed(here, at) if mode.ours else ""
        mended = time.monotonic()
        mend()
        home = mode.settle(here)
        time.sleep(mode.after_s)
        back = outage(pinger, mended, time.monotonic(), LOST_AFTER_S)
        return Found(lost, first, seen, back, home, owners(here))
    finally:
        pinger.stop()


def judge(mode: Mode, row: Row, found: Found) -> list[str]:
    """Say which bound was missed; empty in a mode that is not judged."""
    if not mode.judged:
        return []
    own = mode.bound_s is None
    return fault_table.missed(
        found,
        bound_s=row.bound_s if mode.bound_s is None else mode.bound_s,
        back_bound_s=0.0 if mode.bound_s is None else mode.bound_s,
        lines={name: each.provider for name, each in plan.GATEWAYS.items()} if own else None,
        leaves=row.gateway if row.moves and own else "",
    )


def campaign(
    mode: Mode, rows: Sequence[Row], rise: int
) -> tuple[dict[str, Found | None], list[str]]:
    """Try faults out; a network that does not come home again is built anew."""
    found: dict[str, Found | None] = {r.name: None for r in rows if r.fault in mode.without}
    missed: list[str] = []
    left = [row for row in rows if row.fault not in mode.without]
    while left:
        with mode.opens(rise) as here:
            whole = mode.settle(here)
            if not whole:
                missed.append(f"{mode.name}: not home before {left[0].name}")
                left.pop(0)
            while left and whole:
                row = left.pop(0)
                try:
                    found[row.name] = one = try_out(here, mode, row)
                except LabError as problem:
                    missed.append(f"{mode.name}: {row.name}: {problem}")
                    break
                wrong = judge(mode, row, one)
                missed += [f"{mode.name}: {row.name}: {each}" for each in wrong]
                print(fault_table.line(row.name, one, ours=mode.ours), *wrong, flush=True)
                whole = one.home
    return found, missed


def page(results: Results) -> str:
    """Write docs/faults.md."""
    titles = {name: mode.title for name, mode in MODES.items()}
    names = [row.name for row in ROWS]
    parts = [HEAD, "## Side by side: the clients' outage\n"]
    parts += ["\n".join(fault_table.overview(results, titles, names)) + "\n"]
    for name, mode in MODES.items():
        if name in results:
            parts += [f"## {mode.title}\n", f"{mode.settings[0].upper()}{mode.settings[1:]}.\n"]
            table = fault_table.details(results[name], names, ours=mode.ours)
            parts += ["\n".join(table) + "\n"]
    return "\n".join(parts)


def keep(new: Results) -> None:
    """Write results down beside those of other runs, and the page of all of them."""
    old = fault_table.load(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results = fault_table.merged(old, new)
    RESULTS.write_text(fault_table.dump(results), encoding="utf-8")
    DOCUMENT.write_text(page(results), encoding="utf-8")


def main() -> None:
    """Make the campaign, print the table and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=[*MODES, "all"], default="pair")
    parser.add_argument("--only", default="", help="faults whose name has one of TEXT,TEXT")
    parser.add_argument("--skip", type=int, default=0, help="so many of these faults")
    parser.add_argument("--count", type=int, default=len(ROWS), help="at most so many then")
    parser.add_argument("--rise", type=int, default=0, help="replies until a line is trusted")
    parser.add_argument("--write", action="store_true", help="write docs/faults.json and .md")
    chosen = parser.parse_args()
    rows = [r for r in ROWS if any(text in r.name for text in chosen.only.split(","))]
    rows = rows[chosen.skip : chosen.skip + chosen.count]
    missed: list[str] = []
    for mode in MODES.values() if chosen.mode == "all" else (MODES[chosen.mode],):
        print(f"{mode.title}: {mode.settings}", flush=True)
        found, wrong = campaign(mode, rows, chosen.rise or mode.rise)
        missed += wrong
        if chosen.write:
            keep({mode.name: found})
    stage.finish(missed)


if __name__ == "__main__":
    main()
