"""Whether one TCP connection survives failover after failover, and for how long it pauses.

    python -m benchmarks.campaigns.tcp [--count 20] [--seed 1] [--plain]

One connection from client to server, with data both ways, for the whole run. All four gateways have
a firewall that knows connections, and conntrackd with the action of that name; ``--plain`` leaves
all three out. Line 1 is cut silently ``--count`` times at random moments, and healed. Needs root;
the exit status is 1 if a byte was lost, damaged or doubled, the connection broke, or it paused for
longer than 3 s.
"""

import contextlib
import random
import time
from collections.abc import Iterator

from benchmarks.campaigns import stage
from havpn_core.testing.lab import GATEWAYS, Stream, TwoSite
from havpn_core.testing.lab.daemons.conntrackd import Conntrackd, raise_firewall
from havpn_core.testing.lab.faults import Street, line_cut
from havpn_core.testing.lab.gateways import start_pairs
from havpn_core.testing.lab.hosts.plan import SITES

ACTION = '[action.connections]\ntype = "conntrackd"\n'
BOUND_S = 3.0
MOMENT_S = 2.0
MORE_S = 1.0


@contextlib.contextmanager
def street(*, plain: bool) -> Iterator[Street]:
    """Build the network and start all daemons; firewalls and conntrackd unless ``plain``."""
    options = {} if plain else {"more": ACTION}
    with TwoSite(ipsec=False) as lab:
        for name in () if plain else GATEWAYS:
            raise_firewall(lab.hosts[name])
            states = Conntrackd(lab.hosts[name])
            states.configure()
            states.start()
        yield Street(lab, start_pairs(lab, **options), options)


def paused(stream: Stream, since: float) -> float:
    """Let some more data flow; give the longest pause of either direction since a time."""
    time.sleep(MORE_S)
    return stream.report(since).longest_gap_since


def failover(here: Street, stream: Stream) -> tuple[list[float], list[str]]:
    """Cut line 1 and heal it; gives the pauses on the way there and back, and what was missed."""
    since = time.monotonic()
    heal = line_cut(here, SITES["a"].preferred)
    missed = [
        f"{site.backup} did not take over"
        for name, site in SITES.items()
        if stage.taken(here, name, since) == float("inf")
    ]
    there = paused(stream, since)
    since = time.monotonic()
    heal()
    if not stage.calm(here):
        missed.append("the street did not become calm after it")
    return [there, paused(stream, since)], missed


def campaign(here: Street, dice: random.Random, count: int) -> list[str]:
    """Make all failovers, print their figures and return what was missed."""
    pauses: dict[str, list[float]] = {"failover": [], "failback": []}
    missed = [] if stage.calm(here) else ["the street was not calm at first"]
    stream = here.lab.stream()
    try:
        for number in range(1, count + 1):
            time.sleep(dice.uniform(0, MOMENT_S))
            found, wrong = failover(here, stream)
            for seconds, (way, all_of_it) in zip(found, pauses.items(), strict=True):
                all_of_it.append(seconds)
                if seconds > BOUND_S:
                    wrong.append(f"{way}: a pause of {seconds:.2f} s")
            missed += [f"failover {number}: {text}" for text in wrong]
        report = stream.finish()
    finally:
        stream.kill()
    if not report.intact:
        missed.append(f"the connection: {report.error}")
    stage.table("pause of the connection", [stage.row(way, all_) for way, all_ in pauses.items()])
    print(f"{report.bytes} bytes both ways")
    return missed


def main() -> None:
    """Make the campaign."""
    parser = stage.parser(__doc__, count=20)
    parser.add_argument("--plain", action="store_true", help="no firewall and no conntrackd")
    chosen = parser.parse_args()
    with street(plain=chosen.plain) as here:
        missed = campaign(here, random.Random(chosen.seed), chosen.count)
    stage.finish(missed)


if __name__ == "__main__":
    main()
