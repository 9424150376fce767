"""How long clients notice a switch, in the whole two-site network.

    python -m benchmarks.pair [--power-offs 50] [--handovers 50] [--cuts 30] [--slow-cuts 5]
                              [--rtt 1 20 80 200] [--seconds 300] [--loss 10]

Power off: from SIGKILL of the active gateway's host to the partner's first ARP frame. Ordered
handover: what a client misses when an operator switches, there and back. Silent cut: what a client
misses when a provider's router dies, by the round trip time of that line, beside keepalived and
(at the shortest one) heartbeat mode in the same network. Needless switches: the addresses' moves
while both lines lose packets at random and neither is dead. Needs root; the exit status is 1 if a
bound is missed.
"""

import argparse
import subprocess
import sys

from benchmarks.contenders import CONTENDERS, SLOW
from benchmarks.figures import need, quantile, show
from benchmarks.switches import cuts, handovers, needless, power_offs
from havpn_core.testing.lab import TwoSite

INTERVAL_S = 0.05
POWER_OFF_BOUND_S = 3 * INTERVAL_S + 0.05
HANDOVER_BOUND_S = 0.05
NEAR_MS, CUT_BOUND_S = 1.0, 0.08
"""A client's outage at the shortest distance, on the median."""
CUT_RATIO = 0.8
"""And to the best BFD's, at any."""
HEARTBEAT_BOUND_S = 0.6
BFD_SETTLES_MS = 100.0
"""keepalived's BFD does not settle at longer round trips."""
OURS, BFD, HEARTBEAT = (
    "havpn pair, fast, stream",
    "keepalived BFD 3 x 50 ms",
    "havpn and heartbeat, fast",
)
ROW = ("median ms", "p95 ms", "p99 ms", "max ms", "runs")


def row(name: str, values: list[float], bound: str) -> list[object]:
    """Make a table's row of seconds."""
    shares = [f"{1000 * quantile(values, share):.0f}" for share in (0.5, 0.95, 0.99, 1.0)]
    return [name, *shares, len(values), bound]


def main() -> None:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--power-offs", type=int, default=50)
    parser.add_argument("--handovers", type=int, default=50)
    parser.add_argument("--cuts", type=int, default=30)
    parser.add_argument("--rtt", type=float, nargs="+", default=[1.0, 20.0, 80.0, 200.0])
    parser.add_argument("--slow-cuts", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--loss", type=float, default=10.0, help="percent, each way, both lines")
    parser.add_argument("--needless", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    need("keepalived")
    if chosen.needless:
        with TwoSite(ipsec=False) as lab:
            percent = chosen.loss
            print(needless(lab, chosen.needless, seconds=chosen.seconds, percent=percent))
        return
    missed = []
    if chosen.power_offs or chosen.handovers:
        missed += orderly(chosen)
    if chosen.cuts:
        missed += silent(chosen)
    if chosen.seconds:
        lossy(chosen)
    for text in missed:
        print(f"MISSED: {text}")
    sys.exit(1 if missed else 0)


def orderly(chosen: argparse.Namespace) -> list[str]:
    """Power off and hand over."""
    rows, missed = [], []
    for what, measure, count, bound in (
        ("power off: first ARP", power_offs, chosen.power_offs, POWER_OFF_BOUND_S),
        ("ordered handover: outage", handovers, chosen.handovers, HANDOVER_BOUND_S),
    ):
        if count:
            with TwoSite(ipsec=False) as lab:
                values = measure(lab, count)
            rows.append(row(what, values, f"p99 {1000 * bound:.0f}"))
            if quantile(values, 0.99) > bound:
                missed.append(f"{what}: p99 over {1000 * bound:.0f} ms")
    show(("havpn pair", *ROW, "bound"), rows)
    return missed


def silent(chosen: argparse.Namespace) -> list[str]:
    """Cut a line silently under everybody, at every distance."""
    missed = []
    for rtt_ms in chosen.rtt:
        found = {}
        for name in CONTENDERS:
            count = chosen.slow_cuts if name in SLOW else chosen.cuts
            late = name in SLOW and rtt_ms != min(chosen.rtt)
            if count and not late and (name != BFD or rtt_ms <= BFD_SETTLES_MS):
                with TwoSite(ipsec=False, delays_ms={"provider-1": rtt_ms / 2}) as lab:
                    found[name] = cuts(lab, name, count)
        rows = [row(name, values, "") for name, values in found.items()]
        show((f"silent cut, RTT {rtt_ms:g} ms: client's outage", *ROW, ""), rows)
        missed += short(rtt_ms, found)
    return missed


def short(rtt_ms: float, found: dict[str, list[float]]) -> list[str]:
    """Compare the outages of a distance with what they are to be."""
    ours, missed = quantile(found[OURS], 0.5), []
    if BFD in found:
        ratio = ours / quantile(found[BFD], 0.5)
        print(f"median against keepalived's BFD: {ratio:.2f} (bound {CUT_RATIO})\n")
        if ratio > CUT_RATIO:
            missed.append(f"RTT {rtt_ms:g} ms: ratio to BFD")
    if rtt_ms <= NEAR_MS and ours > CUT_BOUND_S:
        missed.append(f"RTT {rtt_ms:g} ms: median over {1000 * CUT_BOUND_S:.0f} ms")
    if HEARTBEAT in found and quantile(found[HEARTBEAT], 0.5) > HEARTBEAT_BOUND_S:
        missed.append(f"heartbeat: median over {HEARTBEAT_BOUND_S:g} s")
    return missed


def lossy(chosen: argparse.Namespace) -> None:
    """Count needless switches of everybody."""
    own = [sys.executable, "-m", "benchmarks.pair", f"--seconds={chosen.seconds}"]
    own += [f"--loss={chosen.loss}", "--needless"]
    # A process and a network for each, all at the same time: the same machine, the same load.
    running = {
        name: subprocess.Popen([*own, name], stdout=subprocess.PIPE, text=True)
        for name in CONTENDERS
    }
    rows = []
    for name, process in running.items():
        said, _ = process.communicate()
        rows.append([name, said.strip() if process.returncode == 0 else "failed"])
    show((f"{chosen.loss:g} % loss for {chosen.seconds:g} s", "needless moves"), rows)


if __name__ == "__main__":
    main()
