"""How long it takes to call a silently cut line dead, beside the BFD of keepalived and FRR.

    python -m benchmarks.detection [--cuts 100] [--one-way 20] [--slow-cuts 10]
                                   [--rtt 1 20 80 200] [--seed 1]

For each round trip time: a line in namespaces, cut at random phases, watched by ``havpn run`` at
both ends (a stream and echo probes with profile ``fast``, echo probes with ``balanced``) and by
both BFDs at once, so that all see the same cuts. A decision time is the moment of the decision less
the moment from which nothing comes out of the line any more. Then cuts of one direction, which both
ends of a stream must notice, and a few cuts for slower peers. Needs root. Of havpn only the way
back (``rise``, ``damping``) is shortened, to be ready for the next cut; keepalived's BFD does not
settle at 200 ms and is left out there; FRR takes its place.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.ends import FLUSH_S, Ends
from benchmarks.figures import need, quantile, show
from benchmarks.watchers import Watcher, bfd, fping, frr, lsm
from havpn_core.testing.lab import Line, wait_for
from havpn_core.testing.lab.hosts.wire import Sender
from havpn_core.testing.lab.line import RIGHT

SETTLE_S = 0.7
PHASE_S = 0.5
READY_S = 60.0
DECIDE_S = 10.0
QUICK_RETURN = "rise = 3\ndamping = false"
SETTLING_MS = 100.0
"""keepalived's BFD does not settle at longer round trips."""
LEAD = 0.8
"""Our median is to be at most so much of the best BFD's."""
SENDERS: tuple[Sender, Sender] = ("left", "right")

Start = Callable[[Line], Sequence[Watcher]]


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


def cut_once(
    line: Line, watchers: Sequence[Watcher], phase_s: float, sender: Sender | None
) -> tuple[float, float]:
    """Cut when all is calm, and heal when all have noticed; give both moments in seconds."""
    calm = time.monotonic()
    deadline = calm + READY_S
    while time.monotonic() - calm < SETTLE_S + phase_s:
        if not all(watcher.is_up() for watcher in watchers):
            calm = time.monotonic()
        if time.monotonic() > deadline:
            raise SystemExit(f"not up: {[w.name for w in watchers if not w.is_up()]}")
        time.sleep(0.01)
    cut = line.cut(sender).realtime_ns / 1e9
    deadline = time.monotonic() + DECIDE_S
    while not all(watcher.is_down() for watcher in watchers) and time.monotonic() < deadline:
        time.sleep(0.01)
    return cut, line.heal().realtime_ns / 1e9


def series(
    rtt_ms: float, cuts: int, chance: random.Random, start: Start, *, one_way: bool = False
) -> list[Result]:
    """Make a line and cut it again and again.

    :param one_way: one direction and the other in turn, and not both at once.
    """
    with Line(rtt_ms / 2) as line:
        line.left.run("ping", "-c1", "-W5", RIGHT)
        if not line.realtime:
            print("warning: no real-time priority for the line: its delays are rough")
        watchers = start(line)
        wait_for(lambda: all(w.is_up() for w in watchers), READY_S, "all watchers to be up")
        began = time.time()
        windows = []
        for number in range(1, cuts + 1):
            sender = SENDERS[number % 2] if one_way else None
            windows.append(cut_once(line, watchers, chance.uniform(0, PHASE_S), sender))
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


def beside(results: Sequence[Result]) -> list[str]:
    """Compare the fastest of ours with each BFD, and say what is not kept."""
    ours, *others = results
    said = []
    for theirs in others:
        if "BFD" not in theirs.name or not theirs.times_ms or not ours.times_ms:
            continue
        parts = [
            (word, quantile(ours.times_ms, share) / quantile(theirs.times_ms, share))
            for word, share in (("median", 0.5), ("p99", 0.99), ("max", 1.0))
        ]
        text = ", ".join(f"{word} {ratio:.2f}" for word, ratio in parts)
        kept = parts[0][1] <= LEAD and parts[1][1] < 1 and not ours.missed
        bound = f"bound: median {LEAD}, p99 below 1: {'kept' if kept else 'MISSED'}"
        said.append(f"{ours.name} / {theirs.name} at RTT {ours.rtt_ms:g} ms: {text} ({bound})")
    return said


def with_keepalived(line: Line) -> Sequence[Watcher]:
    """Start havpn and keepalived's BFD; havpn's left end is judged, as theirs is."""
    return [*Ends(line, overrides=QUICK_RETURN).left, bfd(line)]


def with_frr(line: Line) -> Sequence[Watcher]:
    """Start havpn and FRR's BFD."""
    return [*Ends(line, overrides=QUICK_RETURN).left, frr(line)]


def frr_alone(line: Line) -> Sequence[Watcher]:
    """Start FRR's BFD; two implementations cannot share the port of RFC 5881 on one host."""
    return [frr(line)]


def both_ends(line: Line) -> Sequence[Watcher]:
    """Start havpn alone, and watch the stream from both ends."""
    ends = Ends(line, ("stream",), QUICK_RETURN)
    for watched, side in ((ends.left[0], "left"), (ends.right[0], "right")):
        watched.name += f", {side} end, one-way cut"
    return [ends.left[0], ends.right[0]]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--one-way", type=int, default=20, help="cuts of one direction; 0: none")
    parser.add_argument("--slow-cuts", type=int, default=10, help="for LSM and fping; 0: none")
    parser.add_argument("--rtt", type=float, nargs="+", default=[1.0, 20.0, 80.0, 200.0], help="ms")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    need("keepalived", "bfdd", *(("lsm", "fping") if arguments.slow_cuts else ()))
    chance = random.Random(arguments.seed)
    results: list[Result] = []
    compared: list[str] = []
    for rtt_ms in arguments.rtt:
        if rtt_ms <= SETTLING_MS:
            found = series(rtt_ms, arguments.cuts, chance, with_keepalived)
            found += series(rtt_ms, max(1, arguments.cuts // 3), chance, frr_alone)
        else:
            found = series(rtt_ms, arguments.cuts, chance, with_frr)
        compared += beside(found)
        results += found
        if arguments.one_way:
            results += series(rtt_ms, arguments.one_way, chance, both_ends, one_way=True)
        if arguments.slow_cuts and rtt_ms <= SETTLING_MS:
            slow = arguments.slow_cuts
            results += series(rtt_ms, slow, chance, lambda line: [lsm(line), fping(line)])
    heads = ("watcher", "RTT ms", "cuts", "median ms", "p99 ms", "max ms", "missed", "false")
    show(heads, [result.row() for result in results])
    print(*compared, sep="\n")


if __name__ == "__main__":
    main()
