"""How long clients notice a switch, in the whole two-site network.

    python -m benchmarks.pair [--power-offs 50] [--handovers 50] [--cuts 30] [--slow-cuts 5]
                              [--seconds 300] [--loss 10]

Power off: from SIGKILL of the active gateway's host to the partner's first ARP frame. Ordered
handover: what a client misses when an operator switches, there and back. Silent cut: what a
client misses when a provider's router dies, beside keepalived and heartbeat mode in the same
network. Needless switches: the addresses' moves while both lines lose packets at random and
neither is dead. Needs root; the exit status is 1 if a bound is missed.
"""

import argparse
import subprocess
import sys
import threading
import time

from benchmarks.contenders import CONTENDERS, RISE, SLOW
from benchmarks.figures import need, quantile, show
from havpn_core.testing.lab import TwoSite, wait_for
from havpn_core.testing.lab.gateways import pair_gateway, start_pairs, wait_backup
from havpn_core.testing.lab.hosts.host import program
from havpn_core.testing.lab.hosts.plan import SITE_A, SITES

INTERVAL_S = 0.05
POWER_OFF_BOUND_S = 3 * INTERVAL_S + 0.05
HANDOVER_BOUND_S = 0.05
CUT_BOUND_S = 0.2
CUT_RATIO = 0.8
FINE_S = 0.002
ROW = ("median ms", "p95 ms", "p99 ms", "max ms", "runs")


class ArpEar:
    """Hears every ARP frame of LAN A at the client."""

    def __init__(self, lab: TwoSite) -> None:
        self.heard: list[tuple[float, str, str]] = []
        self._process = lab.client.popen(*program("arps", "lan"), stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, sender, address = line.decode().split()
            self.heard.append((float(at), sender, address))

    def first(self, sender: str, since: float) -> float | None:
        """Give when a sender first claimed the shared address after a time."""
        shared = str(SITE_A.shared.ip)
        return next(
            (at for at, who, what in self.heard if (who, what) == (sender, shared) and at > since),
            None,
        )

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(timeout=5)


def mac_of(lab: TwoSite, gateway: str) -> str:
    """Give the link-layer address of a gateway on its LAN."""
    return lab.hosts[gateway].run("cat", "/sys/class/net/lan/address").stdout.strip()


def power_offs(lab: TwoSite, count: int) -> list[float]:
    """Kill the active gateway of site A again and again, whichever it is."""
    daemons, took = start_pairs(lab, rise=RISE, preempt="manual"), []
    ear = ArpEar(lab)
    try:
        for _ in range(count):
            (active,) = lab.holders("a")
            partner = SITE_A.backup if active == SITE_A.preferred else SITE_A.preferred
            mac = mac_of(lab, partner)
            time.sleep(0.3)
            begun = time.time()
            lab.power_off(active)
            wait_for(lambda b=begun, m=mac: ear.first(m, b), 5, "an ARP frame")  # type: ignore[misc]
            at = ear.first(mac, begun)
            assert at is not None
            took.append(at - begun)
            lab.power_on(active)
            daemons[active] = pair_gateway(lab, active, rise=RISE, preempt="manual")
            daemons[active].wait_verdict("line", "up", 20)
            daemons[partner].wait_for(
                lambda s: (s["pair"]["partner"] or {}).get("path") == "up", 5, "the partner"
            )
    finally:
        ear.stop()
        for daemon in daemons.values():
            daemon.stop()
            daemon.command("release", check=False)
    return took


def handovers(lab: TwoSite, count: int) -> list[float]:
    """Have an operator switch site A, there and back."""
    daemons, outages = start_pairs(lab, rise=RISE), []
    pinger = lab.pinger(interval=FINE_S)
    try:
        for number in range(count):
            to, holder = (("standby", SITE_A.backup), ("auto", SITE_A.preferred))[number % 2]
            since = time.monotonic()
            daemons[SITE_A.preferred].command("switch", "--to", to)
            lab.wait_holder("a", holder, 10)
            time.sleep(0.5)
            outages.append(pinger.longest_outage_since(since))
    finally:
        pinger.stop()
        for daemon in daemons.values():
            daemon.stop()
            daemon.command("release", check=False)
    return outages


def settle(lab: TwoSite, timeout: float = 60.0) -> None:
    """Wait until the preferred gateways have the addresses, and go on having them."""

    def home() -> bool:
        return all(lab.holders(name) == {site.preferred} for name, site in SITES.items())

    until = time.monotonic() + timeout
    while True:
        wait_for(home, max(0.1, until - time.monotonic()), "the preferred gateways")
        time.sleep(1.0)
        if home():
            return


def cuts(lab: TwoSite, name: str, count: int) -> list[float]:
    """Cut line 1 silently again and again."""
    outages = []
    with CONTENDERS[name](lab):
        settle(lab)
        pinger = lab.pinger(interval=FINE_S)
        try:
            for number in range(count):
                # At any moment of a watcher's interval, not always at the same.
                time.sleep(number * 0.618 % 1)
                since = time.monotonic()
                lab.providers["provider-1"].cut()
                wait_backup(lab, 30)
                time.sleep(0.5)
                outages.append(pinger.longest_outage_since(since))
                lab.providers["provider-1"].heal()
                settle(lab)
        finally:
            pinger.stop()
    return outages


def needless(lab: TwoSite, name: str, *, seconds: float, percent: float) -> int:
    """Count how often an address moved although no line was dead."""
    with CONTENDERS[name](lab):
        settle(lab)
        since = time.monotonic()
        for provider in lab.providers.values():
            provider.loss(percent)
        time.sleep(seconds)
        now = time.monotonic()
        for provider in lab.providers.values():
            provider.heal()
        moves = 0
        for site in SITES.values():
            changes = lab.addresses.changes(str(site.shared.ip))
            moves += sum(change.held and since <= change.at <= now for change in changes)
    return moves


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
    """Cut a line silently under everybody."""
    found: dict[str, list[float]] = {}
    for name in CONTENDERS:
        count = chosen.slow_cuts if name in SLOW else chosen.cuts
        with TwoSite(ipsec=False) as lab:
            found[name] = cuts(lab, name, count)
    ours, theirs = (quantile(found[name], 0.95) for name in list(CONTENDERS)[:2])
    bounds = [f"p95 {1000 * CUT_BOUND_S:.0f}", "", "", ""]
    show(
        ("silent cut: client's outage", *ROW, "bound"),
        [row(name, found[name], bound) for name, bound in zip(found, bounds, strict=True)],
    )
    print(f"p95 against keepalived's BFD: {ours / theirs:.2f} (bound {CUT_RATIO})")
    missed = [] if ours <= CUT_BOUND_S else ["silent cut: p95"]
    return missed + ([] if ours <= CUT_RATIO * theirs else ["silent cut: ratio to BFD"])


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
