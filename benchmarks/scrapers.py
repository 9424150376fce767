"""Whether slow scrapers delay a gateway's probes.

    python -m benchmarks.scrapers [--clients 200]

A daemon with ``[metrics]`` and an echo path of 20 ms is scraped as usual, every second; and by
turns besides by slow clients, which send their request byte by byte and take the reply a few bytes
at a time. Printed is how late the daemon's loop came to its probes, and what the usual scrape took;
status 1 if the slow clients cost more than 1 ms at the 99th percentile, or a usual scrape failed.
Needs root, to put the clients' own priority back.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.figures import show

ECHO, PORT = 19707, 19713
CONFIG = """
[node]
name = "gw"
state_dir = "{folder}"
run_dir = "{folder}"
[path.line]
interval = "20ms"
timeout = "200ms"
fall = 10
rise = 10
[path.line.probe.echo]
type = "udp-echo"
host = "127.0.0.1"
port = {echo}
[respond]
listen = ["127.0.0.1:{echo}"]
allow = ["127.0.0.1/32"]
rate = 1000
[metrics]
listen = ["127.0.0.1:{port}"]
"""
MOST_MS = 1.0


async def slow(until: float, requests: list[int]) -> None:
    """Ask for all metrics again and again, as slowly as the server bears it."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=64)
            try:
                for byte in b"GET /metrics HTTP/1.1\r\n\r\n":
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.1)
                while await reader.read(64):
                    await asyncio.sleep(0.1)
                requests.append(1)
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.1)


async def usual(until: float, took: list[float]) -> None:
    """Scrape every second, as Prometheus does; a failure takes for ever."""
    while time.monotonic() < until:
        took.append(await asyncio.to_thread(scrape))
        await asyncio.sleep(1.0)


def scrape() -> float:
    """Scrape once; gives the seconds that it took, infinity if it failed."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as reply:
            sound = b"havpn_build_info" in reply.read()
    except OSError:
        return float("inf")
    return time.monotonic() - began if sound else float("inf")


async def part(clients: int, seconds: float) -> tuple[list[float], int]:
    """Run so many slow clients beside a usual one; gives what the usual scrapes took."""
    until = time.monotonic() + seconds
    took: list[float] = []
    requests: list[int] = []
    await asyncio.gather(usual(until, took), *(slow(until, requests) for _ in range(clients)))
    return took, len(requests)


def measure(clients: int, seconds: float) -> tuple[list[object], float, float]:
    """Measure a daemon of its own; gives a row, its lateness p99 and the longest usual scrape."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "havpn.toml"
        file.write_text(CONFIG.format(folder=folder, echo=ECHO, port=PORT))
        daemon = subprocess.Popen(
            [sys.executable, "-m", "havpn_core", "run", "-c", str(file)],
            stderr=subprocess.DEVNULL,
        )
        try:
            # The clients would be on other hosts: they are not to take the daemon's processor.
            os.setpriority(os.PRIO_PROCESS, 0, 19)
            until = time.monotonic() + 30
            while scrape() == float("inf") and time.monotonic() < until:
                time.sleep(0.2)
            took, slow_ones = asyncio.run(part(clients, seconds))
            status = json.loads((folder / "status.json").read_text())
        finally:
            daemon.terminate()
            daemon.wait()
            os.setpriority(os.PRIO_PROCESS, 0, own)
    late, probe = status["timing"]["late_ms"], status["paths"]["line"]["probes"]["echo"]
    row: list[object] = [clients, *(f"{late[name]:.2f}" for name in ("p50", "p99", "max"))]
    row += [f"{probe['ok']} / {probe['fail']}", status["timing"]["void"], len(took)]
    row += [f"{1000 * median(took):.0f} / {1000 * max(took):.0f}", slow_ones]
    return row, late["p99"], max(took)


def main() -> None:
    """Measure by turns, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=40.0, help="of each part")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    turns = [0, arguments.clients] * arguments.rounds
    found = [measure(clients, arguments.seconds) for clients in turns]
    columns = ("slow clients", "late ms p50", "p99", "max", "replies / lost", "void")
    show((*columns, "scrapes", "ms median / longest", "slow scrapes"), [row for row, _, _ in found])
    before, during = (median(late for _, late, _ in found[n::2]) for n in (0, 1))
    longest_s = max(longest for _, _, longest in found)
    print(f"lateness p99: {before:.2f} ms without, {during:.2f} ms with {arguments.clients}")
    sys.exit(1 if during - before > MOST_MS or longest_s == float("inf") else 0)


if __name__ == "__main__":
    main()
