"""Commands that print without end, and daemons that they leave behind."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
from pathlib import Path

import pytest

from havpn_core import CommandTimeout, run_command
from havpn_core.host.execute import OUTPUT_LIMIT, SERVICE_VARIABLES

LARGE = 300_000_000


def python(code, *arguments):
    return [sys.executable, "-c", f"import os, sys, time\n{code}", *map(str, arguments)]


def run(argv, timeout_s=60.0, **more):
    return asyncio.run(run_command(argv, timeout_s, **more))


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def memory_bytes():
    """What this process and its memory files take, at its peak since the last look."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_memory_files():
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Shmem:"))


@pytest.mark.parametrize("stream", [1, 2])
def test_a_command_that_chats_keeps_its_beginning_and_takes_no_memory(stream):
    code = f"""
data, left = b'x' * 1000000, {LARGE}
os.write({stream}, b'first\\n')
while left > 0:
    left -= os.write({stream}, data)
sys.exit(5)
"""
    seen, before, peak = [], in_memory_files(), memory_bytes()

    async def looking():
        while True:
            seen.append(in_memory_files())
            await asyncio.sleep(0.01)

    async def scenario():
        look = asyncio.ensure_future(looking())
        try:
            return await run_command(python(code), 60)
        finally:
            look.cancel()

    ended = asyncio.run(scenario())
    assert ended.status == 5, "it was neither ended nor refused a write"
    text = ended.output if stream == 1 else ended.complaint
    assert text.startswith("first\nxxx")
    assert len(text) == OUTPUT_LIMIT
    assert max(seen) - before < LARGE / 3
    assert memory_bytes() - peak < LARGE / 3


def test_a_command_that_chats_for_ever_ends_at_its_deadline():
    with pytest.raises(CommandTimeout):
        run(["yes"], 0.5)


def test_a_command_that_chats_does_not_starve_the_loop():
    async def scenario():
        chatting = asyncio.ensure_future(run_command(["yes"], 1.5))
        turns = 0
        while not chatting.done():
            await asyncio.sleep(0.005)
            turns += 1
        with pytest.raises(CommandTimeout):
            await chatting
        return turns

    assert asyncio.run(scenario()) > 30


def test_all_of_both_streams_is_there_up_to_the_limit():
    code = f"os.write(1, b'a' * {OUTPUT_LIMIT - 1}); os.write(2, b'b' * 70000); os.write(1, b'c')"
    for _ in range(20):
        ended = run(python(code))
        assert ended.output == "a" * (OUTPUT_LIMIT - 1) + "c"
        assert ended.complaint == "b" * OUTPUT_LIMIT


def test_a_command_that_closes_its_output_is_no_trouble():
    assert (
        run(python("os.write(1, b'said'); os.close(1); os.close(2); time.sleep(.2)")).said == "said"
    )


DAEMON = """
if os.fork() == 0:
    os.setsid()
    {body}
    os._exit(0)
print('started', flush=True)
os._exit(0)
"""


def test_a_daemon_left_behind_keeps_nothing_waiting(tmp_path):
    note = tmp_path / "pid"
    body = f"open('{note}', 'w').write(str(os.getpid())); time.sleep(60)"
    before = descriptors()
    ended = run(python(DAEMON.format(body=body)), 30)
    try:
        assert (ended.status, ended.output) == (0, "started\n")
        assert descriptors() <= before
    finally:
        end(wait_for_text(note))


def test_a_daemon_left_behind_may_chat_and_neither_dies_nor_waits_nor_fills_memory(tmp_path):
    note = tmp_path / "note"
    body = f"""
    time.sleep(1)
    for _ in range(100):
        try:
            os.write(1, b'x' * 1000000)
        except BlockingIOError:
            pass
    open('{note}.new', 'w').write(str(os.getpid()))
    os.rename('{note}.new', '{note}')
"""
    ended = run(python(DAEMON.format(body=body)), 30)
    assert ended.output == "started\n"
    assert wait_for_text(note)


def test_a_daemon_that_chats_while_its_command_ends_keeps_nothing_waiting(tmp_path):
    note = tmp_path / "pid"
    body = f"""
    open('{note}', 'w').write(str(os.getpid()))
    while True:
        try:
            os.write(1, b'x' * 100000)
        except BlockingIOError:
            time.sleep(1)
"""
    try:
        assert run(python(DAEMON.format(body=body)), 30).status == 0
    finally:
        end(wait_for_text(note))


def wait_for_text(file):
    until = time.monotonic() + 30
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < until, "the daemon was ended or waits"
        time.sleep(0.02)
    return file.read_text()


def end(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(pid), signal.SIGKILL)


def test_no_descriptor_is_left_whatever_becomes_of_a_command():
    async def scenario():
        before = descriptors()
        for _ in range(3):
            with pytest.raises(CommandTimeout):
                await run_command(["sleep", "60"], 0.05)
            with pytest.raises(FileNotFoundError):
                await run_command(["/no/such/command"], 5)
            running = asyncio.ensure_future(run_command(["sleep", "60"], 60))
            await asyncio.sleep(0.1)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        await asyncio.sleep(0.5)
        return before, descriptors()

    before, after = asyncio.run(scenario())
    assert after <= before + 1  # a watcher of children may have been made


def test_without_descriptors_a_command_fails_and_leaves_none_behind():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def scenario():
        await run_command(["true"], 20)
        before = descriptors()
        for spare in range(12):
            resource.setrlimit(resource.RLIMIT_NOFILE, (before + spare, hard))
            with contextlib.suppress(OSError):
                await run_command(["true"], 20)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await asyncio.sleep(0.05)
        return before, descriptors()

    try:
        before, after = asyncio.run(scenario())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert after == before


def test_a_child_does_not_get_what_the_service_manager_told_us(monkeypatch):
    for name in SERVICE_VARIABLES:
        monkeypatch.setenv(name, "/run/systemd/notify")
    monkeypatch.setenv("KEPT", "yes")
    seen = run(["env"], env={"OWN": "1"}).output.splitlines()
    names = {line.partition("=")[0] for line in seen}
    assert {"KEPT", "OWN", "PATH"} <= names
    assert not names & {
        "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID",
        "LISTEN_FDNAMES",
    }  # fmt: skip
