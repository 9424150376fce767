"""Keep the daemon's turn on a busy host: a realtime priority, and its memory in RAM."""

import ctypes
import os
import sys

from havpn_core.host.disk.trouble import why

MCL_CURRENT, MCL_FUTURE = 1, 2
TURN_S = 0.0005
"""How long a thread that computes, such as that of a plugin, keeps the interpreter while the loop
waits for it. Python's own 5 ms pass at each step of the loop, a dozen times in a failover."""


def settle(priority: int, *, lock: bool, fresh: bool) -> list[str]:
    """Take the scheduling priority and the lock on memory that are wanted, and short turns.

    :param priority: 1 to 99 for SCHED_RR (sched(7)), children start ordinary again; 0 for an
        ordinary process.
    :param lock: keep all pages in RAM (mlock(2)): a host that swaps must not make us late.
    :param fresh: the process is as it was started, so what is not wanted needs no change.
    :returns: what was refused, each naming its key and the remedy.
    """
    sys.setswitchinterval(TURN_S)
    problems = []
    if priority or not fresh:
        try:
            _prefer(priority)
        except OSError as problem:
            problems.append(
                f"node.realtime: {why(problem)}: give the daemon CAP_SYS_NICE and its control "
                "group realtime; running without"
            )
    if lock or not fresh:
        try:
            _lock_memory(lock)
        except OSError as problem:
            problems.append(
                f"node.lock_memory: {why(problem)}: give the daemon CAP_IPC_LOCK; running without"
            )
    return problems


def _prefer(priority: int) -> None:
    policy = os.SCHED_RR if priority else os.SCHED_OTHER
    os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))


def _lock_memory(lock: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE) if lock else libc.munlockall():
        raise OSError(ctypes.get_errno(), "")
