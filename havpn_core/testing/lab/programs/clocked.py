"""Run ``havpn`` with a wall clock that can be set, alone on its machine.

Usage: ``clocked.py ARGUMENTS OF HAVPN``. The file /run/clock-offset has the seconds to add to the
wall clock; without it nothing is added.
"""

import runpy
import sys
import time
from pathlib import Path

OFFSET = Path("/run/clock-offset")
CLOCKED = Path("/run/clocked")
"""It is there where a daemon has run by this program."""
_true_ns = time.time_ns


def offset_ns() -> int:
    """Return what is added to the wall clock now, nanoseconds."""
    try:
        return int(OFFSET.read_text(encoding="ascii")) * 10**9
    except (FileNotFoundError, ValueError):
        return 0


def main() -> None:
    """Change the clock and become the daemon."""
    CLOCKED.touch()
    time.time_ns = lambda: _true_ns() + offset_ns()
    time.time = lambda: time.time_ns() / 1e9
    sys.path.pop(0)
    runpy.run_module("havpn_core", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
