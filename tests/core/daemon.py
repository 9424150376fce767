"""A real daemon on this machine, with a real echo responder and an action kept in a file."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

from havpn_core.daemon.state.catalogue import strangers
from havpn_core.daemon.state.events import parse_history
from havpn_core.daemon.state.reading import read
from havpn_core.plugging.descriptors import Event

TEMPLATE = """
[node]
name = "gw"
state_dir = "{dir}/state"
run_dir = "{dir}/run"
{node}
[path.vpn1]
interval = "50ms"
timeout = "1s"
fall = 3
rise = 10
{path}
[path.vpn1.probe.echo]
type = "exec"
command = ["{dir}/line"]
[action.gateway]
type = "exec"
active = ["{dir}/take"]
standby = ["{dir}/give"]
observe = ["/bin/cat", "{dir}/role"]
deadline = "2s"
{more}
"""


class Daemon:
    """One gateway whose line is a file: there, the line is up.

    What passes is waited for in the history, not in the status: a busy machine may look at the
    status too late. ``since`` is when the line was last changed, or the daemon started.
    """

    def __init__(self, folder, node="", path="", more=""):
        self.dir = folder
        self.file = folder / "havpn.toml"
        self.process = None
        self.since = self.now()
        self.script("line", f"test -e {folder}/up || exit 2")
        self.script("take", f"echo active > {folder}/role; echo take >> {folder}/calls")
        self.script("give", f"echo standby > {folder}/role; echo give >> {folder}/calls")
        (folder / "role").write_text("active\n")
        self.configure(node, path, more)
        self.heal()

    def configure(self, node="", path="", more=""):
        self.file.write_text(TEMPLATE.format(dir=self.dir, node=node, path=path, more=more))

    def script(self, name, text):
        draft = self.dir / f"{name}.new"
        draft.write_text(f"#!/bin/sh\n{text}\n")
        draft.chmod(0o755)
        draft.rename(self.dir / name)

    @staticmethod
    def now():
        """Give the time as events have it, cut to milliseconds."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def heal(self):
        self.since = self.now()
        (self.dir / "up").touch()

    def cut(self):
        self.since = self.now()
        (self.dir / "up").unlink(missing_ok=True)

    @property
    def role(self):
        return (self.dir / "role").read_text().strip()

    @property
    def calls(self):
        file = self.dir / "calls"
        return file.read_text().split() if file.exists() else []

    def launch(self):
        """Start it without waiting for anything."""
        self.since = self.now()
        with (self.dir / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "havpn_core", "run", "-c", str(self.file)], stderr=log
            )

    def start(self):
        self.launch()
        self.wait(lambda s: s.pid == self.process.pid, "the daemon's first status")
        return self

    def end(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, number)
            self.process.wait(20)
        found = [
            Event(e.kind, e.subject, e.before, e.after, e.detail, e.severity) for e in self.whole()
        ]
        assert strangers(found) == [], "events that docs/events.md does not list"

    def whole(self):
        """Give what of the history is whole, where a test left it one."""
        file = self.dir / "state" / "events.jsonl"
        try:
            return [e for _, e in parse_history(file.read_bytes())[0]] if file.is_file() else []
        except OSError:
            return []

    def shown(self, *options):
        """Give what ``havpn status`` prints, whatever the lines that it is wrapped into."""
        return " ".join(self.havpn("status", *options).stdout.split())

    def status(self):
        return read(self.dir / "run")

    def wait(self, condition, what, timeout=20.0):
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            status = self.status()
            if status and condition(status):
                return status
            time.sleep(0.02)
        raise AssertionError(f"{what} did not come; log:\n{self.log()}\nstatus: {status}")

    def events(self, kind=None, since=None):
        """Give the history, oldest first; what a crash cut off or is being written is left out."""
        file = self.dir / "state" / "events.jsonl"
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        return [
            event
            for event in map(json.loads, lines)
            if kind in (None, event["kind"])
            and (since is None or datetime.fromisoformat(event["at"]) >= since)
        ]

    def wait_event(self, kind, *words, since=None, subject=None, timeout=20.0):
        """Wait until the history has such an event since then, and give the first one.

        :param words: any of these as the event's ``after``.
        :param since: by default when the line was last changed, or the daemon started.
        """
        until, since = time.monotonic() + timeout, since or self.since
        while time.monotonic() < until:
            for event in self.events(kind, since):
                if event["after"] in words and subject in (None, event["subject"]):
                    return event
            time.sleep(0.02)
        raise AssertionError(f"{kind} {words} did not come; log:\n{self.log()}")

    def wait_verdict(self, *verdicts):
        """Wait until the path has had one of the verdicts since the line was last changed."""

        def had(status):
            at = datetime.fromisoformat(status.written_at)
            now = status.paths["vpn1"].verdict if at >= self.since else None
            passed = {event["after"] for event in self.events("verdict", self.since)}
            return {now, *passed} & {*verdicts}

        return self.wait(had, f"{verdicts}")

    def wait_role(self, role):
        """Wait until wish, observation and file agree on a role that stays."""
        return self.wait(lambda s: s.role.wanted == s.role.observed == role == self.role, role)

    def log(self):
        return (self.dir / "log").read_text()

    def havpn(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "havpn_core", *arguments, "-c", str(self.file)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
