"""``havpn status``."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from havpn_core.cli.options import config_option, directories, json_option, run_dir_option
from havpn_core.errors import HavpnError

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {"up": "green", "failing": "yellow", "down": "red", "recovering": "yellow"}
REFRESH_S = 0.5


@click.command()
@config_option
@run_dir_option
@json_option
@click.option("--watch", is_flag=True, help="Show a live table until interrupted.")
def status(file: Path, run_dir: Path | None, as_json: bool, watch: bool) -> None:
    """Show what the daemon knows and does, from the file that it leaves behind."""
    where, _ = directories(file, run_dir)
    if watch:
        _watch(where)
        return
    facts = read(where)
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(lines(facts)))
    sys.exit(0 if facts["state"] in ("running", "paused") else 1)


def read(run_dir: Path) -> dict[str, Any]:
    """Read the status file.

    :raises HavpnError: if there is none that makes sense.
    """
    from havpn_core.daemon.status import STATUS_FILE, read_status

    found = read_status(run_dir)
    if found is None:
        raise HavpnError(
            f"{run_dir / STATUS_FILE} is not there: has the daemon ever run with this "
            "configuration? Name it with -c"
        )
    return found


def lines(facts: dict[str, Any]) -> list[str]:
    """Write the facts for people."""
    role = facts["role"]
    said = f"{facts['node']}: {facts['state']}, role {role['wanted'] or 'not decided'}"
    if role["observed"] != role["wanted"]:
        said += f" (in force: {role['observed'] or 'unknown'})"
    found = [f"{said}; as of {facts['age_s']:.1f} s ago"]
    if facts["state"] == "stale":
        found.append("THE DAEMON DOES NOT WORK: what follows is its last word")
    for name, path in facts["paths"].items():
        found.append(f"path {name}: {path['verdict']} since {path['since']}")
        found.extend(f"  {text}" for text in conditions(path))
        for probe, tally in path["probes"].items():
            latency = tally["latency_ms"]
            tail = f" {latency} ms" if latency is not None else f" {tally['detail']}"
            counts = f"{tally['ok']} ok, {tally['fail']} failed, {tally['error']} errors"
            found.append(f"  probe {probe}: {tally['outcome']}{tail} ({counts})")
    for name, action in facts["actions"].items():
        error = f": {action['error']}" if action["error"] else ""
        found.append(f"action {name}: {action['phase']}, {action['observed']}{error}")
    for name, told in facts["notifiers"].items():
        error = f": {told['error']}" if told["error"] else ""
        counts = f"{told['delivered']} delivered, {told['failed']} failed"
        found.append(f"notifier {name}: {counts}, {told['dropped']} dropped{error}")
    return found


def conditions(path: dict[str, Any]) -> list[str]:
    """Say what keeps a path from being trusted: poor quality, remembered flaps."""
    found = []
    quality, flaps = path.get("quality"), path.get("flaps")
    if quality and quality["verdict"] == "poor":
        latency = quality["latency_ms"]
        slow = "" if latency is None else f", latency {latency:.0f} ms"
        found.append(f"poor: loss {quality['loss'] or 0:.0%}{slow}")
    if flaps and flaps["hold_s"]:
        found.append(f"flapping (penalty {flaps['penalty']:.1f}): held for {flaps['hold_s']:.0f} s")
    if path.get("late"):
        found.append(f"{path['late']} rounds void: this host was late itself")
    return found


def table(facts: dict[str, Any]) -> "Table":
    """Draw the facts for ``--watch`` and the demo."""
    from rich.table import Table

    role = facts["role"]
    drawn = Table(
        title=f"{facts['node']}  {facts['state']}  role {role['wanted']}"
        f" (in force: {role['observed']})  {facts['age_s']:.1f} s ago",
        title_style="bold" if facts["state"] == "running" else "bold red",
    )
    for column in ("path", "verdict", "probe", "last", "latency", "ok", "fail", "error"):
        drawn.add_column(column)
    for name, path in facts["paths"].items():
        colour = COLOURS.get(path["verdict"], "white")
        for probe, tally in path["probes"].items():
            latency = tally["latency_ms"]
            drawn.add_row(
                name,
                f"[{colour}]{path['verdict']}[/]",
                probe,
                tally["outcome"] or "",
                "" if latency is None else f"{latency:.1f} ms",
                *(str(tally[key]) for key in ("ok", "fail", "error")),
            )
    return drawn


def _watch(run_dir: Path) -> None:
    from rich.live import Live

    with Live(table(read(run_dir)), refresh_per_second=4) as live:
        try:
            while True:
                time.sleep(REFRESH_S)
                live.update(table(read(run_dir)))
        except KeyboardInterrupt:
            return
