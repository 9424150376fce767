"""A gateway whose address is a file, with actions beside it that misbehave in every way.

Used by the tests of the lanes and by ``benchmarks/second_actions.py``.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.core.daemon import Daemon

PLUGIN = r"""
import asyncio, os, threading, time
import msgspec
from havpn_core import ActionError, ActionType, ProbeType, Role, Sample, hookimpl

class Options(msgspec.Struct):
    folder: str

class Own(BaseException):
    def __str__(self):
        raise SystemExit(5)
    __repr__ = __str__

class Base:
    def __init__(self, options, context):
        self.folder, self.role = options.folder, Role.STANDBY
    async def close(self):
        pass

class Line(Base):
    async def check(self, timeout_s):
        up = os.path.exists(f"{self.folder}/up")
        return Sample.ok(0.001) if up else Sample.fail("cut")

class Owner(Base):
    async def apply(self, role, timeout_s):
        with open(f"{self.folder}/role.new", "w") as file:
            print(role.value, file=file)
        os.replace(f"{self.folder}/role.new", f"{self.folder}/role")
        with open(f"{self.folder}/moves", "a") as file:
            print(role.value, time.time(), file=file)
    async def observe(self):
        with open(f"{self.folder}/role") as file:
            return Role(file.read().strip())

class Second(Base):
    async def apply(self, role, timeout_s):
        self.role = role
    async def observe(self):
        return self.role

def applying(work, on_loop=True):
    if on_loop:
        class Applies(Second):
            async def apply(self, role, timeout_s):
                return await work()
    else:
        class Applies(Second):
            def apply(self, role, timeout_s):
                return work()
    return Applies

def observing(work, on_loop=True):
    if on_loop:
        class Observes(Second):
            async def observe(self):
                return await work()
    else:
        class Observes(Second):
            def observe(self):
                return work()
    return Observes

def preparing(work, on_loop=True):
    if on_loop:
        class Readies(Second):
            async def prepare(self, role, timeout_s):
                return await work()
    else:
        class Readies(Second):
            def prepare(self, role, timeout_s):
                return work()
    return Readies

def raises(problem, after_s=0.0):
    async def work():
        await asyncio.sleep(after_s)
        raise problem
    return work

def raises_in_thread(problem):
    def work():
        raise problem
    return work

def gives(make):
    async def work():
        return make()
    return work

async def for_ever():
    await asyncio.Event().wait()

def for_ever_in_thread():
    threading.Event().wait()

async def stubborn():
    while True:
        try:
            await asyncio.sleep(0.05)
        except BaseException:
            pass

async def slow():
    await asyncio.sleep(5)

async def blocks():
    time.sleep(4)

def burns():
    until = time.monotonic() + 5
    while time.monotonic() < until:
        pass

def forks():
    for _ in range(3):
        if os.fork() == 0:
            time.sleep(10)
            os._exit(0)
    raise ActionError("forked, and failed")

class Odd:
    def __await__(self):
        yield self
    def __getattribute__(self, name):
        raise SystemExit(6)

async def odd():
    await Odd()

class Lies(Second):
    async def apply(self, role, timeout_s):
        self.role = role.other

class Flips(Second):
    async def observe(self):
        self.role = self.role.other
        return self.role

class Boasts(Second):
    def facts(self):
        row = []
        row.append(row)
        return {"row": row, "own": Own()}
    async def apply(self, role, timeout_s):
        raise Own

BAD = {
    "fails-at-once": applying(raises(ActionError("no"))),
    "fails-late": applying(raises(ActionError("no"), 4)),
    "hangs": applying(for_ever), "hangs-in-thread": applying(for_ever_in_thread, False),
    "stubborn": applying(stubborn), "slow": applying(slow), "blocks-the-loop": applying(blocks),
    "burns-a-core": applying(burns, False), "forks": applying(forks, False),
    "ends-the-program": applying(raises(SystemExit(3))),
    "interrupts": applying(raises_in_thread(KeyboardInterrupt()), False),
    "cancels": applying(raises(asyncio.CancelledError())), "awaits-nothing": applying(odd),
    "gives-what-nobody-can-copy": applying(gives(lambda: (n for n in [Own()]))),
    "lies": Lies, "flips": Flips, "boasts": Boasts,
    "look-hangs": observing(for_ever), "look-hangs-in-thread": observing(for_ever_in_thread, False),
    "look-raises": observing(raises(Own())), "look-is-nonsense": observing(gives(lambda: Own)),
    "prepare-fails": preparing(raises(ActionError("not ready"))),
    "prepare-hangs": preparing(for_ever),
    "prepare-hangs-in-thread": preparing(for_ever_in_thread, False),
    "prepare-is-stubborn": preparing(stubborn),
}

