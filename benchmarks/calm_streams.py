"""How calm a stream is on a lossy line: no switch in a hundred hours is the bound.

    python -m benchmarks.calm_streams [--hours 100] [--changes 1000]

Both ends of a stream run with a profile's rules and a target of one false switch in a hundred
hours, by the modules that decide in the daemon; switches of both ends count. Loss is that of each
way, drawn for each way on its own, and spells befall both ways. Then a clean line begins to lose
20 % each way, again and again: what counts is how often that alone puts a path down. A run that
misses a bound ends with status 1.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import msgspec

from benchmarks.figures import show
from havpn_core.config.convert import decode_hook
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import with_profile
from havpn_core.stream.reported import reported
from havpn_core.study.loss import GilbertElliott, Independent, LossModel
from havpn_core.study.streams import StreamCourse, summarise_stream
from havpn_core.study.ways import ways_of

PROCESSES = 2
TARGET = "1/100h"
PACES_S = {"fast": 0.01, "balanced": 0.1}
INDEPENDENT = {f"{percent} %": percent / 100 for percent in (1, 5, 10, 20, 30)}
BURSTY = "5 %, spells of 0.5 s"
LINES = (*INDEPENDENT, BURSTY)
MOST_AN_HOUR = {"30 %": 1.0}
"""Switches an hour that are borne; none on any other line of losses by chance."""
CLEAN_S, CHANGED_S, AFTER = 30.0, 10.0, 0.2
MOST_CHANGES = 0.01
CUTS = 100


@dataclass(frozen=True)
class Cell:
    """What one profile made of one line.

    :param switches: of both ends.
    :param down_share: of the first end.
    :param detection_s: median time to notice a cut of that line, with what was learned of it.
    """

    hours: float
    switches: int
    down_share: float
    detection_s: float | None

    def __str__(self) -> str:
        switches = f"{self.switches / self.hours:.2g}/h" if self.switches else "0"
        down = f"  {self.down_share:.2g} down" if self.down_share else ""
        cut = "" if self.detection_s is None else f"  {self.detection_s * 1000:.0f} ms"
        return f"{switches}{down}{cut}"


def options(profile: str) -> PathOptions:
    """Give the options of a path with a profile and the target."""
    table = with_profile({"profile": profile, "false_switches": TARGET})
    return msgspec.convert(table, PathOptions, dec_hook=decode_hook)


def model(line: str, chance: random.Random) -> LossModel:
    """Make a line by its name."""
    if line == BURSTY:
        return GilbertElliott(0.05, 0.5, chance)
    return Independent(INDEPENDENT[line], chance)


def judge(profile: str, line: str, hours: float, seed: int) -> Cell:
    """Put both ends of one profile on one line."""
    chance = random.Random(seed)
    found = summarise_stream(
        options(profile).settings,
        model(line, chance),
        pace_s=PACES_S[profile],
        hours=hours,
        chance=chance,
        cuts=0 if line == BURSTY else CUTS,
    )
    switches = found.switches + (found.far_switches or 0)
    return Cell(hours, switches, found.backup_share, found.percentile_s(0.5))


def changed(profile: str, changes: int, seed: int) -> tuple[int, int]:
    """Let a clean line begin to lose; gives how often an end went down, and what was noticed.

    :returns: changes by which any end went down in ten seconds, and those after which the first
        end called its line grey.
    """
    chance, down, grey = random.Random(seed), 0, 0
    settings = reported(options(profile).settings, PACES_S[profile])
    for _ in range(changes):
        good, bad = Independent(0.0, chance), Independent(AFTER, chance)
        course = StreamCourse(settings, ways_of(good, chance), chance, rows=False)
        course.run(CLEAN_S + chance.random())
        course.use(ways_of(bad, chance))
        course.run(course.path_s + CHANGED_S, stop=lambda ends=course.ends: ends[0].switches > 0)
        down += any(end.switches for end in course.ends)
        grey += course.ends[0].watch.calm.is_grey
    return down, grey


def measure(
    hours: float, changes: int, seed: int
) -> tuple[dict[tuple[str, str], Cell], dict[str, int]]:
    """Judge all of it, the long ones first."""
    cells = [(profile, line) for line in reversed(LINES) for profile in PACES_S]
    share = max(1, changes // PROCESSES)
    with ProcessPoolExecutor(PROCESSES) as pool:
        parts = {
            profile: [pool.submit(changed, profile, share, seed + n) for n in range(PROCESSES)]
            for profile in PACES_S
        }
        jobs = {cell: pool.submit(judge, *cell, hours, seed) for cell in cells}
        found = {cell: job.result() for cell, job in jobs.items()}
        downs = {name: sum(part.result()[0] for part in each) for name, each in parts.items()}
    return found, downs


def missed(cells: dict[tuple[str, str], Cell], downs: dict[str, int], changes: int) -> list[str]:
    """Name the bounds that do not hold."""
    found = []
    for (profile, line), cell in cells.items():
        if line != BURSTY and cell.switches > MOST_AN_HOUR.get(line, 0.0) * cell.hours:
            found.append(f"{profile} at {line}: {cell.switches} switches in {cell.hours:g} h")
    for profile, down in downs.items():
        if down > MOST_CHANGES * changes:
            found.append(f"{profile}: {down} of {changes} changes put a path down")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=100.0, help="simulated for each cell")
    parser.add_argument("--changes", type=int, default=1000, help="lines that change")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    if not 0 < given.hours < float("inf") or given.changes < PROCESSES:
        parser.error(f"--hours: above 0; --changes: {PROCESSES} and more")
    began = time.monotonic()
    cells, downs = measure(given.hours, given.changes, given.seed)
    rows = [[line, *(cells[profile, line] for profile in PACES_S)] for line in LINES]
    show(["lost each way", *(f"stream {name}" for name in PACES_S)], rows)
    for profile, down in downs.items():
        print(f"{profile}: clean, then {AFTER:.0%} lost each way: {down} of {given.changes} fell")
    print(f"{given.hours:g} simulated hours a cell, in {time.monotonic() - began:.0f} s")
    if problems := missed(cells, downs, given.changes):
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
