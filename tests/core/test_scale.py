"""What a thousand paths must not do: hold the loop up all at once."""

import asyncio
import gc
import itertools
import weakref
from types import SimpleNamespace

import msgspec
import pytest

from havpn_core.daemon import publish
from havpn_core.daemon.paths.together import APART_S, FEW, Together
from havpn_core.daemon.publish import Publisher
from havpn_core.daemon.state.path_status import PathStatus
from havpn_core.host import garbage


class Clock:
    """A clock that only moves when it is set."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


class Spawned:
    """Keeps what is spawned."""

    def __init__(self):
        self.tasks = []

    def spawn(self, key, work):
        self.tasks.append(asyncio.get_running_loop().create_task(work))
        return self.tasks[-1]


def together(paths):
    clock, tasks, counted = Clock(), Spawned(), []
    world = SimpleNamespace(clock=clock, tasks=tasks)
    made = Together(world, lambda: paths, lambda: counted.append(clock.now_s))
    return made, clock, tasks, counted


def test_with_few_paths_each_change_counts_at_once():
    made, _, tasks, counted = together(FEW)
    for _ in range(5):
        made.changed()
    assert len(counted) == 5 and tasks.tasks == []


def test_of_many_changes_the_first_counts_at_once_and_the_others_once_together():
    async def scenario():
        made, clock, tasks, counted = together(1000)
        made.changed()
        assert counted == [0.0]
        clock.now_s = 0.01
        for _ in range(500):
            made.changed()
        assert counted == [0.0]
        [task] = tasks.tasks
        clock.now_s = 1000 * APART_S
        await task
        made.changed()
        [_, task] = tasks.tasks
        await task
        clock.now_s *= 2
        made.changed()
        return counted

    assert asyncio.run(scenario()) == [0.0, *[1000 * APART_S] * 2, 2000 * APART_S]


class Paths:
    """Paths whose status is their verdict, and a clock of which each reading takes time."""

    def __init__(self, monkeypatch, count, tmp_path, step_s=publish.SLICE_S):
        self.runs = {f"p{n}": SimpleNamespace(verdict="up", since=0.0) for n in range(count)}
        self.encoded, self.ticks = [], itertools.count()
        config = SimpleNamespace(node=SimpleNamespace(run_dir=str(tmp_path)))
        parts = SimpleNamespace(config=config, paths=self.runs, roads=None)
        world = SimpleNamespace(clock=lambda: next(self.ticks) * step_s)
        self.publisher = Publisher(SimpleNamespace(parts=parts), world, asyncio.Event())
        monkeypatch.setattr(publish, "path_status", self.status)

    def status(self, run, now_s, roads):
        self.encoded.append(run)
        return PathStatus(verdict=run.verdict, since="", probes={})

    async def show(self, beside):
        task = asyncio.create_task(beside(self))
        found = await self.publisher._paths_in_slices()
        task.cancel()
        return {name: msgspec.json.decode(raw)["verdict"] for name, raw in found.items()}


async def turns(paths):
    paths.turns = 0
    while True:
        paths.turns += 1
        await asyncio.sleep(0)


def test_others_have_their_turn_between_the_slices(monkeypatch, tmp_path):
    paths = Paths(monkeypatch, 50, tmp_path)
    assert set(asyncio.run(paths.show(turns)).values()) == {"up"}
    assert paths.turns >= 50 and len(paths.encoded) == 50


def test_few_paths_are_shown_in_one_go(monkeypatch, tmp_path):
    paths = Paths(monkeypatch, 50, tmp_path, step_s=0.0)
    paths.turns = 0
    asyncio.run(paths.show(turns))
    assert paths.turns == 0


def test_what_changes_between_the_slices_is_shown_as_it_is_at_the_end(monkeypatch, tmp_path):
    async def change(paths):
        for name in ("p0", "p1"):
            paths.runs[name].verdict, paths.runs[name].since = "down", 1.0
            await asyncio.sleep(0)
        paths.runs["new"] = SimpleNamespace(verdict="unknown", since=2.0)
        del paths.runs["p2"], paths.runs["p8"]

    paths = Paths(monkeypatch, 10, tmp_path)
    found = asyncio.run(paths.show(change))
    assert found.pop("new") == "unknown" and not {"p2", "p8"} & set(found)
    assert [name for name, verdict in found.items() if verdict == "down"] == ["p0", "p1"]
    assert len(paths.encoded) < 15


def test_paths_that_change_without_end_are_shown_all_the_same(monkeypatch, tmp_path):
    async def flap(paths):
        for since in itertools.count():
            paths.runs["p0"].since = float(since)
            await asyncio.sleep(0)

    paths = Paths(monkeypatch, 3, tmp_path)
    assert len(asyncio.run(paths.show(flap))) == 3


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


class Node:
    """Something that refers to itself."""

    def __init__(self):
        self.me = self


def test_what_is_put_aside_stays_and_garbage_does_not(thawed):
    node, kept = Node(), Node()
    gone = weakref.ref(node)
    del node
    garbage.put_aside()
    assert gone() is None and gc.get_freeze_count() > 0
    there = weakref.ref(kept)
    del kept
    gc.collect()
    assert there() is not None, "what is put aside is looked through no more"
    garbage.take_back()
    gc.collect()
    assert there() is None, "but for the next time that a configuration is taken over"
