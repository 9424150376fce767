"""Priority and memory of a real daemon, and of what it starts."""

import os
import signal
import sys
from pathlib import Path

import pytest

from havpn_core.host import realtime
from tests.core.daemon import Daemon


@pytest.fixture
def gateway(tmp_path):
    daemon = Daemon(tmp_path, node="realtime = 10\nlock_memory = true")
    yield daemon
    daemon.end(signal.SIGKILL)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a realtime priority")
def test_the_daemon_takes_priority_and_its_children_do_not(gateway):
    gateway.script("line", f"cd {gateway.dir}; chrt -p $$ > new; mv new policy")
    gateway.start()
    gateway.wait_verdict("up")
    pid = gateway.process.pid
    assert os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR
    locked = next(
        int(line.split()[1])
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmLck")
    )
    assert locked > 10_000
    assert "SCHED_OTHER" in (gateway.dir / "policy").read_text()
    assert "trouble" not in gateway.log()


def test_a_priority_out_of_range_is_named(gateway):
    gateway.configure(node="realtime = 100")
    refused = gateway.havpn("check")
    assert refused.returncode == 1
    assert "node.realtime" in refused.stderr


def test_no_thread_keeps_the_interpreter_for_long():
    """What that is worth: the row "burns-a-core" of docs/measurements.md."""
    before = sys.getswitchinterval()
    try:
        assert realtime.settle(0, lock=False, fresh=True) == []
        assert sys.getswitchinterval() == pytest.approx(realtime.TURN_S)
    finally:
        sys.setswitchinterval(before)
