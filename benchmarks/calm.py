"""How calm a rule is on a lossy line, and what that costs in speed, beside its peers.

    python -m benchmarks.calm [--hours 100] [--plot calm.svg]

A line that loses this much, and no cut: every switch is one too many. A cell has the switches
per hour (down and up again are two) and the share of the time spent down; few switches with a
share near 100 % are a rule that gave the line up. The last row is the price: how long a silent
cut of a good line takes to be noticed, at worst of a hundred. All is decided by simulation:
havpn's rules by the modules that decide in the daemon, the peers' by :mod:`benchmarks.peers` and
:mod:`benchmarks.bfd`, which say what they assume.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.bfd import bfd
from benchmarks.peers import Lost, Outcome, dpinger, keepalived_script, lsm
from havpn_core.config.convert import decode_hook
from havpn_core.config.options import PathOptions
from havpn_core.config.profiles import PROFILES
from havpn_core.errors import HavpnError
from havpn_core.study.loss import GilbertElliott, Independent, LossModel
from havpn_core.study.plots import check_drawable, new_figure, save, scale_switches

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
BURSTY = "5 %, bursts of 0.5 s"
LINES = (*INDEPENDENT, BURSTY)
CUT = "a cut, noticed in"
NOTE = (
    "BFD's packets are lost as often as probes here; where chance loses alike both ways they "
    "are really lost half as often, so compare its 10 % with the others' 20 %."
)


@dataclass(frozen=True)
class Cell:
    """What one rule made of one line.

    :param detection_s: the worst of the cuts, where the line is one that is cut.
    """

    switches_per_hour: float
    down_share: float
    detection_s: float | None = None

    def __str__(self) -> str:
        if self.detection_s is not None:
            return f"{self.detection_s:.2f} s"
        if not self.switches_per_hour:
            return "0"
        rate = self.switches_per_hour
        switches = f"{rate:.0f}" if rate >= 100 else f"{rate:.2g}"
        return f"{switches}/h  {_percent(self.down_share)}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.2g} %"


def profile(name: str) -> PathOptions:
    """Give a profile's options as a path without any of its own has them."""
    table = {**PROFILES[name], "profile": name}
    return msgspec.convert(table, PathOptions, dec_hook=decode_hook)


def model(line: str, seed: int) -> LossModel:
    """Make a line by its name."""
    if line == BURSTY:
        return GilbertElliott(0.05, 0.5, random.Random(seed))
    return Independent(INDEPENDENT[line], random.Random(seed))


def judge(rule: str, line: str, hours: float, seed: int) -> Cell:
    """Put one rule on one line; every rule gets the same seed."""
    if line == CUT:
        return Cell(0, 0, worst_detection_s(rule, seed))
    if rule in PEERS:
        found = PEERS[rule](model(line, seed).lost, hours)
        return Cell(found.switches / hours, found.down_share)
    from havpn_core.study.montecarlo import summarise

    options = profile(rule.removeprefix("havpn "))
    chance = random.Random(seed)
    summary = summarise(options.settings, model(line, seed), hours=hours, chance=chance)
    return Cell(summary.switches / hours, summary.backup_share)


def worst_detection_s(rule: str, seed: int) -> float:
    """Cut a good line at moments of chance; give the seconds to down, at worst."""
    if rule not in PEERS:
        from havpn_core.study.montecarlo import summarise

        options = profile(rule.removeprefix("havpn "))
        good, moments = Independent(0, random.Random(seed)), random.Random(seed)
        ours = summarise(options.settings, good, hours=0.1, chance=moments, cuts=CUTS)
        return max(ours.detection_s)
    chance, hours, worst = random.Random(seed), 0.1, 0.0
    for at_s in [120 + chance.random() for _ in range(CUTS)]:
        found = PEERS[rule](at_s.__le__, hours)
        worst = max(worst, hours * 3600 * (1 - found.down_share) - at_s)
    return worst


def measure(hours: float, seed: int) -> dict[tuple[str, str], Cell]:
    """Judge every rule on every line; the long ones go first, so that none is waited for."""
    pairs = [(rule, line) for rule in RULES for line in (*LINES, CUT)]
    pairs.sort(key=lambda pair: pair[0] not in ("havpn fast", "BFD 3 x 50 ms"))
    with ProcessPoolExecutor(PROCESSES) as pool:
        jobs = {pair: pool.submit(judge, *pair, hours, seed) for pair in pairs}
        return {pair: job.result() for pair, job in jobs.items()}


def table(cells: dict[tuple[str, str], Cell]) -> str:
    """Write the table as Markdown, so that it can be pasted as it is."""
    rows = [["loss", *RULES], ["---"] * (len(RULES) + 1)]
    rows += [[line, *(str(cells[rule, line]) for rule in RULES)] for line in (*LINES, CUT)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(RULES) + 1)]
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def plot(cells: dict[tuple[str, str], Cell], file: Path) -> None:
    """Draw switches per hour over independent loss, a line a rule."""
    figure = new_figure()
    axes = figure.subplots()
    losses = [100 * loss for loss in INDEPENDENT.values()]
    for rule in RULES:
        ours = rule not in PEERS
        axes.plot(
            losses,
            [cells[rule, line].switches_per_hour for line in INDEPENDENT],
            "o-" if ours else "o--",
            linewidth=2.5 if ours else 1.2,
            label=f"{rule}\n(notices a cut in {cells[rule, CUT]})",
            clip_on=False,
            zorder=3 if ours else 2,
        )
    scale_switches(axes)
    axes.set_xlim(0, max(losses) + 1)
    axes.set(xlabel="probes lost by chance, in percent")
    axes.set_xticks(losses)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=8)
    save(figure, file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=100.0, help="simulated for each cell")
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
    cells = measure(options.hours, options.seed)
    print(table(cells))
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
