"""Try the tests on each mutant, each in a process of its own."""

import os
import signal
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import pytest

from . import session
from .clean import Clean
from .plan import Plan, PlanError, Target
from .sites import Mutant, mutated

NO_MUTANT = 99
FAILED = int(pytest.ExitCode.TESTS_FAILED)


class Result(Enum):
    """What the tests made of a mutant."""

    KILLED = "killed"
    TIMEOUT = "timeout"  #: counts as killed
    SURVIVED = "survived"
    UNREACHED = "never run"  #: no test runs it; counts as survived


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant to be tried.

    :param limits: its tests in the order in which they run, each with its time; none if no test
        reaches it.
    :param known: all tests that there are without the change.
    """

    target: Target
    mutant: Mutant
    limits: Mapping[str, session.Limit]
    known: Collection[str]


def planned(target: Target, clean: Clean, mutant: Mutant, longest_s: float) -> Trial:
    """Choose the tests: those that reach the change come first, and the quick ones first.

    :param longest_s: seconds of computing; a test that takes more is left out.
    """
    own = [
        name
        for name, seconds in clean.computed_s.items()
        if name.partition("::")[0] in target.tests and seconds <= longest_s
    ]
    mark = f"{target.name}:{mutant.mark}"
    anywhere = mutant.mark is None or mark in clean.imported
    reaching = own if anywhere else [name for name in own if mark in clean.reached[name]]
    if not reaching:
        return Trial(target, mutant, {}, ())
    first = set(reaching)
    order = sorted(own, key=lambda name: (name not in first, clean.took_s[name]))
    limits = {
        name: session.Limit(1.0 + 4 * clean.computed_s[name], 5.0 + 10 * clean.took_s[name])
        for name in order
    }
    return Trial(target, mutant, limits, clean.took_s.keys())


def carry_out(plan: Plan, trials: Iterable[Trial], jobs: int) -> Iterator[tuple[Trial, Result]]:
    """Try them, so many at a time; gives each as it ends."""
    running: dict[int, Trial] = {}
    try:
        for trial in trials:
            if not trial.limits:
                yield trial, Result.UNREACHED
                continue
            if len(running) >= jobs:
                yield _ended(running)
            running[_started(plan, trial)] = trial
        while running:
            yield _ended(running)
    finally:
        for pid in running:
            _kill_group(pid)


def _started(plan: Plan, trial: Trial) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = NO_MUTANT
    try:
        tree = mutated(trial.target.tree, trial.mutant)
        trees = {trial.target.name: (str(plan.root / trial.target.file), tree)}
        compile(tree, trial.target.file, "exec")
        code = FAILED  # from here on it is the mutant's fault, as an import that raises
        files = sorted({name.partition("::")[0] for name in trial.limits})
        chosen = session.Chosen(trial.limits, trial.known)
        code = session.run(plan.root, files, trees, [chosen])
    finally:
        os._exit(code)


def _ended(running: dict[int, Trial]) -> tuple[Trial, Result]:
    pid, status = os.wait()
    _kill_group(pid)  # what a test that was ended left behind
    trial = running.pop(pid)
    code = os.waitstatus_to_exitcode(status)
    if code in (-signal.SIGALRM, -signal.SIGPROF):
        return trial, Result.TIMEOUT
    if code in (pytest.ExitCode.NO_TESTS_COLLECTED, NO_MUTANT):
        raise PlanError(f"no trial of {trial.target.file} {trial.mutant.change} was possible")
    return trial, Result.KILLED if code else Result.SURVIVED


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
