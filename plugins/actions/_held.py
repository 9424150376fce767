"""Note in ``run_dir`` what is held, so that it can be given up without any configuration.

``held.json`` holds one object: the name of each instance that holds something, with its type
and the options with which an instance can be built that gives it up. ``havpn release`` reads it
when the configuration cannot be used; any action that owns what it holds may write it.
"""

import os
import threading
from pathlib import Path
from typing import Any

import msgspec

FILE = "held.json"
_writing = threading.Lock()


class Held(msgspec.Struct, frozen=True):
    """What one instance holds.

    :param type: its action type.
    :param options: enough to build one that gives it up.
    """

    type: str
    options: dict[str, Any]


def read(run_dir: Path) -> dict[str, Held]:
    """Give what is noted; empty if there is nothing or nothing legible."""
    try:
        return msgspec.json.decode((run_dir / FILE).read_bytes(), type=dict[str, Held])
    except (OSError, msgspec.DecodeError):
        return {}


def note(run_dir: Path, instance: str, held: Held | None) -> None:
    """Write down what an instance holds; ``None``: nothing.

    :raises OSError: if it cannot be written.
    """
    with _writing:
        before = read(run_dir)
        after = {name: entry for name, entry in before.items() if name != instance}
        if held is not None:
            after[instance] = held
        if after == before:
            return
        run_dir.mkdir(parents=True, exist_ok=True)
        draft = run_dir / f".{FILE}.{os.getpid()}"
        draft.write_bytes(msgspec.json.encode(after))
        draft.chmod(0o600)
        draft.replace(run_dir / FILE)
