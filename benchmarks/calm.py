"""How calm a rule is on a lossy line, and what that costs in speed, beside its peers.

    python -m benchmarks.calm [--hours 100] [--plot calm.svg]

A line that loses this much in each direction, and no cut: every switch is one too many. A cell has
the switches per hour of both ends (down and up again are two) and the share of the time spent
down; few switches with a share near 100 % are a rule that gave the line up. For spells the first
hour, of learning, is left out. Of change points (a clean line that loses 20 % each way from one
moment on, for two minutes), the share is shown that was given up. The last row is the price: how
long a silent cut of a good line takes to be noticed, of a hundred. All is decided by simulation:
havpn's rules by the modules that decide in the daemon, the peers' by :mod:`benchmarks.peers` and
:mod:`benchmarks.bfd`, which say what they assume.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.bfd import bfd
from benchmarks.figures import show
from benchmarks.peers import Lost, Outcome, dpinger, keepalived_script, lsm
from havpn_core.config.convert import decode_hook
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import with_profile
from havpn_core.errors import HavpnError
from havpn_core.study.loss import Changing, GilbertElliott, Independent, LossModel
from havpn_core.study.montecarlo import Course, summarise
from havpn_core.study.plots import check_drawable, look, new_figure, save, scale_switches

PROCESSES = 2
CUTS = 100

PEERS: dict[str, Callable[[Lost, float], Outcome]] = {
    "keepalived 3/3": keepalived_script,
    "BFD 3 x 50 ms": bfd,
    "dpinger pfSense": dpinger,
    "LSM": lsm,
}
RULES = ("havpn fast", "havpn balanced", *PEERS)

INDEPENDENT = {f"{percent} %": percent / 100 for percent in (1, 5, 10, 20, 30)}
BURSTY = "spells of 0.5 s, 5 %"
LINES = (*INDEPENDENT, BURSTY)
CUT = "a cut, noticed in"
CHANGE = "clean to 20 %, given up"
CHANGE_S, CHANGED_S = 60.0, 120.0
ROWS = (*LINES, CHANGE, CUT)
ENDS, RTT_S = 2, 0.001
NOTE = (
    "Loss is each way: a probe and its reply cross the line twice, a packet of BFD once. Both ends "
    "of a line are counted."
)


@dataclass(frozen=True)
class Cell:
    """What one rule made of one line.

    :param detection_s: the median and the worst of the cuts, where the line is one that is cut.
    :param given_up: share of the change points, where that is what was looked at.
    """

    switches_per_hour: float
    down_share: float
    detection_s: tuple[float, float] | None = None
    given_up: float | None = None

    def __str__(self) -> str:
        if self.detection_s is not None:
            return " / ".join(f"{each:.2f}" for each in self.detection_s) + " s"
        if self.given_up is not None:
            return _percent(self.given_up)
        if not self.switches_per_hour:  # it may have been down all the time
            return f"0  {_percent(self.down_share)}" if self.down_share else "0"
        rate = self.switches_per_hour
        switches = f"{rate:.0f}" if rate >= 100 else f"{rate:.2g}"
        return f"{switches}/h  {_percent(self.down_share)}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.2g} %"


def profile(name: str) -> PathOptions:
    """Give a profile's options as a path without any of its own has them."""
    table = with_profile({"profile": name})
    return msgspec.convert(table, PathOptions, dec_hook=decode_hook)


def model(line: str, seed: int, *, crossings: int) -> LossModel:
    """Make a line by its name.

    :param crossings: how often what is probed crosses it.
    """
    if line == BURSTY:
        return GilbertElliott(0.05, 0.5, random.Random(seed))
    return Independent(1 - (1 - INDEPENDENT[line]) ** crossings, random.Random(seed))


def judge(rule: str, line: str, hours: float, seed: int, times: int) -> Cell:
    """Put one rule on one line; every rule gets the same seeds."""
    if line == CUT:
        took = detections_s(rule, seed)
        return Cell(0, 0, (statistics.median(took), max(took)))
    if line == CHANGE:
        given_up = sum(changed(rule, seed + number) for number in range(times))
        return Cell(0, 0, given_up=given_up / times)
    if rule in PEERS:
        crossings = 1 if PEERS[rule] is bfd else 2
        found = PEERS[rule](model(line, seed, crossings=crossings).lost, hours)
        return Cell(ENDS * found.switches / hours, found.down_share)
    ends = [one_end(rule, line, hours, seed + number) for number in range(ENDS)]
    return Cell(sum(end.switches_per_hour for end in ends), ends[0].down_share)


