"""Rows of a status in colours, for terminals and pictures; rich is imported with this."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from havpn_core.showing.rows import Mood, Row, laid_out

STYLES = {
    Mood.PLAIN: "",
    Mood.GOOD: "green",
    Mood.WARNING: "bold yellow",
    Mood.BAD: "bold red",
}


def coloured(rows: Sequence[Row], width: int) -> Text:
    """Give rows as a text whose lines fit into so many columns."""
    found = Text(no_wrap=True, overflow="crop")
    for line in laid_out(rows, width):
        style = STYLES[line.mood]
        found.append(line.mark, style)
        found.append(line.label, "bold" if line.label.strip() else "")
        found.append(f"{line.text}\n", style)
    found.rstrip()
    return found


def svg(rows: Sequence[Row], title: str, width: int) -> str:
    """Draw rows as they look in a terminal: the same picture for the same rows, as SVG.

    :param title: of the window; it makes the names of the picture's parts, too.
    """
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    console.print(coloured(rows, width))
    name = "".join(c for c in title if c.isalnum())
    return console.export_svg(title=title, unique_id=f"status-{name}") + "\n"
