"""How long ``havpn plugin list`` takes with many packages installed.

    python -m benchmarks.plugin_list [--packages 300] [--runs 10]

As a ratio to a run with none, and in seconds; status 1 above 0.3 s.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import quantile, show

BOUND_S = 0.3


def install(folder: Path, count: int) -> None:
    """Make distributions with a plugin each; importing one would fail."""
    for number in range(count):
        info = folder / f"havpn_many{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: havpn-many{number}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[havpn]\nmany{number} = havpn_many{number}\n")
        (folder / f"havpn_many{number}.py").write_text("raise SystemExit('imported')\n")


def once(folder: Path) -> tuple[float, int]:
    """Run it; gives seconds and lines."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "havpn_core", "plugin", "list", "--json"],
        env={**os.environ, "PYTHONPATH": f"{folder}:{Path.cwd()}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return time.monotonic() - began, done.stdout.count('"available"')


def main() -> None:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--packages", type=int, default=300)
    parser.add_argument("--runs", type=int, default=10)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as none, tempfile.TemporaryDirectory() as many:
        install(Path(many), chosen.packages)
        took: dict[str, list[float]] = {none: [], many: []}
        for _ in range(chosen.runs):
            for folder, times in took.items():
                seconds, available = once(Path(folder))
                assert available >= (chosen.packages if folder == many else 0)
                times.append(seconds)
    medians = [quantile(times, 0.5) for times in took.values()]
    rows = [
        [count, f"{median:.3f}", f"{median / medians[0]:.2f}"]
        for count, median in zip((0, chosen.packages), medians, strict=True)
    ]
    show(("packages installed", "median s", "ratio"), rows)
    sys.exit(1 if medians[1] > BOUND_S else 0)


if __name__ == "__main__":
    main()
