"""What outlives a process: the memory in ``state_dir`` and the status file in ``run_dir``."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil

MEMORY_FILE = "state.json"
STATUS_FILE = "status.json"
BRIEF_FILE = "status.brief"
FRESH_S = 10.0
"""A status file older than this many seconds was left by a daemon that no longer works."""


class ActionMemory(msgspec.Struct, omit_defaults=True):
    """What is remembered of an action; roles as text.

    :param running: the role that was being carried out.
    :param foreign: the role that somebody else gave it.
    """

    done: str | None = None
    running: str | None = None
    foreign: str | None = None


class Memory(msgspec.Struct):
    """What the next run must know; streaks are not part of it.

    :param flaps: the flap penalty of each path when this was written; it is taken over as it is,
        so a restart forgets no flap and may remember one for a little longer.
    """

    paths: dict[str, str] = {}
    actions: dict[str, ActionMemory] = {}
    flaps: dict[str, float] = {}
    paused: bool = False
    forced: str | None = None
    forced_until: float | None = None


def recall(file: Path) -> tuple[Memory, str | None]:
    """Read the memory; a bad file is set aside.

    :returns: the memory, empty if there was none, and a warning where something was wrong.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Memory), None
    except FileNotFoundError:
        return Memory(), None
    except (OSError, msgspec.DecodeError) as problem:
        aside = file.with_name(f"{file.name}.corrupt-{int(time.time())}")
        try:
            file.rename(aside)
        except OSError:
            return Memory(), f"{file} cannot be read ({problem}) nor set aside; starting afresh"
        return Memory(), f"{file} cannot be read ({problem}); set aside as {aside.name}"


def write_atomically(file: Path, content: bytes, *, durable: bool, mode: int = 0o644) -> None:
    """Replace a file's content in one step, so that no reader ever sees half of it.

    :param durable: make sure that it outlives a power cut.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.write(descriptor, content)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(file)


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


def read_status(run_dir: Path) -> dict[str, Any]:
    """Read the status file and judge its age; works whether or not the daemon lives.

    :raises FileNotFoundError: if no daemon has ever run with this ``run_dir``.
    :raises msgspec.DecodeError: if somebody else wrote into it.
    """
    status: dict[str, Any] = msgspec.json.decode((run_dir / STATUS_FILE).read_bytes(), type=dict)
    written = datetime.fromisoformat(status["written_at"])
    status["age_s"] = round((datetime.now(UTC) - written).total_seconds(), 3)
    alive = _is_running(status.get("pid"), written)
    if status["state"] != "stopped" and (not alive or status["age_s"] > FRESH_S):
        status["state"] = "stale"
    return status


def _is_running(pid: Any, written: datetime) -> bool:
    """Whether the process that wrote the file lives; a recycled number does not count."""
    try:
        return bool(psutil.Process(pid).create_time() <= written.timestamp() + 1)
    except (psutil.Error, TypeError, ValueError):
        return False