def one_end(rule: str, line: str, hours: float, seed: int) -> Cell:
    """Let one end of a line watch it."""
    options, learning_s = profile(rule.removeprefix("havpn ")), 3600.0 if line == BURSTY else 0.0
    course = Course(options.settings, model(line, seed, crossings=2), RTT_S)
    course.run(learning_s)
    before, down_s, end_s = course.switches, down_until(course, learning_s), hours * 3600
    course.run(learning_s + end_s)
    share = (down_until(course, learning_s + end_s) - down_s) / end_s
    return Cell((course.switches - before) / hours, share)


def down_until(course: Course, now_s: float) -> float:
    """Give the seconds for which it was down so far."""
    return course.down_s + (0.0 if course.fell_s is None else now_s - course.fell_s)


def changed(rule: str, seed: int) -> bool:
    """Whether a clean line is given up that begins to lose 20 % each way."""
    crossings = 1 if PEERS.get(rule) is bfd else 2
    clean, lossy = Independent(0, random.Random(0)), model("20 %", seed, crossings=crossings)
    line, length_s = Changing(clean, lossy, CHANGE_S), CHANGE_S + CHANGED_S
    if rule in PEERS:
        return PEERS[rule](line.lost, length_s / 3600).switches > 0
    course = Course(profile(rule.removeprefix("havpn ")).settings, line, RTT_S)
    course.run(length_s)
    return course.switches > 0


def detections_s(rule: str, seed: int) -> list[float]:
    """Cut a good line at moments of chance; give the seconds to down."""
    if rule not in PEERS:
        options = profile(rule.removeprefix("havpn "))
        good, moments = Independent(0, random.Random(seed)), random.Random(seed)
        return summarise(
            options.settings, good, hours=0.1, chance=moments, cuts=CUTS, rtt_s=RTT_S
        ).detection_s
    chance, hours, took = random.Random(seed), 0.1, []
    for at_s in [120 + chance.random() for _ in range(CUTS)]:
        found = PEERS[rule](at_s.__le__, hours)
        took.append(hours * 3600 * (1 - found.down_share) - at_s)
    return took


def measure(hours: float, seed: int, times: int) -> dict[tuple[str, str], Cell]:
    """Judge every rule on every line; the long ones go first, so that none is waited for."""
    pairs = [(rule, line) for rule in RULES for line in ROWS]
    pairs.sort(key=lambda pair: pair[0] not in ("havpn fast", "BFD 3 x 50 ms"))
    with ProcessPoolExecutor(PROCESSES) as pool:
        jobs = {pair: pool.submit(judge, *pair, hours, seed, times) for pair in pairs}
        return {pair: job.result() for pair, job in jobs.items()}


def rows(cells: dict[tuple[str, str], Cell]) -> list[list[str]]:
    """Give the rows of the table."""
    return [[line, *(str(cells[rule, line]) for rule in RULES)] for line in ROWS]


def plot(cells: dict[tuple[str, str], Cell], file: Path) -> None:
    """Draw switches per hour over independent loss, a line a rule."""
    figure = new_figure()
    axes = figure.subplots()
    losses = [100 * loss for loss in INDEPENDENT.values()]
    for number, rule in enumerate(RULES):
        ours = rule not in PEERS
        axes.plot(
            losses,
            [cells[rule, line].switches_per_hour for line in INDEPENDENT],
            **look(number),
            linewidth=2.5 if ours else 1.2,
            label=f"{rule}\n(notices a cut in {cells[rule, CUT]})",
            clip_on=False,
            zorder=3 if ours else 2,
        )
    scale_switches(axes)
    axes.set_xlim(0, max(losses) + 1)
    axes.set(xlabel="lost by chance each way, in percent")
    axes.set_xticks(losses)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=8)
    save(figure, file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=100.0, help="simulated for each cell")
    parser.add_argument("--changes", type=int, default=1000, help="change points")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture, .svg or .png")
    options = parser.parse_args(arguments)
    if not 0 < options.hours < float("inf"):
        parser.error("--hours: write a number above 0")
    if options.plot is not None:
        try:
            check_drawable(options.plot)
        except (ValueError, HavpnError) as problem:
            parser.error(f"--plot: {problem}")
    began = time.monotonic()
    cells = measure(options.hours, options.seed, options.changes)
    show(["loss", *RULES], rows(cells))
    print(f"\n{NOTE}")
    print(
        f"{options.hours:g} simulated hours a cell, seed {options.seed}, "
        f"in {time.monotonic() - began:.0f} s",
        file=sys.stderr,
    )
    if options.plot is not None:
        plot(cells, options.plot)


if __name__ == "__main__":
    main()
