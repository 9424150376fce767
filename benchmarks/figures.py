"""What the benchmarks share: quantiles, tables, and what must be there to run."""

import math
import os
import shutil
from collections.abc import Sequence

PACKAGES = {"keepalived": "keepalived", "lsm": "lsm", "fping": "fping", "bfdd": "frr"}
SHOWN: list[tuple[Sequence[str], Sequence[Sequence[object]]]] = []
"""The heads and rows of each table that was printed, for :mod:`benchmarks.keep`."""
PATHS = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/lib/frr"))


def need(*commands: str) -> None:
    """See that this is root and that the peers' commands are installed.

    :raises SystemExit: with the remedy; the status is 1.
    """
    if os.geteuid() != 0:
        raise SystemExit("network namespaces need root: run it as root")
    missing = [PACKAGES[name] for name in commands if shutil.which(name, path=PATHS) is None]
    if missing:
        words = " ".join(missing)
        raise SystemExit(
            f"missing: {words}. Debian: apt-get install --no-install-recommends {words} "
            "(with a policy-rc.d that starts no service)"
        )


def quantile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that at least this share of the values does not exceed.

    :param values: at least one.
    :param share: above 0, up to 1.
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def show(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: the first column to the left, all others to the right."""
    SHOWN.append((heads, rows))
    lines = [heads, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        first, *rest = line
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]), flush=True)
