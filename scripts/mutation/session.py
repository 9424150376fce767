"""Run pytest in a process of its own, on modules that are put in the place of those on disk.

The process is a fork, so that what is imported before is there at once; of the product nothing
is, for what is imported once cannot be changed below its importers any more.
"""

import ast
import importlib.machinery
import os
import resource
import signal
import sys
from collections.abc import Callable, Collection, Generator, Mapping
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import hypothesis
import pytest

from .marks import NOTE

MEMORY = 4 << 30

Note = Callable[[str], object]
Trees = Mapping[str, tuple[str, ast.Module]]
"""By the name of a module, its file and what is in it."""


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, file: str, tree: ast.Module, note: Note | None) -> None:
        super().__init__(name, file)
        self._tree, self._note = tree, note

    def get_code(self, fullname: str) -> Any:
        return compile(self._tree, self.path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        if self._note is not None:
            setattr(module, NOTE, self._note)
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def __init__(self, trees: Trees, note: Note | None) -> None:
        self._trees, self._note = trees, note

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._trees:
            return None
        file, tree = self._trees[fullname]
        inside = [str(Path(file).parent)] if file.endswith("__init__.py") else None
        loader = _Loader(fullname, file, tree, self._note)
        spec = importlib.machinery.ModuleSpec(
            fullname, loader, origin=file, is_package=inside is not None
        )
        spec.submodule_search_locations, spec.has_location = inside, True
        return spec


class Limit(NamedTuple):
    """The time of one test; 0 for no limit.

    :param compute_s: seconds of computing, whatever else the machine does.
    :param take_s: seconds that pass.
    """

    compute_s: float
    take_s: float


NEVER = Limit(0.0, 0.0)
START = Limit(60.0, 300.0)
"""For importing and collecting."""


class Chosen:
    """The tests of a run in their order, each within its time.

    :param limits: by a test's name, its time. All tests and no limit if empty.
    :param known: the tests that may be left out; one that the change gave another name is run.
    """

    def __init__(self, limits: Mapping[str, Limit], known: Collection[str] = ()) -> None:
        self._limits, self._known = limits, known

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the tests and leave out what is not wanted."""
        if self._limits:
            order = {name: place for place, name in enumerate(self._limits)}
            chosen = [
                each for each in items if each.nodeid in order or each.nodeid not in self._known
            ]
            items[:] = sorted(chosen, key=lambda each: order.get(each.nodeid, len(order)))
        _alarm(NEVER)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let the kernel end a test that goes on without end."""
        _alarm(self._limits.get(item.nodeid, START if self._limits else NEVER))
        try:
            return (yield)
        finally:
            _alarm(NEVER)


def run(
    root: Path, files: list[str], trees: Trees, plugins: list[object], note: Note | None = None
) -> int:
    """Run the tests of these files; only in a process made for it. Gives pytest's exit code."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    quiet = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(quiet, number)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _alarm(START)
    sys.dont_write_bytecode = False
    sys.meta_path.insert(0, _Finder(trees, note))
    os.chdir(root)
    sys.path.insert(0, str(root))
    _make_repeatable()
    words = [
        "-x",
        "-q",
        "--tb=no",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "--timeout=0",
        "-m",
        "",
    ]
    return int(pytest.main([*words, f"--rootdir={root}", *files], plugins=plugins))


def _make_repeatable() -> None:
    """Let hypothesis draw the same examples each time, and shrink none."""
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, phases=phases, max_examples=50
    )
    hypothesis.settings.load_profile("mutants")


def _alarm(limit: Limit) -> None:
    signal.setitimer(signal.ITIMER_PROF, limit.compute_s)
    signal.setitimer(signal.ITIMER_REAL, limit.take_s)
