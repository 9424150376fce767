"""Draw who did what when."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from havpn_core.study.plots import new_figure, save

COLOURS = {
    "active": "tab:blue",
    "up": "tab:green",
    "failing": "gold",
    "recovering": "gold",
    "down": "tab:red",
    "flows": "tab:green",
    "lost": "tab:red",
}


@dataclass(frozen=True)
class Bar:
    """One state for a time, from and until in seconds of one clock."""

    since: float
    until: float
    word: str


@dataclass(frozen=True)
class Row:
    """One line of the picture; later bars lie over earlier ones."""

    name: str
    bars: tuple[Bar, ...]


def draw_timeline(
    rows: Sequence[Row],
    acts: Sequence[tuple[float, str]],
    span: tuple[float, float],
    file: Path,
) -> None:
    """Draw the rows below each other, with a mark for each act.

    :raises ValueError: if the file is neither SVG nor PNG.
    :raises HavpnError: without matplotlib, or if the file cannot be written.
    """
    began, end = span
    figure = new_figure(height=1.2 + 0.35 * len(rows))
    axes = figure.subplots()
    for number, row in enumerate(rows):
        for bar in row.bars:
            since = max(bar.since, began)
            colour = COLOURS.get(bar.word, "lightgrey")
            # An outage of a tenth of a second would be thinner than the picture's dots.
            width = max(bar.until - since, (end - began) / 500)
            axes.barh(-number, width, left=since - began, height=0.7, color=colour)
    for at, what in acts:
        axes.axvline(at - began, color="black", linestyle=":")
        axes.annotate(what, (at - began, 0.7), ha="center", annotation_clip=False)
    axes.set_yticks([-n for n in range(len(rows))], [row.name for row in rows])
    axes.set_xlim(0, end - began)
    axes.set_xlabel("seconds")
    save(figure, file)
