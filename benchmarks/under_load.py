"""Whether a lossy line and a busy machine are mistaken for a dead line.

    python -m benchmarks.under_load [--seconds 300] [--loss 0.1] [--spinners 4] [--seed 1]

``havpn run`` with profile ``fast`` and keepalived's BFD watch the same line of 1 ms delay that
loses frames at random both ways, while processes burn all processors. The line is never dead, so
every switch is false; status 1 if havpn made one. Needs root.
"""

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import need, show
from benchmarks.watchers import FLUSH_S, Havpn, bfd
from havpn_core.testing.lab import Line, wait_for
from havpn_core.testing.lab.line import RIGHT

DELAY_MS = 1.0
LOOK_EVERY_S = 60.0


@contextlib.contextmanager
def spinners(count: int) -> Iterator[None]:
    """Burn processor time in so many processes."""
    command = [sys.executable, "-I", "-S", "-c", "while True: pass"]
    burning = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def lateness(status: dict[str, Any]) -> str:
    """Say how late the daemon's loop was; a dash where it does not say."""
    late = status.get("timing", {}).get("late_ms", {})
    return " / ".join(f"{late.get(name, '-')}" for name in ("p50", "p99", "max"))


def void(status: dict[str, Any]) -> object:
    """Give how many rounds were thrown away because the daemon itself was late."""
    return status.get("timing", {}).get("void", "-")


def counts(status: dict[str, Any]) -> dict[str, int]:
    """Give the probe's counts."""
    probe = status["paths"]["line"]["probes"]["echo"]
    return {outcome: probe[outcome] for outcome in ("ok", "fail", "error")}


def watch(line: Line, arguments: argparse.Namespace) -> int:
    """Run it, print a table, and give havpn's false switches."""
    havpn, peer = Havpn(line), bfd(line)
    ready = "both watchers to be up"
    wait_for(lambda: havpn.is_up() and peer.is_up(), 60.0, ready)
    began, before = time.time(), counts(havpn.status())
    line.loss(arguments.loss)
    with spinners(arguments.spinners):
        until = time.monotonic() + arguments.seconds
        while (rest_s := until - time.monotonic()) > 0:
            time.sleep(min(rest_s, LOOK_EVERY_S))
            havpn.downs()
        status = havpn.status()
    time.sleep(FLUSH_S)
    gained = {name: n - before[name] for name, n in counts(status).items()}
    ours = [sum(when >= began for when in each.downs()) for each in (havpn, peer)]
    print(
        f"{arguments.seconds:g} s, loss {arguments.loss:g} each way, {arguments.spinners} spinning"
    )
    heads = ("watcher", "false switches", "void rounds", "ok", "fail", "error", "late ms 50/99/max")
    rows = [
        [havpn.name, ours[0], void(status), *gained.values(), lateness(status)],
        [peer.name, ours[1], *["-"] * 5],
    ]
    show(heads, rows)
    return ours[0]


def main() -> None:
    """Measure, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--loss", type=float, default=0.1, help="share, in each direction")
    parser.add_argument("--spinners", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    need("keepalived")
    with Line(DELAY_MS / 2, seed=arguments.seed) as line:
        line.left.run("ping", "-c1", "-W5", RIGHT)
        sys.exit(1 if watch(line, arguments) else 0)


if __name__ == "__main__":
    main()
