"""Which Linux capabilities a process has (capabilities(7)), and how this one gives them up."""

import ctypes
from collections.abc import Iterable
from pathlib import Path

NAMES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID"),
    *("SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST"),
    *("NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO"),
    *("SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE"),
    *("AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM"),
    *("BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
"""By number, from 0, as of include/uapi/linux/capability.h."""
NUMBERS = {f"CAP_{name}": number for number, name in enumerate(NAMES)}
HIGHEST = 63

LINUX_CAPABILITY_VERSION_3 = 0x20080522
PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 28, 38, 47
PR_CAP_AMBIENT_LOWER = 3
SECBIT_NOROOT, SECBIT_NOROOT_LOCKED = 1, 2


def missing_capabilities(needed: Iterable[str], pid: int | None = None) -> list[str]:
    """Give those that are not in effect.

    :param pid: the process; this one if not given.
    """
    effective = int(_field("CapEff", pid), 16)
    # A name that is not in the table cannot be shown to be in effect.
    return [n for n in sorted(needed) if n not in NUMBERS or not effective >> NUMBERS[n] & 1]


def is_filtered() -> bool:
    """Whether a filter of system calls is at work: one that it forbids may end the process."""
    return _field("Seccomp") == "2"


def give_up_at_exec(but: Iterable[str] = ()) -> None:
    """Have the program that this process turns into next get no capabilities but these.

    It needs no system call that a service manager's filter forbids.
    """
    libc, kept = ctypes.CDLL(None), {NUMBERS[name] for name in but}
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Else root has all of them again; it fails for whoever is not root, where it is not needed.
    libc.prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0)
    for number in set(range(HIGHEST + 1)) - kept:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, number, 0, 0)


def give_up_capabilities(but: Iterable[str] = ()) -> None:
    """Give up all capabilities but these, permanently, and those of programs started later.

    :raises OSError: if the kernel refuses.
    """
    give_up_at_exec(but)
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    # Twice effective, permitted, inheritable: the low halves, then the high ones.
    data = (ctypes.c_uint32 * 6)()
    if libc.capget(header, data):
        raise OSError(ctypes.get_errno(), "capget")
    kept = data[1] & sum(1 << NUMBERS[name] for name in but)
    data[:] = [kept, kept, 0, 0, 0, 0]
    if libc.capset(header, data):
        raise OSError(ctypes.get_errno(), "capset")


def _field(field: str, pid: int | None = None) -> str:
    lines = Path(f"/proc/{pid or 'self'}/status").read_text().splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{field}:")), "0")
