"""``havpn events``."""

from pathlib import Path

import click

from havpn_core.cli.options import config_option, directories, json_option


@click.command()
@config_option
@json_option
@click.option("-n", "--last", type=click.IntRange(1), default=50, show_default=True)
def events(file: Path, as_json: bool, last: int) -> None:
    """Show the history of transitions and actions, oldest first.

    Damaged lines are left out and counted on standard error.
    """
    from havpn_core.daemon.state.events import HISTORY_FILE, parse_history
    from havpn_core.host.disk import files
    from havpn_core.host.disk.trouble import FileTrouble
    from havpn_core.showing.words import one_line

    _, state_dir = directories(file, None)
    history = state_dir / HISTORY_FILE
    found, problems = [], []
    for part in (history.with_suffix(".jsonl.1"), history):
        try:
            good, damaged = parse_history(files.read(part) or b"")
        except FileTrouble as problem:
            problems.append(str(problem))
            continue
        found += good
        if damaged:
            lines = "1 damaged line is" if damaged == 1 else f"{damaged} damaged lines are"
            click.echo(f"havpn: {part}: {lines} left out", err=True)
    for line, event in found[-last:]:
        if as_json:
            click.echo(line)
            continue
        change = " -> ".join(word for word in (event.before, event.after) if word)
        detail = f" ({event.detail})" if event.detail else ""
        subject = f"{event.kind} {event.subject}".strip()
        # A line each; and what a terminal would obey is not shown, whoever wrote the file.
        click.echo(one_line(f"{event.at} {subject}: {change}{detail}"))
    if problems:
        raise FileTrouble("; ".join(problems))
