"""The journals that programs inside hosts keep, read from outside while they grow."""

import struct
from dataclasses import dataclass
from pathlib import Path

ENTRY = struct.Struct("<QQQ")


@dataclass(frozen=True)
class Entry:
    """One record or packet.

    :param sent: CLOCK_MONOTONIC, seconds; the clock is the same in all hosts and outside.
    :param arrived: the same; None: not (yet).
    """

    number: int
    sent: float
    arrived: float | None


def read_journal(path: Path) -> list[Entry]:
    """Return all complete entries; an absent file is an empty journal."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = len(data) - len(data) % ENTRY.size
    return [
        Entry(number, sent / 1e9, arrived / 1e9 if arrived else None)
        for number, sent, arrived in ENTRY.iter_unpack(data[:whole])
    ]
