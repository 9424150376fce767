"""HA-VPN and its alternatives, one after another, in the same two-site network.

    python -m benchmarks.compare [--quick] [--only KEY ...] [--cells TEXT] [--fresh]
                                 [--minutes N] [--page] [--list]

Real daemons in the network of namespaces: see docs/comparison.md for who they are, and what the
figures mean. Each finished cell is kept in docs/comparison.json at once, and a second run goes on
where an earlier one ended; the page's tables are written anew after each contender. A run begins no
cell after 4 hours, with ``--quick`` after 20 minutes. Needs root, and a machine that does nothing
else.
"""

import argparse
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare import grid
from benchmarks.compare.contenders import CONTENDERS, Contender
from benchmarks.compare.grid import Cell
from benchmarks.compare.machine import machine
from benchmarks.compare.measure import measure
from benchmarks.compare.page import Tables, Who, filled
from benchmarks.compare.results import Measured, Results, dump, load
from benchmarks.figures import need

DOCS = Path(__file__).parents[2] / "docs"
RESULTS, DOCUMENT = DOCS / "comparison.json", DOCS / "comparison.md"
MINUTES = {False: 240.0, True: 20.0}
"""How long a run may go on beginning cells, by whether it is quick."""
COMMANDS = ("keepalived", "bfdd")


def who() -> list[Who]:
    """Give the contenders as the page shows them."""
    return [
        Who(each.key, each.title, each.settings, tuple(wanted(each, grid.FULL)))
        for each in CONTENDERS.values()
    ]


def page(text: str, results: Results) -> str:
    """Write the tables into the page."""
    return filled(text, Tables(results, who()).every())


def wanted(contender: Contender, size: grid.Size) -> list[Cell]:
    """List what is to be measured of a contender."""
    return grid.cells(size, slow=contender.slow, routed=contender.routed, ipsec=contender.ipsec)


def read() -> Results:
    """Read what earlier runs have measured.

    :raises ValueError: the file is damaged.
    """
    return load(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else Results()


def write(results: Results) -> None:
    """Keep the results; the file is whole at any moment."""
    draft = RESULTS.with_suffix(".draft")
    draft.write_text(dump(results), encoding="utf-8")
    draft.replace(RESULTS)


def write_page(results: Results) -> None:
    """Write the tables of the page anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(page(text, results), encoding="utf-8")


def say(text: str) -> None:
    """Print with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def run(
    results: Results, chosen: Sequence[Contender], size: grid.Size, only: str, until: float
) -> int:
    """Measure what is left; gives the number of cells that are still left then.

    :param until: ``time.monotonic()`` from which on no cell is begun.
    """
    results.machine = machine()
    remaining = 0
    for contender in chosen:
        every = [cell for cell in wanted(contender, size) if only in cell.key]

        def keep(cell: Cell, found: Measured, key: str = contender.key) -> None:
            results.keep(key, cell.key, found)
            write(results)
            say(f"{key}: {cell.key}: {found.took_s:.0f} s {_short(found)}")

        for cells in grid.networks(grid.left(every, results.amounts(contender.key))):
            measure(contender, cells, keep, say, until)
        write_page(results)
        remaining += len(grid.left(every, results.amounts(contender.key)))
    return remaining


def _short(found: Measured) -> str:
    if found.runs:
        return " ".join(f"{run.outage_s}/{run.back_s}/{run.home}" for run in found.runs)
    return str(found.lossy or found.cost)


def stop(*_: object) -> None:
    """End in order, networks included."""
    raise SystemExit("stopped; the next run goes on from here")


def main() -> None:
    """Measure, keep, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer cells and repeats")
    parser.add_argument("--only", nargs="+", metavar="KEY", choices=list(CONTENDERS))
    parser.add_argument("--cells", default="", metavar="TEXT", help="those whose key has this text")
    parser.add_argument("--minutes", type=float, help="begin no cell later: 240, or 20 if --quick")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs measured")
    parser.add_argument("--page", action="store_true", help="write the page's tables, no more")
    parser.add_argument("--list", action="store_true", help="show what is left to be measured")
    options = parser.parse_args()
    try:
        results = Results() if options.fresh else read()
    except ValueError as problem:
        raise SystemExit(f"{RESULTS}: {problem}; --fresh begins anew") from problem
    size = grid.QUICK if options.quick else grid.FULL
    chosen = [CONTENDERS[key] for key in options.only or CONTENDERS]
    if options.page:
        write_page(results)
        return
    if options.list:
        for each in chosen:
            cells = [cell for cell in wanted(each, size) if options.cells in cell.key]
            for cell in grid.left(cells, results.amounts(each.key)):
                print(f"{each.key}: {cell.key} x {cell.amount}")
        return
    need(*COMMANDS)
    signal.signal(signal.SIGTERM, stop)
    minutes = options.minutes or MINUTES[options.quick]
    if left := run(results, chosen, size, options.cells, time.monotonic() + 60 * minutes):
        raise SystemExit(f"{left} cells are left; the next run goes on with them")


if __name__ == "__main__":
    main()
