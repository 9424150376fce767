"""What one daemon costs with 1 to 1000 paths.

    python -m benchmarks.scale [--seconds 20] [--quick] [--plot FILE] [--only KIND:PATHS:INTERVAL]

All paths have the profile ``fast`` but for the interval. They probe one echo service on loopback,
or have a stream each; what is at the far end is a process of its own. Measured is the daemon alone,
when all its paths are up. A packet of a stream is one that came, and costs what one costs that is
sent in the same time, too. ``--only stream:100:0.01`` measures that alone, and may be given several
times. ``--plot`` needs matplotlib.
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
from benchmarks.stream_ends import NEAR, address, far_ends, free_port

HAVPN = (sys.executable, "-m", "havpn_core")
ECHO, STREAM = "echo", "stream"
CURVES = {
    (ECHO, 0.05): (1, 10, 100),
    (ECHO, 1.0): (1, 10, 100, 1000),
    (STREAM, 0.01): (1, 10, 100),
}
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
[path.line-{number}.probe.it]
"""
ECHO_PROBE = """
type = "udp-echo"
host = "127.0.0.1"
port = {port}
"""
STREAM_PROBE = """
type = "stream"
host = "{host}"
source = "{source}"
port = {port}
key_file = "{key}"
interval = {interval}
"""


@dataclass(frozen=True)
class Load:
    """What a daemon has to do."""

    kind: str
    paths: int
    interval: float

    @classmethod
    def parse(cls, text: str) -> "Load":
        """Read ``KIND:PATHS:INTERVAL``.

        :raises ValueError: if it is none.
        """
        kind, paths, interval = text.split(":")
        if kind not in (ECHO, STREAM):
            raise ValueError(f"{kind}: write {ECHO} or {STREAM}")
        return cls(kind, int(paths), float(interval))

    def __str__(self) -> str:
        return f"{self.paths} {self.kind} at {self.interval * 1000:g} ms"


@dataclass(frozen=True)
class Cost:
    """What a daemon with so many paths costs.

    :param rate: probes a second.
    :param cpu: share of one core.
    :param rss: bytes.
    :param late_ms: how late its loop was: median, 99th percentile, maximum.
    """

    load: Load
    rate: float
    cpu: float
    rss: int
    late_ms: tuple[object, ...]

    def row(self, single: "Cost | None") -> list[str]:
        """Give its line of the table.

        :param single: what one path of the kind costs, where that was measured.
        """
        more = self.load.paths - single.load.paths if single else 0
        each = f"{(self.rss - single.rss) / more / 1024:.1f}" if single and more else "-"
        return [
            str(self.load),
            f"{self.rate:.1f}",
            f"{self.cpu * 100:.2f}",
            f"{self.cpu / self.rate * 1e6:.0f}",
            f"{self.rss / 2**20:.1f}",
            each,
            *map(str, self.late_ms),
        ]


@contextlib.contextmanager
def far_side(load: Load, folder: Path) -> Iterator[list[str]]:
    """Run what is at the far end; give the table of each path's probe."""
    if load.kind == ECHO:
        with echo_service() as port:
            yield [ECHO_PROBE.format(port=port)] * load.paths
        return
    port = free_port()
    with far_ends(load.paths, port, folder) as key:
        more = {"source": NEAR, "port": port, "key": key, "interval": load.interval}
        yield [STREAM_PROBE.format(host=address(n), **more) for n in range(load.paths)]


@contextlib.contextmanager
def daemon(load: Load) -> Iterator[tuple[psutil.Process, Path]]:
    """Run a daemon; give its process and its status file."""
    with tempfile.TemporaryDirectory() as name, far_side(load, Path(name)) as tables:
        folder = Path(name)
        # A path whose stream is fast is fast; what is polled of it is nothing.
        paths = [PATH.format(number=n, interval=load.interval) for n in range(load.paths)]
        lines = [path + table for path, table in zip(paths, tables, strict=True)]
        file = folder / "havpn.toml"
        file.write_text(NODE.format(dir=folder) + "".join(lines))
        complaints = folder / "log"
        with complaints.open("wb") as log:
            started = subprocess.Popen([*HAVPN, "run", "-c", str(file)], stderr=log)
        try:
            status = folder / "run" / "status.json"
            wait_up(status, load.paths, started, complaints)
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


def measure(load: Load, seconds: float) -> Cost:
    """Run one daemon and watch what it takes; nothing is read from it meanwhile."""
    with daemon(load) as (process, status):
        time.sleep(max(2.0, 2 * load.interval))
        (first, first_at), before, began = read(status), burnt_s(process), time.monotonic()
        time.sleep(seconds)
        burnt, took = burnt_s(process) - before, time.monotonic() - began
        last, last_at = read(status)
        rss = process.memory_info().rss
    late = last.get("timing", {}).get("late_ms", {})
    return Cost(
        load=load,
        rate=(probes(last) - probes(first)) / (last_at - first_at),
        cpu=burnt / took,
        rss=rss,
        late_ms=tuple(late.get(name, "-") for name in ("p50", "p99", "max")),
    )


def plot(costs: list[Cost], file: str) -> None:
    """Draw the processor's share over the number of paths."""
    from matplotlib import pyplot

    from havpn_core.study.plots import look

    figure, axes = pyplot.subplots()
    for number, (kind, interval) in enumerate(CURVES):
        curve = [c for c in costs if (c.load.kind, c.load.interval) == (kind, interval)]
        label = f"{kind} every {interval * 1000:g} ms"
        paths, shares = [c.load.paths for c in curve], [c.cpu * 100 for c in curve]
        axes.loglog(paths, shares, **look(number), label=label)
    axes.set(xlabel="paths", ylabel="% of a core")
    axes.legend()
    figure.savefig(file)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="for each number of paths")
    parser.add_argument("--quick", action="store_true", help="5 s each")
    parser.add_argument("--plot", metavar="FILE", help="draw the curve (PNG, SVG or PDF)")
    parser.add_argument("--only", type=Load.parse, action="append", metavar="KIND:PATHS:INTERVAL")
    arguments = parser.parse_args()
    seconds = 5.0 if arguments.quick else arguments.seconds
    # A socket for each path; the usual soft limit is 1024.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    loads = arguments.only or [
        Load(kind, paths, interval)
        for (kind, interval), numbers in CURVES.items()
        for paths in numbers
    ]
    costs = [measure(load, seconds) for load in loads]
    singles = {(c.load.kind, c.load.interval): c for c in costs if c.load.paths == 1}
    heads = ("paths", "probes/s", "CPU %", "us/probe", "RSS MiB", "KiB/path")
    lates = ("late p50", "p99", "max ms")
    rows = [cost.row(singles.get((cost.load.kind, cost.load.interval))) for cost in costs]
    show((*heads, *lates), rows)
    if arguments.plot:
        plot(costs, arguments.plot)


if __name__ == "__main__":
    main()
