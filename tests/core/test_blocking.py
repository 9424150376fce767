"""Who blocks the loop: a plugin that computes or waits in a call, not one that gets no core."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from havpn_core.plugging.descriptors import Sample
from havpn_core.plugging.gate.blocking import (
    LONG_S,
    LONGEST_STEP_S,
    STRIKES,
    STUCK_S,
    LoopWatch,
    Meter,
)
from havpn_core.plugging.gate.calls import Caller

SPINNER = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"


@contextmanager
def crowded_core(spinners=6):
    """Run this thread on one core with programs that never let it go."""
    before = os.sched_getaffinity(0)
    core = min(before)
    started = [
        subprocess.Popen([sys.executable, "-c", SPINNER, str(core)]) for _ in range(spinners)
    ]
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        for each in started:
            each.kill()
        for each in started:
            each.wait()


def compute(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Probe:
    """Spends its time on the loop in one way."""

    def __init__(self, spend):
        self.spend = spend

    async def check(self, timeout_s):
        self.spend()
        return Sample.ok()


def run(spend, until, *, most=100):
    """Call a probe again and again until a wall-clock step was long enough; gives what is told."""
    told, longest = [], []

    async def work():
        watch = LoopWatch(lambda name, text: told.append(text))
        watch.start()
        caller = Caller(Probe(spend), "probe", watch)
        for _ in range(most):
            began = time.monotonic()
            await caller.check(60, 60)
            longest.append(time.monotonic() - began)
            if until(longest, told):
                break
        watch.close()
        await caller.close()

    asyncio.run(work())
    return told, longest


def test_a_thread_that_gets_no_core_is_not_blamed():
    with crowded_core():
        told, took = run(
            lambda: compute(LONGEST_STEP_S / 3),
            lambda took, told: sum(t > 2 * LONGEST_STEP_S for t in took) >= STRIKES + 2,
            most=3000,
        )
    assert sum(t > 2 * LONGEST_STEP_S for t in took) >= STRIKES + 2, "the host must be slow"
    assert told == []


@pytest.mark.parametrize("spend", [time.sleep, compute])
def test_what_blocks_is_named_however_busy_the_host_is(spend):
    with crowded_core(2):
        told, _ = run(lambda: spend(2 * LONGEST_STEP_S), lambda took, told: len(told) >= STRIKES)
    assert len(told) == STRIKES
    assert "runs in a thread of its own" in told[-1]


def test_one_long_block_is_enough():
    told, _ = run(lambda: time.sleep(LONG_S), lambda took, told: told, most=1)
    assert "block 1: it runs in a thread of its own" in told[0]


def test_waiting_for_a_program_is_blocking():
    told, _ = run(
        lambda: subprocess.run(["sleep", "0.05"], check=True),
        lambda took, told: len(told) >= STRIKES,
    )
    assert len(told) == STRIKES


def test_a_step_held_up_by_another_thread_of_the_daemon_is_not_blamed():
    """The interpreter belongs to one thread at a time; each turn of the other costs 5 ms."""
    ended = threading.Event()

    def hog():
        while not ended.is_set():
            pass

    def spend():
        for _ in range(12):
            time.sleep(0.0003)  # lets the interpreter go, and waits for it afterwards

    hogs = [threading.Thread(target=hog) for _ in range(2)]
    for each in hogs:
        each.start()
    try:
        told, took = run(spend, lambda took, told: sum(t > 0.03 for t in took) >= STRIKES + 2)
    finally:
        ended.set()
        for each in hogs:
            each.join()
    assert sum(t > 0.03 for t in took) >= STRIKES + 2, "it must have been held up"
    assert told == []


def test_one_of_ours_is_named_once_it_blocks_again():
    """A trusted instance is metered from its first slow step on, and never moved."""
    told = []

    async def work():
        Ours = type("Ours", (Probe,), {"__module__": "havpn_plugins.probes.own"})
        caller = Caller(
            Ours(lambda: time.sleep(LONG_S)), "ours", LoopWatch(lambda *a: told.append(a))
        )
        for _ in range(3):
            await caller.check(60, 60)
        await caller.close()

    asyncio.run(work())
    assert [(name, "thread" in text) for name, text in told] == [("ours", False)] * 2


def test_two_daemons_in_one_process_tell_each_their_own():
    told = ([], [])

    async def work():
        watches = [LoopWatch(lambda name, text, to=to: to.append(name)) for to in told]
        callers = [
            Caller(Probe(lambda: time.sleep(LONG_S)), f"p{n}", watch)
            for n, watch in enumerate(watches)
        ]
        for caller in callers:
            await caller.check(60, 60)
            await caller.close()

    asyncio.run(work())
    assert told == (["p0"], ["p1"])


def test_a_block_that_does_not_end_is_named_in_the_log(caplog):
    async def work():
        watch = LoopWatch()
        watch.start()
        caller = Caller(Probe(lambda: time.sleep(STUCK_S + 2)), "stuck", watch)
        await caller.check(60, 60)
        watch.close()

    asyncio.run(work())
    assert [r for r in caplog.records if "plugin stuck blocks the loop" in r.getMessage()]


def test_a_meter_without_the_kernel_s_account_tells_computing_and_waiting():
    meter = Meter()
    began = meter.mark()
    time.sleep(0.05)
    compute(0.05)
    assert meter.own_s(began) > 0.09
