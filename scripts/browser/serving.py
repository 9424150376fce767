"""Serve a status and a history that were written down, by the program that serves live ones."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from havpn_core.host import boot

START_S = 30.0


def publish(folder: Path, status: dict[str, Any]) -> None:
    """Write a status as if a daemon had written it now; the time that it shows stays."""
    now = boot.clocks()
    fresh = status | {"boot": now.boot, "written_uptime_s": now.boot_s}
    draft = folder / "status.new"
    draft.write_text(json.dumps(fresh))
    draft.rename(folder / "status.json")


def record(folder: Path, events: list[dict[str, Any]]) -> None:
    """Write a history."""
    draft = folder / "events.new"
    draft.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    draft.rename(folder / "events.jsonl")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve what is in a folder; gives the address of the page.

    :raises TimeoutError: if it does not come up.
    """
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port = made.getsockname()[1]
    command = [sys.executable, "-m", "havpn_core.serve", f"--run-dir={folder}"]
    command += [f"--state-dir={folder}", f"127.0.0.1:{port}"]
    here, process = Path(__file__).parents[2], None
    environment = os.environ | {"PYTHONPATH": str(here)}
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            raise TimeoutError(f"{' '.join(command)} does not listen")
        yield f"http://127.0.0.1:{port}/"
    finally:
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
