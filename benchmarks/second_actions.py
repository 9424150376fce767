"""How long the address waits for a second action that fails, hangs or lies.

    python -m benchmarks.second_actions [--runs 5] [--kinds KIND ...]

A daemon with one action that owns its address (a file), alone and with the same bad action before
and after it in the file. From the verdict, as it stands in the history, to the address that came or
went; median and worst of all runs, for taking and giving. The exit status is 1 if the median with
an action is more than 50 ms over the median without any; one that prepares may take 100 ms besides.
"""

import argparse
import signal
import tempfile
from datetime import datetime
from pathlib import Path

from benchmarks.campaigns import stage
from benchmarks.figures import quantile, show
from tests.packages.second_actions import KINDS, Gateway

BOUND_S = 0.05
PREPARE_S = 0.1
MOVES = (("up", "active"), ("down", "standby"))


def once(kind: str | None) -> dict[str, float]:
    """Run a daemon through one take and one give; gives the seconds of each by role."""
    took = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        daemon = Gateway(Path(folder), kind)
        try:
            daemon.launch()
            for verdict, role in MOVES:
                if role == "standby":
                    daemon.cut()
                began = datetime.fromisoformat(daemon.wait_event("verdict", verdict)["at"])
                daemon.wait_event("action", role, subject="owner")
                took[role] = next(at for word, at in daemon.moves if word == role)
                took[role] -= began.timestamp()
        finally:
            daemon.end(signal.SIGKILL)
    return took


def measured(kind: str | None, runs: int) -> dict[str, list[float]]:
    """Give the seconds of all runs by role."""
    found: dict[str, list[float]] = {role: [] for _, role in MOVES}
    for _ in range(runs):
        for role, seconds in once(kind).items():
            found[role].append(seconds)
    return found


def row(name: str, found: dict[str, list[float]]) -> list[object]:
    """Make a table's row of milliseconds."""
    return [
        name,
        *(f"{1000 * quantile(found[role], share):.1f}" for _, role in MOVES for share in (0.5, 1)),
    ]


def main() -> None:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    chosen = parser.parse_args()
    alone = measured(None, chosen.runs)
    rows, missed = [row("none", alone)], []
    for kind in chosen.kinds:
        found = measured(kind, chosen.runs)
        rows.append(row(kind, found))
        for _, role in MOVES:
            more = quantile(found[role], 0.5) - quantile(alone[role], 0.5)
            if more > BOUND_S + (PREPARE_S if kind.startswith("prepare") else 0.0):
                missed.append(f"{kind}, {role}: {1000 * more:.0f} ms more than without")
    show(("second action", "take ms", "worst", "give ms", "worst"), rows)
    stage.finish(missed)


if __name__ == "__main__":
    main()
