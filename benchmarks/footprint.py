"""What an idle daemon costs: ``python -m benchmarks.footprint [SECONDS]``.

One path at 1 s, one udp-echo probe, its own responder as the far end, one command as action.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.figures import show

CONFIG = """
[node]
state_dir = "{dir}/state"
run_dir = "{dir}/run"
[path.line]
interval = "1s"
[path.line.probe.echo]
type = "udp-echo"
host = "127.0.0.1"
port = 7077
[respond]
listen = ["127.0.0.1:7077"]
allow = ["127.0.0.1/32"]
[action.gateway]
type = "exec"
active = ["true"]
standby = ["true"]
[notifier.log]
type = "exec"
command = ["true"]
"""
HAVPN = (sys.executable, "-m", "havpn_core")


def first_probe_s(status: Path, began: float) -> float:
    """Wait for the first sample and give the seconds since ``began``."""
    while time.monotonic() - began < 10:
        if status.exists():
            probe = json.loads(status.read_text())["paths"]["line"]["probes"]["echo"]
            if probe["outcome"] is not None:
                return time.monotonic() - began
        time.sleep(0.002)
    raise SystemExit("no probe within 10 s")


def call_s(*arguments: str) -> float:
    """Time one command."""
    began = time.monotonic()
    subprocess.run([*HAVPN, *arguments], stdout=subprocess.DEVNULL, check=False, timeout=30)
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "havpn.toml"
        file.write_text(CONFIG.format(dir=folder))
        began = time.monotonic()
        daemon = subprocess.Popen([*HAVPN, "run", "-c", str(file)], stderr=subprocess.DEVNULL)
        try:
            start = first_probe_s(Path(folder) / "run" / "status.json", began)
            time.sleep(2)
            process = psutil.Process(daemon.pid)
            before = process.cpu_times()
            time.sleep(seconds)
            after = process.cpu_times()
            spent = after.user + after.system - before.user - before.system
            shown = [call_s("status", "--json", "-c", str(file)) for _ in range(7)]
            listed = [call_s("plugin", "list") for _ in range(7)]
            rows = [
                ("resident", f"{process.memory_info().rss / 2**20:.1f} MiB"),
                (f"processor, over {seconds:.0f} s", f"{spent / seconds * 100:.2f} % of a core"),
                ("start to first probe", f"{start:.3f} s"),
                ("havpn status --json, median of 7", f"{statistics.median(shown):.3f} s"),
                ("havpn plugin list, median of 7", f"{statistics.median(listed):.3f} s"),
            ]
            show(("an idle daemon", ""), rows)
        finally:
            daemon.terminate()
            daemon.wait(10)


if __name__ == "__main__":
    main()
