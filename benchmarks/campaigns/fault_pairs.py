"""Whether two faults at once make two owners, or leave clients without service beside a good road.

    python -m benchmarks.campaigns.fault_pairs [--count 40] [--seed 1] [--only TEXT]

Pairs are drawn from the whole table of single faults, each at any gateway, in pair mode. The second
follows the first within 1.5 s, both last, and are mended in any order. Never may two gateways own
the address for more than 1 s while the LAN between them carries; and while one of the two roads has
neither fault, the clients are back within the time that both faults need, one after the other. A
road whose daemon is dead, or that an operator took out of service, does not count as good. Needs
root; the exit status is 1 if a bound is missed.
"""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks import faults
from benchmarks.campaigns import stage
from benchmarks.modes import MODES
from havpn_core.testing.lab import LabError, wait_for
from havpn_core.testing.lab.faults import ROWS, Fault, Row, Street, tunnels
from havpn_core.testing.lab.faults.table import DEAD, LIFETIME_S
from havpn_core.testing.lab.hosts import plan

MODE = MODES["pair"]
APART_S = 1.5
HOLD_S = 4.0
BEYOND_LIFETIME_S = 1.0
OF_EACH_S = 1.0
"""How long the clients may be without service for each of two faults."""


@dataclass(frozen=True)
class Blow:
    """A fault, where it befalls, and what it is when it is alone."""

    fault: Fault
    gateway: str
    name: str
    row: Row

    def __str__(self) -> str:
        return f"{self.name} at {self.gateway}"


def blows(rows: Iterable[Row] = ROWS) -> list[Blow]:
    """Give every fault of the table at every gateway."""
    kinds = {row.name.rpartition(" at ")[0]: row for row in reversed(list(rows))}
    return [Blow(r.fault, g, n, r) for n, r in sorted(kinds.items()) for g in sorted(plan.GATEWAYS)]


def draw(dice: random.Random, every: Sequence[Blow]) -> tuple[Blow, Blow]:
    """Draw two that can both be made: not one fault twice, and none on a host that is off."""
    while True:
        first, second = dice.sample(list(every), 2)
        hosts = [b.name in ("powered off", "host frozen") for b in (first, second)]
        if first.gateway == second.gateway and any(hosts):
            continue
        if first.fault is second.fault and first.gateway == second.gateway:
            continue
        return first, second


def good_road(pair: Iterable[Blow]) -> bool:
    """Whether one of the two roads has no fault that breaks it."""
    broken = {plan.GATEWAYS[b.gateway].provider for b in pair if b.row.moves}
    return len(broken) < len(plan.PROVIDERS)


def bound_s(pair: Iterable[Blow]) -> float:
    """Give for how long the clients may be without service beside a good road, in seconds."""
    dead = any(b.fault in DEAD for b in pair)
    return max(2 * OF_EACH_S, LIFETIME_S + BEYOND_LIFETIME_S if dead else 0.0)


@dataclass
class Course:
    """What two faults did: seconds of the clients' outage, and of the two sites' owners."""

    outage_s: float | None
    shared_s: float
    home: bool

    def missed(self, pair: tuple[Blow, Blow]) -> list[str]:
        """Say which bound was missed."""
        wrong = []
        if self.shared_s > stage.SHARED_BOUND_S:
            wrong.append(f"two owners on one LAN for {self.shared_s:.2f} s")
        if good_road(pair) and (self.outage_s is None or self.outage_s > bound_s(pair)):
            lasted = "for good" if self.outage_s is None else f"for {self.outage_s:.2f} s"
            wrong.append(f"without service beside a good road {lasted}")
        return wrong if self.home else [*wrong, "it was not home again"]


def strike(here: Street, pair: tuple[Blow, Blow], dice: random.Random) -> Course:
    """Make both, hold them, mend both."""
    pinger = here.lab.pinger(interval=faults.PING_S)
    try:
        wait_for(lambda: pinger.answered() > 10, 10, "traffic")
        began = time.monotonic()
        mends = []
        try:
            mends.append(pair[0].fault(here, pair[0].gateway))
            time.sleep(dice.uniform(0, APART_S))
            mends.append(pair[1].fault(here, pair[1].gateway))
            stage.rest(time.monotonic() + max(HOLD_S, *(b.row.least_s for b in pair)))
            until = time.monotonic()
            lost = faults.outage(pinger, began, until, faults.LOST_AFTER_S)
        finally:
            dice.shuffle(mends)
            for mend in mends:
                mend()
                time.sleep(dice.uniform(0, APART_S))
            for gateway in plan.SITES["a"].gateways:
                tunnels.mend(here, gateway.name)
        home = MODE.settle(here)
        time.sleep(MODE.after_s)
        shared = max(here.lab.tenure(site, began).shared for site in plan.SITES)
        return Course(lost, shared, home)
    finally:
        pinger.stop()


def campaign(dice: random.Random, count: int, only: str, rise: int) -> list[str]:
    """Make the pairs, print what each did and return what was missed."""
    missed: list[str] = []
    every = [b for b in blows() if not MODE.without & {b.fault}]
    left = []
    while len(left) < count:
        pair = draw(dice, every)
        if any(only in str(blow) for blow in pair):
            left.append(pair)
    while left:
        with MODE.opens(rise) as here:
            whole = MODE.settle(here)
            while left and whole:
                pair = left.pop(0)
                what = f"{pair[0]}, then {pair[1]}"
                try:
                    course = strike(here, pair, dice)
                except LabError as problem:
                    missed.append(f"{what}: {problem}")
                    break
                wrong = course.missed(pair)
                missed += [f"{what}: {each}" for each in wrong]
                lost = "lost" if course.outage_s is None else f"{course.outage_s:.2f} s"
                road = "a good road" if good_road(pair) else "no good road"
                print(
                    f"{what}: {lost} beside {road}, shared {course.shared_s:.3f} s",
                    *wrong,
                    flush=True,
                )
                whole = course.home
    return missed


def main() -> None:
    """Make the campaign."""
    parser = stage.parser(__doc__, count=40)
    parser.add_argument("--only", default="", help="pairs of which one has this text")
    parser.add_argument("--rise", type=int, default=15, help="replies until a line is trusted")
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    stage.finish(campaign(dice, chosen.count, chosen.only, chosen.rise))


if __name__ == "__main__":
    main()
