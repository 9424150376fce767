"""The end of the history, without reading it through."""

from pathlib import Path

from havpn_core.daemon.state.events import HISTORY_FILE, Record, parse_history
from havpn_core.host.disk import files

SPARE = 3
"""So many lines more are looked at, as a crash may have cut some off."""


def last_events(state_dir: Path, count: int) -> list[Record]:
    """Give the last events, oldest first; damaged lines are left out.

    :param count: how many at the most.
    :raises FileTrouble: if the history cannot be read.
    """
    history = state_dir / HISTORY_FILE
    found: list[Record] = []
    for part in (history, history.with_suffix(".jsonl.1")):
        if len(found) < count:
            ends = (files.read(part) or b"").rsplit(b"\n", count + SPARE)[-count - SPARE :]
            found = [event for _, event in parse_history(b"\n".join(ends))[0]] + found
    return found[-count:]
