"""Read the status that a daemon left in ``run_dir``, and say whether that daemon still works."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from havpn_core.daemon.state.pair_status import LinkStatus, PairStatus
from havpn_core.daemon.state.path_status import ProbeStatus
from havpn_core.daemon.state.status import STATUS_FILE, ActionStatus, Status
from havpn_core.host import boot
from havpn_core.host.disk import files
from havpn_core.host.disk.trouble import FileTrouble
from havpn_core.rules.limits import Clocks

FRESH_S = 10.0
"""A status file older than this many seconds was left by a daemon that no longer works."""
ROUNDED_S = 0.001
"""The moment of writing is rounded to this many seconds."""
BORN_LATER_S = 1.0
"""Where only the wall clock is known, a writer may seem to be born this much after it wrote."""


def read(run_dir: Path) -> Status | None:
    """Read the status file and judge its age; works whether or not the daemon lives.

    :returns: ``None`` if no daemon has ever run with this ``run_dir``.
    :raises FileTrouble: if it cannot be read or somebody else wrote into it.
    """
    found = read_whole(run_dir)
    return found[0] if found else None


def read_whole(run_dir: Path) -> tuple[Status, dict[str, Any]] | None:
    """Read it as :func:`read` does; gives besides everything that is in the file.

    Keys of a newer release, which :class:`Status` does not have, are in it, too.

    :raises FileTrouble: as :func:`read`.
    """
    file = run_dir / STATUS_FILE
    content = files.read(file)
    if content is None:
        return None
    try:
        raw = msgspec.json.decode(content)
        status = typed(raw)
        now = boot.clocks()
        status.age_s = round(age_s(status, now), 3)
        status.state = judged(status, now, boot.birth_s(status.pid))
        raw["age_s"], raw["state"] = status.age_s, status.state
    except (ValueError, OverflowError, RecursionError) as problem:
        raise FileTrouble(
            f"{file}: it is damaged ({problem}): the running daemon writes it again"
        ) from None
    return status, raw


def typed(raw: Any) -> Status:
    """Take a status as JSON has it; unknown keys are left out, missing ones have a default.

    :raises ValueError: if it is none.
    """
    split_probes = partial(_each, "probes", partial(_split, ProbeStatus))
    split = _each("actions", partial(_split, ActionStatus), _each("paths", split_probes, raw))
    if isinstance(split, dict) and "pair" in split:
        split = split | {"pair": _split_links(split["pair"])}
    return msgspec.convert(split, Status)


def typed_pair(raw: Any) -> PairStatus:
    """Take the pair's part of a status, with the facts of links among the core's.

    :raises ValueError: if it is none.
    """
    return msgspec.convert(_split_links(raw), PairStatus)


def judged(status: Status, now: Clocks, birth_s: float | None) -> str:
    """Give the state, ``stale`` if the daemon that wrote it does not work any more.

    :param status: with its age.
    :param birth_s: seconds since the boot when the process began that has the daemon's number;
        ``None`` if there is none.
    """
    if status.state == "stopped":
        return "stopped"
    alive = birth_s is not None and _wrote(status, now, birth_s)
    return status.state if alive and status.age_s <= FRESH_S else "stale"


def age_s(status: Status, now: Clocks) -> float:
    """Give the seconds since the status was written.

    In the same boot its clock counts, as nobody can set it. After another boot, for a file of an
    older release, and where a container has its own clock of the boot, the wall clock does.

    :raises ValueError: if the time of writing is none.
    """
    wall_s = now.wall_s - _written_s(status)
    at_s = status.written_uptime_s
    if at_s is None or not _in_boot(status, now) or now.boot_s < at_s - ROUNDED_S:
        return wall_s
    return max(0.0, now.boot_s - at_s)


def _wrote(status: Status, now: Clocks, birth_s: float) -> bool:
    """Whether a process is the one that wrote it, and not another with the same number."""
    if _in_boot(status, now) and status.written_uptime_s is not None:
        return birth_s <= status.written_uptime_s + ROUNDED_S
    if status.boot and now.boot and status.boot != now.boot:
        return False  # no process outlives a boot
    return now.wall_s - now.boot_s + birth_s <= _written_s(status) + BORN_LATER_S


def _in_boot(status: Status, now: Clocks) -> bool:
    return bool(status.boot) and status.boot == now.boot


def _written_s(status: Status) -> float:
    written = datetime.fromisoformat(status.written_at)
    if written.tzinfo is None:
        raise ValueError("written_at: no time zone")
    return written.timestamp()


def _split_links(raw: Any) -> Any:
    return _each("links", partial(_split, LinkStatus), raw)


def _each(key: str, turn: Callable[[Any], Any], raw: Any) -> Any:
    """Turn every value of the table under a key; what is no table is left to the check."""
    if not isinstance(raw, dict) or not isinstance(raw.get(key), dict):
        return raw
    return raw | {key: {name: turn(value) for name, value in raw[key].items()}}


def _split(kind: type[msgspec.Struct], raw: Any) -> Any:
    """Part the core's keys from the facts of a plugin."""
    if not isinstance(raw, dict):
        return raw
    core = {key: raw[key] for key in kind.__struct_fields__ if key in raw}
    return core | {"facts": {key: raw[key] for key in raw if key == "facts" or key not in core}}
