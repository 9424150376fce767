"""A live daemon with a package of hostile instances beside one steady path."""

import itertools
import json
import signal
import subprocess
import sys
import time

import pytest

from tests.packages.test_containment import INTERVAL_S, Daemon

PLUGIN = r"""
import asyncio, threading, time
import msgspec
from havpn_core import (ActionType, LinkType, NotifierType, Outcome, ProbeType, Role, Sample,
                        hookimpl)

SURROGATE = "bad \ud800 \udc80\ntext"

class Options(msgspec.Struct):
    file: str = ""

class Own(BaseException):
    def __str__(self):
        raise SystemExit(5)
    __repr__ = __str__

class Base:
    def __init__(self, options, context):
        self.options, self.context = options, context
    async def close(self):
        raise Own
    def facts(self):
        row = []
        row.append(row)
        return {"row": row, SURROGATE: 2**99, "nan": float("nan"), "raw": b"\xff", "ok": SURROGATE,
                "own": Own()}

class Steady(Base):
    async def check(self, timeout_s):
        with open(self.options.file, "a") as file:
            print(time.monotonic(), file=file)
        return Sample.ok()

def giving(value):
    class Gives(Base):
        async def check(self, timeout_s):
            return value
    return Gives

def raising(problem):
    class Raises(Base):
        async def check(self, timeout_s):
            raise problem
    return Raises

class Refuses(Base):
    async def check(self, timeout_s):
        while True:
            try:
                await asyncio.sleep(0.05)
            except BaseException:
                pass

class Odd:
    def __await__(self):
        yield self
    def __getattribute__(self, name):
        raise SystemExit(6)

class Yields(Base):
    async def check(self, timeout_s):
        await Odd()

class Nothing(Base):
    def __getattr__(self, name):
        raise Own

class Awaitable(Base):
    def check(self, timeout_s):
        async def later():
            return Sample.ok()
        return later()

class Action(Base):
    async def apply(self, role, timeout_s):
        raise Own
    async def observe(self):
        raise KeyboardInterrupt
    @property
    def yields(self):
        raise SystemExit(7)
    async def answered_by(self, timeout_s):
        return SURROGATE
    def tell_conflicts(self, tell):
        def often():
            for _ in range(200):
                tell(SURROGATE)
        threading.Thread(target=often, daemon=True).start()
        tell(b"\xff" * 1000000)

class Notifier(Base):
    async def notify(self, event, timeout_s):
        self.context.logger.warning("%s %s", SURROGATE, Own())
        raise Own

class Link(Base):
    def send(self, frame):
        for odd in (None, 5, b"x" * 1000000, SURROGATE, frame):
            threading.Thread(target=self.context.received, args=(odd,)).start()
            self.context.received(odd)
        raise SystemExit(8)

class Ends(Base):
    def __init__(self, options, context):
        raise SystemExit(9)

BAD = {
    "outcome": giving(Sample("ok")), "latency": giving(Sample.ok("soon")),
    "bytes": giving(Sample.fail(b"\xff\x00")), "exception": giving(Sample.fail(Own())),
    "surrogate": giving(Sample.fail(SURROGATE)), "huge": giving(Sample.fail("x" * 5000000)),
    "nan": giving(Sample.ok(float("nan"))), "unset": giving(object.__new__(Sample)),
    "own": raising(Own()), "text": raising(ValueError(SURROGATE)),
    "big-text": raising(ValueError("y" * 5000000)), "exit": raising(SystemExit(3)),
    "refuses": Refuses, "yields": Yields, "nothing": Nothing, "awaitable": Awaitable,
}

@hookimpl
def havpn_register_probes():
    for name, build in {"steady": Steady, "ends": Ends, **BAD}.items():
        yield ProbeType(name, "", Options, build)

@hookimpl
def havpn_register_actions():
    yield ActionType("bad", "", Options, Action, owns=True)

@hookimpl
def havpn_register_notifiers():
    yield NotifierType("bad", "", Options, Notifier)

@hookimpl
def havpn_register_links():
    yield LinkType("bad", "", Options, Link)
"""
BAD = ["outcome", "latency", "bytes", "exception", "surrogate", "huge", "nan", "unset", "own",
       "text", "big-text", "exit", "refuses", "yields", "nothing", "awaitable"]  # fmt: skip
MORE = """
[action.bad]
type = "bad"
[notifier.bad]
type = "bad"
[pair]
priority = 100
key_file = "{folder}/key"
[pair.link.bad]
type = "bad"
"""


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path)
    made.module.write_text(PLUGIN)
    (tmp_path / "key").write_text("ab" * 32 + "\n")
    (tmp_path / "key").chmod(0o600)
    plain = made.configure

    def configure(*names):
        plain(*names)
        with (tmp_path / "havpn.toml").open("a") as file:
            file.write(MORE.format(folder=tmp_path))

    made.configure = configure
    try:
        yield made
    finally:
        made.end()


def history(daemon):
    file = daemon.folder / "state" / "events.jsonl"
    lines = file.read_bytes().rpartition(b"\n")[0].splitlines() if file.exists() else []
    return [json.loads(line.decode("utf-8", "strict")) for line in lines]


def test_a_daemon_in_bad_company(daemon):
    daemon.start(*BAD)
    since = time.monotonic()
    daemon.wait(lambda: any(e["after"] == "conflict" for e in history(daemon)), "the event")
    time.sleep(max(0.0, since + 3 - time.monotonic()))
    beats = [float(line) for line in (daemon.folder / "beats").read_text().split()]
    beats = [beat for beat in beats if beat >= since]
    assert len(beats) > 8, "the steady path lost its cadence"
    assert max(b - a for a, b in itertools.pairwise(beats)) < 2 * INTERVAL_S + 1
    shown = subprocess.run(
        [sys.executable, "-m", "havpn_core", "status", "--json", "-c",
         str(daemon.folder / "havpn.toml")],
        capture_output=True, check=False,
    )  # fmt: skip
    status = json.loads(shown.stdout.decode("utf-8", "strict"))
    assert status["paths"]["steady"]["verdict"] == "up"
    probes = {name: status["paths"][name]["probes"]["own"] for name in BAD}
    for name in ("outcome", "unset", "own", "text", "big-text", "exit", "yields", "nothing"):
        assert probes[name]["error"] > 3, f"{name}: {probes[name]}"
    for name in ("latency", "nan", "awaitable"):
        assert probes[name]["ok"] > 3, f"{name}: {probes[name]}"
    for name in ("bytes", "exception", "surrogate", "huge", "refuses"):
        assert probes[name]["fail"] > 3, f"{name}: {probes[name]}"
    assert status["notifiers"]["bad"]["failed"] > 0
    assert status["pair"]["links"]["bad"]["frames"] == 0
    assert daemon.end() == 0, "a probe that refuses to be cancelled does not hold the daemon"


def test_a_build_that_ends_the_program_is_a_refused_reload(daemon):
    daemon.start("own")
    daemon.configure("own", "ends")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: any(e["after"] == "reload refused" for e in history(daemon)), "the refusal")
    assert "path.ends.probe.own: SystemExit: it tried to end the program" in daemon.said()
    assert list(daemon.status().paths) == ["steady", "own"]
