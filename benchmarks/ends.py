"""havpn at both ends of a lab line, each watching it in several ways at once."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from havpn_core.testing.lab import Line, Supervisor
from havpn_core.testing.lab.line import LEFT, RIGHT

STATE = "/run/havpn-state"
FLUSH_S = 2.5
"""What a daemon may take to put its history on disk."""
KEY = "5b" * 32

NODE = f"""
[node]
name = "%(name)s"
state_dir = "{STATE}"
[respond]
listen = ["%(near)s:7"]
allow = ["%(far)s/32"]
[action.gateway]
type = "exec"
active = ["true"]
standby = ["true"]
"""
PATH = """
[path.%(path)s]
profile = "%(profile)s"
%(overrides)s
[path.%(path)s.probe.far]
host = "%(far)s"
"""
ECHO = 'type = "udp-echo"\n'
STREAM = 'type = "stream"\nsource = "%(near)s"\nkey_file = "/etc/havpn/line.key"\n'
WAYS = {
    "stream": ("havpn fast, stream", "fast", STREAM),
    "echo": ("havpn fast, echo", "fast", ECHO),
    "balanced": ("havpn balanced, echo", "balanced", ECHO),
}
"""Each path's name in tables, its profile and its probe."""


class History:
    """The history of a daemon, also across the moments at which the file is turned over."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._events: dict[bytes, dict[str, Any]] = {}

    def events(self) -> list[dict[str, Any]]:
        """Give all events seen so far; call it at least once in ten minutes."""
        for file in (self._file.with_suffix(".jsonl.1"), self._file):
            if file.exists():
                whole = file.read_bytes().rpartition(b"\n")[0]
                self._events |= {line: json.loads(line) for line in whole.splitlines()}
        return list(self._events.values())


class Watched:
    """One path of a daemon, as a watcher of the line.

    :ivar name: how tables call it.
    """

    def __init__(self, path: str, daemon: Supervisor, history: History) -> None:
        self.name, self.path = WAYS[path][0], path
        self._daemon, self._history = daemon, history

    def status(self) -> dict[str, Any]:
        """Give the status of the daemon that watches."""
        return self._daemon.status()

    def is_up(self) -> bool:
        """Read the status file."""
        return self._daemon.verdict(self.path) == "up"

    def is_down(self) -> bool:
        """Read the status file."""
        return self._daemon.verdict(self.path) == "down"

    def downs(self) -> list[float]:
        """Read the history; its moments are cut off to whole milliseconds, so half of one is added.

        What was decided in the last :data:`FLUSH_S` may not be in it yet.
        """
        found = [e for e in self._history.events() if e["kind"] == "verdict"]
        return [
            datetime.fromisoformat(event["at"]).timestamp() + 0.0005
            for event in found
            if event["subject"] == self.path and event["after"] == "down"
            if event["before"] != "recovering"  # it was down all the time
        ]


class Ends:
    """A daemon at each end of the line, alike but for their addresses.

    :param paths: of :data:`WAYS`.
    :param overrides: lines for each path.
    :ivar left: the paths of the one end, in that order.
    :ivar right: those of the other.
    """

    def __init__(self, line: Line, paths: Sequence[str] = tuple(WAYS), overrides: str = "") -> None:
        found = []
        for host, near, far in ((line.right, RIGHT, LEFT), (line.left, LEFT, RIGHT)):
            host.write("/etc/havpn/line.key", KEY, 0o600)
            facts = {"name": host.name, "near": near, "far": far, "overrides": overrides}
            config = NODE % facts
            for path in paths:
                _, profile, probe = WAYS[path]
                config += (PATH + probe) % {**facts, "path": path, "profile": profile}
            daemon = Supervisor(host, config)
            daemon.start()
            history = History(Path(f"{host.root}{STATE}/events.jsonl"))
            found.append([Watched(path, daemon, history) for path in paths])
        self.right, self.left = found
