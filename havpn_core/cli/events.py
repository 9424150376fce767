"""``havpn events``."""

import json
from pathlib import Path

import click

from havpn_core.cli.options import config_option, directories, json_option
from havpn_core.events import HISTORY_FILE


@click.command()
@config_option
@json_option
@click.option("-n", "--last", type=click.IntRange(1), default=50, show_default=True)
def events(file: Path, as_json: bool, last: int) -> None:
    """Show the history of transitions and actions, oldest first."""
    _, state_dir = directories(file, None)
    history = state_dir / HISTORY_FILE
    found = []
    for part in (history.with_suffix(".jsonl.1"), history):
        if part.exists():
            found += part.read_text(errors="replace").splitlines()
    for line in found[-last:]:
        if as_json:
            click.echo(line)
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue  # a line cut off by a crash
        change = " -> ".join(word for word in (event["before"], event["after"]) if word)
        detail = f" ({event['detail']})" if event["detail"] else ""
        subject = f"{event['kind']} {event['subject']}".strip()
        click.echo(f"{event['at']} {subject}: {change}{detail}")
