"""Which Linux capabilities this process has (capabilities(7))."""

from collections.abc import Iterable
from pathlib import Path

NUMBERS = {"CAP_NET_BIND_SERVICE": 10, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_NICE": 23}
NUMBERS |= {"CAP_KILL": 5, "CAP_IPC_LOCK": 14, "CAP_SYS_ADMIN": 21}


def missing_capabilities(needed: Iterable[str]) -> list[str]:
    """Give those that are not in effect."""
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = int(next(line for line in lines if line.startswith("CapEff:")).split()[1], 16)
    # A name that is not in the table cannot be shown to be in effect.
    return [n for n in sorted(needed) if n not in NUMBERS or not effective >> NUMBERS[n] & 1]
