"""Keep the daemon's turn on a busy host: a realtime priority, and its memory in RAM."""

import ctypes
import os

MCL_CURRENT, MCL_FUTURE = 1, 2


def prefer(priority: int) -> None:
    """Run with SCHED_RR (sched(7)); children start ordinary again.

    :param priority: 1 to 99.
    :raises OSError: without CAP_SYS_NICE, or where the control group grants no realtime.
    """
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy, os.sched_param(priority))


def lock_memory() -> None:
    """Keep all pages in RAM (mlockall(2)): a host that swaps must not make us late.

    :raises OSError: without CAP_IPC_LOCK or limit enough.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE):
        number = ctypes.get_errno()
        raise OSError(number, f"mlockall: {os.strerror(number)}")
