"""No more threads, no more descriptors: what fails once for want of them works again later."""

import asyncio
import logging
import socket
import threading
import time

import pytest

from havpn_core.daemon.state.keeping import Keeper
from havpn_core.errors import NotResolved
from havpn_core.host.resolve import RETRY_S, Resolver
from havpn_core.plugging.descriptors import Event
from havpn_core.plugging.gate.calls import Caller, CallFailed, Worker

TOO_LARGE = 1 << 48
"""Bytes of a stack that no address space has room for."""


class NoThreads:
    """While it lasts the system really refuses every new thread of this process."""

    def __enter__(self):
        self.before = threading.stack_size(TOO_LARGE)
        with pytest.raises(RuntimeError):
            threading.Thread(target=int).start()

    def __exit__(self, *_):
        threading.stack_size(self.before)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def looked_up(resolver, name):
    """Give what a name is once its look-up has ended."""
    until = time.monotonic() + 20
    while True:
        try:
            return resolver.address(name)
        except NotResolved as problem:
            if "yet" not in str(problem):
                return str(problem)
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_name_is_looked_up_again_after_a_thread_could_not_be_started():
    clock = Clock()
    resolver = Resolver(clock, lambda host, family: "192.0.2.6")
    with NoThreads():
        for _ in range(2):
            with pytest.raises(NotResolved, match="can start no more threads"):
                resolver.address("far.example")
    with pytest.raises(NotResolved):
        resolver.address("far.example")
    clock.now = RETRY_S
    assert looked_up(resolver, "far.example") == "192.0.2.6"


def test_what_was_known_stays_known_without_threads():
    clock, known = Clock(), iter(["192.0.2.6", "192.0.2.7", "192.0.2.7"])
    resolver = Resolver(clock, lambda host, family: next(known))
    assert looked_up(resolver, "far.example") == "192.0.2.6"
    clock.now += 1000
    with NoThreads():
        assert resolver.address("far.example") == "192.0.2.6"
    clock.now += RETRY_S
    until = time.monotonic() + 20
    while resolver.address("far.example") != "192.0.2.7":
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    "problem",
    [OSError(24, "Too many open files"), RuntimeError("x"), IndexError(), MemoryError("x"),
     UnicodeError("x"), socket.gaierror(-3, "Temporary failure")],
)  # fmt: skip
def test_a_name_is_looked_up_again_whatever_the_look_up_raised(problem):
    clock, answers = Clock(), iter([problem])

    def look_up(host, family):
        for each in answers:
            raise each
        return "192.0.2.6"

    resolver = Resolver(clock, look_up)
    said = looked_up(resolver, "far.example")
    assert said.startswith("far.example: name not resolved: ")
    assert "[Errno" not in said
    clock.now = RETRY_S
    until = time.monotonic() + 20
    while looked_up(resolver, "far.example") != "192.0.2.6":
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_worker_works_again_after_its_thread_could_not_be_started():
    async def scenario():
        worker = Worker("w")
        with NoThreads():
            for _ in range(2):
                with pytest.raises(CallFailed, match="no more threads"):
                    worker.run(lambda: 1)
                assert not worker.busy
        found = await asyncio.wait_for(worker.run(lambda: 2), 20)
        worker.stop()
        return found

    assert asyncio.run(scenario()) == 2


def test_a_plugin_s_call_fails_once_and_works_again():
    class Plain:
        def check(self):
            return "fine"

    async def scenario():
        caller = Caller(Plain(), "p")
        with NoThreads(), pytest.raises(CallFailed, match="no more threads"):
            await caller.call("check", deadline_s=5.0)
        found = await caller.call("check", deadline_s=20.0)
        caller.worker.stop()
        return found

    assert asyncio.run(scenario()) == "fine"


def test_events_wait_for_a_thread_to_write_them(tmp_path):
    async def scenario():
        keeper = Keeper(logging.getLogger("test"), lambda text, bad: None)
        keeper.record(Event("daemon", "", "", "first"))
        with NoThreads():
            keeper.flush(tmp_path)
        keeper.record(Event("daemon", "", "", "second"))
        keeper.flush(tmp_path)
        file = tmp_path / "events.jsonl"
        until = time.monotonic() + 20
        while not (file.exists() and file.read_text().count("\n") == 2):
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        return file.read_text()

    text = asyncio.run(scenario())
    assert text.index("first") < text.index("second")
