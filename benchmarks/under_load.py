"""Whether a lossy line and a busy machine are mistaken for a dead line.

    python -m benchmarks.under_load [--seconds 300] [--loss 0.1] [--spinners 4] [--seed 1]

``havpn run`` with profile ``fast``, by echo probes and by a stream, both ends counted, and
keepalived's BFD watch the same line of 1 ms delay that loses frames at random both ways, while
processes burn all processors. The line is never dead, so every switch is false; status 1 if havpn
made one. Needs root.
"""

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.ends import FLUSH_S, Ends
from benchmarks.figures import need, show
from benchmarks.watchers import bfd
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


def watch(line: Line, arguments: argparse.Namespace) -> int:
    """Run it, print a table, and give havpn's false switches."""
    ends, peer = Ends(line, ("stream", "echo")), bfd(line)
    ours = [*ends.left, *ends.right]
    ready = "all watchers to be up"
    wait_for(lambda: all(each.is_up() for each in (*ours, peer)), 60.0, ready)
    began = time.time()
    line.loss(arguments.loss)
    with spinners(arguments.spinners):
        until = time.monotonic() + arguments.seconds
        while (rest_s := until - time.monotonic()) > 0:
            time.sleep(min(rest_s, LOOK_EVERY_S))
            for each in ours:
                each.downs()
        states = [each.status() for each in ours]
    time.sleep(FLUSH_S)
    false = [sum(when >= began for when in each.downs()) for each in (*ours, peer)]
    print(
        f"{arguments.seconds:g} s, loss {arguments.loss:g} each way, {arguments.spinners} spinning"
    )
    rows = [
        [f"{each.name}, {side}", count, void(status), lateness(status), rule(status, each.path)]
        for each, side, count, status in zip(
            ours, ["left"] * 2 + ["right"] * 2, false, states, strict=False
        )
    ]
    rows.append([peer.name, false[-1], *["-"] * 3])
    show(("watcher", "false switches", "void", "late ms 50/99/max", "rule"), rows)
    return sum(false[:-1])


def rule(status: dict[str, Any], path: str) -> object:
    """Give what the path says of when it gives up."""
    return status["paths"][path].get("calm", {}).get("text", "-")


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
