"""Which Linux capabilities this process has (capabilities(7))."""

import ctypes
from collections.abc import Iterable
from pathlib import Path

NUMBERS = {"CAP_NET_BIND_SERVICE": 10, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_NICE": 23}
NUMBERS |= {"CAP_KILL": 5, "CAP_IPC_LOCK": 14, "CAP_SYS_ADMIN": 21}

LINUX_CAPABILITY_VERSION_3 = 0x20080522
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4


def missing_capabilities(needed: Iterable[str]) -> list[str]:
    """Give those that are not in effect."""
    lines = Path("/proc/self/status").read_text().splitlines()
    effective = int(next(line for line in lines if line.startswith("CapEff:")).split()[1], 16)
    # A name that is not in the table cannot be shown to be in effect.
    return [n for n in sorted(needed) if n not in NUMBERS or not effective >> NUMBERS[n] & 1]


def give_up_capabilities(but: Iterable[str] = ()) -> None:
    """Give up all capabilities but these, for good; so does every program that is started later.

    :raises OSError: if the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # older kernels have none
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    kept = sum(1 << NUMBERS[name] for name in but)
    # Twice effective, permitted, inheritable: the low halves, then the high ones.
    data = (ctypes.c_uint32 * 6)()
    held = libc.capget(header, data)
    if held:
        raise OSError(ctypes.get_errno(), "capget")
    data[0], data[1], data[2] = data[1] & kept, data[1] & kept, 0
    data[3] = data[4] = data[5] = 0
    if libc.capset(header, data):
        raise OSError(ctypes.get_errno(), "capset")
