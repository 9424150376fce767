"""Whether a link that is cut one way and a restart of the deaf side make two owners, or none.

    python -m benchmarks.campaigns.deaf_sides [--count 2] [--seed 1]

Each case breaks the links of one site in its own way, restarts the gateway that no longer hears
over the broken one, by SIGTERM or SIGKILL, and watches. Where another link carries both ways
nothing may move. Needs root; the exit status is 1 if a bound is missed.
"""

import random
import time
from dataclasses import dataclass

from benchmarks.campaigns import stage
from havpn_core.testing.lab import Tenure
from havpn_core.testing.lab.faults import LINKS, Street, site_name
from havpn_core.testing.lab.hosts.plan import GATEWAYS

NOTICE_S = 0.7
WATCH_S = 3.0


@dataclass(frozen=True)
class Case:
    """What is broken before the restart.

    :param faults: names of ``LINKS``, at the gateway that is restarted.
    :param whole: a link still carries both ways.
    """

    faults: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return " and ".join(self.faults)


CASES = (
    Case(("udp link deaf",), whole=True),
    Case(("udp link deaf", "cable pulled"), whole=False),
    Case(("cable deaf",), whole=True),
    Case(("cable deaf", "udp link cut"), whole=False),
    Case(("cable deaf", "udp link deaf"), whole=False),
)


def strike(here: Street, case: Case, gateway: str, *, in_order: bool) -> tuple[Tenure, int]:
    """Break, restart, watch and mend; return the address's time and how often it moved."""
    since = time.monotonic()
    healed = [LINKS[name](here, gateway) for name in case.faults]
    try:
        time.sleep(NOTICE_S)
        here.daemons[gateway].restart(in_order=in_order)
        time.sleep(WATCH_S)
        return here.lab.tenure(site_name(gateway), since), stage.moves(here, since)
    finally:
        for heal in healed:
            heal()


def campaign(here: Street, dice: random.Random, count: int) -> list[str]:
    """Go through all cases so many times, print the figures and return what was missed."""
    missed = []
    for case in CASES:
        found = []
        for _ in range(count):
            order = list(GATEWAYS)
            dice.shuffle(order)
            for gateway in order:
                in_order = dice.random() < 0.5
                what = f"{case}, {'SIGTERM' if in_order else 'SIGKILL'} of {gateway}"
                if not stage.calm(here):
                    missed.append(f"{what}: the street was not calm before it")
                tenure, moved = strike(here, case, gateway, in_order=in_order)
                found.append(tenure)
                missed += stage.judge_tenure(what, tenure)
                if moved and case.whole:
                    missed.append(f"{what}: {moved} address moves")
        rows = [
            stage.row("two owners", [each.shared for each in found]),
            stage.row("no owner", [each.unowned for each in found]),
        ]
        stage.table(str(case), rows)
    if not stage.calm(here):
        missed.append("the street did not become calm in the end")
    return missed


def main() -> None:
    """Make the campaign and judge."""
    chosen = stage.parser(__doc__, count=2).parse_args()
    with stage.street() as here:
        missed = campaign(here, random.Random(chosen.seed), chosen.count)
    stage.finish(missed)


if __name__ == "__main__":
    main()
