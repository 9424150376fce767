"""Run a benchmark and keep its tables in docs/measurements.json.

    python -m benchmarks.keep NAME [ARGUMENT ...]
    python -m benchmarks.keep --page

The arguments are the benchmark's own. The tables of docs/measurements.md are written from that
file; ``--page`` does no more than that. Needs a machine that does nothing else.
"""

import importlib
import json
import os
import shlex
import sys
import time
from pathlib import Path

from benchmarks.compare.machine import machine
from benchmarks.compare.page import BETWEEN, filled, table
from benchmarks.figures import SHOWN
from benchmarks.measurements import Kept, sections

DOCS = Path(__file__).parents[1] / "docs"
RESULTS, DOCUMENT = DOCS / "measurements.json", DOCS / "measurements.md"


def read() -> dict[str, Kept]:
    """Read what earlier runs have measured."""
    if not RESULTS.exists():
        return {}
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {name: Kept(**each) for name, each in found.items()}


def write(results: dict[str, Kept]) -> None:
    """Keep the results; the file is whole at any moment."""
    draft = RESULTS.with_suffix(".draft")
    plain = {name: each._asdict() for name, each in sorted(results.items())}
    draft.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(RESULTS)


def page(text: str, results: dict[str, Kept]) -> str:
    """Write the tables into the page, and into a place of one not measured yet that it is not.

    :raises ValueError: a table has no place in it.
    """
    places = {match[1]: table([], []) for match in BETWEEN.finditer(text)}
    return filled(text, places | sections(results))


def write_page(results: dict[str, Kept]) -> None:
    """Write the tables of the page anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    try:
        DOCUMENT.write_text(page(text, results), encoding="utf-8")
    except ValueError as problem:
        raise SystemExit(f"{DOCUMENT}: {problem}; {RESULTS.name} has the tables") from problem


def measure(name: str, arguments: list[str]) -> tuple[Kept, object]:
    """Run one; gives its tables, and the status with which it ends."""
    module = importlib.import_module(f"benchmarks.{name}")
    sys.argv = [f"benchmarks.{name}", *arguments]
    status: object = 0
    try:
        module.main()
    except SystemExit as ended:
        status = ended.code
    command = shlex.join(("python", "-m", f"benchmarks.{name}", *arguments))
    tables = [[list(map(str, row)) for row in (heads, *rows)] for heads, rows in SHOWN]
    on = time.strftime("%Y-%m-%d")
    return Kept(command, on, round(os.getloadavg()[2], 1), machine(), tables), status


def main() -> None:
    """Measure, keep, and write the page."""
    match sys.argv[1:]:
        case ["--page"]:
            write_page(read())
        case [name, *arguments] if not name.startswith("-"):
            found, status = measure(name, arguments)
            if not found.tables:
                raise SystemExit(status or f"{name}: it showed no table; nothing is kept")
            results = read() | {name: found}
            write(results)
            write_page(results)
            raise SystemExit(status)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
