"""Whether a flap of a LAN port while both partner links are cut makes two owners, or none.

    python -m benchmarks.campaigns.flaps [--count 50] [--seed 1] [--shortest 0.2] [--longest 5]

In each round both links of both sites are cut while the LANs carry on; then one gateway's port at
each site is flapped, either by its carrier or in the switch with the carrier on. Every gateway gets
``--count`` flaps. Needs root; the exit status is 1 if a bound is missed.
"""

import random
import time
from dataclasses import dataclass

from benchmarks.campaigns import stage
from havpn_core.testing.lab import Tenure
from havpn_core.testing.lab.faults import Street, cut_links, lan_port, lan_port_isolated
from havpn_core.testing.lab.hosts.plan import SITES

WAYS = {"carrier": lan_port, "switch": lan_port_isolated}
NOTICE_S = 0.7
SETTLE_S = 2.0


@dataclass(frozen=True)
class Flap:
    """One flap.

    :param seconds: how long the port is down.
    """

    site: str
    gateway: str
    way: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.gateway} by {self.way} for {self.seconds:.2f} s"


def draw(dice: random.Random, count: int, shortest: float, longest: float) -> list[list[Flap]]:
    """Draw the rounds, one flap at each site: every gateway is flapped ``count`` times."""
    rounds = []
    for _ in range(count):
        orders = {name: [site.preferred, site.backup] for name, site in SITES.items()}
        for order in orders.values():
            dice.shuffle(order)
        for turn in range(2):
            rounds.append(
                [
                    Flap(
                        name, order[turn], dice.choice(list(WAYS)), dice.uniform(shortest, longest)
                    )
                    for name, order in orders.items()
                ]
            )
    return rounds


def flap(here: Street, flaps: list[Flap]) -> dict[Flap, Tenure]:
    """Make one round; the links are whole again when it returns."""
    since = time.monotonic()
    healed = [cut_links(here, each.site) for each in flaps]
    try:
        time.sleep(NOTICE_S)
        begun = time.monotonic()
        undone = {each: WAYS[each.way](here, each.gateway) for each in flaps}
        for each in sorted(flaps, key=lambda each: each.seconds):
            stage.rest(begun + each.seconds)
            undone[each]()
        time.sleep(SETTLE_S)
        return {each: here.lab.tenure(each.site, since) for each in flaps}
    finally:
        for heal in healed:
            heal()


def campaign(here: Street, rounds: list[list[Flap]], say: bool = False) -> list[str]:
    """Make all rounds, print their figures and return what was missed."""
    found: dict[Flap, Tenure] = {}
    missed = []
    for number, flaps in enumerate(rounds, 1):
        if not stage.calm(here):
            missed.append(f"round {number}: the street was not calm before it")
        for each, tenure in flap(here, flaps).items():
            found[each] = tenure
            if say:
                print(f"{each}: two {tenure.shared:.2f} s, none {tenure.unowned:.2f} s", flush=True)
            missed += stage.judge_tenure(f"round {number}: {each}", tenure)
    if not stage.calm(here):
        missed.append("the street did not become calm in the end")
    for way in WAYS:
        these = [tenure for each, tenure in found.items() if each.way == way]
        if these:
            rows = [
                stage.row("two owners", [each.shared for each in these]),
                stage.row("no owner", [each.unowned for each in these]),
            ]
            stage.table(f"flaps by {way}", rows)
    return missed


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=50)
    options.add_argument("--shortest", type=float, default=0.2, help="seconds")
    options.add_argument("--longest", type=float, default=5.0, help="seconds")
    chosen = options.parse_args()
    dice = random.Random(chosen.seed)
    rounds = draw(dice, chosen.count, chosen.shortest, chosen.longest)
    with stage.street() as here:
        missed = campaign(here, rounds, say=True)
    stage.finish(missed)


if __name__ == "__main__":
    main()
