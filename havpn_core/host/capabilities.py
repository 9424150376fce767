"""Which Linux capabilities a process has (capabilities(7))."""

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


def missing_capabilities(needed: Iterable[str], pid: int | None = None) -> list[str]:
    """Give those that are not in effect.

    :param pid: the process; this one if not given.
    """
    lines = Path(f"/proc/{pid or 'self'}/status").read_text().splitlines()
    effective = int(next(line for line in lines if line.startswith("CapEff:")).split()[1], 16)
    # A name that is not in the table cannot be shown to be in effect.
    return [n for n in sorted(needed) if n not in NUMBERS or not effective >> NUMBERS[n] & 1]
