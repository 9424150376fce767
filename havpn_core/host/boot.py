"""Read the clocks of this host, for limits that outlive a process."""

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
