"""Rows of a status in colours, for terminals; rich is imported with this."""

from collections.abc import Sequence

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