@hookimpl
def havpn_register_probes():
    yield ProbeType("line", "", Options, Line)

@hookimpl
def havpn_register_actions():
    yield ActionType("owner", "", Options, Owner, owns=True)
    for name, build in BAD.items():
        yield ActionType(name, "", Options, build)
"""
TYPES = [
    "fails-at-once", "fails-late", "hangs", "hangs-in-thread", "stubborn", "slow",
    "blocks-the-loop", "burns-a-core", "forks", "ends-the-program", "interrupts", "cancels",
    "awaits-nothing", "gives-what-nobody-can-copy", "lies", "flips", "boasts", "look-hangs",
    "look-hangs-in-thread", "look-raises", "look-is-nonsense", "prepare-fails", "prepare-hangs",
    "prepare-hangs-in-thread", "prepare-is-stubborn",
]  # fmt: skip
COMMANDS = {
    "command-ignores-sigterm": "trap '' TERM INT HUP; sleep 30; sleep 30",
    "command-prints-without-end": "exec yes",
    "command-leaves-children": "sleep 30 & sleep 30 & exit 1",
    "command-is-missing": None,
}
KINDS = [*TYPES, *COMMANDS]
CONFIG = """
[node]
name = "{name}"
state_dir = "{dir}/state"
run_dir = "{dir}/run"
{node}
[plugins]
enable = ["bad"]
[path.vpn1]
interval = "50ms"
timeout = "1s"
fall = 3
rise = 3
damping = false
[path.vpn1.probe.own]
type = "line"
folder = "{dir}"
{before}
[action.owner]
type = "owner"
deadline = "{deadline}"
folder = "{dir}"
{after}
{more}
"""
SECOND = """
[action.{name}]
type = "{type}"
deadline = "{deadline}"
folder = "{dir}"
"""
COMMAND = """
[action.{name}]
type = "exec"
deadline = "{deadline}"
active = ["{program}"]
standby = ["{program}"]
"""


class Gateway(Daemon):
    """One gateway that owns its address, with the same bad action before and after the owner.

    :param kind: of :data:`KINDS`; ``None`` for no second action at all.
    :param node: further keys of ``[node]``.
    :param more: further tables.
    """

    def __init__(self, folder, kind, node="", deadline="60s", more=""):
        self.kind, self.node, self.deadline, self.more = kind, node, deadline, more
        info = folder / "havpn_bad-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: havpn-bad\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[havpn]\nbad = havpn_bad\n")
        (folder / "havpn_bad.py").write_text(PLUGIN)
        super().__init__(folder)
        (folder / "role").write_text("standby\n")

    def configure(self, node="", path="", more=""):
        before, after = (self.second(name) for name in ("first", "last"))
        text = CONFIG.format(
            dir=self.dir,
            name=self.dir.name if self.more else "gw",
            node=self.node,
            deadline=self.deadline,
            before=before,
            after=after,
            more=self.more,
        )
        self.file.write_text(text)

    def second(self, name):
        if self.kind is None:
            return ""
        common = {"name": name, "deadline": self.deadline, "dir": self.dir}
        if self.kind not in COMMANDS:
            return SECOND.format(type=self.kind, **common)
        text = COMMANDS[self.kind]
        if text is None:
            return COMMAND.format(program="/nonexistent/program", **common)
        self.script("command", text)
        return COMMAND.format(program=f"{self.dir}/command", **common)

    def launch(self):
        self.since = self.now()
        with (self.dir / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "havpn_core", "run", "-c", str(self.file)],
                env={**os.environ, "PYTHONPATH": f"{self.dir}:{Path.cwd()}"},
                stdout=log,
                stderr=log,
            )

    @property
    def moves(self):
        """When the address came and went: pairs of role and wall clock."""
        file = self.dir / "moves"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(word, float(at)) for word, at in map(str.split, lines)]
