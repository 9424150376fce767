"""Whether the wall clock is synchronised, and not behind what was written by it."""

import ctypes
import time
from datetime import UTC, datetime
from pathlib import Path

from havpn_core.doctor.case import Case
from havpn_core.doctor.finding import Finding
from havpn_core.durations import Duration

SUBJECT = "clock"
FAR_S = 60.0
"""A clock is far off from here on."""
_TIME_ERROR = 5
_TIMEX_BYTES = 208
SYNCHRONISE = "run an NTP client (apt install systemd-timesyncd), and see timedatectl"


async def look(case: Case) -> list[Finding]:
    """Read the kernel's word and the times of files that havpn wrote."""
    found = judged(synchronised())
    now_s = time.time()
    for file, written_s in _written(case):
        if written_s - now_s > FAR_S:
            behind = Duration(round(written_s - now_s))
            text = f"it is {behind} behind the time at which {file} was written"
            found.append(Finding.failed(SUBJECT, text, f"set the clock: {SYNCHRONISE}"))
    return found


def judged(in_sync: bool | None) -> list[Finding]:
    """Say what the kernel's word means; ``None``: it gives none."""
    now = datetime.now(UTC).isoformat(" ", "seconds")
    if in_sync is False:
        text = f"the kernel says that it is not synchronised; it shows {now}"
        return [Finding.warning(SUBJECT, text, SYNCHRONISE)]
    word = "synchronised" if in_sync else "the kernel does not say whether it is synchronised"
    return [Finding.good(SUBJECT, f"{word}; it shows {now}")]


def ahead_of_us(subject: str, written_us: int, now_s: float) -> list[Finding]:
    """Compare with the moment at which a partner says that it started.

    :param written_us: microseconds of its wall clock since 1970.
    """
    ahead_s = written_us / 1e6 - now_s
    if ahead_s <= FAR_S:
        return []
    text = f"the other end's clock is {Duration(round(ahead_s))} ahead of this one, or was"
    return [Finding.failed(subject, text, f"set the clocks of both: {SYNCHRONISE}")]


def synchronised() -> bool | None:
    """Read the kernel's word (adjtimex(2) with ``modes`` 0, which changes nothing)."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _written(case: Case) -> list[tuple[Path, float]]:
    """Give files of this gateway with the wall clock of their writing, in seconds since 1970."""
    state_dir, found = Path(case.config.node.state_dir), []
    for file in (case.config.file, state_dir / "pair.json", state_dir / "events.jsonl"):
        try:
            found.append((file, file.stat().st_mtime))
        except OSError:
            continue
    return found
