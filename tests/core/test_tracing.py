"""``havpn plugin trace``: each call of a real daemon into an instance, live, without secrets."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time

import msgspec
import pytest

from havpn_core.daemon import requests
from havpn_core.errors import CallBusy, CallFailed, HavpnError
from havpn_core.plugging.descriptors import Event, ProbeType, Sample
from havpn_core.plugging.gate import tracing
from havpn_core.plugging.gate.building import build
from havpn_core.plugging.gate.calls import Caller
from havpn_core.plugging.gate.tracing import Subject, Watcher
from havpn_core.rules.role import Role
from havpn_core.testing import context
from tests.core.daemon import Daemon

SECRET = "s3cr3t-T0ken"
MORE = """
[path.vpn1.probe.told]
type = "exec"
command = ["{dir}/usage", "--token={secret}"]
"""


@pytest.fixture
def gateway(tmp_path):
    daemon = Daemon(tmp_path, more=MORE.format(dir=tmp_path, secret=SECRET))
    daemon.script("usage", f"echo usage: --token={SECRET}; exit 2")
    daemon.start()
    yield daemon
    daemon.end()


def traced(gateway, *arguments):
    ended = gateway.havpn("plugin", "trace", *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_each_probe_is_shown_with_argument_time_and_result(gateway):
    lines = [
        json.loads(line)
        for line in traced(gateway, "path.vpn1.probe.echo", "--for", "2s", "--json").splitlines()
    ]
    assert {line["instance"] for line in lines} == {"path.vpn1.probe.echo"}
    probes = [line for line in lines if line["method"] == "check"]
    assert len(probes) >= 3
    for line in probes:
        assert (line["type"], line["arguments"], line["ended"]) == ("exec", "1", "returned")
        assert line["result"].startswith("OK")
        assert 0 < line["took_ms"] < 1500
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_a_type_or_a_path_names_all_its_instances_and_no_secret_is_shown(gateway):
    for name in ("exec", "path.vpn1"):
        shown = traced(gateway, name, "--for", "1s")
        assert "path.vpn1.probe.echo check(1) " in shown
        assert "path.vpn1.probe.told check(1) " in shown
        assert "FAIL" in shown
        assert SECRET not in shown


def test_an_action_is_shown_with_the_role(gateway):
    # A shell's background job ignores SIGINT, and so would what it starts.
    argv = ["env", "--default-signal=INT", sys.executable, "-m", "havpn_core", "plugin", "trace"]
    watching = subprocess.Popen(
        [*argv, "action.gateway", "-c", str(gateway.file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert "tracing action.gateway" in watching.stderr.readline()
        gateway.havpn("switch", "--to", "standby")
        for line in watching.stdout:
            if "apply(standby" in line:
                break
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
        assert "Traceback" not in watching.stderr.read()
    finally:
        watching.kill()
        watching.communicate()


def test_an_unknown_name_is_refused_with_those_that_there_are(gateway):
    ended = gateway.havpn("plugin", "trace", "path.vpn2")
    assert ended.returncode == 1
    assert "no instance and no type 'path.vpn2'" in ended.stderr
    assert "path.vpn1.probe.echo" in ended.stderr
    assert gateway.havpn("plugin", "trace", "exec", "--for", "soon").returncode == 2


def test_a_reader_that_goes_or_stops_neither_stays_nor_delays_the_daemon(gateway):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(gateway.dir / "run" / "control.sock"))
        line.sendall(b'{"do": "trace", "name": "exec"}\n')
        assert b"instances" in line.makefile("rb").readline()
        # It reads no more, and the line goes down all the same.
        gateway.wait_verdict("up")
        gateway.cut()
        gateway.wait_role("standby")
    # Each that has gone makes room for another one.
    for _ in range(2 * tracing.MOST_WATCHERS):
        until = time.monotonic() + 20
        while True:
            ended = gateway.havpn("plugin", "trace", "exec", "--for", "10ms")
            if not ended.returncode or time.monotonic() > until:
                break
        assert ended.returncode == 0, ended.stderr


def test_a_daemon_that_ends_is_said_and_not_held_up(gateway):
    replies = requests.stream(gateway.dir / "run", do="trace", name="exec")
    next(replies)
    os.kill(gateway.process.pid, signal.SIGTERM)
    assert gateway.process.wait(15) == 0
    list(replies)
    ended = gateway.havpn("plugin", "trace", "exec")
    assert ended.returncode == 1
    assert "no daemon runs" in ended.stderr


# --- at the gate itself --------------------------------------------------------------------------


class Options(msgspec.Struct):
    host: str = "far.example"
    token: str = SECRET
    headers: dict[str, str] = {}
    command: list[str] = []


class Probe:
    def __init__(self, options=None, context=None):
        pass

    async def check(self, timeout_s):
        raise RuntimeError(f"token {SECRET} at far.example")

    def observe(self):
        return Role.ACTIVE

    def apply(self, role, timeout_s):
        time.sleep(timeout_s)

    def facts(self):
        return {"replies": 3}

    def close(self):
        pass


def calls_of(work):
    """Give what a watcher of the instance ``own`` sees meanwhile."""
    found = []

    async def run():
        watcher = Watcher("own")
        tracing.watching.append(watcher)
        try:
            await work()
            await asyncio.sleep(0)
        finally:
            tracing.watching.remove(watcher)
        found.extend(watcher._waiting)

    asyncio.run(run())
    return found


def test_what_an_instance_raises_is_shown_without_the_values_of_secret_options():
    kind = ProbeType("own-type", "A probe", Options, Probe)

    async def work():
        caller = build(kind, Options(), context("own"), "own")
        with pytest.raises(CallFailed):
            await caller.check(1.0, 1.0)
        assert caller.facts() == {"replies": 3}
        await caller.close()

    built, check, facts, closed = calls_of(work)
    assert (built.method, built.type, built.ended) == ("build", "own-type", "returned")
    assert (check.method, check.ended) == ("check", "raised")
    assert check.result == "RuntimeError: token *** at far.example"
    assert (facts.method, facts.result) == ("facts", '{"replies": 3}')
    assert (closed.method, closed.result) == ("close", "")
    assert SECRET not in f"{built}{check}"


def test_a_call_that_is_given_up_or_refused_says_so():
    async def work():
        caller = Caller(Probe(), "own")
        with pytest.raises(HavpnError, match="did not end"):
            await caller.apply(Role.STANDBY, 0.3, 0.05)
        with pytest.raises(CallBusy):
            await caller.observe(1.0)
        await caller.worker.idle(5)
        await caller.observe(1.0)
        caller.worker.stop()

    given_up, refused, seen = sorted(calls_of(work), key=lambda call: call.ended)
    assert (given_up.method, given_up.arguments) == ("apply", "standby, 0.3")
    assert given_up.ended == "given up"
    assert given_up.took_ms >= 50
    assert (refused.method, refused.ended) == ("observe", "refused")
    assert "has not come back" in refused.result
    assert (seen.ended, seen.result) == ("returned", "active")


def test_nothing_is_kept_while_nobody_watches_this_instance():
    async def work():
        caller = Caller(Probe(), "other")
        await caller.observe(1.0)
        caller.worker.stop()

    assert calls_of(work) == []
    function = Probe().facts
    assert tracing.through(Subject("own"), "facts", function) is function


def test_what_a_slow_watcher_misses_is_counted(monkeypatch):
    monkeypatch.setattr(tracing, "MOST_WAITING", 3)

    async def run():
        watcher, caller = Watcher("own"), Caller(Probe(), "own")
        lines = watcher.lines(5.0)
        first = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        for _ in range(10):
            caller.facts()
        found = [json.loads(await first)] + [json.loads(await anext(lines)) for _ in range(3)]
        await lines.aclose()
        return found

    *calls, lost = asyncio.run(run())
    assert [call["method"] for call in calls] == ["facts"] * 3
    assert lost == {"lost": 7}
    assert tracing.watching == []


class Evil:
    def __str__(self):
        raise SystemExit

    __format__ = __repr__ = __str__


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Sample.ok(0.0012, "far"), "OK, 1.200 ms, far"),
        (b"1234", "4 bytes"),
        (Role.STANDBY, "standby"),
        ([1.5, None], "[1.5, None]"),
        (Evil(), "an Evil"),
        (Event(Evil(), "", "", Evil()), "an Event"),
        (Sample(Evil(), Evil()), "a Sample"),
        ({"a": Evil()}, '{"a": "an Evil"}'),
    ],
)
def test_any_value_can_be_shown(value, text):
    assert tracing._words(value) == text


def test_texts_of_an_instance_whose_secrets_are_not_known_are_left_out():
    private = Subject("own", "own", Options(headers={"A": "b-c-d"}, command=["x", "--why"])).private
    assert set(private) == {SECRET, "b-c-d", "--why"}
    blind = Subject("own", "own", object())
    assert blind.private is None
    assert tracing._open(blind, SECRET) == "***"
