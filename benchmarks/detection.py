"""How long it takes to call a silently cut line dead, beside keepalived's BFD and others.

    python -m benchmarks.detection [--cuts 100] [--slow-cuts 10] [--rtt 1 80] [--seed 1]

For each round trip time: a line in namespaces, cut at random phases, watched by ``havpn run`` and
keepalived at once, so that both see the same cuts. A decision time is the moment of the decision
less the moment from which nothing comes out of the line any more. Then a few cuts for slower
peers. Needs root. havpn runs profile ``fast``; only the way back (``rise``, ``damping``) is
shortened, to be ready for the next cut.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.figures import need, quantile, show
from benchmarks.watchers import FLUSH_S, Havpn, Watcher, bfd, fping, lsm
from havpn_core.testing.lab import Line, wait_for
from havpn_core.testing.lab.line import RIGHT

SETTLE_S = 1.5
PHASE_S = 0.5
READY_S = 60.0
DECIDE_S = 10.0
QUICK_RETURN = "rise = 3\ndamping = false"

Start = Callable[[Line], Watcher]


@dataclass
class Result:
    """What one watcher did.

    :param times_ms: from each cut to the decision.
    :param false: how often it declared the line dead while it was not.
    """

    name: str
    rtt_ms: float
    times_ms: list[float] = field(default_factory=list)
    missed: int = 0
    false: int = 0

    def row(self) -> list[str]:
        """Give its line of the table."""
        shares = (0.5, 0.99, 1.0)
        shown = [f"{quantile(self.times_ms, s):.0f}" if self.times_ms else "-" for s in shares]
        cuts = len(self.times_ms) + self.missed
        return [self.name, f"{self.rtt_ms:g}", str(cuts), *shown, str(self.missed), str(self.false)]


def cut_once(line: Line, watchers: Sequence[Watcher], phase_s: float) -> tuple[float, float]:
    """Cut when all is calm, and heal when all have noticed; give both moments in seconds."""
    calm = time.monotonic()
    deadline = calm + READY_S
    while time.monotonic() - calm < SETTLE_S + phase_s:
        if not all(watcher.is_up() for watcher in watchers):
            calm = time.monotonic()
        if time.monotonic() > deadline:
            raise SystemExit(f"not up: {[w.name for w in watchers if not w.is_up()]}")
        time.sleep(0.01)
    cut = line.cut().realtime_ns / 1e9
    deadline = time.monotonic() + DECIDE_S
    while not all(watcher.is_down() for watcher in watchers) and time.monotonic() < deadline:
        time.sleep(0.01)
    return cut, line.heal().realtime_ns / 1e9


def series(
    rtt_ms: float, cuts: int, chance: random.Random, starts: Sequence[Start]
) -> list[Result]:
    """Make a line and cut it again and again."""
    with Line(rtt_ms / 2) as line:
        line.left.run("ping", "-c1", "-W5", RIGHT)
        if not line.realtime:
            print("warning: no real-time priority for the line: its delays are rough")
        watchers = [start(line) for start in starts]
        wait_for(lambda: all(w.is_up() for w in watchers), READY_S, "all watchers to be up")
        began = time.time()
        windows = []
        for number in range(1, cuts + 1):
            windows.append(cut_once(line, watchers, chance.uniform(0, PHASE_S)))
            print(f"\rRTT {rtt_ms:g} ms: cut {number} of {cuts} ", end="", file=sys.stderr)
        print(file=sys.stderr)
        time.sleep(FLUSH_S)
        return [judge(watcher, rtt_ms, windows, began) for watcher in watchers]


def judge(
    watcher: Watcher, rtt_ms: float, windows: Sequence[tuple[float, float]], began: float
) -> Result:
    """Give each cut its decision; what is left over was false."""
    result = Result(watcher.name, rtt_ms)
    left_over = [when for when in watcher.downs() if when >= began]
    for cut, healed in windows:
        within = [when for when in left_over if cut <= when < healed]
        left_over = [when for when in left_over if when not in within]
        if within:
            result.times_ms.append((within[0] - cut) * 1000)
        else:
            result.missed += 1
    result.false = len(left_over)
    return result


def ratios(ours: Result, theirs: Result) -> str:
    """Compare two watchers of the same cuts."""
    parts = [
        f"{word} {quantile(ours.times_ms, share) / quantile(theirs.times_ms, share):.2f}"
        for word, share in (("median", 0.5), ("p99", 0.99), ("max", 1.0))
    ]
    return f"{ours.name} / {theirs.name} at RTT {ours.rtt_ms:g} ms: {', '.join(parts)}"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--slow-cuts", type=int, default=10, help="for LSM and fping; 0: none")
    parser.add_argument("--rtt", type=float, nargs="+", default=[1.0, 80.0], help="ms")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    need("keepalived", *(("lsm", "fping") if arguments.slow_cuts else ()))
    chance = random.Random(arguments.seed)
    results: list[Result] = []
    compared: list[str] = []
    for rtt_ms in arguments.rtt:
        both = series(rtt_ms, arguments.cuts, chance, [lambda line: Havpn(line, QUICK_RETURN), bfd])
        if all(result.times_ms for result in both):
            compared.append(ratios(*both))
        results += both
        if arguments.slow_cuts:
            results += series(rtt_ms, arguments.slow_cuts, chance, [lsm, fping])
    heads = ("watcher", "RTT ms", "cuts", "median ms", "p99 ms", "max ms", "missed", "false")
    show(heads, [result.row() for result in results])
    print(*compared, sep="\n")


if __name__ == "__main__":
    main()
