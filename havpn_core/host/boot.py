"""Read the clocks of this host, for what outlives a process."""

import os
import time
from pathlib import Path

from havpn_core.rules.limits import Clocks

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def clocks() -> Clocks:
    """Give what the clocks show now."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        boot = ""
    return Clocks(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), boot)


def birth_s(pid: int) -> float | None:
    """Give the seconds since the boot when a process began; ``None`` if there is none alive."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    # The name in brackets may hold anything. State and birth: proc_pid_stat(5), fields 3 and 22.
    fields = line.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in "ZX":
        return None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")
