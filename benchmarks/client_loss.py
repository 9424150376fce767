"""What a client loses while a line is bad but not dead, and how often its address moves.

    python -m benchmarks.client_loss [--seconds 120] [--loss 5 10 20] [--only NAME ...]

In the two-site network line 1 loses packets at random in each direction, or all of them for spells
of half a second on the mean, 5 % of the time; line 2 is perfect, or just as bad. Pings every 10 ms
through both sites count what is lost; moves are those of both addresses. HA-VPN as it is by
default but for the profile, a pair by itself; keepalived at its fastest and with a script. Two
networks run at once, so that all see the same machine. Needs root; the exit status is 1 if a bound
is missed.
"""

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from benchmarks.contenders import BFD, SCRIPT, keepalived, pair
from benchmarks.figures import need, show
from benchmarks.switches import settle
from havpn_core.testing.lab import Provider, TwoSite
from havpn_core.testing.lab.hosts.plan import SITES

AT_ONCE = 2
SPELL_S, SPELLS_SHARE = 0.5, 0.05
SPELLS = "spells of 0.5 s, 5 %"
LINE_2 = ("perfect", "alike")
# At its default rise a path needs minutes after a start; nobody's measure begins before that.
RISE = {"fast": 40, "balanced": 10}

WHO: dict[str, Callable[[TwoSite], AbstractContextManager[None]]] = {
    "havpn fast, stream": partial(pair, stream=True, rise=RISE["fast"], damping=True),
    "havpn fast, echo": partial(pair, rise=RISE["fast"], damping=True),
    "havpn balanced, echo": partial(pair, profile="balanced", rise=RISE["balanced"], damping=True),
    "keepalived BFD 3 x 50 ms": partial(keepalived, watch=BFD, track="track_bfd"),
    "keepalived vrrp_script 1 s": partial(keepalived, watch=SCRIPT, track="track_script"),
}
MOST_LOST = {"havpn fast, stream": 2.0, "havpn fast, echo": 4.0, "havpn balanced, echo": 6.0}
"""Percent of the pings, where line 2 is perfect and line 1 loses 10 or 20 % each way."""


class Found(NamedTuple):
    """What became of a client.

    :param lost: percent of its pings.
    :param moves: of each address.
    """

    lost: float
    moves: dict[str, int]


class Spells:
    """Silent spells of a provider, both ways, until it is stopped."""

    def __init__(self, provider: Provider, seed: int) -> None:
        self._provider, self._chance = provider, random.Random(seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        good_s = SPELL_S * (1 - SPELLS_SHARE) / SPELLS_SHARE
        while not self._ended.wait(self._chance.expovariate(1 / good_s)):
            self._provider.cut()
            self._ended.wait(self._chance.expovariate(1 / SPELL_S))
            self._provider.heal()

    def stop(self) -> None:
        """End them; returns when the line is whole."""
        self._ended.set()
        self._thread.join()


def spoil(lab: TwoSite, line: str, second: str, seed: int) -> list[Spells]:
    """Make line 1 bad, and line 2 if it is to be alike."""
    number = len(lab.providers) if second == "alike" else 1
    bad = [lab.providers[name] for name in sorted(lab.providers)[:number]]
    if line == SPELLS:
        return [Spells(provider, seed + place) for place, provider in enumerate(bad)]
    for provider in bad:
        provider.loss(float(line))
    return []


def measure(who: str, line: str, second: str, seconds: float, seed: int) -> Found:
    """Run one contender on one pair of lines."""
    with TwoSite(ipsec=False) as lab, WHO[who](lab):
        settle(lab)
        # What a line was like before it went bad is a part of what is known of it.
        time.sleep(5)
        pinger = lab.pinger()
        spells: list[Spells] = []
        try:
            time.sleep(0.5)
            since = time.monotonic()
            spells = spoil(lab, line, second, seed)
            time.sleep(seconds)
            until = time.monotonic()
            time.sleep(0.5)
            lost, sent = pinger.lost(since, until)
        finally:
            for each in spells:
                each.stop()
            pinger.stop()
        moves = {
            name: lab.addresses.takings(str(site.shared.ip), since) for name, site in SITES.items()
        }
        return Found(100 * lost / sent, moves)


def judged(who: str, line: str, second: str, found: Found) -> str:
    """Say which bound is missed; empty if none is."""
    if who not in MOST_LOST or line not in ("10", "20"):
        return ""
    most_moves = 1 if second == "perfect" else 0
    told = []
    if second == "perfect" and found.lost > MOST_LOST[who]:
        told.append(f"{found.lost:.1f} % lost, bound {MOST_LOST[who]:g} %")
    if max(found.moves.values()) > most_moves:
        told.append(f"moves {found.moves}, bound {most_moves}")
    return f"{who}, line 1 {line}, line 2 {second}: {'; '.join(told)}" if told else ""


def apart(who: str, line: str, second: str, seconds: float, seed: int) -> Found:
    """Measure in a process of its own, as the labs are made for one at a time."""
    argv = [sys.executable, "-m", "benchmarks.client_loss", "--one", who, line, second]
    argv += [f"--seconds={seconds:g}", f"--seed={seed}"]
    for _ in range(2):  # a network that did not come up comes up at the second time
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            return Found(*json.loads(done.stdout))
    raise SystemExit(f"{who}, line 1 {line}, line 2 {second}: not measured")


def main() -> None:
    """Measure, print a table, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--loss", nargs="*", default=["5", "10", "20"], help="percent each way")
    parser.add_argument("--no-spells", action="store_true")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(WHO), default=list(WHO))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    need("keepalived")
    if chosen.one:
        print(json.dumps(measure(*chosen.one, chosen.seconds, chosen.seed)))
        return
    lines = [*chosen.loss, *([] if chosen.no_spells else [SPELLS])]
    cases = [(who, line, second) for line in lines for second in LINE_2 for who in chosen.only]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = {case: pool.submit(apart, *case, chosen.seconds, chosen.seed) for case in cases}
        found = {case: job.result() for case, job in jobs.items()}
    rows, missed = [], []
    for (who, line, second), one in found.items():
        name = line if line == SPELLS else f"{line} % each way"
        moves = " / ".join(map(str, one.moves.values()))
        rows.append([who, name, second, f"{one.lost:.1f}", moves])
        missed.append(judged(who, line, second, one))
    show(("who", "line 1", "line 2", "lost %", "moves a / b"), rows)
    for text in filter(None, missed):
        print(f"MISSED: {text}")
    sys.exit(1 if any(missed) else 0)


if __name__ == "__main__":
    main()
