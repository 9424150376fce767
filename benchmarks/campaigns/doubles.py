"""Whether both partner links cut and one more fault make two owners, or none.

    python -m benchmarks.campaigns.doubles [--count 1] [--seed 1] [--hold 3]
                                        [--only NAME] [--at GATEWAY]

For each single fault of ``havpn_core.testing.lab.faults`` and each gateway: both links of its site
are cut while the LAN carries on, the fault is made, held, and mended, and only then the links.
Never may two gateways own the address for more than 1 s while the LAN between them carries. Needs
root; the exit status is 1 if a bound is missed.
"""

import random
import time

from benchmarks.campaigns import stage
from havpn_core.testing.lab import Tenure
from havpn_core.testing.lab.faults import FAULTS, Street, cut_links, site_name
from havpn_core.testing.lab.hosts.plan import GATEWAYS

NOTICE_S = 0.7
SETTLE_S = 2.5


def strike(here: Street, name: str, gateway: str, hold: float) -> Tenure:
    """Cut the links, make a fault, mend both; return the address's time.

    :param hold: seconds for which the fault lasts.
    """
    site, since = site_name(gateway), time.monotonic()
    heal = cut_links(here, site)
    try:
        time.sleep(NOTICE_S)
        undo = FAULTS[name](here, gateway)
        try:
            time.sleep(hold)
        finally:
            undo()
        time.sleep(SETTLE_S)
        return here.lab.tenure(site, since)
    finally:
        heal()


def campaign(
    here: Street, dice: random.Random, names: list[str], gateways: list[str], hold: float
) -> list[str]:
    """Make each fault at each gateway, print the figures and return what was missed."""
    missed, rows = [], []
    for name in names:
        for gateway in dice.sample(gateways, len(gateways)):
            what = f"{name} at {gateway}"
            if not stage.calm(here):
                missed.append(f"{what}: the street was not calm before it")
            since = time.monotonic()
            tenure = strike(here, name, gateway, hold)
            missed += stage.judge_tenure(what, tenure)
            figures = (f"{tenure.shared:.3f}", f"{tenure.unowned:.3f}", stage.moves(here, since))
            rows.append([what, *figures])
    if not stage.calm(here):
        missed.append("the street did not become calm in the end")
    stage.show(("links cut, and", "two owners s", "no owner s", "moves"), rows)
    return missed


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=1)
    options.add_argument("--hold", type=float, default=3.0, help="seconds for which a fault lasts")
    options.add_argument("--only", choices=list(FAULTS), action="append", help="this fault")
    options.add_argument("--at", choices=list(GATEWAYS), action="append", help="this gateway")
    chosen = options.parse_args()
    dice = random.Random(chosen.seed)
    names, gateways = chosen.only or list(FAULTS), chosen.at or list(GATEWAYS)
    with stage.street() as here:
        missed = campaign(here, dice, names * chosen.count, gateways, chosen.hold)
    stage.finish(missed)


if __name__ == "__main__":
    main()
