"""Draw what ``havpn status`` shows, from a document that a daemon wrote.

``python -m havpn_core.cli.pictures docs/status.json > docs/status.svg`` brings the picture of the
documentation up to date; ``docs/status.jsonl`` beside it is the history.
"""

import sys
from pathlib import Path

import click
import msgspec

from havpn_core.daemon.state.events import parse_history
from havpn_core.daemon.state.reading import typed
from havpn_core.showing.glance import rows
from havpn_core.showing.picture import svg


def drawn(document: bytes, history: bytes = b"") -> str:
    """Draw a status with its last events.

    :param document: what ``havpn status --json`` prints.
    :param history: what ``havpn events --json`` prints.
    :raises ValueError: if the document is none.
    """
    status = typed(msgspec.json.decode(document))
    events = [event for _, event in parse_history(history)[0]]
    return svg(rows(status, events[-3:]), f"havpn status on {status.node}")


def main(file: Path) -> None:
    """Print the picture of a document, with the history beside it if there is one."""
    history = file.with_suffix(".jsonl")
    click.echo(
        drawn(file.read_bytes(), history.read_bytes() if history.exists() else b""), nl=False
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
