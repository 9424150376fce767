"""Run the tests once on the marked modules: they must pass, and what each reaches is noted."""

import copy
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from . import session
from .marks import marked
from .plan import Plan, PlanError


@dataclass(slots=True)
class Clean:
    """What a run without a change showed.

    :param took_s: by a test's name, how long it took.
    :param computed_s: by a test's name, how long it computed, whatever else the machine does.
    :param reached: by a test's name, the marks that it passed, each after its module and a colon.
    :param imported: the marks that the import of the modules and tests passed.
    :param failed: the tests that failed.
    :param loaded: modules that were loaded and are none of the checkout's.
    """

    took_s: dict[str, float] = field(default_factory=dict)
    computed_s: dict[str, float] = field(default_factory=dict)
    reached: dict[str, list[str]] = field(default_factory=dict)
    imported: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class _Watcher:
    def __init__(self) -> None:
        self.clean, self.seen = Clean(), set[str]()

    def pytest_collection_finish(self) -> None:
        self.clean.imported = sorted(self.seen)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.seen.clear()
        begin_s, used_s = time.perf_counter(), time.process_time()
        try:
            return (yield)
        finally:
            self.clean.took_s[item.nodeid] = time.perf_counter() - begin_s
            self.clean.computed_s[item.nodeid] = time.process_time() - used_s
            self.clean.reached[item.nodeid] = sorted(self.seen)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.clean.failed.append(report.nodeid)


def run_clean(plan: Plan) -> Clean:
    """Run all tests of the plan once.

    :raises PlanError: if they do not pass as they are.
    """
    files = sorted({test for target in plan.targets for test in target.tests})
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        pid = os.fork()
        if pid == 0:
            _child(plan, files, Path(file.name))
        _, status = os.waitpid(pid, 0)
        text = Path(file.name).read_text()
    clean = Clean(**json.loads(text)) if text else Clean()
    if status or not clean.took_s or clean.failed:
        what = ", ".join(clean.failed) or " ".join(files)
        raise PlanError(f"the tests do not pass as they are: {what}; run them by pytest first")
    return clean


def _child(plan: Plan, files: list[str], file: Path) -> None:
    code = 1
    try:
        trees = {
            each.name: (str(plan.root / each.file), marked(copy.deepcopy(each.tree), each.name))
            for each in plan.targets
        }
        watcher = _Watcher()
        plugins = [watcher, session.Chosen({})]
        code = session.run(plan.root, files, trees, plugins, watcher.seen.add)
        watcher.clean.loaded = [
            name for name, module in sys.modules.items() if not _of_checkout(module, plan.root)
        ]
        words = {name: getattr(watcher.clean, name) for name in Clean.__slots__}
        file.write_text(json.dumps(words))
    finally:
        os._exit(code)


def _of_checkout(module: ModuleType, root: Path) -> bool:
    file = Path(getattr(module, "__file__", None) or "/")
    return file.is_relative_to(root) and not file.is_relative_to(sys.prefix)


def preload(clean: Clean) -> None:
    """Import what each trial would import for itself."""
    for name in clean.loaded:
        with suppress(Exception):
            importlib.import_module(name)
