"""What one daemon costs with 1 to 1000 paths.

    python -m benchmarks.scale [--seconds 20] [--quick] [--plot FILE]

All paths (profile ``fast`` but for the interval) probe one echo service on loopback, a process of
its own. Measured is the daemon alone, when all its paths are up. ``--plot`` needs matplotlib.
"""

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import show
from benchmarks.probe_cost import echo_service

HAVPN = (sys.executable, "-m", "havpn_core")
CURVES = {0.05: (1, 10, 100), 1.0: (1, 10, 100, 1000)}
DESCRIPTORS = 8192
UP_S = 60.0

NODE = """
[node]
state_dir = "{dir}/state"
run_dir = "{dir}/run"
[action.gateway]
type = "exec"
active = ["true"]
standby = ["true"]
"""
PATH = """
[path.line-{number}]
profile = "fast"
interval = {interval}
rise = 3
[path.line-{number}.probe.echo]
type = "udp-echo"
host = "127.0.0.1"
port = {port}
"""


@dataclass(frozen=True)
class Cost:
    """What a daemon with so many paths costs.

    :param rate: probes a second.
    :param cpu: share of one core.
    :param rss: bytes.
    :param late_ms: how late its loop was: median, 99th percentile, maximum.
    """

    paths: int
    interval: float
    rate: float
    cpu: float
    rss: int
    late_ms: tuple[object, ...]

    def row(self, single: "Cost") -> list[str]:
        """Give its line of the table."""
        more = self.paths - single.paths
        each = f"{(self.rss - single.rss) / more / 1024:.1f}" if more else "-"
        return [
            f"{self.paths} at {self.interval * 1000:g} ms",
            f"{self.rate:.1f}",
            f"{self.cpu * 100:.2f}",
            f"{self.cpu / self.rate * 1e6:.0f}",
            f"{self.rss / 2**20:.1f}",
            each,
            *map(str, self.late_ms),
        ]


@contextlib.contextmanager
def daemon(paths: int, interval: float, port: int) -> Iterator[tuple[psutil.Process, Path]]:
    """Run a daemon; give its process and its status file."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [PATH.format(number=n, interval=interval, port=port) for n in range(paths)]
        file = Path(folder) / "havpn.toml"
        file.write_text(NODE.format(dir=folder) + "".join(lines))
        complaints = Path(folder) / "log"
        with complaints.open("wb") as log:
            started = subprocess.Popen([*HAVPN, "run", "-c", str(file)], stderr=log)
        try:
            status = Path(folder) / "run" / "status.json"
            wait_up(status, paths, started, complaints)
            yield psutil.Process(started.pid), status
        finally:
            started.terminate()
            started.wait(30)


def wait_up(status: Path, paths: int, started: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until every path is up.

    :raises SystemExit: it took too long, or the daemon ended.
    """
    until = time.monotonic() + UP_S
    while time.monotonic() < until and started.poll() is None:
        if status.exists():
            found = json.loads(status.read_text())["paths"].values()
            if sum(path["verdict"] == "up" for path in found) == paths:
                return
        time.sleep(0.2)
    raise SystemExit(f"{paths} paths are not up:\n{log.read_text()[-2000:]}")


def probes(status: dict[str, Any]) -> int:
    """Count all probes so far."""
    found = (p for path in status["paths"].values() for p in path["probes"].values())
    return sum(probe[outcome] for probe in found for outcome in ("ok", "fail", "error"))


def read(status: Path) -> tuple[dict[str, Any], float]:
    """Give the status and when it was written."""
    facts: dict[str, Any] = json.loads(status.read_text())
    return facts, datetime.fromisoformat(facts["written_at"]).timestamp()


def burnt_s(process: psutil.Process) -> float:
    """Give the processor time of all its threads, ended ones included, in seconds.

    The kernel's own clock of a process (clock_getcpuclockid(3)); ``cpu_times`` has 10 ms ticks.
    """
    return time.clock_gettime((~process.pid << 3) | 2)


def measure(paths: int, interval: float, port: int, seconds: float) -> Cost:
    """Run one daemon and watch what it takes; nothing is read from it meanwhile."""
    with daemon(paths, interval, port) as (process, status):
        time.sleep(max(2.0, 2 * interval))
        (first, first_at), before, began = read(status), burnt_s(process), time.monotonic()
        time.sleep(seconds)
        burnt, took = burnt_s(process) - before, time.monotonic() - began
        last, last_at = read(status)
        rss = process.memory_info().rss
    late = last.get("timing", {}).get("late_ms", {})
    return Cost(
        paths=paths,
        interval=interval,
        rate=(probes(last) - probes(first)) / (last_at - first_at),
        cpu=burnt / took,
        rss=rss,
        late_ms=tuple(late.get(name, "-") for name in ("p50", "p99", "max")),
    )


def plot(costs: list[Cost], file: str) -> None:
    """Draw the processor's share over the number of paths."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    for interval in CURVES:
        curve = [cost for cost in costs if cost.interval == interval]
        label = f"every {interval * 1000:g} ms"
        axes.loglog([c.paths for c in curve], [c.cpu * 100 for c in curve], "o-", label=label)
    axes.set(xlabel="paths", ylabel="% of a core")
    axes.legend()
    figure.savefig(file)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="for each number of paths")
    parser.add_argument("--quick", action="store_true", help="5 s each")
    parser.add_argument("--plot", metavar="FILE", help="draw the curve (PNG, SVG or PDF)")
    arguments = parser.parse_args()
    seconds = 5.0 if arguments.quick else arguments.seconds
    # A socket for each path; the usual soft limit is 1024.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    costs: list[Cost] = []
    with echo_service() as port:
        for interval, numbers in CURVES.items():
            costs += [measure(paths, interval, port, seconds) for paths in numbers]
    singles = {cost.interval: cost for cost in costs if cost.paths == 1}
    heads = ("paths", "probes/s", "CPU %", "us/probe", "RSS MiB", "KiB/path")
    lates = ("late p50", "p99", "max ms")
    show((*heads, *lates), [cost.row(singles[cost.interval]) for cost in costs])
    if arguments.plot:
        plot(costs, arguments.plot)


if __name__ == "__main__":
    main()
