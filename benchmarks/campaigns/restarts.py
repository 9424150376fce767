"""Whether a restart of a daemon moves anybody.

    python -m benchmarks.campaigns.restarts [--count 20] [--seed 1] [--longest-gap 0.5]

Each of the four daemons in turn is ended by SIGTERM and started again, and then each by SIGKILL,
``--count`` times, under a ping every 10 ms through both sites. No role may change on any gateway,
no address may move, and no ping may be lost. Needs root; the exit status is 1 if a bound is missed.
"""

import random
import time

from benchmarks.campaigns import stage
from havpn_core.testing.lab.faults import Street
from havpn_core.testing.lab.hosts.plan import GATEWAYS, SITES
from havpn_core.testing.lab.pinger import IN_FLIGHT_S

PING_S = 0.01
WATCH_S = 1.0
WAYS = {"SIGTERM": True, "SIGKILL": False}


def restart(
    here: Street, gateway: str, *, in_order: bool, gap: float, watch: float = WATCH_S
) -> list[str]:
    """Restart one daemon and say what it moved.

    :param gap: seconds between its end and its start.
    :param watch: seconds for which it is watched once its line is up again.
    """
    at, since = time.time(), time.monotonic()
    if in_order:
        here.daemons[gateway].stop()
    else:
        here.daemons[gateway].kill()
    time.sleep(gap)
    here.daemons[gateway].start()
    here.daemons[gateway].wait_event("daemon", "started", 20, at)
    here.daemons[gateway].wait_verdict("line", "up", 20)
    time.sleep(watch)
    moved = stage.role_changes(here, at)
    if stage.moves(here, since):
        moved.append(f"{stage.moves(here, since)} address moves")
    return moved


def campaign(
    here: Street, dice: random.Random, count: int, longest_gap: float, watch: float = WATCH_S
) -> list[str]:
    """Restart all daemons, print the figures and return what was missed."""
    missed, rows = [], []
    for way, in_order in WAYS.items():
        changed = 0
        pinger = here.lab.pinger(interval=PING_S)
        try:
            begun = time.monotonic()
            for number in range(1, count + 1):
                for gateway in GATEWAYS:
                    gap = dice.uniform(0, longest_gap)
                    moved = restart(here, gateway, in_order=in_order, gap=gap, watch=watch)
                    changed += bool(moved)
                    missed += [f"{way} {number} of {gateway}: {each}" for each in moved]
                    if moved and not stage.calm(here):
                        missed.append(f"{way} {number} of {gateway}: no calm after it")
            time.sleep(IN_FLIGHT_S + 0.1)
            lost = sum(each.lost for each in pinger.outages(0.0, begun))
            longest, sent = pinger.longest_outage_since(begun), pinger.answered(begun) + lost
        finally:
            pinger.stop()
        shared = max(here.lab.tenure(site, begun).shared for site in SITES)
        rows.append([way, count * len(GATEWAYS), changed, f"{lost}/{sent}", f"{longest:.3f}",
                     f"{shared:.3f}"])  # fmt: skip
        if lost:
            missed.append(f"{way}: {lost} pings lost, at most {longest:.3f} s in a row")
        if shared:
            missed.append(f"{way}: two owners for {shared:.3f} s")
    heads = ("ended by", "restarts", "that moved", "pings lost", "longest s", "two owners s")
    stage.show(heads, rows)
    return missed


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=20)
    options.add_argument("--longest-gap", type=float, default=0.5, help="seconds")
    chosen = options.parse_args()
    with stage.street() as here:
        missed = campaign(here, random.Random(chosen.seed), chosen.count, chosen.longest_gap)
    stage.finish(missed)


if __name__ == "__main__":
    main()
