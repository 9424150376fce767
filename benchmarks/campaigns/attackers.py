"""Whether a hostile host on the LAN moves an address, floods the history or slows the probes.

    python -m benchmarks.campaigns.attackers [--count 1] [--seconds 5] [--rate 0]

From the client's host: claims of the shared address by ever new MACs, random and replayed frames of
EtherType 0x88B5, and replies by ever new MACs, each with the partner links whole and with both cut;
and, while strangers reply, a power-off of the active gateway, whose partner must take over. The
holder stays, each gateway writes at most 20 events, and its probes keep their cadence. Needs
root; the exit status is 1 if a bound is missed.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from benchmarks.campaigns import stage
from benchmarks.figures import show
from havpn_core.testing.lab import Supervisor, Tenure
from havpn_core.testing.lab.attacker import KINDS, Attacker, Kind
from havpn_core.testing.lab.faults import Street, cut_links, power_off
from havpn_core.testing.lab.hosts.plan import SITE_A

SHARED = str(SITE_A.shared.ip)
MOST_EVENTS = 20
CADENCE = 0.8
NOTICE_S = 0.7
AFTER_S = 2.5
TAKEN_BOUND_S = 2.0
HEADS = ("attack", "links", "frames", "two s", "none s", "moves", "events", "cadence", "CPU %")


@dataclass(frozen=True)
class Look:
    """What a daemon had done up to a moment.

    :param at: when it wrote its status, in seconds since the boot.
    :param probes: how many had a reply by then.
    :param worked: processor seconds it had used when looked at.
    """

    at: float
    probes: int
    worked: float


def look(daemon: Supervisor) -> Look:
    """Look at a daemon."""
    status = daemon.status()
    used = psutil.Process(daemon.pid).cpu_times()
    probes = status["paths"]["line"]["probes"]["line"]["ok"]
    return Look(status["written_uptime_s"], probes, used.user + used.system)


@dataclass(frozen=True)
class Outcome:
    """What an attack did.

    :param events: written by the gateway of the site that wrote most.
    :param cadence: the lower share of its usual probes that a gateway of the site sent.
    :param load: the higher share of a processor that a gateway of the site used.
    """

    frames: int
    tenure: Tenure
    moves: int
    events: int
    cadence: float
    load: float

    def missed(self) -> list[str]:
        """Say which bounds it misses."""
        missed = []
        if self.tenure.shared or self.tenure.unowned or self.moves:
            missed.append("the address moved")
        if self.events > MOST_EVENTS:
            missed.append(f"{self.events} events on one gateway")
        if self.cadence < CADENCE:
            missed.append(f"only {self.cadence:.0%} of the probes")
        return missed

    def cells(self) -> list[object]:
        """Make the end of a table's row."""
        tenure = (f"{self.tenure.shared:.3f}", f"{self.tenure.unowned:.3f}")
        shares = (f"{self.cadence:.0%}", f"{100 * self.load:.0f}")
        return [self.frames, *tenure, self.moves, self.events, *shares]


def attack(here: Street, kind: Kind, seconds: float, rate: float, *, cut: bool) -> Outcome:
    """Attack site A from the client for a time and see what comes of it."""
    daemons = [here.daemons[gateway.name] for gateway in SITE_A.gateways]
    heal = cut_links(here, "a") if cut else lambda: None
    try:
        time.sleep(NOTICE_S)
        usual = _shares(daemons, seconds)
        at, since = time.time(), time.monotonic()
        attacker = Attacker(here.lab.client, kind, SHARED, rate=rate)
        try:
            busy = _shares(daemons, seconds)
        finally:
            frames = attacker.stop()
        time.sleep(AFTER_S)
        return Outcome(
            frames,
            here.lab.tenure("a", since),
            stage.moves(here, since),
            max(len(daemon.events("", at)) for daemon in daemons),
            min(now[0] / before[0] for before, now in zip(usual, busy, strict=True)),
            max(load for _, load in busy),
        )
    finally:
        heal()


def _shares(daemons: list[Supervisor], seconds: float) -> list[tuple[float, float]]:
    """Return each daemon's probes a second and its share of a processor over a time."""
    first, begun = [look(daemon) for daemon in daemons], time.monotonic()
    time.sleep(seconds)
    last, took = [look(daemon) for daemon in daemons], time.monotonic() - begun
    return [
        ((b.probes - a.probes) / max(0.1, b.at - a.at), (b.worked - a.worked) / took)
        for a, b in zip(first, last, strict=True)
    ]


def take_over(here: Street) -> float:
    """Power the active gateway off while strangers reply; time its partner's taking over."""
    attacker = Attacker(here.lab.client, "replies", SHARED)
    try:
        time.sleep(NOTICE_S)
        since = time.monotonic()
        undo = power_off(here, SITE_A.preferred)
        try:
            return stage.taken(here, "a", since)
        finally:
            undo()
    finally:
        attacker.stop()


def campaign(here: Street, kinds: Iterable[Kind], seconds: float, rate: float) -> list[str]:
    """Attack in all ways, print the figures and return what was missed."""
    rows, missed = [], []
    for kind in kinds:
        for cut in (False, True):
            what = f"{kind}, links {'cut' if cut else 'whole'}"
            if not stage.calm(here):
                missed.append(f"{what}: the street was not calm before it")
            outcome = attack(here, kind, seconds, rate, cut=cut)
            rows.append([kind, "cut" if cut else "whole", *outcome.cells()])
            missed += [f"{what}: {each}" for each in outcome.missed()]
    show(HEADS, rows)
    if not stage.calm(here):
        missed.append("the street did not become calm in the end")
    return missed


def main() -> None:
    """Make the campaign and judge."""
    options = stage.parser(__doc__, count=1, seed=False)
    options.add_argument("--seconds", type=float, default=5.0, help="length of each attack")
    options.add_argument("--rate", type=float, default=0.0, help="frames a second; 0: no limit")
    options.add_argument("--only", choices=KINDS, action="append", help="this attack")
    chosen = options.parse_args()
    with stage.street() as here:
        missed = campaign(here, (chosen.only or KINDS) * chosen.count, chosen.seconds, chosen.rate)
        for _ in range(chosen.count):
            took = take_over(here)
            print(f"taken from a dead partner while strangers reply: {took:.3f} s")
            if took > TAKEN_BOUND_S:
                missed.append(f"taken over after {took:.3f} s")
            if not stage.calm(here):
                missed.append("no calm after the take-over")
    stage.finish(missed)


if __name__ == "__main__":
    main()
