"""``havpn plugin trace``: the calls of the running daemon into its plugins, as they end."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from havpn_core.daemon import requests
from havpn_core.durations import Duration
from havpn_core.errors import HavpnError


def show(run_dir: Path, name: str, as_json: bool, for_s: Duration | None) -> None:
    """Print calls until Ctrl-C, or for a time.

    :raises HavpnError: if no daemon replies, it refuses, or it ends meanwhile.
    """
    given = {} if for_s is None else {"for_s": float(for_s)}
    replies = requests.stream(run_dir, do="trace", name=name, **given)
    with contextlib.closing(replies), contextlib.suppress(KeyboardInterrupt):
        found = next(replies)["instances"]
        click.echo(f"tracing {', '.join(found)}; Ctrl-C ends", err=True)
        for line in _until_the_end(replies):
            click.echo(json.dumps(line) if as_json else words(line))


def _until_the_end(replies: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for line in replies:
        if "end" in line:
            return
        yield line
    raise HavpnError("the daemon has ended, and the trace with it")


def words(line: dict[str, Any]) -> str:
    """Put one line of a trace into words."""
    if "lost" in line:
        return f"... {line['lost']} calls are left out: the output is slower than the calls"
    call = f"{line['at']} {line['instance']} {line['method']}({line['arguments']})"
    ended = "" if line["ended"] == "returned" else line["ended"]
    came = " ".join(filter(None, (ended, line["result"])))
    return f"{call} {line['took_ms']:.3f} ms{': ' if came else ''}{came}"
