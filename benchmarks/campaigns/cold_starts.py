"""Whether a start of all four gateways at once ends well, in whatever order.

    python -m benchmarks.campaigns.cold_starts [--count 24] [--seed 1] [--longest-gap 0.5]

All daemons are ended and the addresses released; then the daemons start in one of the 24 orders
with short gaps of random length. Each start must end with the preferred gateways active, and no
gateway may take its role twice. Half the starts, drawn at random, know nothing of an earlier run.
Needs root; the exit status is 1 if a bound is missed.
"""

import itertools
import random
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.campaigns import stage
from havpn_core.testing.lab import Supervisor
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SITES

STATE = "/var/lib/havpn"
WATCH_S = 3.0


def orders(dice: random.Random, count: int) -> list[tuple[str, ...]]:
    """Draw so many orders, each as often as the others."""
    every = list(itertools.permutations(GATEWAYS))
    dice.shuffle(every)
    return list(itertools.islice(itertools.cycle(every), count))


def end_all(here: Street, *, forget: bool) -> None:
    """Stop all daemons and take the addresses away.

    :param forget: what they know of earlier runs, too.
    """

    def end(daemon: Supervisor) -> None:
        daemon.stop()
        daemon.command("release")
        if forget:
            daemon.host.run("rm", "-rf", STATE)

    with ThreadPoolExecutor(len(GATEWAYS)) as pool:
        list(pool.map(end, here.daemons.values()))


def cold_start(
    here: Street, order: Iterable[str], gaps: Iterable[float], watch: float = WATCH_S
) -> list[str]:
    """Start all daemons and say what went wrong.

    :param gaps: seconds after each start.
    :param watch: seconds for which they are watched once all is well.
    """
    at, since = time.time(), time.monotonic()
    for gateway, gap in zip(order, gaps, strict=True):
        here.daemons[gateway].start()
        time.sleep(gap)
    wrong = [] if stage.calm(here) else ["it did not end with the preferred gateways"]
    time.sleep(watch)
    for gateway, daemon in here.daemons.items():
        taken = [e for e in daemon.events("role", at) if e["after"] == "active"]
        if len(taken) > 1:
            why = "; ".join(each["detail"] for each in taken)
            wrong.append(f"{gateway} took the role {len(taken)} times: {why}")
    for site in SITES:
        shared = here.lab.tenure(site, since).shared
        if shared:
            wrong.append(f"site {site}: two owners for {shared:.3f} s")
    return wrong


def campaign(
    here: Street, dice: random.Random, count: int, longest_gap: float, watch: float = WATCH_S
) -> list[str]:
    """Start them in so many orders, print the figures and return what was missed."""
    missed, took, moves = [], [], []
    for order in orders(dice, count):
        end_all(here, forget=dice.random() < 0.5)
        since = time.monotonic()
        gaps = [dice.uniform(0, longest_gap) for _ in order]
        wrong = cold_start(here, order, gaps, watch)
        took.append(time.monotonic() - since - watch)
        moves.append(stage.moves(here, since))
        missed += [f"{' '.join(order)}: {each}" for each in wrong]
    stage.table("cold start of all four", [stage.row("until all is well", took)])
    print(f"addresses taken in each: {min(moves)} to {max(moves)} (2 are needed)")
    return missed


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=24)
    options.add_argument("--longest-gap", type=float, default=0.5, help="seconds")
    chosen = options.parse_args()
    dice = random.Random(chosen.seed)
    with stage.street() as here:
        missed = campaign(here, dice, chosen.count, chosen.longest_gap)
    stage.finish(missed)


if __name__ == "__main__":
    main()
