"""The command line of scripts/mutants."""

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

from .clean import Clean, preload, run_clean
from .plan import Plan, PlanError, read_plan
from .report import ENOUGH, Verdict, record, share, stale, survivors, table, verdict
from .sites import Mutant, mutants
from .trials import carry_out, planned

ROOT = Path(__file__).parents[2]
LONGEST_S = 10.0
"""Each survivor costs all its tests; an exploration of all states would make that a day."""


def main(words: list[str]) -> int:
    """Do what the words say.

    :returns: 0; 1 if too few mutants were caught or an equivalent is stale; 2 if the plan does
        not fit.
    """
    chosen = _parser().parse_args(words)
    os.nice(10)
    root = chosen.root.resolve()
    try:
        plan = read_plan(root, chosen.plan or root / "scripts" / "mutants.toml", chosen.modules)
        every = [(each.file, one) for each in plan.targets for one in mutants(each.tree)]
        drawn = every
        if chosen.sample:
            drawn = random.Random(chosen.seed).sample(every, min(chosen.sample, len(every)))
        begin_s = time.monotonic()
        clean = run_clean(plan)
        verdicts = _tried(plan, clean, drawn, chosen)
    except PlanError as error:
        print(f"scripts/mutants: {error}", file=sys.stderr)
        return 2
    outdated = stale(
        plan.equivalents, {(file, one.function, one.change) for file, one in every}, verdicts
    )
    if chosen.json:
        print(json.dumps(record(verdicts, outdated), indent=2))
    else:
        print(table(verdicts), *survivors(verdicts), *outdated, sep="\n")
        for name, seconds in clean.computed_s.items():
            if seconds > chosen.longest:
                print(f"left out, it computes for {seconds:.0f} s: {name}")
        print(f"{len(verdicts)} mutants in {time.monotonic() - begin_s:.0f} s")
    return 1 if share(verdicts) < ENOUGH or outdated else 0


def _tried(
    plan: Plan, clean: Clean, drawn: list[tuple[str, Mutant]], chosen: argparse.Namespace
) -> list[Verdict]:
    preload(clean)
    targets = {each.file: each for each in plan.targets}
    trials = (planned(targets[file], clean, mutant, chosen.longest) for file, mutant in drawn)
    verdicts = []
    for trial, result in carry_out(plan, trials, chosen.jobs):
        one = verdict(trial.target.file, trial.mutant, result, plan.equivalents)
        verdicts.append(one)
        for line in survivors([one]):
            print(f"{len(verdicts)} of {len(drawn)}: {line}", file=sys.stderr, flush=True)
    return verdicts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/mutants",
        description="Change the modules of the plan in one small way at a time and run their own "
        f"tests on each. Exit code 1 if fewer than {ENOUGH:.0%} are caught, or if the plan "
        "calls a mutant equivalent that is caught or gone.",
    )
    parser.add_argument("modules", nargs="*", help="files or folders (default: all of the plan)")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time (default: 1)")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N, drawn by lot")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the lot")
    parser.add_argument(
        "--longest",
        type=float,
        default=LONGEST_S,
        metavar="S",
        help="leave out each test that computes for more seconds (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="each mutant and what happened to it")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (default: this one)")
    parser.add_argument("--plan", type=Path, help="(default: scripts/mutants.toml of the checkout)")
    return parser
