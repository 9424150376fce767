"""What all the processes of a contender on one gateway use."""

import contextlib
from collections.abc import Collection, Iterable
from pathlib import Path

import psutil

from benchmarks.compare.memory import config_lines, together
from havpn_core.testing.lab.hosts.host import Host


def processes(host: Host) -> dict[int, psutil.Process]:
    """Find the processes of a host, pid 1 included, by their number outside."""
    wanted = Path(f"/proc/{host.pid}/ns/pid").readlink()
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if Path(f"/proc/{process.pid}/ns/pid").readlink() == wanted:
                found[process.pid] = process
    return found


def processor_s(host: Host, but: Collection[int]) -> float:
    """Give the processor seconds of a host's processes so far, and of those they have reaped.

    :param but: processes that are not the contender's; of those only what they have reaped, which
        for pid 1 is what daemons have left behind.
    """
    total = 0.0
    for pid, process in processes(host).items():
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.children_user + times.children_system
            if pid not in but:
                total += times.user + times.system
    return total


def memory(host: Host, but: Collection[int]) -> int:
    """Give the bytes of a host's processes; see :func:`together`."""
    maps = []
    for pid in processes(host).keys() - set(but):
        with contextlib.suppress(OSError):
            maps.append(Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace"))
    return together(maps)


def lines_of(host: Host, files: Iterable[str]) -> int:
    """Count the lines of a contender's configuration."""
    return sum(config_lines(host.read(file)) for file in files)
