"""The status files in ``run_dir``, which outlive the daemon."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil

from havpn_core.host import files
from havpn_core.host.trouble import FileTrouble

STATUS_FILE = "status.json"
BRIEF_FILE = "status.brief"
FRESH_S = 10.0
"""A status file older than this many seconds was left by a daemon that no longer works."""


def brief(state: str, paths: dict[str, tuple[str, bool | None]]) -> bytes:
    """Write the status for readers that have no JSON and no time, as a resource agent's monitor.

    Lines of a key and a value: ``state``, ``pid``, ``ticks`` (the process's birth in clock ticks
    since boot, as in ``/proc/PID/stat``), ``uptime`` (seconds since boot, when this was
    written) and for each path ``path NAME VERDICT USABLE``, the last as 1, 0 or ``-``.

    :param paths: verdict and usability; ``None`` where nothing may be concluded.
    """
    stat = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
    ticks = stat.rpartition(")")[2].split()[19]
    uptime = Path("/proc/uptime").read_text(encoding="ascii").split()[0]
    words = {True: "1", False: "0", None: "-"}
    lines = [f"state {state}", f"pid {os.getpid()}", f"ticks {ticks}", f"uptime {uptime}"]
    lines += [f"path {name} {verdict} {words[ok]}" for name, (verdict, ok) in paths.items()]
    return ("\n".join(lines) + "\n").encode()


def rfc3339(moment: datetime) -> str:
    """Write a time in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Role(msgspec.Struct):
    wanted: str | None
    observed: str | None


class _Probe(msgspec.Struct):
    outcome: str | None
    latency_ms: float | None
    detail: str | None
    ok: int
    fail: int
    error: int


class _Quality(msgspec.Struct):
    verdict: str
    loss: float | None
    latency_ms: float | None


class _Flaps(msgspec.Struct):
    penalty: float
    hold_s: float


class _Path(msgspec.Struct):
    verdict: str
    since: str
    probes: dict[str, _Probe]
    quality: _Quality | None = None
    flaps: _Flaps | None = None
    late: int = 0


class _Action(msgspec.Struct):
    phase: str
    observed: str | None
    error: str | None


class _Notifier(msgspec.Struct):
    delivered: int
    failed: int
    dropped: int
    error: str | None


class _Status(msgspec.Struct):
    """What every reader of the status relies on."""

    node: str
    state: str
    pid: int
    written_at: str
    role: _Role
    paths: dict[str, _Path]
    actions: dict[str, _Action]
    notifiers: dict[str, _Notifier]


def read_status(run_dir: Path) -> dict[str, Any] | None:
    """Read the status file and judge its age; works whether or not the daemon lives.

    :returns: ``None`` if no daemon has ever run with this ``run_dir``.
    :raises FileTrouble: if it cannot be read or somebody else wrote into it.
    """
    file = run_dir / STATUS_FILE
    content = files.read(file)
    if content is None:
        return None
    try:
        status: dict[str, Any] = msgspec.json.decode(content, type=dict)
        msgspec.convert(status, _Status)
        written = datetime.fromisoformat(status["written_at"])
        status["age_s"] = round((datetime.now(UTC) - written).total_seconds(), 3)
        alive = _is_running(status["pid"], written)
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        reason = "no time zone" if isinstance(problem, TypeError) else str(problem)
        raise FileTrouble(
            f"{file}: it is damaged ({reason}): the running daemon writes it again"
        ) from None
    if status["state"] != "stopped" and (not alive or status["age_s"] > FRESH_S):
        status["state"] = "stale"
    return status


def _is_running(pid: int, written: datetime) -> bool:
    """Whether the process that wrote the file lives; a recycled number does not count."""
    try:
        return bool(psutil.Process(pid).create_time() <= written.timestamp() + 1)
    except (psutil.Error, TypeError, ValueError, OverflowError):
        return False
